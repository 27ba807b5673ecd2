"""WeChat vouches: wx.login gives a code for the account, the phone button another for its number."""

from backend.kernel import identifiers
from backend.people.logins.telling import told
from backend.people.services.entry import Proof
from backend.runtime import wechat_client

_UNUSABLE = frozenset({"40029", "40163"})


def prove(code: str, phone_code: str | None = None) -> Proof:
    """Ask WeChat who this is [outside call]. Raises LoginCodeRefused, ChannelSilent, ChannelRefused."""
    with told(_UNUSABLE):
        openid = str(wechat_client.shared().code2session(code)["openid"])
    return Proof("wechat", openid, phone(phone_code) if phone_code else None)


def phone(phone_code: str) -> str:
    """Ask WeChat for the number behind the phone button [outside call]. Raises as prove."""
    with told(_UNUSABLE):
        return identifiers.tidy_mobile(wechat_client.shared().phone_of(phone_code))
