"""Who comes out of hours, and why: what the site reads before it opens its doors for somebody (HN-06)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select

from backend.booking.machine import BOOKING, COMING
from backend.booking.models import BookingRow, SlotRow
from backend.booking.plan.fitting import day_bounds
from backend.booking.urgent_reasons import URGENT_REASONS
from backend.kernel.problems import NotYours
from backend.store.unit import Unit


@dataclass(frozen=True, slots=True)
class UrgentVisit:
    """An appointment out of hours with its listed reason; `evidence` are ids of files that the citizen sent.

    `accepted_at`: when the site saw them and found them good.
    """

    booking_id: str
    number: str
    state: str
    state_label: str
    matter: str
    site_id: str
    item_id: str
    subject: str
    person_id: str
    party: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    reason_label: str
    evidence: tuple[str, ...]
    accepted_at: datetime | None


def urgent_visits_at(u: Unit, site_id: str, day: date) -> list[UrgentVisit]:
    """Who comes to a site out of hours on a day, in the order of time."""
    query = _visits().where(SlotRow.site_id == site_id, SlotRow.starts_at.between(*day_bounds(day)))
    rows = u.session.execute(query.order_by(SlotRow.starts_at, BookingRow.id))
    return [_view(*row) for row in rows]


def urgent_visit(u: Unit, booking_id: str) -> UrgentVisit:
    """One of them. Raises NotYours for an appointment that is none, or that nobody will come to any more."""
    row = u.session.execute(_visits().where(BookingRow.id == booking_id)).one_or_none()
    if row is None:
        raise NotYours
    return _view(*row)


def evidence_of(u: Unit, booking_id: str) -> tuple[str, ...]:
    """Files that a booking relies on, also while it is held or on its way to an urgent time."""
    row = u.get(BookingRow, booking_id)
    return tuple(row.urgent_evidence or ()) if row is not None else ()


def _visits() -> Select[BookingRow, SlotRow]:
    return (
        select(BookingRow, SlotRow)
        .join(SlotRow, SlotRow.id == BookingRow.slot_id)
        .where(SlotRow.urgent, BookingRow.urgent_reason != "")
        .where(BookingRow.state.in_(COMING))
    )


def _view(row: BookingRow, slot: SlotRow) -> UrgentVisit:
    return UrgentVisit(
        row.id, row.number, row.state, BOOKING.label(row.state), row.matter, slot.site_id, row.item_id, row.subject,
        row.person_id, row.party, slot.starts_at, slot.ends_at, row.urgent_reason,
        URGENT_REASONS.get(row.urgent_reason, row.urgent_reason), tuple(row.urgent_evidence or ()),
        row.urgency_accepted_at,
    )  # fmt: skip
