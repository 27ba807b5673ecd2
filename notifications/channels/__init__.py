"""Telephones of the bureau: one file per channel, one port, and this registry of one line each."""

from collections.abc import Callable
from functools import lru_cache

from backend.runtime import settings
from notifications import wording
from notifications.channels.inbox import Inbox
from notifications.channels.port import Channel
from notifications.channels.sms_aliyun import SmsAliyun
from notifications.channels.wechat_subscribe import WeChatSubscribe

__all__ = ["NAMES", "channel"]


@lru_cache(maxsize=4)
def _sms_aliyun(account: settings.SmsAliyun) -> Channel:
    return SmsAliyun(account)


_MAKERS: dict[str, Callable[[], Channel]] = {
    wording.INBOX: Inbox,
    wording.WECHAT: WeChatSubscribe,
    wording.SMS: lambda: _sms_aliyun(settings.settings().sms),
}
NAMES = tuple(_MAKERS)


def channel(name: str) -> Channel:
    """The telephone of a channel. Raises KeyError for a name that is none."""
    return _MAKERS[name]()
