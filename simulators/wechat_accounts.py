"""WeChat accounts and what they hold: one-time codes, access tokens, the openid behind a phone."""

import base64
import secrets

from simulators import population
from simulators.books import Doc, Page
from simulators.clock import TownClock

USERS, CODES, TOKENS = "wechat.user", "wechat.code", "wechat.token"
CODE_SECONDS, TOKEN_SECONDS = 300, 7200
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def user_of(page: Page, phone: str) -> Doc:
    """The account bound to this phone, opened at first use."""
    openid = "o" + population.account_id("wechat", phone)[:27]
    user = page.get(USERS, openid)
    if user is None:
        user = {"openid": openid, "unionid": "u" + openid[1:], "phone": phone, "session_key": _session_key()}
        page.put(USERS, openid, user, topic=phone)
    return user


def issue_code(page: Page, clock: TownClock, kind: str, openid: str) -> str:
    """A one-time code for ``login`` or ``phone``, good for five minutes."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    expires_at = clock.wire_seconds() + CODE_SECONDS
    page.put(CODES, code, {"kind": kind, "openid": openid, "expires_at": expires_at, "used": False})
    return code


def spend_code(page: Page, clock: TownClock, kind: str, code: str) -> Doc | int:
    """The user of an unused code of this kind; otherwise the errcode (40029 invalid, 40163 used)."""
    note = page.get(CODES, code)
    if note is None or note["kind"] != kind or note["expires_at"] < clock.wire_seconds():
        return 40029
    if note["used"]:
        return 40163
    page.put(CODES, code, note | {"used": True})
    user = page.get(USERS, note["openid"])
    return user if user is not None else 40029


def issue_token(page: Page, clock: TownClock, kind: str) -> Doc:
    """A new access token; the former one of the same kind is dead from now on."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(136))
    token = {"token": text, "expires_at": clock.wire_seconds() + TOKEN_SECONDS}
    page.put(TOKENS, kind, token)
    return token


def token_trouble(page: Page, clock: TownClock, text: str) -> int:
    """0 when the access token is alive, otherwise its errcode."""
    if not text:
        return 41001
    for token in page.all(TOKENS):
        if secrets.compare_digest(token["token"], text):
            return 0 if token["expires_at"] > clock.wire_seconds() else 42001
    return 40001


def _session_key() -> str:
    return base64.b64encode(secrets.token_bytes(16)).decode()
