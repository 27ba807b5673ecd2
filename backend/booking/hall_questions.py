"""What can be asked of the hall: who waits, who is called, what the screen shows, what somebody can expect."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import select

from backend.booking.hall_order import PACE, PASSED_BEHIND, Desk, Waiting, line_at, outlook
from backend.booking.hall_views import (
    QueueOfGroup,
    QueueView,
    Screen,
    ScreenCall,
    ScreenGroup,
    TicketView,
    WindowView,
)
from backend.booking.machine import TICKET
from backend.booking.models import BookingRow, TicketRow, WindowGroupRow, WindowRow
from backend.booking.problems import NotInQueue
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store import lean
from backend.store.unit import Unit

SHOWN: Final = 20
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(minutes=60)
_ENOUGH = 3
"""So many people served today say more about the pace than the plan does."""
_WAITING: Final = f"""
    SELECT t.id, t.queued_at, t.starts_at, CASE WHEN t.passed_at IS NULL THEN 0 ELSE {PASSED_BEHIND} - (
        SELECT count(*) FROM booking_ticket o WHERE o.site_id = t.site_id AND o.day = t.day
            AND o.group_id = t.group_id AND o.id <> t.id AND o.called_at > t.passed_at) END
    FROM booking_ticket t WHERE t.group_id = %s AND t.day = %s AND t.state = 'waiting'
"""
_DESKS: Final = """
    SELECT w.booked_first, EXISTS (SELECT 1 FROM booking_ticket t WHERE t.window_id = w.id AND t.state = 'called')
    FROM booking_window w WHERE w.group_id = %s AND w.open
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
_SCREEN: Final = f"""
    SELECT site.name, (
        SELECT json_agg(json_build_array(t.label, w.number, t.calls, t.spoken_at, t.state = 'called')
            ORDER BY t.spoken_at DESC, t.id DESC)::text
        FROM (SELECT * FROM booking_ticket
            WHERE site_id = site.id AND day = %(day)s AND state IN ('called', 'finished', 'absent')
                AND spoken_at IS NOT NULL AND window_id IS NOT NULL
            ORDER BY spoken_at DESC, id DESC LIMIT {SHOWN}) t
        JOIN booking_window w ON w.id = t.window_id
    ), (
        SELECT json_agg(json_build_array(g.name, g.letter, q.waiting, q.passed) ORDER BY g.letter)::text
        FROM booking_window_group g, LATERAL (
            SELECT count(*) AS waiting,
                coalesce(json_agg(t.label ORDER BY t.passed_at, t.id) FILTER (WHERE t.passed_at IS NOT NULL), '[]')
                AS passed
            FROM booking_ticket t WHERE t.group_id = g.id AND t.day = %(day)s AND t.state = 'waiting') q
        WHERE g.site_id = site.id
    )
    FROM booking_site site WHERE site.id = %(site)s
"""


def waiting_in(u: Unit, group_id: str) -> list[Waiting]:
    """Who waits in a group today, in no order."""
    return [Waiting(*row) for row in lean.execute(u.session, _WAITING, (group_id, clock.today()))]


def ticket_of(u: Unit, ticket_id: str) -> TicketView:
    """One ticket. Raises NotYours when there is none."""
    return ticket_view(u, ticket_row(u, ticket_id))


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


def queues_at(u: Unit, site_id: str) -> list[QueueOfGroup]:
    """All queues of a site today, for its clerks."""
    groups = u.session.scalars(
        select(WindowGroupRow).where(WindowGroupRow.site_id == site_id).order_by(WindowGroupRow.letter)
    ).all()
    windows = u.session.scalars(
        select(WindowRow).where(WindowRow.site_id == site_id).order_by(WindowRow.number)
    ).all()
    tickets = u.session.scalars(
        select(TicketRow).where(
            TicketRow.site_id == site_id,
            TicketRow.day == clock.today(),
            TicketRow.state.in_(("waiting", "called")),
        )
    ).all()
    numbers = {window.id: window.number for window in windows}
    views = {row.id: _view(row, numbers.get(row.window_id or "")) for row in tickets}
    return [_queue_of_group(u, group, windows, views) for group in groups]


