"""Verifies ACS3-HMAC-SHA256, the signature of Aliyun's OpenAPI, from its written rules.

The path is the one below this provider's base URL: ``/`` for an RPC-style API such as SMS.
"""

import hashlib
import re
from datetime import datetime
from urllib.parse import parse_qsl, quote

from werkzeug.wrappers import Request

from simulators.signing import hmac_hex, same
from simulators.world import World

_ALGORITHM = "ACS3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[^,]+), ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]+)"
)
_MUST_BE_SIGNED = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"}
_WINDOW_SECONDS = 900
_NONCES = "sms.nonce"


class Unsigned(Exception):
    """The call is refused before anybody looks at it: HTTP status, Aliyun code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def verify(world: World, request: Request, path: str) -> None:
    """Raise Unsigned unless the request is signed with our secret, fresh, and not heard before."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise Unsigned(400, "MissingAuthorization", "Authorization must be ACS3-HMAC-SHA256.")
    if not same(match["key"], world.keys["SMS_ALIYUN_ACCESS_KEY_ID"]):
        raise Unsigned(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    _check_freshness(world, request)
    canonical = _canonical(request, path, match["headers"].split(";"))
    text = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    if not same(match["signature"], hmac_hex(world.keys["SMS_ALIYUN_ACCESS_KEY_SECRET"], text)):
        raise Unsigned(
            400,
            "SignatureDoesNotMatch",
            f"Specified signature does not match our calculation. server CanonicalRequest is [{canonical}]",
        )
    _note_nonce(world, request.headers["x-acs-signature-nonce"])


def _check_freshness(world: World, request: Request) -> None:
    digest = hashlib.sha256(request.get_data()).hexdigest()
    if not same(request.headers.get("x-acs-content-sha256", ""), digest):
        raise Unsigned(400, "InvalidParameter.ContentSha256", "x-acs-content-sha256 does not fit the body.")
    try:
        sent = datetime.strptime(request.headers.get("x-acs-date", "") + "+0000", "%Y-%m-%dT%H:%M:%SZ%z")
    except ValueError:
        raise Unsigned(400, "InvalidTimeStamp.Format", "x-acs-date must be UTC ISO 8601.") from None
    if abs(world.clock.wire_seconds() - sent.timestamp()) > _WINDOW_SECONDS:
        raise Unsigned(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")


def _canonical(request: Request, path: str, signed: list[str]) -> str:
    if missing := _MUST_BE_SIGNED - set(signed):
        raise Unsigned(400, "IncompleteSignature", f"not signed: {', '.join(sorted(missing))}")
    pairs = sorted(parse_qsl(request.query_string.decode(), keep_blank_values=True))
    query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs)
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed)
    digest = request.headers["x-acs-content-sha256"]
    return "\n".join((request.method, path, query, headers, ";".join(signed), digest))


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _note_nonce(world: World, nonce: str) -> None:
    with world.books.turn() as page:
        if not nonce or page.get(_NONCES, nonce) is not None:
            raise Unsigned(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        page.put(_NONCES, nonce, {"at": world.clock.wire_seconds()})
