"""The finance office's receipt system (财政电子票据). No public interface exists: this one is invented.

POST with X-Key-Id, X-Time (epoch seconds), X-Nonce and X-Signature = hex HMAC-SHA256 over
``POST\\n{path below /fiscal}\\n{time}\\n{nonce}\\n{sha256hex(body)}``; the window is 300 seconds, a nonce serves once.
Answers carry X-Signature over ``{nonce}\\n{status}\\n{sha256hex(body)}``; 422 is a considered no.

One request number is one receipt; one that was voided is never issued again, also if it was never issued.
"""

import hashlib
import re
import secrets
from collections.abc import Callable

from flask import Blueprint, Response, request

from simulators.answers import json_answer, json_body
from simulators.books import Doc, Page
from simulators.clock import plain
from simulators.signing import hmac_hex, same
from simulators.world import World, weathered

desk = Blueprint("fiscal", __name__, url_prefix="/fiscal")
SHELF = "fiscal.receipt"
_NONCES = "fiscal.nonce"
_WINDOW_SECONDS = 300
REGION = "99"
"""Exists nowhere, so that nobody takes a receipt of ours for one of a real finance office."""
_CLASS = "01"
_KINDS = {"fee": "01", "fine": "02"}
_REQUEST_NO = re.compile(r"[A-Za-z0-9-]{8,64}")
_REGION_CODE = re.compile(r"([0-9]{2}){0,6}")
Verb = Callable[[World, Doc], tuple[int, Doc]]


class Refusal(Exception):
    """The system says no, with a code and a reason."""

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@desk.post("/v1/receipts")
@weathered(
    "fiscal", "issue", lambda world, code: _refused(world, Refusal(code or "ISSUE_REFUSED", "refused"))
)
def issue(world: World) -> Response:
    """``{code, number, check_code, reference, state}``; the same for every repetition."""
    return _answered(world, _issue)


@desk.post("/v1/receipts/void")
@weathered("fiscal", "void", lambda world, code: _refused(world, Refusal(code or "VOID_REFUSED", "refused")))
def void(world: World) -> Response:
    """``{request_no, state: "void"}``."""
    return _answered(world, _void)


@desk.post("/v1/receipts/verify")
@weathered("fiscal", "verify", lambda world, code: _refused(world, Refusal(code or "BUSY", "refused")))
def verify(world: World) -> Response:
    """``{result: "valid" | "void" | "absent", amount_fen?}``."""
    return _answered(world, _verify)


def _answered(world: World, verb: Verb) -> Response:
    try:
        _recognise(world)
        return _signed(world, *verb(world, json_body()))
    except Refusal as no:
        return _refused(world, no)


def _refused(world: World, no: Refusal) -> Response:
    return _signed(world, no.status, {"error": no.code, "message": no.message})


def _signed(world: World, status: int, doc: Doc) -> Response:
    answer = json_answer(doc, status)
    digest = hashlib.sha256(answer.get_data()).hexdigest()
    text = f"{request.headers.get('X-Nonce', '')}\n{status}\n{digest}"
    answer.headers["X-Signature"] = hmac_hex(world.keys["FISCAL_SECRET"], text)
    return answer


def _recognise(world: World) -> None:
    sent = {name: request.headers.get(name, "") for name in ("X-Key-Id", "X-Time", "X-Nonce", "X-Signature")}
    digest = hashlib.sha256(request.get_data()).hexdigest()
    path = request.path.removeprefix("/fiscal")
    text = "\n".join(("POST", path, sent["X-Time"], sent["X-Nonce"], digest))
    if not same(sent["X-Key-Id"], world.keys["FISCAL_KEY_ID"]):
        raise Refusal("KEY_UNKNOWN", "no such key", 401)
    if not same(sent["X-Signature"], hmac_hex(world.keys["FISCAL_SECRET"], text)):
        raise Refusal("SIGN_ERROR", "the signature does not fit", 401)
    time = sent["X-Time"]
    if not time.isdecimal() or abs(world.clock.wire_seconds() - int(time)) > _WINDOW_SECONDS:
        raise Refusal("TIME_EXPIRED", f"X-Time is more than {_WINDOW_SECONDS} seconds away", 401)
    with world.books.turn() as page:
        if not sent["X-Nonce"] or page.get(_NONCES, sent["X-Nonce"]) is not None:
            raise Refusal("NONCE_REPLAYED", "X-Nonce was used before", 401)
        page.put(_NONCES, sent["X-Nonce"], {"at": int(time)})