def window_site(u: Unit, window_id: str) -> str:
    """The site of a window. Raises NotYours when there is none."""
    window = u.get(WindowRow, window_id)
    if window is None:
        raise NotYours
    return window.site_id


def screen_of(u: Unit, site_id: str) -> Screen:
    """What the screen of a site shows now, in one statement. Raises NotYours when there is no such site."""
    row = lean.execute(u.session, _SCREEN, {"site": site_id, "day": clock.today()}).fetchone()
    if row is None:
        raise NotYours
    name, calls, groups = row
    return Screen(
        site_id, name,
        tuple(
            ScreenCall(label, window, times, datetime.fromisoformat(at), is_open)
            for label, window, times, at, is_open in _listed(calls)
        ),
        tuple(
            ScreenGroup(group, letter, waiting, tuple(passed))
            for group, letter, waiting, passed in _listed(groups)
        ),
    )  # fmt: skip


def pace_of(u: Unit, site_id: str, group_id: str) -> timedelta:
    """How long one person takes at a window of the group: the middle of those served last today, or as planned."""
    first = clock.start_of_day(clock.today())
    about = {
        "site": site_id, "group": group_id, "day": clock.today(), "first": first,
        "last": first + timedelta(days=1),
    }  # fmt: skip
    served = lean.execute(u.session, _SERVED, about).fetchone()
    pace: timedelta | None = served[1] if served and served[0] >= _ENOUGH else None
    if pace is None:
        planned = lean.execute(u.session, _PLANNED, about).fetchone()
        pace = planned[0] if planned else None
    return min(max(pace or PACE, _SHORTEST), _LONGEST)


def ticket_row(u: Unit, ticket_id: str) -> TicketRow:
    """Raises NotYours when there is none."""
    row = u.get(TicketRow, ticket_id)
    if row is None:
        raise NotYours
    return row


def ticket_view(u: Unit, row: TicketRow) -> TicketView:
    window = u.get(WindowRow, row.window_id) if row.window_id else None
    return _view(row, window.number if window else None)


def group_for(u: Unit, site_id: str, item_id: str, group_id: str = "") -> WindowGroupRow | None:
    """The window group of a site for an item: the one the slot belongs to, else one that handles the item."""
    groups = u.session.scalars(
        select(WindowGroupRow).where(WindowGroupRow.site_id == site_id).order_by(WindowGroupRow.letter)
    ).all()
    own = (group for group in groups if group.id == group_id)
    return next(own, None) or next((group for group in groups if item_id in group.item_ids), None)


def _queue_of_group(
    u: Unit, group: WindowGroupRow, windows: Sequence[WindowRow], views: dict[str, TicketView]
) -> QueueOfGroup:
    at = {view.window_id: view for view in views.values() if view.state == "called"}
    line = line_at(waiting_in(u, group.id), clock.now(), booked_first=False)
    return QueueOfGroup(
        group.id, group.name, group.letter,
        tuple(
            WindowView(window.id, window.number, window.booked_first, window.open, at.get(window.id))
            for window in windows
            if window.group_id == group.id
        ),
        tuple(views[one.id] for one in line if one.id in views),
    )  # fmt: skip


def _queue_view(u: Unit, row: TicketRow) -> QueueView:
    group = u.session.get_one(WindowGroupRow, row.group_id)
    seen = ticket_view(u, row)
    ahead = minutes = None
    waiting = waiting_in(u, row.group_id) if row.state == "waiting" else []
    if any(one.id == row.id for one in waiting):
        desks = [Desk(*found) for found in lean.execute(u.session, _DESKS, (row.group_id,))]
        pace = pace_of(u, row.site_id, row.group_id)
        expected = outlook(row.id, waiting, desks, pace, clock.now())
        ahead, minutes = expected.ahead, expected.minutes
    return QueueView(row.id, row.label, row.state, seen.state_label, group.name, seen.window, ahead, minutes)


def _view(row: TicketRow, window: int | None) -> TicketView:
    return TicketView(
        row.id, row.site_id, row.group_id, row.label, row.state, TICKET.label(row.state), row.booking_id,
        row.starts_at, row.queued_at, row.window_id, window, row.calls,
    )  # fmt: skip


def _listed(text: str | None) -> list[Any]:
    return orjson.loads(text) if text else []
