"""What is assumed of people who want an appointment in a month of two crowded halls; each number with its reason.

Capacity is tight on purpose: where places abound no wait list is needed. Everything that somebody does hangs on
the seed and their own number alone, so that the same people live the same month with and without a wait list.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.kernel import clock

SEED = 20261121
DAYS = 30
"""Days on which the halls work: six weeks, from Monday to Friday."""
FIRST = date(2026, 6, 29)
"""A Monday; no holiday moves a day of the six weeks from here."""
WEEK = 5
DEMAND = 1.5
"""Citizens per place: the halls people complain of are those where more want a place than there are."""
OPEN_AHEAD = 10
"""Working days that are open for booking, by a rule of both halls."""
AHEAD = (1, 3, 5, 5, 7, 7, 7, 8, 9, 10)
"""How many working days before the first day that suits people look for a place, each equally likely: where places
are scarce most people come early."""
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
TICK = timedelta(minutes=12)
"""What people do is done at the next full tick of the clock; slots are as long, so everybody comes on time."""

ASSUMED = (
    "DEMAND", "OPEN_AHEAD", "AHEAD", "FLEXIBLE", "EITHER_SITE", "UNCONFIRMED", "CANCELLED", "CANCELLED_LATE", "MISSED",
    "LOOKS_AGAIN", "JOINS", "ACCEPTS", "ACCEPTS_TODAY", "AWAKE",
)  # fmt: skip
"""What a report of the month must say."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wants a place on one of some days, at one hall or either."""

    number: int
    asks_at: datetime
    days: tuple[date, ...]
    sites: tuple[str, ...]

    def chance(self, *of: object) -> float:
        """A number below 1, always the same for the same question: fate does not hang on the order of events."""
        return random.Random(f"{SEED}:{self.number}:{of}").random()

    def looks_again(self) -> bool:
        """Whether they look tomorrow, having found nothing today."""
        in_time = clock.today() < self.days[-1] - timedelta(days=1)
        return in_time and self.chance("again", clock.today()) < LOOKS_AGAIN

    def accepts(self, offer: int, *, today: bool) -> bool:
        """Whether they take the first, second, ... place they are offered."""
        return self.chance("accepts", offer) < (ACCEPTS_TODAY if today else ACCEPTS)

    def gives_back_at(self, starts_at: datetime, until: datetime) -> datetime | None:
        """When they cancel, if ever: in waking hours, and while it may be done on the phone."""
        if self.chance("cancels") >= CANCELLED:
            return None
        now, last, eve = clock.now(), until - TICK, starts_at - timedelta(days=1)
        late = self.chance("late") < CANCELLED_LATE or eve <= now
        low, high = (max(now, eve), last) if late else (now, eve)
        at = _awake(low + (high - low) * self.chance("when"))
        return at if now < at <= last else None


def drawn(number: int, sites: Sequence[str]) -> Person:
    """A person's wishes."""
    dice = random.Random(f"{SEED}:{number}")
    first = dice.randrange(DAYS)
    last = min(first + dice.choice(FLEXIBLE), DAYS - 1)
    asks_on = workday(first - dice.choice(AHEAD))
    asks_at = clock.at_local(asks_on, dice.randrange(*AWAKE), dice.randrange(60))
    chosen = tuple(sites) if dice.random() < EITHER_SITE else (dice.choice(sites),)
    return Person(number, asks_at, tuple(workday(day) for day in range(first, last + 1)), chosen)


def workday(number: int) -> date:
    """The working day so many after the first, or before it."""
    weeks, day = divmod(number, WEEK)
    return FIRST + timedelta(weeks=weeks, days=day)


def tick_of(at: datetime) -> datetime:
    """The tick at which something is done that people want to do at this moment."""
    midnight = clock.start_of_day(clock.day_of(at))
    return midnight + -(-(at - midnight) // TICK) * TICK


def _awake(at: datetime) -> datetime:
    """The same moment, or the next one at which people are awake."""
    local, (first, last) = clock.local(at), AWAKE
    if local.hour < first:
        return clock.at_local(local.date(), first, local.minute)
    if local.hour >= last:
        return clock.at_local(local.date() + timedelta(days=1), first, local.minute)
    return at
