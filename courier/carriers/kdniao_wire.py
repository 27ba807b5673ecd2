"""kdniao on the wire: signature, form, answers and pushes as JSON text. Nothing here knows a parcel."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote

from backend.kernel import clock

_UNWANTED = re.compile(r"['\"#&+<>%\\\r\n\t]")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")


class NotKdniao(ValueError):
    """Text that is not an answer or push of kdniao."""


def sign(request_data: str, api_key: str) -> str:
    """DataSign: base64 of the lower-case hex MD5 of the unencoded JSON text and the key."""
    return base64.b64encode(hashlib.md5((request_data + api_key).encode()).hexdigest().encode()).decode()


def genuine(request_data: str, given: str, api_key: str) -> bool:
    """Whether the signature is theirs, in constant time; also once more decoded: some senders encode twice."""
    expected = sign(request_data, api_key).encode()
    once = hmac.compare_digest(expected, given.encode())
    twice = hmac.compare_digest(expected, unquote(given).encode())
    return once or twice


def form(business_id: str, api_key: str, request_type: str, data: Mapping[str, object]) -> dict[str, str]:
    """The signed form of one request; the transport encodes it once."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return {
        "RequestData": text,
        "EBusinessID": business_id,
        "RequestType": request_type,
        "DataSign": sign(text, api_key),
        "DataType": "2",
    }


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a pushed form. Raises NotKdniao."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise NotKdniao("not a form") from error
    return {name: values[0] for name, values in fields.items()}


def read_json(text: str | bytes) -> dict[str, Any]:
    """An object; amounts stay decimal. Raises NotKdniao."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise NotKdniao("not JSON") from error
    if not isinstance(found, dict):
        raise NotKdniao("not an object")
    return found


def items_of(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects under `key`; tolerates null and a single object, which some senders give."""
    found = document.get(key)
    entries = found if isinstance(found, list) else [found]
    return [entry for entry in entries if isinstance(entry, dict)]


def text_of(document: Mapping[str, Any], *keys: str) -> str:
    """The first of the fields that is filled, as text."""
    for key in keys:
        found = document.get(key)
        if found not in (None, ""):
            return str(found).strip()
    return ""


def at_of(text: str) -> datetime | None:
    """A moment written as wall-clock time in Shanghai; None when it is not one."""
    found = _TIME.match(text.strip())
    if found is None:
        return None
    try:
        local = datetime(*(int(part or 0) for part in found.groups()), tzinfo=clock.SHANGHAI)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return local.astimezone(UTC)


def written(at: datetime) -> str:
    return clock.local(at).strftime("%Y-%m-%d %H:%M:%S")


def plain(text: str, longest: int) -> str:
    """Text without the characters kdniao asks to strip."""
    return _UNWANTED.sub(" ", text).strip()[:longest]


def digest(document: Mapping[str, Any]) -> str:
    """Identity of a piece of news by its content; the time of the push is no part of it."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
