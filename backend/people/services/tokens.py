"""Access tokens: JWT, HS256, fifteen minutes, one audience.

PyJWT writes them and reads what a header says. Pure: whether the session behind a token still lives is asked elsewhere.
"""

import functools
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
import orjson
from jwt.utils import base64url_decode, base64url_encode

from backend.kernel import clock
from backend.people.problems import TokenExpired, TokenForged, WrongAudience
from backend.runtime.settings import Keys, settings

ALGORITHM = "HS256"
LIFE_S = 15 * 60
LEEWAY_S = 30
"""Clocks of our own processes may differ by this much."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says. Times are seconds since 1970, real time."""

    subject: str
    session_id: str
    audience: str
    issued_at: int
    expires_at: int


def issue(audience: str, subject: str, session_id: str) -> str:
    """An access token good for LIFE_S seconds, signed with the newest key."""
    now = int(clock.wire_seconds())
    claims = {"sub": subject, "sid": session_id, "aud": audience, "iat": now, "exp": now + LIFE_S}
    keys = _keys()
    return jwt.encode(claims, keys.tokens[keys.token_kid], ALGORITHM, headers={"kid": keys.token_kid})


def read(token: str, audience: str) -> Claims:
    """What the token says. Raises TokenForged, WrongAudience or TokenExpired."""
    claims = _genuine(token)
    if claims.audience != audience:
        raise WrongAudience
    now = clock.wire_seconds()
    if claims.expires_at <= now or claims.issued_at > now + LEEWAY_S:
        raise TokenExpired
    return claims


@functools.lru_cache(maxsize=8192)
def _genuine(token: str) -> Claims:
    """Verify the signature once per token and process: it cannot change, only age, and age is asked each time."""
    signed, _, signature = token.rpartition(".")
    header, _, said = signed.partition(".")
    try:
        made = hmac.digest(_key(header), signed.encode(), "sha256")
        # Compared as written: another spelling of the same bytes is not a token of ours.
        if not hmac.compare_digest(base64url_encode(made), signature.encode()):
            raise TokenForged
        return _claims(orjson.loads(base64url_decode(said)))
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise TokenForged from error


@functools.lru_cache(maxsize=64)
def _key(header: str) -> bytes:
    """The key that a header names; all tokens of one key have the same header, so it is read once."""
    said = jwt.get_unverified_header(f"{header}..")
    if said["alg"] != ALGORITHM:
        raise TokenForged
    return _keys().tokens[str(said["kid"])].encode()


def _claims(said: Mapping[str, object]) -> Claims:
    return Claims(
        str(said["sub"]), str(said["sid"]), str(said["aud"]), int(str(said["iat"])), int(str(said["exp"]))
    )


def _keys() -> Keys:
    return settings().keys


def forget_verified() -> None:
    """Drop remembered verifications (after a signing key was withdrawn)."""
    _genuine.cache_clear()
    _key.cache_clear()
