"""The hall: clerks call, recall, pass, transfer, finish, and note who left.

A ticket with an appointment moves together with its booking, in one unit: the booking is locked first, then the
ticket. Two clerks never call the same number: each takes the first one nobody else has hold of, and the database
allows one called ticket a window.
"""

from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Select, exists, select

from backend.booking.hall.order import line_at
from backend.booking.hall.problems import (
    CalledEnough,
    CalledTooLittle,
    NobodyWaiting,
    SameGroup,
    WindowBusy,
    WindowShut,
)
from backend.booking.hall.questions import ticket_row, ticket_view, waiting_in
from backend.booking.hall.views import TicketView
from backend.booking.machine import TICKET
from backend.booking.models import BookingRow, TicketRow, WindowGroupRow, WindowRow
from backend.booking.services.identity import checked_at_all, checked_now
from backend.booking.services.keeping import locked, step
from backend.booking.services.taking import queue_of, walk_in, walk_out
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.store.unit import CLOCK, Actor, Unit, map_constraint

R = TypeVar("R")

map_constraint("uq_booking_ticket_window", WindowBusy)
map_constraint("uq_booking_ticket_booking", ImpossibleMove)

ABSENT_AFTER: Final = 3
"""Called, and called again twice."""
MOST_CALLS: Final = 6
_OPEN: Final = ("waiting", "called")
_OF_BOOKING: Final = {"absent": "left", "finished": "served"}
"""What a booking goes through when its ticket does; all other steps have the same name."""
_UNSERVED: Final = ("absent", "left")


def call_next(u: Unit, window_id: str, by: Actor) -> TicketView:
    """Call whoever is next at this window. Raises NotYours, WindowShut, WindowBusy, NobodyWaiting."""
    window = window_locked(u, window_id)
    if not window.is_open_on(clock.today()):
        raise WindowShut
    require_free(u, window)
    now = clock.now()
    for one in line_at(waiting_in(u, window.group_id), now, booked_first=window.booked_first):
        if (seized := _seize(u, one.id)) is not None:
            row, booking = seized
            row.window_id, row.called_at, row.spoken_at, row.calls = window.id, now, now, row.calls + 1
            _step(u, row, booking, "called", by, label=row.label, window=window.number)
            return ticket_view(u, row)
    raise NobodyWaiting


def recall_ticket(u: Unit, ticket_id: str, by: Actor) -> TicketView:
    """Call out the same number once more. Raises NotYours, ImpossibleMove, CalledEnough."""
    row, booking = _locked(u, ticket_id)
    _require_possible(row, "recalled")
    if row.calls >= MOST_CALLS:
        raise CalledEnough
    row.spoken_at, row.calls = clock.now(), row.calls + 1
    _step(u, row, booking, "recalled", by, label=row.label)
    return ticket_view(u, row)


def pass_ticket(u: Unit, ticket_id: str, by: Actor) -> TicketView:
    """Nobody came: let the next three go first (过号). Raises NotYours, ImpossibleMove."""
    row, booking = _locked(u, ticket_id)
    _step(u, row, booking, "passed", by, label=row.label)
    row.window_id, row.passed_at = None, clock.now()
    return ticket_view(u, row)


def mark_absent(u: Unit, ticket_id: str, by: Actor) -> TicketView:
    """Called several times, and not there. Raises NotYours, ImpossibleMove, CalledTooLittle."""
    row, booking = _locked(u, ticket_id)
    _require_possible(row, "absent")
    if row.calls < ABSENT_AFTER:
        raise CalledTooLittle
    _end(u, row, booking, "absent", by)
    return ticket_view(u, row)


def transfer_ticket(u: Unit, ticket_id: str, group_id: str, by: Actor) -> TicketView:
    """Send to another queue of the site, with the number and the place in time it has.

    Who walked in leaves the place of the first queue to others, and takes one of the new queue where there is one.
    Raises NotYours, SameGroup, ImpossibleMove.
    """
    row, booking = _locked(u, ticket_id)
    group = group_at(u, row.site_id, group_id)
    if group.id == row.group_id:
        raise SameGroup
    _step(u, row, booking, "transferred", by, label=row.label, group=group.name)
    row.group_id, row.window_id, row.passed_at, row.calls = group.id, None, None, 0
    if booking is None:
        walk_out(u, row.id)
        row.beyond = not walk_in(u, row.id, queue_of(group, row.item_id or "")) and row.beyond
    return ticket_view(u, row)


def leave_ticket(u: Unit, ticket_id: str, reason: str, by: Actor) -> TicketView:
    """Whoever holds the number goes without having been served; `reason` is a word for the journal.

    Raises NotYours, ImpossibleMove.
    """
    row, booking = _locked(u, ticket_id)
    _end(u, row, booking, "left", by, reason=reason)
    return ticket_view(u, row)


def give_up_number(u: Unit, ticket_id: str, by: Actor) -> None:
    """A walk-in will not wait any longer; the ticket's id is the secret. Raises NotYours, ImpossibleMove."""
    row, booking = _locked(u, ticket_id)
    if booking is not None or row.state != "waiting":
        raise ImpossibleMove("这个号不能在手机上退，请告诉窗口。", state=row.state, trigger="left")
    _end(u, row, None, "left", by, reason="left")


def finish_ticket(u: Unit, ticket_id: str, by: Actor, *, identity_checked: bool = False) -> TicketView:
    """Done. Raises NotYours, ImpossibleMove (only who was called can be done), IdentityUnchecked."""
    row, booking = _locked(u, ticket_id)
    if row.state != "called":
        raise ImpossibleMove("请先叫号，再办结。", state=row.state, trigger="finished")
    facts = {"identity": checked_now(booking, said=identity_checked)} if booking else {}
    _end(u, row, booking, "finished", by, **facts)
    return ticket_view(u, row)


