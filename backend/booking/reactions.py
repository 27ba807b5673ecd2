"""What the booking office does when other houses report something."""

from sqlalchemy import select

from backend.booking import reminding
from backend.booking.machine import CONFIRMED, HELD
from backend.booking.models import BookingRow
from backend.booking.services.entering import withdraw_for_case
from backend.booking.services.keeping import release
from backend.booking.services.waiting import end_waits_of_case
from backend.contracts import BookingEvent, CaseEvent
from backend.store.unit import SYSTEM, Unit


def on_case_closed(u: Unit, event: CaseEvent) -> None:
    """A case that ended needs no visit: its place goes back to others."""
    query = (
        select(BookingRow)
        .where(BookingRow.case_id == event.matter, BookingRow.state.in_((HELD, CONFIRMED)))
        .order_by(BookingRow.id)
        .with_for_update()
    )
    for row in u.session.scalars(query).all():
        release(u, row, "cancelled", SYSTEM)
    u.flush()
    end_waits_of_case(u, event.matter)
    withdraw_for_case(u, event.matter)


def on_booking_changed(u: Unit, event: BookingEvent) -> None:
    """Made sure, moved, displaced, restored, cancelled or come to: its reminders follow. Repeated news do no harm."""
    reminding.plan(u, event.booking_id)
