"""Lines into a town in bad weather: whatever is not answered, or answered by trouble, is asked again."""

import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyotp
import requests

from demo.line import Line

PATIENCE_S = 120.0
PAUSE_S = 0.3
TAPS_AGAIN_S = 4.0
"""How long somebody waits on "still in progress" before tapping anew: a dead process keeps its key for 30 s."""


@dataclass(slots=True)
class Tally:
    """How every single request was answered; 0 is for no answer at all."""

    statuses: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, status: int) -> None:
        with self._lock:
            self.statuses[status] += 1

    @property
    def cut(self) -> int:
        return sum(n for status, n in self.statuses.items() if status == 0 or status >= 500)


class PatientLine(Line):
    """As the mini-program on a weak network; `taps` tells that a person may tap anew, which takes another key."""

    def __init__(
        self, url: str, tally: Tally, *, token: str = "", system: tuple[str, str] | None = None
    ) -> None:
        super().__init__(url, token, system)
        self.tally = tally
        self.taps = False

    def _ask(
        self, method: str, path: str, data: bytes | None, query: dict[str, str], headers: dict[str, str]
    ) -> requests.Response:
        begun = tapped = time.monotonic()
        key = secrets.token_urlsafe(18)
        while True:
            response = self._once(method, path, data, query, {"Idempotency-Key": key, **headers})
            if response is not None and _is_told(response):
                return response
            now = time.monotonic()
            assert now - begun < PATIENCE_S, f"{method} {path}: no answer; last {response and response.text}"
            if (
                self.taps
                and response is not None
                and response.status_code == 409
                and now - tapped > TAPS_AGAIN_S
            ):
                key, tapped = secrets.token_urlsafe(18), now
            time.sleep(PAUSE_S)

    def _once(
        self, method: str, path: str, data: bytes | None, query: dict[str, str], headers: dict[str, str]
    ) -> requests.Response | None:
        try:
            response = self.http.request(
                method, self.base_url + path, params=query, data=data, timeout=25,
                headers={**headers, **self._who(method, path, data or b"")},
            )  # fmt: skip
        except requests.RequestException:
            self.tally.add(0)
            return None
        self.tally.add(response.status_code)
        return response


@dataclass(frozen=True, slots=True)
class Outside:
    """The hands of people and of the weather in the outside world."""

    url: str
    http: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **query: str) -> Any:
        return self._good(self.http.get(f"{self.url}/control{path}", params=query, timeout=20))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._good(self.http.post(f"{self.url}/control{path}", json=body, timeout=20))

    def clear_the_sky(self) -> None:
        self._good(self.http.delete(f"{self.url}/control/faults", timeout=20))

    def _good(self, answer: requests.Response) -> Any:
        assert answer.ok, f"{answer.url}: {answer.status_code} {answer.text[:300]}"
        return answer.json()


def staff_line(url: str, tally: Tally, accounts: dict[str, Any], account: str) -> PatientLine:
    """A clerk of the demonstration town, logged in with both factors."""
    who = next(one for one in accounts["staff"] if one["account"] == account)
    line = PatientLine(url, tally)
    body = {"account": account, "password": who["password"], "totp": pyotp.TOTP(who["totp_secret"]).now()}
    line.token = line.post("/dept/v1/sessions", body)["access_token"]
    return line


def system_line(url: str, tally: Tally, accounts: dict[str, Any], department_id: str) -> PatientLine:
    """A department's own system, which signs with its key."""
    key = next(one for one in accounts["systems"] if one["department_id"] == department_id)
    return PatientLine(url, tally, system=(key["key_id"], key["secret"]))


def _is_told(response: requests.Response) -> bool:
    if response.status_code >= 500 or response.status_code == 429:
        return False
    if response.status_code != 409:
        return True
    problem: str = orjson.loads(response.content).get("type", "")
    return not problem.endswith("still-in-progress")
