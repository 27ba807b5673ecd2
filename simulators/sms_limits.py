"""Aliyun's sending limits, counted on submission over rolling windows of business time (STANDARDS §10)."""

from datetime import datetime, timedelta

from simulators import preferences
from simulators.books import Doc, Page
from simulators.templates import SmsTemplate

MESSAGES = "sms.message"

# preference, window, the word Aliyun uses for the level
_CODE_LIMITS = (
    ("code_per_minute", timedelta(minutes=1), "分钟级"),
    ("code_per_hour", timedelta(hours=1), "小时级"),
    ("code_per_day", timedelta(days=1), "天级"),
)


def exceeded(page: Page, phone: str, template: SmsTemplate, now: datetime) -> str | None:
    """The message of isv.BUSINESS_LIMIT_CONTROL when this SMS is one too many; None when it may go."""
    limits = preferences.read(page)["sms_limits"]
    sent = [doc for doc in page.all(MESSAGES, phone) if datetime.fromisoformat(doc["sent_at"]) <= now]
    if template.is_verification:
        codes = [doc for doc in sent if doc["verification"]]
        for name, window, level in _CODE_LIMITS:
            if _full(codes, limits[name], now - window):
                return f"触发{level}流控Permits:{limits[name]}"
    elif _full([d for d in sent if d["template"] == template.code], limits["notice_per_day"], _day_ago(now)):
        return f"触发天级流控Permits:{limits['notice_per_day']}"
    if template.is_verification and _full(sent, limits["number_per_day"], _day_ago(now)):
        return f"触发号码天级流控Permits:{limits['number_per_day']}"
    return None


def parts(text: str) -> int:
    """How many messages are billed: 70 characters fit one, 67 each part of a long one."""
    return 1 if len(text) <= 70 else -(-len(text) // 67)


def _full(sent: list[Doc], limit: int | None, since: datetime) -> bool:
    if limit is None:
        return False
    return sum(datetime.fromisoformat(doc["sent_at"]) > since for doc in sent) >= limit


def _day_ago(now: datetime) -> datetime:
    return now - timedelta(days=1)
