"""What clerks ask about appointments: who is expected, and whose card belongs to which number."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta

from sqlalchemy import select, tuple_

from backend import people
from backend.booking import behind, companions
from backend.booking.hall.desk_views import DeskBooking, DeskPerson, Visit
from backend.booking.machine import BOOKING
from backend.booking.models import COMPANIONS, BookingRow, SiteRow, SlotRow, WindowGroupRow
from backend.booking.naming import item_name
from backend.booking.questions import booking_view
from backend.booking.urgent_reasons import URGENT_REASONS
from backend.booking.views import BookingView
from backend.kernel import clock, ids, privacy
from backend.kernel.problems import NotYours
from backend.people import PersonView
from backend.store.unit import Unit


def bookings_at(
    u: Unit, site_id: str, day: date | None, *, state: str = "", number: str = "", id_tail: str = "",
    after: tuple[datetime, str] | None = None, limit: int = 50,
) -> list[DeskBooking]:  # fmt: skip
    """Appointments at a site (without check-in codes) in the order of time, also those that nobody will come to.

    Of one `day`, or (None) of any; with this `number`; of people whose ID number ends so, or who bring somebody whose
    does. `after` are beginning and id of the last one seen.
    """
    query = (
        select(BookingRow, SlotRow, SiteRow, WindowGroupRow)
        .join(SlotRow, SlotRow.id == BookingRow.slot_id)
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .outerjoin(WindowGroupRow, WindowGroupRow.id == SlotRow.group_id)
        .where(SlotRow.site_id == site_id)
    )
    if day is not None:
        first = clock.start_of_day(day)
        query = query.where(SlotRow.starts_at >= first, SlotRow.starts_at < first + timedelta(days=1))
    if state:
        query = query.where(BookingRow.state == state)
    if number:
        query = query.where(BookingRow.number == ids.tidy_case_number(number))
    if after is not None:
        query = query.where(tuple_(SlotRow.starts_at, BookingRow.id) > tuple_(*after))
    query = query.order_by(SlotRow.starts_at, BookingRow.id)
    # A tail is not to be searched for in the books: it is compared with every card of the day.
    found = u.session.execute(query if id_tail else query.limit(limit)).all()
    known = people.persons_of(u, {row.person_id for row, *_ in found})
    shown = [one for one in found if not id_tail or _has_tail(one[0], known, id_tail)][:limit]
    cases = behind.cases_of(u, (row.case_id for row, *_ in shown))
    return [
        _line(booking_view(u, row, owner=False), _visit(u, row, slot, known[row.person_id], cases))
        for row, slot, *_ in shown
    ]


def site_of_booking(u: Unit, booking_id: str) -> str:
    """The site to which somebody comes with an appointment. Raises NotYours when there is no such appointment."""
    query = select(SlotRow.site_id).join(BookingRow, BookingRow.slot_id == SlotRow.id)
    site_id = u.session.scalar(query.where(BookingRow.id == booking_id))
    if site_id is None:
        raise NotYours
    return site_id


def booking_at_desk(u: Unit, booking_id: str) -> DeskBooking:
    """As desk_booking, by id. Raises NotYours."""
    row = u.get(BookingRow, booking_id)
    if row is None:
        raise NotYours
    return desk_booking(u, row)


def desk_booking(u: Unit, row: BookingRow) -> DeskBooking:
    """One appointment as a clerk sees it."""
    return _line(booking_view(u, row, owner=False), visit_of(u, row))


def visit_of(u: Unit, row: BookingRow) -> Visit:
    """The visit that an appointment is."""
    slot = u.session.get_one(SlotRow, row.slot_id)
    return _visit(u, row, slot, people.person_of(u, row.person_id), behind.cases_of(u, (row.case_id,)))


def visits_of(u: Unit, booking_ids: Iterable[str]) -> dict[str, Visit]:
    """Several of them, by booking, in three looks."""
    query = select(BookingRow, SlotRow).join(SlotRow, SlotRow.id == BookingRow.slot_id)
    found = u.session.execute(query.where(BookingRow.id.in_(list(booking_ids)))).all()
    known = people.persons_of(u, {row.person_id for row, _ in found})
    cases = behind.cases_of(u, (row.case_id for row, _ in found))
    return {row.id: _visit(u, row, slot, known[row.person_id], cases) for row, slot in found}


def told_of(view: BookingView) -> Mapping[str, object]:
    """The fields of a view, for one that shows more."""
    return {field.name: getattr(view, field.name) for field in fields(view)}


def _line(seen: BookingView, visit: Visit) -> DeskBooking:
    return DeskBooking(**{**told_of(seen), "visit": visit})  # type: ignore[arg-type]


def _visit(
    u: Unit, row: BookingRow, slot: SlotRow, booker: PersonView, cases: Mapping[str, behind.CaseBehind]
) -> Visit:
    case = cases.get(row.case_id or "", behind.NONE)
    return Visit(
        row.id, row.number, row.state, BOOKING.label(row.state), row.item_id, item_name(u, row.item_id), row.subject,
        row.party, DeskPerson(booker.name_masked, booker.id_no_masked), _companions(row), slot.urgent,
        row.urgent_reason, URGENT_REASONS.get(row.urgent_reason, ""), slot.starts_at, slot.ends_at,
        row.checked_in_at, row.identity_checked_at, row.urgency_accepted_at, row.case_id, case.number, case.state,
        case.label,
    )  # fmt: skip


def _has_tail(row: BookingRow, known: Mapping[str, PersonView], id_tail: str) -> bool:
    cards = [known[row.person_id].id_no_masked, *(one.id_no_masked for one in _companions(row))]
    return any(card.endswith(id_tail.upper()) for card in cards)


def _companions(row: BookingRow) -> tuple[DeskPerson, ...]:
    return tuple(
        DeskPerson(privacy.mask_name(one.name), privacy.mask_id_no(one.id_no))
        for one in companions.opened(COMPANIONS, row.id, row.companions)
    )
