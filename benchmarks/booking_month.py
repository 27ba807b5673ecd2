"""A month of two halls, lived through the booking office's own doors on the moved clock, with and without wait list.

Both months see the same citizens wanting the same days at the same times (one seed); they differ only in what those
do who find no place. Capacity is tight on purpose: where places abound no wait list is needed. What is assumed of
people stands below, each number with its reason; the office's own rules are the defaults of `backend.booking.rules`,
and those of its items: halls work from Monday to Friday, booking closes at midnight before the day (lead of one day),
an appointment may be cancelled until two hours before. A place given back after midnight is therefore lost, unless
somebody waits for it: who waits is offered it until one hour before.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import text

from backend import booking
from backend.booking import tasks
from backend.booking.views import Wish
from backend.booking.views_waiting import WaitWish
from backend.kernel import clock
from backend.store.unit import Actor, Unit, run_unit, unit
from benchmarks import hall, seeding
from benchmarks.frame import Report
from benchmarks.generators import BadRun
from benchmarks.stage import Stage

SEED = 20261121
DAYS, SLOTS_A_DAY, PLACES = 22, 40, 1
"""Working days of a month."""
FIRST_DAYS = {"without": date(2026, 3, 2), "with": date(2026, 7, 6)}
"""Both Mondays, no holiday in either month; two months, so that neither sees the other's places."""
WEEK = 5
SITES = (hall.HALL, hall.OTHER_HALL)
CAPACITY = DAYS * len(SITES) * SLOTS_A_DAY * PLACES

DEMAND = 1.5
"""Citizens per place: the halls people complain of are those where more want a place than there are."""
AHEAD = (1, 3, 5, 5, 7, 7, 7, 8, 9, 10)
"""How many working days before the first day that suits people look for a place, each equally likely: places are
open ten days ahead, and where they are scarce most people come early."""
FLEXIBLE = (0, 0, 1, 1, 2, 3)
"""How many working days later would do as well."""
EITHER_SITE = 0.5
"""Share to whom both halls are the same; the others go to the nearer one."""
UNCONFIRMED = 0.05
"""Share of holds that are never confirmed: the phone rang, the signal was lost."""
CANCELLED = 0.15
"""Share of appointments that are cancelled ..."""
CANCELLED_LATE = 0.5
"""... half of these on the last day before the appointment or on the day itself, the others evenly before."""
MISSED = 0.08
"""Share of those who neither cancel nor come."""
LOOKS_AGAIN = 0.25
"""Share of those who found nothing that look again on the next day, as long as a day is left that suits them."""
JOINS = 0.8
"""Share of those who found nothing that join the wait list, where there is one; the others do as without it."""
ACCEPTS = 0.8
"""Share of offers that are confirmed; the others run out after the half hour for which they are held."""
ACCEPTS_TODAY = 0.5
"""The same for a place on the very day: fewer can leave everything at once, even of those who wait for that day."""
AWAKE = (8, 21)
"""Hours in which people do any of this."""

SOON, AFTER_A_WHILE = timedelta(seconds=1), timedelta(minutes=3)
_FIRST_PERSON = 500_000
"""Nobody who took part in a rush on the same stage."""
CLERK = Actor("staff", "st-bench", "窗口工作人员")
_SLOTS = """
    INSERT INTO booking_slot (id, site_id, group_id, item_id, subject, starts_at, ends_at, closes_at, capacity,
        cancel_before_hours)
    SELECT 'sl-{month}-{site}-' || n, '{site}', 'month', '{item}', '', begins.at, begins.at + interval '12 minutes',
        days.midnight, {places}, 2
    FROM generate_series(0, {count} - 1) n,
        LATERAL (SELECT timestamptz '{first} 00:00+08' + n / {a_day} / {week} * interval '1 week'
            + n / {a_day} % {week} * interval '1 day') AS days(midnight),
        LATERAL (SELECT days.midnight + interval '9 hours' + n % {a_day} * interval '12 minutes') AS begins(at)
"""
_PLACES = """
    INSERT INTO booking_place (slot_id, number)
    SELECT s.id, p FROM booking_slot s, generate_series(1, s.capacity) p WHERE s.id LIKE 'sl-{month}-%'
"""
_OFFERED = text("""
    SELECT id, person_id, held_until, day FROM booking_booking WHERE (state, origin) = ('held', 'wait_list') ORDER BY id
""")
_ENDS = text("SELECT state, count(*) FROM booking_booking WHERE slot_id LIKE :slots GROUP BY state")


