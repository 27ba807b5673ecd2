"""The authority by signed HTTP: POST {base}/identity/verify {name, id_no} -> {"result": match|mismatch|not_found}.

Signed like our own departments' systems sign: HMAC-SHA256 over method, path, time, nonce and body digest.
"""

from urllib.parse import urlsplit

import orjson

from backend.kernel import clock, ids
from backend.people import signing
from backend.runtime.outbound import Garbled, Refused, Telephone
from backend.runtime.settings import Identity

_PATH = "/identity/verify"
_ANSWERS = {"match": True, "mismatch": False, "not_found": False}


class HttpAuthority:
    """One configured authority."""

    def __init__(self, configured: Identity) -> None:
        self._telephone = Telephone("identity", configured.base_url)
        self._signed_path = urlsplit(configured.base_url).path.rstrip("/") + _PATH
        self._key_id, self._secret = configured.key_id, configured.secret

    def matches(self, name: str, id_no: str) -> bool:
        """Whether name and number belong to one person. Raises Refused (our key or request is wrong), Silent,
        Unreachable or Garbled."""
        body = orjson.dumps({"name": name, "id_no": id_no})
        answer = self._telephone.request("POST", _PATH, headers=self._headers(body), data=body)
        said = _read(answer.body)
        if answer.status != 200:
            raise Refused("identity", f"answered {answer.status}", str(said.get("code", answer.status)))
        result = said.get("result")
        if result not in _ANSWERS:
            raise Garbled("identity", "an answer without a result")
        return _ANSWERS[str(result)]

    def _headers(self, body: bytes) -> dict[str, str]:
        at, nonce = str(int(clock.wire_seconds())), ids.token()
        signature = signing.sign_request(self._secret, "POST", self._signed_path, at, nonce, body)
        return {
            "Content-Type": "application/json", "X-Key-Id": self._key_id, "X-Time": at, "X-Nonce": nonce,
            "X-Signature": signature,
        }  # fmt: skip


def _read(body: bytes) -> dict[str, object]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Garbled("identity", "an answer that is not JSON") from error
    return said if isinstance(said, dict) else {}
