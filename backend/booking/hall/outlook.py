"""What whoever holds a queue number may know: how many are ahead, when it is their turn, and why it is then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from backend.booking import wording
from backend.booking.hall.order import DUE_BEFORE, PACE, Desk, Outlook, Waiting, outlook
from backend.booking.hall.problems import NotInQueue
from backend.booking.hall.questions import ticket_row, waiting_in, window_number
from backend.booking.hall.views import QueueView
from backend.booking.machine import TICKET
from backend.booking.models import BookingRow, SiteRow, TicketRow, WindowGroupRow
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store import lean
from backend.store.unit import Unit

_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(minutes=60)
_ENOUGH: Final = 3
"""So many people served today say more about the pace than the plan does."""
_MINUTE: Final = timedelta(minutes=1)
_DESKS: Final = """
    SELECT w.number, w.booked_first,
        EXISTS (SELECT 1 FROM booking_ticket t WHERE t.window_id = w.id AND t.state = 'called')
    FROM booking_window w
    WHERE w.group_id = %s AND CASE WHEN w.today_on = %s THEN w.today_open ELSE w.open END ORDER BY w.number
"""
_SERVED: Final = """
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM (
        SELECT ended_at - called_at AS took FROM booking_ticket
        WHERE site_id = %(site)s AND day = %(day)s AND group_id = %(group)s AND state = 'finished'
            AND called_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT 20) latest
"""
_PLANNED: Final = """
    SELECT min(s.ends_at - s.starts_at) FROM booking_slot s JOIN booking_window_group g ON g.id = %(group)s
    WHERE s.site_id = %(site)s AND s.starts_at >= %(first)s AND s.starts_at < %(last)s
        AND (s.group_id = g.id OR g.item_ids ? s.item_id)
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one person takes at one window, and whence we know: "today", "plan" or "usual"."""

    took: timedelta
    source: str


@dataclass(frozen=True, slots=True)
class _Windows:
    """The windows of a group that are open now."""

    numbers: tuple[int, ...]
    first: tuple[int, ...]
    desks: tuple[Desk, ...]


def queue_of_ticket(u: Unit, ticket_id: str) -> QueueView:
    """What whoever holds the ticket may know: its id is the secret. Raises NotYours."""
    return _queue_view(u, ticket_row(u, ticket_id))


def queue_of_booking(u: Unit, booking_id: str, person_id: str) -> QueueView:
    """The place in the queue of one's own booking. Raises NotYours, NotInQueue before check-in."""
    booking = u.get(BookingRow, booking_id)
    if booking is None or booking.person_id != person_id:
        raise NotYours
    row = u.session.scalar(
        select(TicketRow).where(TicketRow.booking_id == booking_id).order_by(TicketRow.id.desc()).limit(1)
    )
    if row is None:
        raise NotInQueue
    return _queue_view(u, row)


def pace_of(u: Unit, site_id: str, group_id: str) -> Pace:
    """How long one person takes at a window of the group: the middle of those served last today, or as planned."""
    first = clock.start_of_day(clock.today())
    about = {
        "site": site_id, "group": group_id, "day": clock.today(), "first": first,
        "last": first + timedelta(days=1),
    }  # fmt: skip
    served = lean.execute(u.session, _SERVED, about).fetchone()
    if served and served[0] >= _ENOUGH:
        return Pace(min(max(served[1], _SHORTEST), _LONGEST), "today")
    planned = lean.execute(u.session, _PLANNED, about).fetchone()
    if planned and planned[0]:
        return Pace(min(max(planned[0], _SHORTEST), _LONGEST), "plan")
    return Pace(PACE, "usual")


def _queue_view(u: Unit, row: TicketRow) -> QueueView:
    group, site = u.session.get_one(WindowGroupRow, row.group_id), u.session.get_one(SiteRow, row.site_id)
    window, now = window_number(u, row), clock.now()
    waiting = waiting_in(u, row.group_id) if row.state == "waiting" else []
    mine = next((one for one in waiting if one.id == row.id), None)
    open_now, pace, expected = _Windows((), (), ()), None, Outlook(0, None)
    if mine is not None:
        open_now, pace = _open_now(u, row.group_id), pace_of(u, row.site_id, row.group_id)
        expected = outlook(row.id, waiting, open_now.desks, pace.took, now)
    minutes = expected.minutes
    return QueueView(
        row.id, row.label, row.state, TICKET.label(row.state), group.name, window,
        expected.ahead if mine else None, minutes, site.name, row.starts_at,
        None if minutes is None else now.replace(second=0, microsecond=0) + minutes * _MINUTE,
        _minutes(pace.took) if pace else None, pace.source if pace else "", open_now.numbers, open_now.first,
        _why(row, mine, expected, open_now, pace) if mine and pace else _over(row, window),
    )  # fmt: skip


def _open_now(u: Unit, group_id: str) -> _Windows:
    found = lean.execute(u.session, _DESKS, (group_id, clock.today())).fetchall()
    return _Windows(
        tuple(number for number, _, _ in found),
        tuple(number for number, first, _ in found if first),
        tuple(Desk(first, busy) for _, first, busy in found),
    )


def _why(row: TicketRow, mine: Waiting, expected: Outlook, open_now: _Windows, pace: Pace) -> str:
    ahead = wording.say("ahead", "some" if expected.ahead else "none", count=expected.ahead)
    said = [_standing(row, mine, open_now.first)]
    if row.beyond:
        said.append(wording.say("standing", "beyond"))
    if not open_now.numbers:
        return "".join([*said, ahead, wording.say("windows", "none")])
    among = wording.say("windows", "open", count=len(open_now.numbers), numbers=_listed(open_now.numbers))
    return "".join([*said, ahead, among, wording.say("pace", pace.source, minutes=_minutes(pace.took))])


def _standing(row: TicketRow, mine: Waiting, first: Sequence[int]) -> str:
    """Who goes before whom, as far as it concerns this number."""
    marked = "_marked" if first else ""
    if mine.behind > 0:
        return wording.say("standing", "passed", behind=mine.behind)
    if row.booking_id is None:
        return wording.say("standing", f"walk_in{marked}", first=_listed(first))
    if row.starts_at is None:
        return wording.say("standing", "late")
    about = {"time": _time(row.starts_at), "first": _listed(first), "minutes": _minutes(DUE_BEFORE)}
    is_due = row.starts_at - DUE_BEFORE <= clock.now()
    return wording.say("standing", f"{'due' if is_due else 'early'}{marked}", **about)


def _over(row: TicketRow, window: int | None) -> str:
    """What there is to say to somebody who does not wait any more."""
    if row.state == "called":
        return wording.say("called", "now", window=window)
    return wording.say("called", row.state) if row.state != "waiting" else ""


def _listed(numbers: Sequence[int]) -> str:
    return "、".join(map(str, numbers))


def _time(at: datetime) -> str:
    return f"{clock.local(at):%H:%M}"


def _minutes(span: timedelta) -> int:
    """In whole minutes, rounded up as the waiting time is."""
    return -(-span // _MINUTE)
