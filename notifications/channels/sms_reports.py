"""Aliyun's delivery reports: unsigned JSON to an address that holds a secret (PROVIDERS §5).

Since anybody who learns the address could write to it, a report may only settle a message by their number or ours;
it never finds one by phone number.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Request

from backend.contracts import Notice
from backend.kernel import clock
from backend.runtime.callbacks import Forged, Reply
from backend.runtime.settings import settings
from notifications import wording

DELIVERED, FAILED = "delivered", "failed"
MOST = 500

# error codes of the networks -> what they mean to a clerk
_LOST: dict[str, str] = {
    "MK:0001": "空号",
    "MK:0004": "手机关机或停机",
    "MN:0001": "空号",
    "MN:0017": "手机关机或不在服务区",
    "DB:0141": "号码在黑名单中",
    "SIGN_ILLEGAL": "签名不被运营商接受",
    "MOBILE_ACCOUNT_ABNORMAL": "号码状态异常",
    "MOBILE_NOT_ON_SERVICE": "手机关机或停机",
    "MOBILE_SEND_LIMIT": "号码接收短信达到上限",
}


class SmsReports:
    """Reads reports; the token in the path is all the proof there is."""

    name = wording.SMS

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        """Raises Forged."""
        token = str((request.view_args or {}).get("token", ""))
        if not hmac.compare_digest(token.encode(), settings().sms.report_token.encode()):
            raise Forged("the address is not the secret one")
        try:
            reports = json.loads(body)
        except ValueError as error:
            raise Forged("not JSON") from error
        if not isinstance(reports, list) or len(reports) > MOST:
            raise Forged("not a list of reports")
        return [_notice(report) for report in reports if isinstance(report, dict)]

    def acknowledge(self, *, accepted: bool) -> Reply:
        told = {"code": 0, "msg": "接收成功"} if accepted else {"code": 1, "msg": "拒绝接收"}
        return Reply(200 if accepted else 403, json.dumps(told, ensure_ascii=False).encode())


def why_lost(code: str) -> str:
    """What an error code of a network means."""
    return _LOST.get(code, f"运营商没有送达({code})")


def beijing(text: str) -> datetime | None:
    """Their way of writing a moment; None when it is not one."""
    try:
        return datetime.strptime(text + "+0800", "%Y-%m-%d %H:%M:%S%z").astimezone(clock.now().tzinfo)
    except ValueError:
        return None


def _notice(report: Mapping[str, Any]) -> Notice:
    biz_id, out_id = _text(report, "biz_id"), _text(report, "out_id")
    arrived, code = report.get("success") is True, _text(report, "err_code")
    trigger = DELIVERED if arrived else FAILED
    return Notice(
        provider=wording.SMS,
        key=f"{biz_id}|{out_id}|{trigger if arrived else code}"[:160],
        subject=out_id,
        trigger=trigger,
        occurred_at=beijing(_text(report, "report_time")),
        facts={"provider_id": biz_id, "why": "" if arrived else why_lost(code)},
        raw=json.dumps(report, ensure_ascii=False).encode(),
    )


def _text(report: Mapping[str, Any], name: str) -> str:
    value = report.get(name)
    return str(value)[:80] if isinstance(value, str | int) else ""
