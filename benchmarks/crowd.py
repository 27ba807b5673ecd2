"""A crowd of citizens over HTTP: each tries for a place, follows the alternatives, confirms, or gives up.

In fair weather every answer counts. With patience, an answer that never came (or came as a 5xx) is asked for again
with the same Idempotency-Key, as the mini program does on a weak network.
"""

import http.client
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from backend.kernel import clock, ids
from benchmarks.seeding import Citizen

TAKEN = "urn:zhangban:problem:slot-taken"
BUSY = "urn:zhangban:problem:still-in-progress"
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """One answer; status 0 when none came."""

    status: int
    body: dict[str, Any]

    @property
    def is_unknown(self) -> bool:
        """Whether nobody can say from this answer what has become of the request."""
        return self.status == 0 or self.status >= 500 or self.body.get("type") == BUSY


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended for one citizen: confirmed, left (with a place held), refused, or puzzled by another answer."""

    how: str
    person_id: str
    booking_id: str = ""
    last: Told | None = None


@dataclass(slots=True)
class Manners:
    """How the crowd behaves. `leaving` is the share that walks away from a held place without confirming it."""

    threads: int = 32
    tries: int = 4
    patience_s: float = 0.0
    leaving: float = 0.0


@dataclass(slots=True)
class Crowd:
    """Everybody at once; `endings`, `statuses` and `latency_ms` fill while it runs."""

    url: str
    seed: int
    manners: Manners = field(default_factory=Manners)
    run: str = field(default_factory=lambda: ids.token()[:12])
    endings: list[Ending] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    latency_ms: list[float] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rush(self, citizens: Sequence[Citizen], slots: Sequence[str]) -> None:
        """Let all of them in; returns when it has ended for everybody. Raises what broke a thread."""
        coming = iter(list(enumerate(citizens)))
        threads = [
            threading.Thread(target=self._serve, args=(coming, slots), daemon=True)
            for _ in range(self.manners.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def ended(self, how: str) -> list[Ending]:
        return [one for one in self.endings if one.how == how]

    def _serve(self, coming: Iterator[tuple[int, Citizen]], slots: Sequence[str]) -> None:
        line = _Line(self.url)
        try:
            while True:
                with self._lock:
                    number, citizen = next(coming, (-1, None))
                if citizen is None:
                    return
                ending = self._live(line, citizen, random.Random(f"{self.seed}:{number}"), slots)
                with self._lock:
                    self.endings.append(ending)
        except BaseException as failure:
            self.failures.append(failure)
        finally:
            line.hang_up()

    def _live(self, line: "_Line", who: Citizen, dice: random.Random, slots: Sequence[str]) -> Ending:
        """One citizen's morning. The dice are thrown in a fixed order: the same seed, the same wishes."""
        wish, leaves, told = dice.choice(slots), dice.random() < self.manners.leaving, Told(0, {})
        for attempt in range(self.manners.tries):
            told = self._ask(line, who, f"hold-{attempt}", "/mp/v1/bookings", {"slot_id": wish})
            if told.status == 201:
                held = str(told.body["id"])
                return Ending("left", who.person_id, held) if leaves else self._confirm(line, who, held)
            others = told.body.get("alternatives")
            if told.body.get("type") != TAKEN or not isinstance(others, list):
                return Ending("puzzled", who.person_id, last=told)
            if not others:
                break
            wish = str(dice.choice(others)["slot_id"])
        return Ending("refused", who.person_id, last=told)

    def _confirm(self, line: "_Line", who: Citizen, booking_id: str) -> Ending:
        told = self._ask(line, who, "confirm", f"/mp/v1/bookings/{booking_id}/confirmation", None)
        how = "confirmed" if told.status == 200 and told.body["state"] == "confirmed" else "puzzled"
        return Ending(how, who.person_id, booking_id, told)

    def _ask(self, line: "_Line", who: Citizen, what: str, path: str, body: dict[str, Any] | None) -> Told:
        key = f"{self.run}-{who.person_id}-{what}"
        until = clock.monotonic() + self.manners.patience_s
        while True:
            begun = clock.monotonic()
            told = line.post(path, who, key, body)
            with self._lock:
                self.statuses[told.status] = self.statuses.get(told.status, 0) + 1
                self.latency_ms.append((clock.monotonic() - begun) * 1000)
            if not told.is_unknown or clock.monotonic() >= until:
                return told
            clock.sleep(PAUSE_S)


class _Line:
    """One connection that is kept open, and dialled anew when it breaks."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._wire = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)

    def post(self, path: str, who: Citizen, key: str, body: dict[str, Any] | None) -> Told:
        headers = {
            "Authorization": f"Bearer {who.token}",
            "Idempotency-Key": key,
            "X-Device-Id": f"phone-of-{who.person_id}",  # as the mini program says it: one phone each
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._wire.request("POST", path, orjson.dumps(body) if body is not None else b"", headers)
            answer = self._wire.getresponse()
            return Told(answer.status, _read(answer.read()))
        except (OSError, http.client.HTTPException):
            self._wire.close()
            return Told(0, {})

    def hang_up(self) -> None:
        self._wire.close()


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
