"""What the booking office does when other houses report something."""

from sqlalchemy import select

from backend.booking import reminding
from backend.booking.machine import CONFIRMED, HELD
from backend.booking.models import BookingRow
from backend.booking.services.carrying import carry_over
from backend.booking.services.entering import withdraw_for_case
from backend.booking.services.keeping import release
from backend.booking.services.waiting import end_waits_of_case
from backend.booking.wording import say
from backend.contracts import BookingEvent, CaseEvent, PersonJoined
from backend.store.unit import SYSTEM, Unit


def on_case_closed(u: Unit, event: CaseEvent) -> None:
    """A case that ended needs no visit: its places go back to others, held ones as well as booked ones.

    An offer or a draw may be handing a place out at this moment: it has locked its wait or its entry. Once those are
    ended we look again, and find what it made.
    """
    _give_back(u, event.matter)
    end_waits_of_case(u, event.matter)
    withdraw_for_case(u, event.matter)
    _give_back(u, event.matter)


def _give_back(u: Unit, case_id: str) -> None:
    query = (
        select(BookingRow)
        .where(BookingRow.case_id == case_id, BookingRow.state.in_((HELD, CONFIRMED)))
        .order_by(BookingRow.id)
        .with_for_update()
    )
    for row in u.session.scalars(query).all():
        row.cancelled_why = say("cancelled", "case_ended")
        release(u, row, "cancelled", SYSTEM)
    u.flush()


def on_person_joined(u: Unit, event: PersonJoined) -> None:
    """Two logins were one human being: what the one did is the other's from now on, and counts as theirs."""
    carry_over(u, event.joined_id, event.person_id)


def on_booking_changed(u: Unit, event: BookingEvent) -> None:
    """Made sure, moved, displaced, restored, cancelled or come to: its reminders follow. Repeated news do no harm."""
    reminding.plan(u, event.booking_id)
