"""What becomes of a held place: confirmed, given back, lapsed, missed."""

from datetime import timedelta

from backend.booking.machine import BOOKING, CONFIRMED, HELD
from backend.booking.models import BookingRow, SlotRow
from backend.booking.problems import TooLateToCancel
from backend.booking.questions import booking_view, slot_and_site
from backend.booking.services.answering import offer_passed
from backend.booking.services.here import not_at_this_site
from backend.booking.services.taking import give_back
from backend.booking.services.wanted import ORIGIN
from backend.booking.views import BookingView
from backend.contracts import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingEvent,
    BookingLapsed,
    BookingMissed,
    BookingMoved,
    BookingServed,
)
from backend.kernel import clock, privacy
from backend.kernel.problems import NotYours
from backend.store.unit import CLOCK, Actor, Unit

EVENTS: dict[str, type[BookingEvent]] = {
    "confirmed": BookingConfirmed,
    "cancelled": BookingCancelled,
    "refused": BookingCancelled,
    "lapsed": BookingLapsed,
    "moved": BookingMoved,
    "checked_in": BookingCheckedIn,
    "served": BookingServed,
    "missed": BookingMissed,
    "left": BookingMissed,
}


def cancel_booking(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """Give a place back. Raises NotYours, TooLateToCancel, ImpossibleMove."""
    row = own_locked(u, booking_id, person_id)
    slot, _site = slot_and_site(u.session, row.slot_id)
    if row.state == CONFIRMED and slot.closed_at is None:
        require_time_to_change(slot)
    release(u, row, "cancelled", by)
    return booking_view(u, row, owner=True)


def cancel_for_caller(u: Unit, booking_id: str, site_id: str, reason: str, by: Actor) -> BookingView:
    """Cancel for somebody who phoned, before the appointment begins; it does not count as thrown away.

    Raises NotYours, WrongDayOrSite (another site's), TooLateToCancel (begun already), ImpossibleMove.
    """
    row = locked(u, booking_id)
    slot, site = slot_and_site(u.session, row.slot_id)
    if site.id != site_id:
        raise not_at_this_site()
    if slot.starts_at <= clock.now():
        raise TooLateToCancel("预约时间已到，不能再取消。")
    call_off_for(u, row, "cancelled", reason, by)
    return booking_view(u, row, owner=False)


def call_off_for(u: Unit, row: BookingRow, trigger: str, why: str, by: Actor) -> None:
    """End a booking for its person, who is told why; nothing is held against them. Raises ImpossibleMove."""
    row.excused, row.cancelled_why = True, privacy.scrub(why)
    release(u, row, trigger, by, reason=row.cancelled_why)


def require_time_to_change(slot: SlotRow) -> None:
    """Raises TooLateToCancel."""
    if clock.now() > slot.starts_at - timedelta(hours=slot.cancel_before_hours):
        raise TooLateToCancel


def release(u: Unit, row: BookingRow, trigger: str, by: Actor, **facts: object) -> None:
    """End a live booking and free all its places in one go."""
    was_offer = row.state == HELD and row.origin == ORIGIN
    step(u, row, trigger, by, **facts)
    for slot_id in filter(None, (row.slot_id, row.moving_to)):
        give_back(u, row.id, slot_id)
    row.moving_to = row.moving_until = row.moving_day = None
    if was_offer:
        offer_passed(u, row.id, by)


def lapse(u: Unit, row: BookingRow) -> None:
    """Nobody confirmed in time: the place is free again."""
    release(u, row, "lapsed", CLOCK)


def mark_missed(u: Unit, row: BookingRow) -> None:
    """The day is over and nobody came; the place stays used."""
    step(u, row, "missed", CLOCK)


def own_locked(u: Unit, booking_id: str, person_id: str) -> BookingRow:
    """A person's own booking, locked. Raises NotYours."""
    row = locked(u, booking_id)
    if row.person_id != person_id:
        raise NotYours
    return row


def locked(u: Unit, booking_id: str) -> BookingRow:
    """A booking, locked. Raises NotYours when there is none."""
    row = u.get(BookingRow, booking_id, lock=True)
    if row is None:
        raise NotYours
    return row


def step(u: Unit, row: BookingRow, trigger: str, by: Actor, **facts: object) -> None:
    """Move a locked booking along its machine and tell the town. Raises ImpossibleMove."""
    u.step(BOOKING, row, trigger, by=by, facts=facts)
    if (event := EVENTS.get(trigger)) is not None:
        u.record(event(row.matter, row.person_id, row.id))
