"""A phone line into the town: JSON over HTTP on a weak network.

Every POST carries an Idempotency-Key and is repeated with the same one when the answer does not come, so a web
process killed in between changes nothing for the caller.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from backend.kernel import clock
from demo.story import Differs

TRIES = 150
"""Longer than the 30 s for which a killed process keeps the key of its request."""
PAUSE_S = 0.5
_AGAIN = {502, 503, 504}


@dataclass(slots=True)
class Line:
    """One client: who it is shown by its bearer token, or by the key of a department's system."""

    base_url: str
    token: str = ""
    system: tuple[str, str] | None = None
    http: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **query: str) -> Any:
        """GET and return the JSON answer. Raises Differs on a refusal."""
        return self._good("GET", path, self._ask("GET", path, None, query, {}))

    def post(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """Send a JSON body (repeating it safely) and return the JSON answer. Raises Differs on a refusal."""
        return self._good(method, path, self.try_post(path, body, method=method))

    def try_post(self, path: str, body: Any = None, *, method: str = "POST") -> requests.Response:
        """As `post`, but a refusal is returned for the caller to look at."""
        data = None if body is None else orjson.dumps(body)
        return self._ask(method, path, data, {}, {"Content-Type": "application/json"})

    def upload(self, path: str, data: bytes, media: str) -> Any:
        """Send a file as the body."""
        return self._good("POST", path, self._ask("POST", path, data, {}, {"Content-Type": media}))

    def _ask(
        self, method: str, path: str, data: bytes | None, query: dict[str, str], headers: dict[str, str]
    ) -> requests.Response:
        sent = {"Idempotency-Key": secrets.token_urlsafe(18), **headers} if method != "GET" else dict(headers)
        for _ in range(TRIES):
            try:
                response = self.http.request(
                    method,
                    self.base_url + path,
                    params=query,
                    data=data,
                    headers={**sent, **self._who(method, path, data or b"")},
                    timeout=20,
                )
            except requests.RequestException:
                clock.sleep(PAUSE_S)
                continue
            if response.status_code not in _AGAIN and not _in_progress(response):
                return response
            clock.sleep(PAUSE_S)
        raise Differs(f"{method} {path}: no answer after {TRIES} tries")

    def _who(self, method: str, path: str, data: bytes) -> dict[str, str]:
        if self.system is None:
            return {"Authorization": f"Bearer {self.token}"} if self.token else {}
        key_id, secret = self.system
        moment, nonce = str(int(clock.wire_seconds())), secrets.token_hex(12)
        parts = (method, urlsplit(path).path, moment, nonce, hashlib.sha256(data).hexdigest())
        signature = hmac.new(secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
        return {"X-Key-Id": key_id, "X-Time": moment, "X-Nonce": nonce, "X-Signature": signature}

    def _good(self, method: str, path: str, response: requests.Response) -> Any:
        if not response.ok:
            raise Differs(f"{method} {path}: {response.status_code} {response.text[:400]}")
        return response.json() if response.content else None


def _in_progress(response: requests.Response) -> bool:
    return response.status_code == 409 and response.text.find("still-in-progress") >= 0