def hand_back(u: Unit, window: WindowRow, by: Actor) -> None:
    """The window shuts: whom it has called waits again, with number and place in time, for another of the group.

    The window is locked. Raises WindowBusy where no other window of the group is open: nobody is left alone.
    """
    serving = _serving(u, window)
    if serving is None:
        return
    query = select(WindowRow).where(WindowRow.group_id == serving.group_id, WindowRow.id != window.id)
    if not any(other.is_open_on(clock.today()) for other in u.session.scalars(query)):
        raise WindowBusy(
            "本组没有其他开放的窗口，请先办结、过号或转窗口。", ticket_id=serving.id, label=serving.label
        )
    row, booking = _locked(u, serving.id)
    _step(u, row, booking, "transferred", by, label=row.label, window=window.number)
    row.window_id, row.passed_at, row.calls = None, None, 0


def finish_of(u: Unit, booking: BookingRow, by: Actor) -> None:
    """A locked booking that was served needs its number no more."""
    row = u.session.scalar(
        select(TicketRow)
        .where(TicketRow.booking_id == booking.id, TicketRow.state.in_(_OPEN))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is not None:
        _end(u, row, None, "finished", by)


def stale_tickets(u: Unit) -> list[str]:
    """Tickets of days gone by that nobody ended."""
    query = select(TicketRow.id).where(TicketRow.state.in_(_OPEN), TicketRow.day < clock.today())
    return list(u.session.scalars(query.order_by(TicketRow.id)))


def close_ticket(u: Unit, ticket_id: str) -> bool:
    """The day is over: who still waits has left; who was called was served, and the clerk forgot to say so."""
    row, booking = _locked(u, ticket_id)
    if row.state not in _OPEN or row.day >= clock.today():
        return False
    if row.state == "called":
        _end(u, row, booking, "finished", CLOCK, **({"identity": checked_at_all(booking)} if booking else {}))
    else:
        _end(u, row, booking, "left", CLOCK)
    return True


def has_ticket() -> ColumnElement[bool]:
    """Whether a booking has a number that has not ended."""
    return exists().where(TicketRow.booking_id == BookingRow.id, TicketRow.state.in_(_OPEN))


def take_as_served(u: Unit, booking: BookingRow) -> None:
    """Who came to a site without queue numbers was served there, although nobody said so."""
    step(u, booking, "served", CLOCK, identity=checked_at_all(booking))


def group_at(u: Unit, site_id: str, group_id: str) -> WindowGroupRow:
    group = u.get(WindowGroupRow, group_id)
    if group is None or group.site_id != site_id:
        raise NotYours
    return group


def window_locked(u: Unit, window_id: str) -> WindowRow:
    """A window that nobody else calls at, opens or shuts before the end of the unit. Raises NotYours."""
    window = u.get(WindowRow, window_id, lock=True)
    if window is None:
        raise NotYours
    return window


def require_free(u: Unit, window: WindowRow) -> None:
    """Raises WindowBusy while somebody is called at the window."""
    if (serving := _serving(u, window)) is not None:
        raise WindowBusy(ticket_id=serving.id, label=serving.label)


def _serving(u: Unit, window: WindowRow) -> TicketRow | None:
    query = select(TicketRow).where(TicketRow.window_id == window.id, TicketRow.state == "called")
    return u.session.scalar(query)


def _seize(u: Unit, ticket_id: str) -> tuple[TicketRow, BookingRow | None] | None:
    """The waiting ticket and its booking, locked; None when somebody else has hold of either."""
    booking_id = ticket_row(u, ticket_id).booking_id
    booking = None
    if booking_id is not None:
        booking = _unheld(u, select(BookingRow).where(BookingRow.id == booking_id))
        if booking is None:
            return None
    row = _unheld(u, select(TicketRow).where(TicketRow.id == ticket_id, TicketRow.state == "waiting"))
    return None if row is None else (row, booking)


def _unheld(u: Unit, query: Select[R]) -> R | None:
    """The row, read anew and locked, unless somebody else has hold of it."""
    free = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return u.session.scalar(free)


def _locked(u: Unit, ticket_id: str) -> tuple[TicketRow, BookingRow | None]:
    """A ticket and its booking, locked in this order: booking, ticket. Raises NotYours."""
    booking_id = ticket_row(u, ticket_id).booking_id  # never changes, so it may be read before the lock
    booking = None if booking_id is None else locked(u, booking_id)
    row = u.get(TicketRow, ticket_id, lock=True)
    if row is None:
        raise NotYours
    return row, booking


def _require_possible(row: TicketRow, trigger: str) -> None:
    """Raises ImpossibleMove."""
    TICKET.move(row.state, trigger)


def _end(
    u: Unit, row: TicketRow, booking: BookingRow | None, trigger: str, by: Actor, **facts: object
) -> None:
    _step(u, row, booking, trigger, by, label=row.label, calls=row.calls, **facts)
    row.ended_at = clock.now()
    if booking is None and trigger in _UNSERVED:
        walk_out(u, row.id)


def _step(
    u: Unit, row: TicketRow, booking: BookingRow | None, trigger: str, by: Actor, **facts: object
) -> None:
    """Move a ticket and its booking together. Raises ImpossibleMove."""
    u.step(TICKET, row, trigger, by=by, facts=facts)
    if booking is not None:
        step(u, booking, _OF_BOOKING.get(trigger, trigger), by, **facts)
