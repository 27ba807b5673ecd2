"""What the booking office does when other houses report something."""

from sqlalchemy import select

from backend.booking.machine import CONFIRMED, HELD
from backend.booking.models import BookingRow
from backend.booking.services.keeping import release
from backend.contracts import CaseEvent
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
