"""A receipt system by signed JSON over HTTP. The interface is INVENTED: the real ones are handed to units by contract.

POST {base}/v1/receipts             request_no, unit {code, name, region}, payer, kind, item, amount_fen, paid_on
POST {base}/v1/receipts/void        request_no, reason
POST {base}/v1/receipts/verify      code, number, check_code

We sign X-Key-Id, X-Time, X-Nonce, X-Signature = hex HMAC-SHA256 over method, path, time, nonce and body digest; the
answer carries X-Signature over our nonce, its status and its body digest. 422 is a considered no; every other answer
but 200 proves nothing.
"""

import hashlib
import hmac
import logging
import re
from typing import Any

import orjson

from backend.kernel import clock, ids
from backend.people import sign_request
from backend.runtime.outbound import Answer, Garbled, OutsideError, Refused, Telephone
from backend.runtime.settings import Fiscal
from payments.fiscal import port

log = logging.getLogger(__name__)
NAME = "fiscal"
_ISSUE, _VOID, _VERIFY = "/v1/receipts", "/v1/receipts/void", "/v1/receipts/verify"
_SHAPES = {
    "code": re.compile(r"[0-9]{8}"),
    "number": re.compile(r"[0-9]{10}"),
    "check_code": re.compile(r"[0-9A-Za-z]{6}"),
    "reference": re.compile(r"[\x21-\x7e]{1,64}"),
}


class HttpOffice:
    """One configured receipt system."""

    def __init__(self, account: Fiscal) -> None:
        self._telephone = Telephone(NAME, account.base_url)
        self._key_id, self._secret = account.key_id, account.secret

    def issue(self, order: port.Order) -> port.Issuing:
        """Ask for a receipt under our request number."""
        unit = {"code": order.unit_code, "name": order.unit_name, "region": order.region_code}
        words = {
            "request_no": order.request_no, "unit": unit, "payer": order.payer, "kind": order.kind,
            "item": order.item, "amount_fen": order.amount_fen, "paid_on": order.paid_on.isoformat(),
        }  # fmt: skip
        try:
            said = self._ask(_ISSUE, words)
            return port.Issued(**{name: _shaped(said, name) for name in _SHAPES})
        except OutsideError as error:
            return _no(error)

    def void(self, request_no: str, reason: str) -> port.Voiding:
        """Ask that the receipt of this request number be void."""
        try:
            said = self._ask(_VOID, {"request_no": request_no, "reason": reason})
        except OutsideError as error:
            return _no(error)
        return port.Voided() if said.get("state") == "void" else port.Unknown("void, but it does not say so")

    def verify(self, code: str, number: str, check_code: str) -> port.Found:
        """Ask whether such a receipt exists and stands."""
        try:
            said = self._ask(_VERIFY, {"code": code, "number": number, "check_code": check_code})
        except OutsideError as error:
            return port.Unknown(error.message)
        if said.get("result") == "absent":
            return port.Stranger()
        amount_fen = said.get("amount_fen")
        if said.get("result") not in ("valid", "void") or type(amount_fen) is not int:
            return port.Unknown("an answer without a result")
        return port.Genuine(amount_fen, said["result"] == "void")

    def _ask(self, path: str, words: dict[str, Any]) -> dict[str, Any]:
        """The answer's document. Raises Refused for a considered no, Garbled and the rest for everything else."""
        body, nonce = orjson.dumps(words), ids.token()
        answer = self._telephone.request("POST", path, headers=self._headers(path, nonce, body), data=body)
        if not self._is_theirs(answer, nonce):
            raise Garbled(NAME, f"answered {answer.status} without a true signature")
        said = _read(answer.body)
        if answer.status == 422:
            raise Refused(NAME, str(said.get("message", ""))[:200], str(said.get("error", "")))
        if answer.status != 200:
            raise Garbled(NAME, f"answered {answer.status}", str(said.get("error", "")))
        return said

    def _headers(self, path: str, nonce: str, body: bytes) -> dict[str, str]:
        at = str(int(clock.wire_seconds()))
        return {
            "Content-Type": "application/json", "X-Key-Id": self._key_id, "X-Time": at, "X-Nonce": nonce,
            "X-Signature": sign_request(self._secret, "POST", path, at, nonce, body),
        }  # fmt: skip

    def _is_theirs(self, answer: Answer, nonce: str) -> bool:
        signed = f"{nonce}\n{answer.status}\n{hashlib.sha256(answer.body).hexdigest()}"
        right = hmac.new(self._secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        given = answer.headers.get("X-Signature", "").lower()
        return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Garbled(NAME, "an answer that is not JSON") from error
    return said if isinstance(said, dict) else {}


def _shaped(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not _SHAPES[name].fullmatch(value):
        raise Garbled(NAME, f"an answer whose {name} is none")
    return value


def _no(error: OutsideError) -> port.Refusal | port.Unknown:
    if isinstance(error, Refused):
        return port.Refusal(error.code, error.message)
    log.info("the receipt system gave no proof", extra={"why": error.message, "code": error.code})
    return port.Unknown(error.message)
