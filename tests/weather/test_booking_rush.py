"""A rush for places while the web server and the database are killed -9: never oversold, no word broken.

`make weather ONLY=booking_rush` lets 5,000 citizens in for 500 places in 50 slots and prints what became of them;
`make test` is content with fewer.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from benchmarks.crowd import Crowd, Manners
from benchmarks.seeding import Citizen
from tests.weather import plan
from tests.weather.makers import Opened, opened_town, wait_for
from town import places, postgres


@dataclass(frozen=True)
class Size:
    """How many come, for how many places in each slot, how many of them at once, and how long it may take."""

    citizens: int
    slots: int
    places: int
    threads: int
    seconds: float

    @property
    def supply(self) -> int:
        return self.slots * self.places


SIZE = (
    Size(5_000, 50, 10, threads=48, seconds=900) if plan.IS_FULL else Size(400, 6, 10, threads=16, seconds=90)
)
MANNERS = Manners(threads=SIZE.threads, tries=6, patience_s=60.0, leaving=0.2)
pytestmark = pytest.mark.timeout(240 + SIZE.seconds)
_TAKEN = """
    SELECT coalesce(sum(greatest(taken - capacity, 0)), 0), coalesce(sum(taken), 0) FROM (
        SELECT s.capacity, coalesce(sum(b.party), 0) AS taken FROM booking_slot s LEFT JOIN booking_booking b
            ON b.slot_id = s.id AND b.state NOT IN ('lapsed', 'cancelled')
        WHERE s.group_id = 'rush' GROUP BY s.id) counted
"""
_WITH_PLACE = """
    SELECT b.id, b.person_id FROM booking_booking b JOIN booking_place p
        ON p.booking_id = b.id AND p.slot_id = b.slot_id
    WHERE b.state = %s AND b.slot_id LIKE 'sl-rush-%%' ORDER BY b.id
"""
_EVERY = "SELECT id, person_id FROM booking_booking WHERE slot_id LIKE 'sl-rush-%' ORDER BY id"
Pairs = list[tuple[str, str]]


@dataclass
class Watcher:
    """Counts places again and again on a line of its own, whenever the database answers."""

    url: str
    worst: int = 0
    looks: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.over.is_set():
            try:
                with psycopg.connect(self.url, autocommit=True, connect_timeout=2) as connection:
                    self._look(connection)
            except psycopg.OperationalError:
                time.sleep(0.05)

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        while not self.over.is_set():
            row = connection.execute(_TAKEN).fetchone()
            assert row is not None
            self.worst, self.looks = max(self.worst, row[0]), self.looks + 1
            time.sleep(0.02)


@dataclass
class Rushed:
    """What the crowd was told, and what the database holds once it has ended for everybody."""

    crowd: Crowd
    watcher: Watcher
    counted: tuple[int, int]
    confirmed: Pairs
    held: Pairs
    every: Pairs

    def told(self, *endings: str) -> Pairs:
        """Bookings and their persons, of those for whom it ended so."""
        return sorted((one.booking_id, one.person_id) for how in endings for one in self.crowd.ended(how))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A town with a database of its own, which it starts again when it dies."""
    state = tmp_path_factory.mktemp("rush") / "town"
    try:
        with opened_town(state) as town:
            yield town
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TOWN_STATE_DIR", str(state))
            for home in places.database_homes():
                postgres.remove(home)


@pytest.fixture(scope="module")
def rushed(opened: Opened) -> Rushed:
    """The rush, with both deaths in the middle of it."""
    entry = opened.entry
    people, slots = _seeded(opened)
    crowd, watcher = Crowd(entry["addresses"]["town"], plan.SEED, MANNERS), Watcher(entry["database_url"])
    begun = time.monotonic()
    watching = threading.Thread(target=watcher.watch, daemon=True)
    rushing = threading.Thread(target=crowd.rush, args=(people, slots), daemon=True)
    watching.start()
    rushing.start()
    _hurt(opened, crowd)
    rushing.join(timeout=SIZE.seconds)
    assert not rushing.is_alive()
    seconds = time.monotonic() - begun
    watcher.over.set()
    watching.join(timeout=10)
    assert all(opened.entry["children"][name] != entry["children"][name] for name in ("web", "postgres"))
    confirmed, held = (_asked(opened, _WITH_PLACE, (state,)) for state in ("confirmed", "held"))
    rushed = Rushed(crowd, watcher, _asked(opened, _TAKEN)[0], confirmed, held, _asked(opened, _EVERY))
    _tell(rushed, seconds)
    return rushed


