"""What WeChat pushes about subscribe messages, in safe mode (AES), read into notices (PROVIDERS §8.1)."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import Request

from backend.contracts import Notice
from backend.kernel import clock
from backend.runtime.callbacks import Forged, Reply
from backend.runtime.settings import settings

NAME = "wechat_push"
ACCEPTED, REJECTED, CLOSED, DELIVERED, FAILED = "accepted", "rejected", "closed", "delivered", "failed"
WINDOW_SECONDS = 300
_BLOCK = 32


class WeChatPush:
    """The platform's push: the same address answers its check (GET) and takes its events (POST)."""

    name = NAME

    def echo(self, request: Request) -> str:
        """The word the console's address check wants back. Raises Forged."""
        _check(request.args.get("signature", ""), request)
        return request.args.get("echostr", "")

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        """Raises Forged. Events that are not about subscribe messages give no notice."""
        try:
            sealed = json.loads(body)["Encrypt"]
            _check(request.args.get("msg_signature", ""), request, sealed)
            event = json.loads(_opened(sealed))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Forged("not a push of WeChat in safe mode") from error
        if not isinstance(event, dict):
            raise Forged("not an event")
        return list(_notices(event))

    def acknowledge(self, *, accepted: bool) -> Reply:
        return Reply(200, b"success", "text/plain") if accepted else Reply(403, b"forged", "text/plain")


def _check(given: str, request: Request, *sealed: str) -> None:
    """sha1 over the sorted parts, compared in constant time; not older than the window."""
    timestamp, nonce = request.args.get("timestamp", ""), request.args.get("nonce", "")
    parts = sorted([settings().wechat.push_token, timestamp, nonce, *sealed])
    right = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(given.encode(), right.encode()):
        raise Forged("the signature is false")
    if not timestamp.isdecimal() or abs(clock.wire_seconds() - int(timestamp)) > WINDOW_SECONDS:
        raise Forged("too old")


def _opened(sealed: str) -> bytes:
    """AES-256-CBC: random(16) length(4, big endian) message appid, padded to 32. Raises Forged."""
    try:
        key = base64.b64decode(settings().wechat.push_aes_key + "=")
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        padded = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
    except (ValueError, binascii.Error) as error:
        raise Forged("it does not open") from error
    plain = padded[: -padded[-1]] if padded and 1 <= padded[-1] <= _BLOCK else b""
    end = 20 + int.from_bytes(plain[16:20], "big")
    if plain[end:] != settings().wechat.appid.encode():
        raise Forged("sealed for another app")
    return plain[20:end]


def _notices(event: Mapping[str, Any]) -> Iterator[Notice]:
    kind, openid = str(event.get("Event", "")), str(event.get("FromUserName", ""))
    for said in _listed(event.get("List")):
        trigger, why = _trigger(kind, said)
        if trigger:
            yield _notice(event, openid, said, trigger, why)


def _listed(found: Any) -> list[Mapping[str, Any]]:
    """`List` is an object when single, an array when several."""
    several = found if isinstance(found, list) else [found]
    return [one for one in several if isinstance(one, dict)]


def _trigger(kind: str, said: Mapping[str, Any]) -> tuple[str, str]:
    answer = said.get("SubscribeStatusString")
    if kind == "subscribe_msg_popup_event":
        return (ACCEPTED if answer == "accept" else REJECTED), ""
    if kind == "subscribe_msg_change_event":
        return (CLOSED if answer == "reject" else ""), ""
    if kind == "subscribe_msg_sent_event":
        why = str(said.get("ErrorStatus", ""))[:60]
        return (DELIVERED, "") if str(said.get("ErrorCode")) == "0" else (FAILED, why)
    return "", ""


def _notice(event: Mapping[str, Any], openid: str, said: Mapping[str, Any], trigger: str, why: str) -> Notice:
    template, msgid = str(said.get("TemplateId", ""))[:64], str(said.get("MsgID", ""))[:64]
    created = str(event.get("CreateTime", ""))[:20]
    # The platform gives its events no number: who, when, what and which template together are one.
    who = hashlib.sha256(openid.encode()).hexdigest()[:32]
    return Notice(
        provider=NAME,
        key="|".join((who, created, trigger, template, msgid))[:160],
        subject=template,
        trigger=trigger,
        occurred_at=datetime.fromtimestamp(int(created), UTC) if created.isdecimal() else None,
        facts={"openid": openid, "provider_id": msgid, "why": why},
        raw=json.dumps(event, ensure_ascii=False).encode(),
    )
