"""What the books of the booking office ought to say: a second, much simpler office, kept in plain Python.

It knows the promises, not the product: places, who has them, who waits, and what the rules allow. `reasons` says
why a step may be refused; no reason means that it must succeed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from backend.kernel import clock

LIVE = frozenset({"held", "confirmed", "checked_in", "called"})
COUNTED = LIVE | {"served", "missed", "left"}
"""States in which a booking has its places, and is counted by the rules."""


@dataclass
class Rules:
    """The rules of the office for one story, in the test's own words."""

    per_day: int = 1
    per_week: int = 2
    per_month: int = 3
    lapses_a_day: int = 3
    per_device: int = 3
    max_party: int = 3
    missed: int = 1
    elder_until_hours: int = 24
    offers_a_day: int = 3
    early_minutes: int = 60
    late_minutes: int = 60


@dataclass
class Person:
    id: str
    elder: bool = False
    verified: bool = True
    blocked: bool = False


@dataclass
class Place:
    kind: str
    booking: str | None = None
    kept: bool = False


@dataclass
class Slot:
    """`closing` numbers the closing it stands under; `release` while its places are given out by draw."""

    id: str
    subject: str
    starts: datetime
    places: list[Place]
    closing: int | None = None
    release: bool = False
    opens: datetime | None = None

    @property
    def ends(self) -> datetime:
        return self.starts + timedelta(minutes=30)

    @property
    def closes(self) -> datetime:
        return self.starts - timedelta(hours=1)

    @property
    def day(self) -> date:
        return clock.day_of(self.starts)

    def is_open(self, now: datetime) -> bool:
        return self.closing is None and now < self.closes and (self.opens is None or self.opens <= now)

    def is_offerable(self, now: datetime) -> bool:
        """Whether a place that becomes free here is for those who wait."""
        may = self.closing is None and not self.release and (self.opens is None or self.opens <= now)
        return may and now < self.starts - timedelta(minutes=60)

    def free(self, kinds: Iterable[str], *, kept: bool = False) -> int:
        """Places of these kinds that a passer-by may take, or somebody who comes before all who wait."""
        return sum(
            one.booking is None and (kept or not one.kept) and one.kind in kinds for one in self.places
        )


@dataclass
class Booking:
    """`elders`: everybody who comes along is of age; `told` is the slot and the closing its owner was told of,
    `answered` the slot that was held for them then."""

    id: str
    person: Person
    slot: Slot
    party: int
    made: datetime
    until: datetime
    state: str = "held"
    origin: str = "direct"
    elders: bool = True
    device: str = ""
    excused: bool = False
    moving: Slot | None = None
    moving_until: datetime | None = None
    moves: list[datetime] = field(default_factory=list)
    told: tuple[str, int | None] | None = None
    answered: str | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass
class Wait:
    """`instead_of` is the appointment in a closed slot for which somebody waits before all others."""

    id: str
    person: Person
    subject: str
    first: date
    last: date
    party: int = 1
    elders: bool = True
    instead_of: str | None = None
    state: str = "waiting"
    offer: str | None = None
    tried: set[str] = field(default_factory=set)


