"""The hall: queue numbers given at check-in and to walk-ins; clerks call, recall, pass, transfer, finish.

A ticket with an appointment moves together with its booking, in one unit: the booking is locked first, then the
ticket. Two clerks never call the same number: each takes the first one nobody else has hold of, and the database
allows one called ticket a window.
"""

from datetime import date, datetime
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Select, exists, select

from backend.booking.hall_order import line_at
from backend.booking.hall_questions import group_for, ticket_row, ticket_view, waiting_in
from backend.booking.hall_views import TicketView
from backend.booking.machine import TICKET
from backend.booking.models import BookingRow, SlotRow, TicketRow, WindowGroupRow, WindowRow
from backend.booking.problems import (
    CalledEnough,
    CalledTooLittle,
    NobodyWaiting,
    NoQueueHere,
    SameGroup,
    WindowBusy,
    WindowShut,
)
from backend.booking.services.keeping import locked, step
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.store import lean
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
_COUNT: Final = """
    INSERT INTO booking_ticket_count (group_id, day, last) VALUES (%s, %s, 1)
    ON CONFLICT (group_id, day) DO UPDATE SET last = booking_ticket_count.last + 1 RETURNING last
"""


def queue_up(u: Unit, booking: BookingRow, slot: SlotRow, by: Actor) -> TicketRow | None:
    """A number for a booking just checked in; None where the site gives none for its item (exam sites).

    Who comes when the appointment is over queues like a walk-in.
    """
    group = group_for(u, slot.site_id, booking.item_id, slot.group_id)
    if group is None:
        return None
    starts_at = slot.starts_at if clock.now() <= slot.ends_at else None
    return _give_number(u, group, by, starts_at=starts_at, booking=booking)


def take_number(u: Unit, site_id: str, by: Actor, *, group_id: str = "", item_id: str = "") -> TicketView:
    """A number for somebody without an appointment, of whom nothing is kept. Raises NotYours, NoQueueHere."""
    if group_id:
        group = _group_at(u, site_id, group_id)
    elif (found := group_for(u, site_id, item_id)) is not None:
        group = found
    else:
        raise NoQueueHere
    return ticket_view(u, _give_number(u, group, by))


def call_next(u: Unit, window_id: str, by: Actor) -> TicketView:
    """Call whoever is next at this window. Raises NotYours, WindowShut, WindowBusy, NobodyWaiting."""
    window = u.get(WindowRow, window_id)
    if window is None:
        raise NotYours
    if not window.open:
        raise WindowShut
    _require_free(u, window)
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

    Raises NotYours, SameGroup, ImpossibleMove.
    """
    row, booking = _locked(u, ticket_id)
    group = _group_at(u, row.site_id, group_id)
    if group.id == row.group_id:
        raise SameGroup
    _step(u, row, booking, "transferred", by, label=row.label, group=group.name)
    row.group_id, row.window_id, row.passed_at, row.calls = group.id, None, None, 0
    return ticket_view(u, row)


def finish_ticket(u: Unit, ticket_id: str, by: Actor) -> TicketView:
    """Done. Raises NotYours, ImpossibleMove: only who was called can be done."""
    row, booking = _locked(u, ticket_id)
    if row.state != "called":
        raise ImpossibleMove("请先叫号，再办结。", state=row.state, trigger="finished")
    _end(u, row, booking, "finished", by)
    return ticket_view(u, row)


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
    _end(u, row, booking, "finished" if row.state == "called" else "left", CLOCK)
    return True


def has_ticket() -> ColumnElement[bool]:
    """Whether a booking has a number that has not ended."""
    return exists().where(TicketRow.booking_id == BookingRow.id, TicketRow.state.in_(_OPEN))


def take_as_served(u: Unit, booking: BookingRow) -> None:
    """Who came to a site without queue numbers was served there, although nobody said so."""
    step(u, booking, "served", CLOCK)


def _give_number(
    u: Unit, group: WindowGroupRow, by: Actor, *, starts_at: datetime | None = None,
    booking: BookingRow | None = None,
) -> TicketRow:  # fmt: skip
    now, day = clock.now(), clock.today()
    number = _next_number(u, group.id, day)
    row = TicketRow(
        id=ids.new_id("tk"), site_id=group.site_id, group_id=group.id, day=day, number=number,
        label=f"{group.letter}{number:03d}", booking_id=booking.id if booking else None,
        person_id=booking.person_id if booking else None, starts_at=starts_at, taken_at=now, queued_at=now,
        calls=0,
    )  # fmt: skip
    u.begin(TICKET, row, by=by, says="取号排队", facts={"label": row.label, "group": group.name})
    u.add(row)
    return row


def _next_number(u: Unit, group_id: str, day: date) -> int:
    found = lean.execute(u.session, _COUNT, (group_id, day)).fetchone()
    assert found is not None
    return int(found[0])


def _group_at(u: Unit, site_id: str, group_id: str) -> WindowGroupRow:
    group = u.get(WindowGroupRow, group_id)
    if group is None or group.site_id != site_id:
        raise NotYours
    return group


def _require_free(u: Unit, window: WindowRow) -> None:
    query = select(TicketRow).where(TicketRow.window_id == window.id, TicketRow.state == "called")
    if (serving := u.session.scalar(query)) is not None:
        raise WindowBusy(ticket_id=serving.id, label=serving.label)


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


def _end(u: Unit, row: TicketRow, booking: BookingRow | None, trigger: str, by: Actor) -> None:
    _step(u, row, booking, trigger, by, label=row.label, calls=row.calls)
    row.ended_at = clock.now()


def _step(
    u: Unit, row: TicketRow, booking: BookingRow | None, trigger: str, by: Actor, **facts: object
) -> None:
    """Move a ticket and its booking together. Raises ImpossibleMove."""
    u.step(TICKET, row, trigger, by=by, facts=facts)
    if booking is not None:
        step(u, booking, _OF_BOOKING.get(trigger, trigger), by, **facts)