def _issue(world: World, wish: Doc) -> tuple[int, Doc]:
    words = _checked(wish)
    with world.books.turn() as page:
        known = page.get(SHELF, words["request_no"])
        if known is None:
            known = words | _numbered(world, page, words) | {"state": "issued"}
            page.put(SHELF, words["request_no"], known)
    if known["state"] == "void":
        raise Refusal("REQUEST_VOID", "this request number is void")
    if any(known[name] != value for name, value in words.items()):
        raise Refusal("REQUEST_CONFLICT", "this request number stands on another receipt")
    return 200, {name: known[name] for name in ("code", "number", "check_code", "reference", "state")}


def _void(world: World, wish: Doc) -> tuple[int, Doc]:
    number = _request_no(wish)
    with world.books.turn() as page:
        known = page.get(SHELF, number) or {"request_no": number}
        page.put(SHELF, number, known | {"state": "void", "void_reason": str(wish.get("reason", ""))[:80]})
    return 200, {"request_no": number, "state": "void"}


def _verify(world: World, wish: Doc) -> tuple[int, Doc]:
    asked = {name: wish.get(name) for name in ("code", "number", "check_code")}
    with world.books.turn() as page:
        for known in page.all(SHELF):
            if all(known.get(name) == value and value for name, value in asked.items()):
                result = "valid" if known["state"] == "issued" else "void"
                return 200, {"result": result, "amount_fen": known["amount_fen"]}
    return 200, {"result": "absent"}


def _numbered(world: World, page: Page, words: Doc) -> Doc:
    """Code: region, class, kind, year; the serial runs on from a start drawn when the books are new."""
    first = page.get("fiscal.start", "number") or {"first": secrets.randbelow(9 * 10**9)}
    page.put("fiscal.start", "number", first)
    number = f"{first['first'] + page.count_up('fiscal.numbers'):010d}"
    at = world.clock.now()
    code = f"{REGION}{_CLASS}{_KINDS[words['kind']]}{plain(at)[2:4]}"
    check = hmac_hex(world.keys["FISCAL_SECRET"], f"{code}{number}{words['amount_fen']}")[:6]
    return {
        "code": code,
        "number": number,
        "check_code": check,
        "reference": f"FR{code}{number}",
        "at": plain(at),
    }


def _checked(wish: Doc) -> Doc:
    unit, fen = wish.get("unit"), wish.get("amount_fen")
    if not isinstance(unit, dict) or not all(
        isinstance(unit.get(name), str) for name in ("code", "name", "region")
    ):
        raise Refusal("PARAM_ERROR", "unit needs code, name and region")
    if not unit["name"] or not _REGION_CODE.fullmatch(unit["region"]):
        raise Refusal("PARAM_ERROR", "unit needs a name and a region of digits")
    if type(fen) is not int or not 0 < fen <= 10**11:
        raise Refusal("PARAM_ERROR", "amount_fen is no amount")
    if wish.get("kind") not in _KINDS:
        raise Refusal("PARAM_ERROR", f"kind must be one of {', '.join(_KINDS)}")
    texts = {name: wish.get(name) for name in ("payer", "item", "paid_on")}
    if not all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts.values()):
        raise Refusal("PARAM_ERROR", "payer, item and paid_on are needed")
    return {"request_no": _request_no(wish), "unit": unit, "kind": wish["kind"], "amount_fen": fen} | texts


def _request_no(wish: Doc) -> str:
    number = wish.get("request_no")
    if not isinstance(number, str) or not _REQUEST_NO.fullmatch(number):
        raise Refusal("PARAM_ERROR", "request_no needs 8 to 64 letters, digits or dashes")
    return number