@dataclass
class Ledger:
    """Everything the test office remembers."""

    rules: Rules
    slots: dict[str, Slot]
    people: list[Person]
    bookings: dict[str, Booking] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    offers: list[tuple[Person, date]] = field(default_factory=list)
    freed: set[tuple[str, int]] = field(default_factory=set)
    """Places that became free since the books were last compared."""
    waited: set[str] = field(default_factory=set)
    """Who was waiting then."""
    companions: int = 0
    closings: int = 0
    closed: dict[date, list[Slot]] = field(default_factory=dict)
    """Days closed as a whole, and the slots that this closed."""

    def of(self, person: Person) -> list[Booking]:
        return [one for one in self.bookings.values() if one.person is person]

    def live(self, person: Person, subject: str) -> bool:
        return any(one.is_live and one.slot.subject == subject for one in self.of(person))

    def kinds(self, slot: Slot, person: Person, now: datetime, *, elders: bool = True) -> set[str]:
        """Quotas open to somebody; `elders` when everybody who comes along is of age too."""
        everybody = now >= slot.starts - timedelta(hours=self.rules.elder_until_hours)
        return {"open", "elder"} if everybody or (person.elder and elders) else {"open"}

    def is_limited(self, person: Person, day: date, beside: Booking | None = None) -> bool:
        """Whether one more appointment on that day would be above a quota of the rules."""
        days = [
            {one.slot.day} | ({one.moving.day} if one.moving else set())
            for one in self.of(person)
            if one.state in COUNTED and one is not beside
        ]
        monday = day - timedelta(days=day.weekday())
        in_week = sum(any(monday <= on <= monday + timedelta(days=6) for on in some) for some in days)
        in_month = sum(any((on.year, on.month) == (day.year, day.month) for on in some) for some in days)
        rules = self.rules
        counts = sum(day in some for some in days), in_week, in_month
        return any(
            n >= most
            for n, most in zip(counts, (rules.per_day, rules.per_week, rules.per_month), strict=True)
        )

    def is_hoarding(self, person: Person, device: str, now: datetime) -> bool:
        today = [one for one in self.bookings.values() if clock.day_of(one.made) == clock.day_of(now)]
        thrown = sum(
            one.person is person and one.state in ("lapsed", "cancelled") and one.origin == "direct"
            and not one.told and not one.excused
            for one in today
        )  # fmt: skip
        here = sum(bool(device) and one.device == device and one.state in COUNTED for one in today)
        return thrown >= self.rules.lapses_a_day or here >= self.rules.per_device

    def book(
        self, one: Booking, slot: Slot, numbers: Iterable[int], kinds: set[str], *, from_kept: bool
    ) -> None:
        """Give a booking places that the product says it took; each must have been there for it to take."""
        numbers = list(numbers)
        assert len(numbers) == one.party, f"{one.id} has places {numbers} for {one.party} people"
        for number in numbers:
            place = slot.places[number - 1]
            assert place.booking is None, f"place {slot.id}/{number} is in two hands"
            assert place.kind in kinds, f"{one.id} sits above the quota of {place.kind} places"
            assert from_kept or not place.kept, f"{one.id} jumped those who wait for {slot.id}/{number}"
            place.booking, place.kept = one.id, False
        self.bookings[one.id] = one

    def leave(self, one: Booking, slot: Slot) -> None:
        """The places of a booking in a slot are free again."""
        for number, place in enumerate(slot.places, start=1):
            if place.booking == one.id:
                place.booking = None
                self.freed.add((slot.id, number))

    def end(self, one: Booking, state: str) -> None:
        """A live booking ends, and gives everything back; whoever was offered it waits on."""
        one.state = state
        self.leave(one, one.slot)
        self.forget_move(one)
        for wait in self.waits.values():
            if wait.offer == one.id and wait.state == "offered":
                wait.state, wait.offer = "waiting", None

    def forget_move(self, one: Booking) -> None:
        if one.moving is not None:
            self.leave(one, one.moving)
        one.moving = one.moving_until = None

    def arrive(self, one: Booking) -> None:
        """A move is sure: the old place is free."""
        assert one.moving is not None
        self.leave(one, one.slot)
        one.slot, one.moving, one.moving_until = one.moving, None, None

    def close(self, slots: Iterable[Slot], now: datetime) -> list[Slot]:
        """Close what is open and not over; returns that."""
        fresh = [one for one in slots if one.closing is None and one.ends > now]
        self.closings += 1
        for slot in fresh:
            slot.closing = self.closings
        return fresh

    def reopen(self, slots: Iterable[Slot], now: datetime) -> None:
        for slot in slots:
            if slot.closing is not None and slot.ends > now:
                slot.closing = None
                self.opened(slot)

    def opened(self, slot: Slot) -> None:
        """The free places of a slot that opens (again) are as if just freed."""
        self.freed |= {(slot.id, n) for n, place in enumerate(slot.places, 1) if place.booking is None}

    def may_want(self, wait: Wait, slot: Slot) -> bool:
        fits = wait.party <= len(slot.places) and wait.first <= slot.day <= wait.last
        return fits and wait.subject == slot.subject

    def is_ready(self, wait: Wait, slot: Slot, now: datetime) -> bool:
        """Whether an offer of a place in this slot would be right for somebody who waits."""
        person, today = wait.person, clock.day_of(now)
        had = sum(one is person and on == today for one, on in self.offers)
        return (
            wait.state == "waiting" and self.may_want(wait, slot) and slot.is_offerable(now)
            and slot.starts - timedelta(minutes=60) > now + timedelta(minutes=30)
            and slot.id not in wait.tried and had < self.rules.offers_a_day and not person.blocked
            and not self.live(person, slot.subject) and not self.is_limited(person, slot.day)
        )  # fmt: skip

    def fits(self, one: Booking, slot: Slot, now: datetime) -> bool:
        """Whether an appointment in a closed slot can be given a place here instead."""
        overlaps = any(
            other.is_live
            and other is not one
            and other.slot.starts < slot.ends
            and slot.starts < other.slot.ends
            for other in self.of(one.person)
        )
        kinds = self.kinds(slot, one.person, now, elders=one.elders)
        return (
            slot is not one.slot and slot.subject == one.slot.subject and slot.closing is None and not slot.release
            and (slot.opens is None or slot.opens <= now) and slot.day > clock.day_of(now)
            and slot.closes >= now + timedelta(hours=2) and not overlaps and slot.free(kinds, kept=True) >= one.party
        )  # fmt: skip
