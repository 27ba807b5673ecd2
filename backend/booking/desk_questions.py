"""What clerks ask about appointments: who is expected, and whose card belongs to which number."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, timedelta

from sqlalchemy import select

from backend import people
from backend.booking import companions
from backend.booking.desk_views import DeskBooking, DeskPerson, Visit
from backend.booking.machine import BOOKING, LIVE
from backend.booking.models import COMPANIONS, BookingRow, SiteRow, SlotRow
from backend.booking.naming import item_name
from backend.booking.questions import booking_view
from backend.booking.services.holding import URGENT_REASONS
from backend.booking.views import BookingView
from backend.kernel import clock, privacy
from backend.people import PersonView
from backend.store.unit import Unit


def bookings_at(u: Unit, site_id: str, day: date) -> list[DeskBooking]:
    """Who is expected at a site on a day (without check-in codes), in the order of time."""
    first = clock.start_of_day(day)
    query = (
        select(BookingRow, SlotRow, SiteRow)
        .join(SlotRow, SlotRow.id == BookingRow.slot_id)
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .where(
            SlotRow.site_id == site_id,
            SlotRow.starts_at >= first,
            SlotRow.starts_at < first + timedelta(days=1),
        )
        .where(BookingRow.state.in_(LIVE))
        .order_by(SlotRow.starts_at, BookingRow.id)
    )
    found = u.session.execute(query).all()
    known = people.persons_of(u, {row.person_id for row, _, _ in found})
    return [
        _line(booking_view(u, row, owner=False), _visit(u, row, slot, known[row.person_id]))
        for row, slot, _ in found
    ]


def desk_booking(u: Unit, row: BookingRow) -> DeskBooking:
    """One appointment as a clerk sees it."""
    return _line(booking_view(u, row, owner=False), visit_of(u, row))


def visit_of(u: Unit, row: BookingRow) -> Visit:
    """The visit that an appointment is."""
    slot = u.session.get_one(SlotRow, row.slot_id)
    return _visit(u, row, slot, people.person_of(u, row.person_id))


def visits_of(u: Unit, booking_ids: Iterable[str]) -> dict[str, Visit]:
    """Several of them, by booking, in two looks."""
    query = select(BookingRow, SlotRow).join(SlotRow, SlotRow.id == BookingRow.slot_id)
    found = u.session.execute(query.where(BookingRow.id.in_(list(booking_ids)))).all()
    known = people.persons_of(u, {row.person_id for row, _ in found})
    return {row.id: _visit(u, row, slot, known[row.person_id]) for row, slot in found}


def told_of(view: BookingView) -> Mapping[str, object]:
    """The fields of a view, for one that shows more."""
    return {field.name: getattr(view, field.name) for field in fields(view)}


def _line(seen: BookingView, visit: Visit) -> DeskBooking:
    return DeskBooking(**{**told_of(seen), "visit": visit})  # type: ignore[arg-type]


def _visit(u: Unit, row: BookingRow, slot: SlotRow, booker: PersonView) -> Visit:
    return Visit(
        row.id, row.number, row.state, BOOKING.label(row.state), row.item_id, item_name(u, row.item_id), row.subject,
        row.party, DeskPerson(booker.name_masked, booker.id_no_masked), _companions(row), slot.urgent,
        row.urgent_reason, URGENT_REASONS.get(row.urgent_reason, ""), slot.starts_at, slot.ends_at,
        row.checked_in_at, row.identity_checked_at,
    )  # fmt: skip


def _companions(row: BookingRow) -> tuple[DeskPerson, ...]:
    return tuple(
        DeskPerson(privacy.mask_name(one.name), privacy.mask_id_no(one.id_no))
        for one in companions.opened(COMPANIONS, row.id, row.companions)
    )
