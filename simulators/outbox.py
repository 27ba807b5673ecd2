"""Letters from the providers to the product: callbacks, pushes, delivery reports.

They wait in the books, so a restart loses none. A letter is sealed anew for every attempt, because the signatures
of most providers carry the time. What the product answered to each attempt is kept for the tests to read.
"""

import heapq
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import requests

from simulators import faults, preferences
from simulators.books import Books, Doc, Page
from simulators.clock import TownClock

SHELF = "outbox.letter"
WAITING, HELD, DELIVERED, DROPPED, GIVEN_UP = "waiting", "held", "delivered", "dropped", "given_up"
_POSTMEN = 4
_REORDER_GAP_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Sealed:
    """One HTTP POST ready to go."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Route:
    """How one provider seals a letter and when it is content.

    ``forged`` is empty for a genuine letter, else what is wrong with it ("signature" if nothing special).
    """

    seal: Callable[[Doc, str], Sealed]
    content_with: Callable[[int, bytes], bool]


class _Hint(NamedTuple):
    due: float
    number: int
    id: str
    subject: str


class Outbox:
    """Posts letters and carries them out in background threads.

    The books hold the letters; the heap holds hints of when to look at which.
    """

    def __init__(self, books: Books, clock: TownClock, routes: Mapping[str, Route]) -> None:
        self._books, self._clock, self._routes = books, clock, routes
        self._bell = threading.Condition()
        self._closed = False
        self._hints: list[_Hint] = []
        self._busy: set[str] = set()
        self._postmen = [threading.Thread(target=self._work, daemon=True) for _ in range(_POSTMEN)]

    def open(self) -> None:
        """Start the postmen; letters left from an earlier life go out too."""
        with self._books.turn() as page:
            self._hint([*page.all(SHELF, WAITING), *page.all(SHELF, HELD)])
        for postman in self._postmen:
            postman.start()

    def close(self) -> None:
        """Stop the postmen; what waits stays in the books."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()
        for postman in self._postmen:
            postman.join(timeout=10)

    def post(
        self, page: Page, route: str, verb: str, subject: str, content: Doc, after_seconds: float = 0.0
    ) -> None:
        """Put a letter into the box in this turn; ``route`` is the provider who writes."""
        letter: Doc = {
            "route": route,
            "verb": verb,
            "subject": subject,
            "content": content,
            "due": self._clock.wire_seconds() + after_seconds,
            "forged": "",
            "state": WAITING,
            "attempts": [],
        }
        released = _release_held(page, route, letter["due"])
        mentions = f"{subject}\n{json.dumps(content, ensure_ascii=False)}"
        fault = faults.take(page, route, verb, faults.NOTICE_KINDS, mentions)
        letters = [
            _keep(page, copy | {"id": f"letter-{page.count_up('outbox.number')}"})
            for copy in ([letter] if fault is None else _under(fault, letter))
        ]
        page.afterwards.append(lambda: self._hint([*released, *letters]))

    def release(self, page: Page) -> int:
        """Let every letter that was put off go out now, however long it should have waited; returns how many."""
        now = self._clock.wire_seconds()
        late = [letter for letter in page.all(SHELF, WAITING) if letter["due"] > now]
        freed = [_keep(page, letter | {"due": now}) for letter in [*late, *page.all(SHELF, HELD)]]
        page.afterwards.append(lambda: self._hint(freed))
        return len(freed)

    def wait_for_postmen(self, seconds: float = 10.0) -> bool:
        """Wait until no letter is on its way; False if one still is when the time is up."""
        with self._bell:
            return self._bell.wait_for(lambda: not self._busy, seconds)

    def _hint(self, letters: list[Doc]) -> None:
        with self._bell:
            for letter in letters:
                number = int(letter["id"].partition("-")[2])
                heapq.heappush(self._hints, _Hint(letter["due"], number, letter["id"], letter["subject"]))
            self._bell.notify_all()

    def _work(self) -> None:
        with requests.Session() as http:
            http.trust_env = False
            while (hint := self._next()) is not None:
                try:
                    self._carry(http, hint)
                finally:
                    self._put_down(hint)

    def _next(self) -> _Hint | None:
        """The next due hint whose subject no other postman has in hand; blocks; None when closed."""
        with self._bell:
            while not self._closed:
                now = self._clock.wire_seconds()
                aside: list[_Hint] = []
                while self._hints and self._hints[0].due <= now:
                    hint = heapq.heappop(self._hints)
                    if hint.subject not in self._busy:
                        self._busy.add(hint.subject)
                        self._push_back(aside)
                        return hint
                    aside.append(hint)
                wait = self._hints[0].due - now if self._hints else None
                self._push_back(aside)
                self._bell.wait(wait)
            return None

    def _push_back(self, aside: list[_Hint]) -> None:
        for hint in aside:
            heapq.heappush(self._hints, hint)

    def _put_down(self, hint: _Hint) -> None:
        with self._bell:
            self._busy.discard(hint.subject)
            self._bell.notify_all()

    def _carry(self, http: requests.Session, hint: _Hint) -> None:
        with self._books.turn() as page:
            letter = page.get(SHELF, hint.id)
        # A hint may be stale: its letter gone out, put off, or burnt with the books.
        if letter is None or letter["state"] not in (WAITING, HELD) or letter["due"] > hint.due:
            return
        route = self._routes[letter["route"]]
        status, answer = _deliver(http, route, letter)
        content = status > 0 and route.content_with(status, answer)
        with self._books.turn() as page:
            if page.get(SHELF, hint.id) is None:
                return
            schedule = preferences.read(page)["retry_seconds"]
            after = _after_attempt(letter, status, answer, content, schedule, self._clock.wire_seconds())
            _keep(page, after)
            if after["state"] == WAITING:
                page.afterwards.append(lambda: self._hint([after]))


