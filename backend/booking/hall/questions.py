"""What can be asked of the hall: who waits, who is called, what the screen shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import select

from backend.booking import wording
from backend.booking.hall.desk_questions import visit_of, visits_of
from backend.booking.hall.desk_views import Visit
from backend.booking.hall.order import PASSED_BEHIND, Waiting, line_at
from backend.booking.hall.views import (
    QueueOfGroup,
    Screen,
    ScreenCall,
    ScreenGroup,
    TicketView,
    WindowView,
)
from backend.booking.machine import TICKET
from backend.booking.models import BookingRow, TicketRow, WindowGroupRow, WindowRow
from backend.booking.naming import item_name
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store import lean
from backend.store.unit import Unit

SHOWN: Final = 20
_WAITING: Final = f"""
    SELECT t.id, t.queued_at, t.starts_at, CASE WHEN t.passed_at IS NULL THEN 0 ELSE {PASSED_BEHIND} - (
        SELECT count(*) FROM booking_ticket o WHERE o.site_id = t.site_id AND o.day = t.day
            AND o.group_id = t.group_id AND o.id <> t.id AND o.called_at > t.passed_at) END
    FROM booking_ticket t WHERE t.group_id = %s AND t.day = %s AND t.state = 'waiting'
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
    visits = visits_of(u, {row.booking_id for row in tickets if row.booking_id})
    views = {
        row.id: _view(u, row, numbers.get(row.window_id or ""), visits.get(row.booking_id or ""))
        for row in tickets
    }
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


def ticket_row(u: Unit, ticket_id: str) -> TicketRow:
    """Raises NotYours when there is none."""
    row = u.get(TicketRow, ticket_id)
    if row is None:
        raise NotYours
    return row


def ticket_view(u: Unit, row: TicketRow) -> TicketView:
    """A ticket as the clerk sees it, with the appointment behind it."""
    booking = u.get(BookingRow, row.booking_id) if row.booking_id else None
    return _view(u, row, window_number(u, row), visit_of(u, booking) if booking else None)


def window_number(u: Unit, row: TicketRow) -> int | None:
    """The window at which a ticket is called, or was."""
    window = u.get(WindowRow, row.window_id) if row.window_id else None
    return window.number if window else None


def window_view(row: WindowRow, ticket: TicketView | None = None) -> WindowView:
    """A window as it stands today."""
    is_open = row.is_open_on(clock.today())
    return WindowView(row.id, row.number, row.booked_first, is_open, row.open, ticket)


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
            window_view(window, at.get(window.id)) for window in windows if window.group_id == group.id
        ),
        tuple(views[one.id] for one in line if one.id in views),
    )  # fmt: skip


def _view(u: Unit, row: TicketRow, window: int | None, visit: Visit | None) -> TicketView:
    item_id = visit.item_id if visit else row.item_id
    return TicketView(
        row.id, row.site_id, row.group_id, row.label, row.state, TICKET.label(row.state), row.booking_id,
        row.starts_at, row.queued_at, row.window_id, window, row.calls, item_id,
        item_name(u, item_id) if item_id else "", row.beyond,
        wording.say("standing", "beyond") if row.beyond else "", visit,
    )  # fmt: skip


def _listed(text: str | None) -> list[Any]:
    return orjson.loads(text) if text else []