def _seeded(opened: Opened) -> tuple[list[Citizen], list[str]]:
    words = ("tests.weather.seed_rush", *map(str, (SIZE.citizens, SIZE.slots, SIZE.places)))
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env={**opened.env, **opened.entry["environment"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    made = json.loads(done.stdout)
    return [Citizen(**one) for one in made["citizens"]], made["slots"]


def _hurt(opened: Opened, crowd: Crowd) -> None:
    """Kill the web server when a sixth of the places has been confirmed, and the database at the half of them."""
    for name, enough in (("web", SIZE.supply // 6), ("postgres", SIZE.supply // 2)):
        while len(crowd.ended("confirmed")) < enough:
            assert not crowd.failures, crowd.failures[0]
            time.sleep(0.002)
        opened.kill(name)


def _tell(rushed: Rushed, seconds: float) -> None:
    """The figures of the rush; pytest shows them in a full one."""
    crowd, watcher = rushed.crowd, rushed.watcher
    cut = sum(n for status, n in crowd.statuses.items() if status == 0 or status >= 500)
    endings = {how: len(crowd.ended(how)) for how in ("confirmed", "left", "refused", "puzzled")}
    p50, p99 = statistics.median(crowd.latency_ms), statistics.quantiles(crowd.latency_ms, n=100)[98]
    told, held = set(rushed.told("confirmed")), set(rushed.confirmed)
    worst = max(watcher.worst, rushed.counted[0])
    sys.stdout.write(
        f"\n  {SIZE.citizens:,} citizens for {SIZE.supply} places in {SIZE.slots} slots, {seconds:.0f} s: {endings}"
        f"\n  {len(crowd.latency_ms):,} requests, p50 {p50:.0f} ms, p99 {p99:.0f} ms; {cut} unanswered or 5xx"
        f"\n  by status {dict(sorted(crowd.statuses.items()))}; the web server and the database were killed"
        f"\n  booking_rush.oversold = {worst} ({watcher.looks} looks during the rush)"
        f"\n  booking_rush.words_broken = {len(told - held)}"
        f"\n  booking_rush.booked_and_never_told = {len(held - told)}\n"
    )


def _asked(opened: Opened, statement: str, values: tuple[object, ...] | None = None) -> list[Any]:
    with psycopg.connect(opened.entry["database_url"]) as connection:
        return connection.execute(statement, values).fetchall()


def test_everybody_gets_an_answer_in_spite_of_two_deaths(rushed: Rushed) -> None:
    crowd = rushed.crowd
    assert crowd.failures == []
    assert [one.last for one in crowd.ended("puzzled")] == []
    assert len(crowd.endings) == SIZE.citizens
    assert len(rushed.told("confirmed", "left")) == SIZE.supply
    assert sum(n for status, n in crowd.statuses.items() if status == 0 or status >= 500), "nobody was hurt"


def test_capacity_holds_at_every_moment_of_the_rush(rushed: Rushed) -> None:
    assert rushed.watcher.looks > 20
    assert rushed.watcher.worst == 0
    assert rushed.counted == (0, SIZE.supply)


def test_whoever_was_told_of_a_place_has_it(rushed: Rushed) -> None:
    assert rushed.confirmed == rushed.told("confirmed")
    assert rushed.held == rushed.told("left")


def test_a_repeated_request_never_makes_a_second_booking(rushed: Rushed) -> None:
    assert rushed.every == rushed.told("confirmed", "left")


def test_no_hold_outlives_its_time(rushed: Rushed, opened: Opened) -> None:
    assert rushed.held
    opened.command("clock", "+11m")
    assert wait_for(lambda: _asked(opened, _WITH_PLACE, ("held",)) == [], 30)
    left = _asked(opened, _WITH_PLACE, ("held",))
    sys.stdout.write(f"\n  booking_rush.holds_left_behind = {len(left)} (of {len(rushed.held)} holds)\n")
    assert _asked(opened, _TAKEN)[0] == (0, len(rushed.confirmed))
    assert _asked(opened, _WITH_PLACE, ("confirmed",)) == rushed.confirmed
    assert "0 findings" in opened.command("check")
