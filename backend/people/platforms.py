"""Entering through a platform: it vouches first, with no unit open; then the register lets in."""

from backend.people.logins import alipay, wechat
from backend.people.services import entry, phones
from backend.people.services.entry import Visit
from backend.people.views import Entered, MeView


def enter_by_wechat(code: str, phone_code: str | None, visit: Visit) -> Entered:
    """Log in by wx.login's code, and the phone button's if it was pressed [own units, outside calls].

    Raises LoginCodeRefused, ChannelSilent, ChannelRefused, ProveItIsYou.
    """
    return entry.enter(wechat.prove(code, phone_code), visit)


def enter_by_alipay(code: str, phone: tuple[str, str] | None, visit: Visit) -> Entered:
    """Log in by an authorisation code; `phone` is (response, sign) of my.getPhoneNumber [own units, outside call].

    Raises as enter_by_wechat.
    """
    response, sign = phone or (None, "")
    return entry.enter(alipay.prove(code, response, sign), visit)


def take_wechat_phone(person_id: str, phone_code: str) -> MeView:
    """Take the number behind WeChat's phone button [own units, outside call]. Raises PhoneTaken, as enter_by_wechat."""
    return phones.take_proven_phone(person_id, wechat.phone(phone_code))


def take_alipay_phone(person_id: str, response: str, sign: str) -> MeView:
    """Take the number that Alipay signed [own unit]. Raises PhoneTaken, LoginCodeRefused."""
    return phones.take_shown_phone(person_id, alipay.phone(response, sign), "alipay", response)