@dataclass(frozen=True, slots=True)
class Citizen:
    """Somebody who wants a place on one of some days, at one hall or either; the same in both months."""

    number: int
    person_id: str
    asks_at: datetime
    from_day: date
    to_day: date
    site_id: str | None

    @property
    def actor(self) -> Actor:
        return Actor("citizen", self.person_id, "预约人")

    def chance(self, *of: object) -> float:
        """A number below 1, always the same for the same question: fate does not hang on the order of events."""
        return random.Random(f"{SEED}:{self.number}:{of}").random()


def run(place: Stage, report: Report) -> None:
    del place  # the doors of the house are asked, not the web
    hall.open_halls()
    used: dict[str, float] = {}
    for (name, first), people in zip(
        FIRST_DAYS.items(), hall.crowds([round(CAPACITY * DEMAND)] * 2, first=_FIRST_PERSON), strict=True
    ):
        seeding.execute([*_supply(name, first), *hall.people_sql(people)])
        begun = clock.monotonic()
        served, missed = Month(report, name, first, waits=name == "with").lived(people)
        used[name] = served / CAPACITY
        report.say(f"{name} wait list: lived in {clock.monotonic() - begun:.0f} s")
        report.figure(f"utilisation_{name}_wait_list", used[name])
        report.figure(f"never_booked_{name}_wait_list", 1 - (served + missed) / CAPACITY)
    report.figure("gained", used["with"] - used["without"])


def _supply(month: str, first: date) -> list[str]:
    count = DAYS * SLOTS_A_DAY
    values = {"month": month, "first": first, "item": hall.ITEM, "count": count, "a_day": SLOTS_A_DAY}
    slots = [_SLOTS.format(**values, week=WEEK, site=site, places=PLACES) for site in SITES]
    return [*slots, _PLACES.format(month=month)]


@dataclass(slots=True)
class Month:
    """One month from the first request to the last visit: an agenda of what people do, in the order of time."""

    report: Report
    name: str
    first: date
    waits: bool
    agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    order: "itertools.count[int]" = field(default_factory=itertools.count)
    people: dict[str, Citizen] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)

    def lived(self, people: range) -> tuple[int, int]:
        """Live it; how many were served, and how many did not come. Raises BadRun when the books are wrong."""
        for number, who in enumerate(people):
            one = _drawn(number, hall.person_id(who), self.first)
            self.people[one.person_id] = one
            self._plan(one.asks_at, partial(self._look, one))
        for day in range((_workday(self.first, DAYS) - self.first).days + 1):
            self._plan(clock.at_local(self.first + timedelta(days=day), 0, 30), self._begin_day)
            self._plan(clock.at_local(self.first + timedelta(days=day), AWAKE[0]), self._tend)
        try:
            while self.agenda:
                at, _, act = heapq.heappop(self.agenda)
                clock.move_to(at)
                act()
            if books := run_unit(booking.check_books):
                raise BadRun(f"the books are wrong: {books[:5]}")
        finally:
            clock.reset()
        return self._ends()

    def _plan(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (at, next(self.order), act))

    def _look(self, who: Citizen) -> None:
        """Somebody looks for a place that suits, and takes it."""
        with unit() as u:
            found = [slot for day in _days(who) for slot in _free_on(u, who, day)]
        if not found:
            self._find_nothing(who)
            return
        wish = Wish(found[int(who.chance("slot") * len(found))].id, who.person_id)
        held = run_unit(lambda u: booking.hold_slot(u, wish, who.actor))
        if who.chance("unconfirmed") < UNCONFIRMED and held.held_until is not None:
            self.told["held and not confirmed"] += 1
            self._plan(held.held_until + SOON, self._tend)
        else:
            self._plan(clock.now() + AFTER_A_WHILE, partial(self._confirm, who, held.id))

    def _find_nothing(self, who: Citizen) -> None:
        self.told["found nothing"] += 1
        if self.waits and who.chance("join") < JOINS:
            wish = WaitWish(who.person_id, hall.ITEM, who.from_day, who.to_day, site_id=who.site_id)
            run_unit(lambda u: booking.join_wait(u, wish, who.actor))
            self.told["joined the wait list"] += 1
        elif (
            clock.today() < who.to_day - timedelta(days=1)
            and who.chance("again", clock.today()) < LOOKS_AGAIN
        ):
            self._plan(clock.now() + timedelta(days=1), partial(self._look, who))

    def _confirm(self, who: Citizen, booking_id: str) -> None:
        booked = run_unit(lambda u: booking.confirm_booking(u, booking_id, who.person_id, who.actor))
        cancels_at = _cancels_at(who, booked)
        if cancels_at is not None:
            self._plan(cancels_at, partial(self._cancel, who, booking_id))
        elif who.chance("missed") >= MISSED:
            self._plan(booked.starts_at, partial(self._come, who, booked))

    def _cancel(self, who: Citizen, booking_id: str) -> None:
        run_unit(lambda u: booking.cancel_booking(u, booking_id, who.person_id, who.actor))
        self._tend()

    def _come(self, who: Citizen, booked: booking.BookingView) -> None:
        with unit() as u:
            code = booking.booking_of(u, booked.id, who.person_id).check_in_code or ""
        if run_unit(lambda u: booking.check_in(u, booked.id, booked.site.id, CLERK, code=code)) is None:
            raise BadRun(f"the code of {booked.id} was refused")
        run_unit(lambda u: booking.mark_served(u, booked.id, booked.site.id, CLERK))

    def _begin_day(self) -> None:
        tasks.mark_those_missed()
        self._tend()

    def _tend(self) -> None:
        """The chores that follow when a place may have become free, and what people do with what they are offered."""
        tasks.lapse_holds()
        if not self.waits:
            return
        self.told["offers"] += tasks.offer_freed_places()
        with unit() as u:
            fresh = [one for one in u.session.execute(_OFFERED).tuples() if one[0] not in self.seen]
        for booking_id, person_id, held_until, day in fresh:
            self.seen.add(booking_id)
            who, is_today = self.people[person_id], day == clock.today()
            self.told["offers for the same day"] += is_today
            if who.chance("accepts", len(self.seen)) < (ACCEPTS_TODAY if is_today else ACCEPTS):
                self.told["offers taken"] += 1
                self._plan(clock.now() + AFTER_A_WHILE, partial(self._confirm, who, booking_id))
            else:
                self._plan(held_until + SOON, self._tend)

    def _ends(self) -> tuple[int, int]:
        with unit() as u:
            found = u.session.execute(_ENDS, {"slots": f"sl-{self.name}-%"})
            states = {str(state): int(count) for state, count in found}
        self.report.say(
            f"{self.name} wait list: {len(self.people):,} citizens for {CAPACITY:,} places; {states}"
        )
        self.report.say(f"{self.name} wait list: {dict(self.told)}")
        return states.get("served", 0), states.get("missed", 0)


