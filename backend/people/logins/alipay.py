"""Alipay vouches: an authorisation code becomes the user's id, a signed and encrypted answer the phone number."""

from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest

from backend.kernel import identifiers
from backend.people.logins.telling import told
from backend.people.services.entry import Proof
from backend.runtime import alipay_client
from backend.runtime.outbound import Garbled

_UNUSABLE = frozenset({"isv.code-invalid", "isv.grant-type-invalid"})


def prove(code: str, phone_response: str | None = None, phone_sign: str = "") -> Proof:
    """Ask Alipay who this is [outside call]. Raises LoginCodeRefused, ChannelSilent, ChannelRefused."""
    request = AlipaySystemOauthTokenRequest()
    request.grant_type, request.code = "authorization_code", code
    with told(_UNUSABLE):
        said = alipay_client.shared().execute(request)
        account = said.get("open_id") or said.get("user_id")
        if not account:
            raise Garbled("alipay", "a token without a user")
    if not phone_response:
        return Proof("alipay", str(account))
    return Proof("alipay", str(account), phone(phone_response, phone_sign), phone_response)


def phone(response: str, sign: str) -> str:
    """Open what my.getPhoneNumber gave the client. Raises LoginCodeRefused when it is not Alipay's."""
    with told(_UNUSABLE, garbled_is_theirs=True):
        return identifiers.tidy_mobile(alipay_client.shared().decrypt_phone(response, sign))