def _deliver(http: requests.Session, route: Route, letter: Doc) -> tuple[int, bytes]:
    """Status and answer of one attempt; status 0 when there was none."""
    try:
        sealed = route.seal(letter["content"], letter["forged"])
        response = http.post(sealed.url, data=sealed.body, headers=dict(sealed.headers), timeout=(3, 5))
        return response.status_code, response.content
    except Exception as trouble:
        # Nobody there, or a letter that cannot be sealed: either way the postman must live to carry the next.
        return 0, type(trouble).__name__.encode()


def _after_attempt(
    letter: Doc, status: int, answer: bytes, content: bool, schedule: list[float], now: float
) -> Doc:
    attempt = {"at": now, "status": status, "answer": answer.decode("utf-8", "replace")[:300]}
    attempts = [*letter["attempts"], attempt]
    if content:
        return letter | {"attempts": attempts, "state": DELIVERED}
    if letter["forged"] or len(attempts) > len(schedule):
        return letter | {"attempts": attempts, "state": GIVEN_UP}
    return letter | {"attempts": attempts, "state": WAITING, "due": now + schedule[len(attempts) - 1]}


def _keep(page: Page, letter: Doc) -> Doc:
    page.put(SHELF, letter["id"], letter, topic=letter["state"])
    return letter


def _release_held(page: Page, route: str, due: float) -> list[Doc]:
    """A held letter goes out right after the one that overtakes it."""
    return [
        _keep(page, letter | {"state": WAITING, "due": min(letter["due"], due + _REORDER_GAP_SECONDS)})
        for letter in page.all(SHELF, HELD)
        if letter["route"] == route
    ]


def _under(fault: faults.Fault, letter: Doc) -> list[Doc]:
    changed: dict[str, list[dict[str, Any]]] = {
        "duplicate": [{}, {}],
        "delay": [{"due": letter["due"] + fault.seconds}],
        "reorder": [{"due": letter["due"] + fault.seconds, "state": HELD}],
        "drop": [{"state": DROPPED}],
        "forged": [{"forged": fault.code or "signature"}, {}],
    }
    return [letter | change for change in changed[fault.kind]]