def _drawn(number: int, person_id: str, first: date) -> Citizen:
    """A citizen's wishes, from the seed and their number alone."""
    dice = random.Random(f"{SEED}:{number}")
    number_of_day = dice.randrange(DAYS)
    suits = _workday(first, number_of_day)
    last = _workday(first, min(number_of_day + dice.choice(FLEXIBLE), DAYS - 1))
    asks_on = _workday(first, number_of_day - dice.choice(AHEAD))
    asks_at = clock.at_local(asks_on, dice.randrange(*AWAKE), dice.randrange(60))
    site = None if dice.random() < EITHER_SITE else dice.choice(SITES)
    return Citizen(number, person_id, asks_at, suits, last, site)


def _workday(first: date, number: int) -> date:
    """The working day so many after the first, which is a Monday."""
    weeks, day = divmod(number, WEEK)
    return first + timedelta(weeks=weeks, days=day)


def _days(who: Citizen) -> list[date]:
    count = (who.to_day - who.from_day).days + 1
    return [day for n in range(count) if (day := who.from_day + timedelta(days=n)).weekday() < WEEK]


def _free_on(u: Unit, who: Citizen, day: date) -> list[booking.Slot]:
    return booking.free_slots(u, hall.ITEM, site_id=who.site_id, day=day, subject="", only_free=True)


def _cancels_at(who: Citizen, booked: booking.BookingView) -> datetime | None:
    """When somebody gives the place back, if ever: in waking hours, and while it may be done on the phone."""
    if who.chance("cancels") >= CANCELLED:
        return None
    now, last = clock.now(), booked.cancel_until - SOON
    eve = booked.starts_at - timedelta(days=1)
    late = who.chance("late") < CANCELLED_LATE or eve <= now
    low, high = (max(now, eve), last) if late else (now, eve)
    at = _awake(low + (high - low) * who.chance("when"))
    return at if now < at <= last else None


def _awake(at: datetime) -> datetime:
    """The same moment, or the next one at which people are awake."""
    local, (first, last) = clock.local(at), AWAKE
    if local.hour < first:
        return clock.at_local(local.date(), first, local.minute)
    if local.hour >= last:
        return clock.at_local(local.date() + timedelta(days=1), first, local.minute)
    return at
