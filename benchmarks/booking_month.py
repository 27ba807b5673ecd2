"""Thirty days of two halls with forty slots a day, lived through the real doors on the moved clock, twice side by side.

Two items are planned alike in the same halls, and as many people want each, the same days at the same times (one
seed, `month_people` says what is assumed of them). For one item there is no wait list; they differ in nothing else.
People and clerks ask over HTTP; the worker's chores run when the clock has been moved. Both months are lived at once,
so that every move of the clock, which other processes see after a twentieth of a second, is waited for only once.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import text

from backend import booking
from backend.booking import tasks
from backend.kernel import clock
from backend.store.unit import run_unit, unit
from benchmarks import hall, month_people, seeding
from benchmarks.frame import Report
from benchmarks.generators import BadRun
from benchmarks.month_doors import SITES, Doors
from benchmarks.month_people import DAYS, OPEN_AHEAD, TICK, Person, drawn, tick_of, workday
from benchmarks.stage import Stage, on_a_moved_clock

MONTHS = {"without": "SI002", "with": "SI009"}
"""The item of each month; both are booked on their own, on the same terms."""
SLOTS_A_DAY = 40
PLAN = {"weekdays": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "17:00", "slot_minutes": 12, "capacity": 1}
CAPACITY = DAYS * len(SITES) * SLOTS_A_DAY
SEEN_S = 0.06
"""Every process has seen that the clock was moved after this long."""
SOON = timedelta(seconds=1)
_FIRST_PERSON = 500_000
"""Nobody who took part in a rush on the same stage."""
_RINGS = text("""
    SELECT b.id, b.person_id, b.held_until, b.day FROM booking_booking b
    WHERE (b.state, b.origin) = ('held', 'wait_list') AND b.id <> ALL(:known) ORDER BY b.id
