"""Who is next at a window, and how long it takes: pure, so that the rules of the queue can be read in one place.

Everybody has a time: a walk-in that of arrival, somebody with an appointment that of the appointment, or of
arrival when that is later. Windows call in the order of these times: people with an appointment are no worse off
than at their time, and coming early takes nothing from those who already wait. At a window marked "booked first"
people whose appointment is due go before all others (HN-05). Whoever came after the appointment was over queues
like a walk-in; whoever was called and passed over lets the next three go first and then has the old place again.

So nobody waits forever: those who come later go before somebody only at a marked window, with an appointment
that is due (there are no more of those than the day has places), or, three times at most, after a pass.
"""

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DUE_BEFORE: Final = timedelta(minutes=15)
"""An appointment is due so long before its time: a marked window need not stand idle until the minute."""
PASSED_BEHIND: Final = 3
PACE: Final = timedelta(minutes=10)
"""How long one person takes where nothing is known yet."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody in a queue. `behind`: so many others go first, because the number was called and passed over."""

    id: str
    queued_at: datetime
    starts_at: datetime | None = None
    behind: int = 0

    @property
    def time(self) -> datetime:
        """The place in time: that of arrival, or of the appointment when somebody came early."""
        return self.queued_at if self.starts_at is None else max(self.starts_at, self.queued_at)


@dataclass(frozen=True, slots=True)
class Desk:
    """An open window of the group."""

    booked_first: bool
    busy: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many are called before, if nobody else comes, and after how many minutes; None when no window is open."""

    ahead: int
    minutes: int | None


def line_at(waiting: Iterable[Waiting], now: datetime, *, booked_first: bool) -> list[Waiting]:
    """The order in which a window calls them now: total, and the same however they are given."""

    def rank(one: Waiting) -> tuple[int, datetime, datetime, str]:
        if booked_first and one.starts_at is not None and one.starts_at - DUE_BEFORE <= now:
            return 0, one.starts_at, one.queued_at, one.id
        return 1, one.time, one.queued_at, one.id

    ranked = sorted(waiting, key=rank)
    line = [one for one in ranked if one.behind <= 0]
    places, last = [rank(one) for one in line], -1
    for one in sorted((one for one in ranked if one.behind > 0), key=lambda one: one.behind):
        last = max(one.behind, bisect(places, rank(one)), last + 1)
        line.insert(last, one)
    return line


def outlook(
    ticket_id: str, waiting: Sequence[Waiting], desks: Sequence[Desk], pace: timedelta, now: datetime
) -> Outlook:
    """What somebody in the queue can expect; `pace` is the time one person takes at one window."""
    return min(
        (
            _at(ticket_id, line_at(waiting, now, booked_first=marked), among, pace)
            for marked, among in _teams(desks)
        ),
        key=lambda seen: (seen.minutes or 0, seen.ahead),
    )


def _teams(desks: Sequence[Desk]) -> list[tuple[bool, Sequence[Desk]]]:
    """Each way of calling with the windows behind it; a marked window takes others when no appointment is due."""
    marked = [desk for desk in desks if desk.booked_first]
    if not marked:
        return [(False, desks)]
    return [(True, marked)] if len(marked) == len(desks) else [(True, marked), (False, desks)]


def _at(ticket_id: str, line: Sequence[Waiting], desks: Sequence[Desk], pace: timedelta) -> Outlook:
    ahead = next(n for n, one in enumerate(line) if one.id == ticket_id)
    if not desks:
        return Outlook(ahead, None)
    served_first = ahead + all(desk.busy for desk in desks)
    return Outlook(ahead, math.ceil(served_first * pace / len(desks) / _MINUTE))
