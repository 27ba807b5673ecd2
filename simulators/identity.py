"""The identity authority: says whether a name and an ID number belong together, to callers who sign.

``POST /identity/verify`` with X-Key-Id, X-Time (epoch seconds), X-Nonce and X-Signature = hex HMAC-SHA256 over
``POST\\n/identity/verify\\n{time}\\n{nonce}\\n{sha256hex(body)}``; the window is 300 seconds and a nonce serves once.
"""

import hashlib

from flask import Blueprint, Response, request

from simulators import population
from simulators.answers import json_answer, json_body
from simulators.signing import hmac_hex, same
from simulators.world import World, weathered

desk = Blueprint("identity", __name__)
_PATH = "/identity/verify"
_WINDOW_SECONDS = 300
_NONCES = "identity.nonce"


def _refuse(_world: World, code: str) -> Response:
    return _refused(503, code or "SYSTEM_BUSY", "the authority cannot answer")


def _refused(status: int, code: str, message: str) -> Response:
    return json_answer({"code": code, "message": message}, status)


@desk.post(_PATH)
@weathered("identity", "verify", _refuse)
def verify(world: World) -> Response:
    """``{"result": "match" | "mismatch" | "not_found"}``."""
    if (trouble := _stranger(world)) is not None:
        return trouble
    body = json_body()
    name, id_no = body.get("name"), body.get("id_no")
    if not isinstance(name, str) or not isinstance(id_no, str) or not population.is_id_no(id_no.upper()):
        return _refused(400, "PARAM_ERROR", "name and an 18-character id_no are needed")
    with world.books.turn() as page:
        person = page.get(population.SHELF, id_no.upper())
    if person is None:
        return json_answer({"result": "not_found"})
    return json_answer({"result": "match" if person["name"] == name.strip() else "mismatch"})


def _stranger(world: World) -> Response | None:
    sent = {name: request.headers.get(name, "") for name in ("X-Key-Id", "X-Time", "X-Nonce", "X-Signature")}
    digest = hashlib.sha256(request.get_data()).hexdigest()
    text = "\n".join(("POST", _PATH, sent["X-Time"], sent["X-Nonce"], digest))
    right = hmac_hex(world.keys["IDENTITY_SECRET"], text)
    known = same(sent["X-Key-Id"], world.keys["IDENTITY_KEY_ID"])
    if not (known and same(sent["X-Signature"], right)):
        return _refused(401, "SIGN_ERROR", "the signature does not fit")
    if not _in_window(world, sent["X-Time"]):
        return _refused(401, "TIME_EXPIRED", f"X-Time is more than {_WINDOW_SECONDS} seconds away")
    if not _first_use(world, sent["X-Nonce"], int(sent["X-Time"])):
        return _refused(401, "NONCE_REPLAYED", "X-Nonce was used before")
    return None


def _in_window(world: World, time_text: str) -> bool:
    return time_text.isdecimal() and abs(world.clock.wire_seconds() - int(time_text)) <= _WINDOW_SECONDS


def _first_use(world: World, nonce: str, at: int) -> bool:
    with world.books.turn() as page:
        if not nonce or page.get(_NONCES, nonce) is not None:
            return False
        page.put(_NONCES, nonce, {"at": at})
        return True