""")
_ENDS = text(
    "SELECT item_id, state, sum(party) FROM booking_booking WHERE item_id = ANY(:items) GROUP BY 1, 2"
)


def run(place: Stage, report: Report) -> None:
    crowds = hall.crowds([round(CAPACITY * month_people.DEMAND)] * len(MONTHS), first=_FIRST_PERSON)
    seeding.execute([statement for people in crowds for statement in hall.people_sql(people)])
    _tell_assumptions(report)
    with on_a_moved_clock(place) as web_url:
        town = Town(Doors(web_url))
        for (name, item), people in zip(MONTHS.items(), crowds, strict=True):
            month = Month(town, name, item, people.start)
            for number in range(len(people)):
                month.begin(drawn(number, SITES))
        begun = clock.monotonic()
        town.live()
        seconds = clock.monotonic() - begun
        report.say(f"lived in {seconds:.0f} s: {town.doors.asked:,} requests, {town.moves:,} clock moves")
        _tell_ends(report, town)


def _tell_assumptions(report: Report) -> None:
    report.say(
        f"{DAYS} days, {len(SITES)} halls, {SLOTS_A_DAY} slots of one place a day: {CAPACITY:,} places a month"
    )
    for name in month_people.ASSUMED:
        report.say(f"assumed: {name.lower()} = {getattr(month_people, name)}")


def _tell_ends(report: Report, town: "Town") -> None:
    if books := run_unit(booking.check_books):
        raise BadRun(f"the books are wrong: {books[:5]}")
    with unit() as u:
        rows = u.session.execute(_ENDS, {"items": list(MONTHS.values())}).all()
    used = dict[str, float]()
    for name, item in MONTHS.items():
        states = {state: int(count) for one, state, count in rows if one == item}
        used[name] = states.get("served", 0) / CAPACITY
        report.say(f"{name} wait list: {states}, {dict(town.told[name])}")
        report.figure(f"utilisation_{name}_wait_list", used[name])
        report.figure(f"never_booked_{name}_wait_list", 1 - used[name] - states.get("missed", 0) / CAPACITY)
    report.figure("gained", used["with"] - used["without"])


@dataclass(slots=True)
class Town:
    """The halls, and an agenda of what people do in them, in the order of time."""

    doors: Doors
    agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    order: "itertools.count[int]" = field(default_factory=itertools.count)
    rung: dict[str, None] = field(default_factory=dict)
    phones: dict[str, Callable[[str, datetime, Any], None]] = field(default_factory=dict)
    told: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in MONTHS})
    moves: int = 0
    stirred: bool = False
    """Whether a place may have become free, or somebody has joined the wait list."""

    def plan(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (tick_of(at), next(self.order), act))

    def live(self) -> None:
        """From the day on which the first places open to the last visit. Raises BadRun on any answer not foreseen."""
        first, last = workday(-OPEN_AHEAD) - timedelta(days=1), workday(DAYS - 1) + timedelta(days=1)
        self._move_to(clock.at_local(first, 12))
        plan = {**PLAN, "valid_from": workday(0).isoformat()}
        self.doors.open_halls(list(MONTHS.values()), plan, {"open_days_ahead": OPEN_AHEAD})
        for number in range((last - first).days):
            day = first + timedelta(days=number + 1)
            self.plan(clock.at_local(day, 0, 12), _begin_day)
            self.plan(clock.at_local(day, month_people.AWAKE[0]), self.stir)
        while self.agenda:
            self._move_to(self.agenda[0][0])
            while self.agenda and self.agenda[0][0] <= clock.now():
                heapq.heappop(self.agenda)[2]()
            self._work()

    def stir(self) -> None:
        self.stirred = True

    def _move_to(self, at: datetime) -> None:
        clock.move_to(at)
        clock.sleep(SEEN_S)
        self.moves += 1

    def _work(self) -> None:
        """What the worker does in between, and the phones that ring of it."""
        self.stirred |= tasks.lapse_holds() > 0
        if not self.stirred:
            return
        self.stirred = False
        tasks.offer_freed_places()
        with unit() as u:
            fresh = u.session.execute(_RINGS, {"known": list(self.rung)}).all()
        for booking_id, person_id, held_until, day in fresh:
            self.rung[booking_id] = None
            self.phones[person_id](booking_id, held_until, day)


@dataclass(slots=True)
class Month:
    """The month of one item: what each of its people does, one thing after the other."""

    town: Town
    name: str
    item: str
    first_person: int
    offers: Counter[int] = field(default_factory=Counter)
    """How many each of its people has had."""

    def begin(self, who: Person) -> None:
        self.town.phones[hall.person_id(self._id(who))] = partial(self._hear, who)
        self.town.plan(who.asks_at, partial(self._look, who))

    def _id(self, who: Person) -> int:
        return self.first_person + who.number

    def _count(self, what: str) -> None:
        self.town.told[self.name][what] += 1

    def _look(self, who: Person) -> None:
        """Somebody looks for a place that suits, holds it, and mostly confirms it."""
        doors, today = self.town.doors, clock.today()
        days = [day for day in who.days if day > today]
        found = [slot for day in days for slot in doors.free(self.item, who.sites, day)]
        if not found:
            self._find_nothing(who)
            return
        held = doors.hold(self._id(who), found[int(who.chance("slot") * len(found))])
        if who.chance("unconfirmed") < month_people.UNCONFIRMED:
            self._count("held and not confirmed")
            self.town.plan(datetime.fromisoformat(held["held_until"]) + SOON, self.town.stir)
        else:
            self._confirm(who, held["id"])

    def _find_nothing(self, who: Person) -> None:
        self._count("found nothing")
        if self.name == "with" and who.chance("join") < month_people.JOINS:
            site = who.sites[0] if len(who.sites) == 1 else None
            self.town.doors.wait(self._id(who), self.item, site, who.days)
            self._count("joined the wait list")
            self.town.stir()
        elif who.looks_again():
            self.town.plan(clock.now() + timedelta(days=1), partial(self._look, who))

    def _hear(self, who: Person, booking_id: str, held_until: datetime, day: Any) -> None:
        """The phone rings: a place is offered."""
        self._count("offers")
        self.offers[who.number] += 1
        if who.accepts(self.offers[who.number], today=day == clock.today()):
            self.town.plan(clock.now() + TICK / 2, partial(self._accept, who, booking_id))
        else:
            self.town.plan(held_until + SOON, self.town.stir)

    def _accept(self, who: Person, booking_id: str) -> None:
        offer = self.town.doors.offered(self._id(who))
        if offer is None or offer["booking_id"] != booking_id:
            raise BadRun(f"the offer {booking_id} is gone: {offer}")
        self._count("offers taken")
        self._confirm(who, booking_id)

    def _confirm(self, who: Person, booking_id: str) -> None:
        booked = self.town.doors.confirm(self._id(who), booking_id)
        starts_at, until = (datetime.fromisoformat(booked[name]) for name in ("starts_at", "cancel_until"))
        if (at := who.gives_back_at(starts_at, until)) is not None:
            self.town.plan(at, partial(self._cancel, who, booking_id))
        elif who.chance("missed") >= month_people.MISSED:
            visit = partial(self.town.doors.visit, self._id(who), booking_id, booked["site"]["id"])
            self.town.plan(starts_at, visit)

    def _cancel(self, who: Person, booking_id: str) -> None:
        self.town.doors.cancel(self._id(who), booking_id)
        self._count("cancelled")
        self.town.stir()


def _begin_day() -> None:
    tasks.mark_those_missed()
    tasks.open_ahead()
