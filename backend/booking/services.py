"""What people do with places: hold, confirm, cancel, check in, be served.

A place is taken by updating its own row (SKIP LOCKED), so the database decides every race and nobody waits for
somebody who wants another place of the same slot.
"""

from datetime import timedelta

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from backend.booking.machine import BOOKING, CONFIRMED, HELD
from backend.booking.models import CODE, BookingRow, SlotRow
from backend.booking.problems import (
    AlreadyBooked,
    HoldLapsed,
    SlotClosed,
    SlotTaken,
    TooLateToCancel,
    WrongDayOrSite,
)
from backend.booking.questions import alternatives, booking_view, slot_and_site
from backend.booking.views import BookingView, Wish
from backend.contracts import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingEvent,
    BookingLapsed,
    BookingMissed,
    BookingServed,
)
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours, TooMany
from backend.store import vault
from backend.store.unit import CLOCK, Actor, Unit, map_constraint

HOLD = timedelta(minutes=10)
"""Long enough for elderly people on slow phones."""
CODE_TRIES = 5
_EVENTS: dict[str, type[BookingEvent]] = {
    "confirmed": BookingConfirmed,
    "cancelled": BookingCancelled,
    "lapsed": BookingLapsed,
    "checked_in": BookingCheckedIn,
    "served": BookingServed,
    "missed": BookingMissed,
}
_TAKE = text("""
    UPDATE booking_place SET booking_id = :booking_id WHERE (slot_id, number) = (
        SELECT slot_id, number FROM booking_place WHERE slot_id = :slot_id AND booking_id IS NULL
        ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
""")
_FREE = text("UPDATE booking_place SET booking_id = NULL WHERE booking_id = :booking_id")
_LEFT = text("SELECT EXISTS (SELECT 1 FROM booking_place WHERE slot_id = :slot_id AND booking_id IS NULL)")

map_constraint("uq_booking_booking_person_item", AlreadyBooked)
map_constraint("uq_booking_booking_case", AlreadyBooked)


def hold_slot(u: Unit, wish: Wish, by: Actor) -> BookingView:
    """Hold a place for ten minutes. Raises NotYours (no such slot), SlotClosed, SlotTaken, AlreadyBooked."""
    slot = u.get(SlotRow, wish.slot_id)
    if slot is None:
        raise NotYours
    now = clock.now()
    if slot.closes_at <= now:
        raise SlotClosed
    row = BookingRow(
        id=ids.new_id("bk"),
        slot_id=slot.id,
        person_id=wish.person_id,
        case_id=wish.case_id,
        item_id=slot.item_id,
        subject=slot.subject,
        held_until=now + HOLD,
    )
    row.check_in_code = vault.seal(CODE.place, row.id, ids.digits(6))
    u.begin(BOOKING, row, by=by, says="已为您保留时段，请尽快确认", facts={"slot": slot.id})
    u.add(row)
    # The row first: the unique index refuses a second live booking before a place is touched.
    u.session.flush()
    if not _take_place(u.session, row):
        raise SlotTaken(alternatives=alternatives(u, slot))
    return booking_view(u, row, owner=True)


def confirm_booking(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """Make a held place sure. Raises NotYours, HoldLapsed, ImpossibleMove."""
    row = _own(u, booking_id, person_id)
    if row.state == HELD and row.held_until <= clock.now():
        raise HoldLapsed
    _move(u, row, "confirmed", by)
    return booking_view(u, row, owner=True)


def cancel_booking(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """Give a place back. Raises NotYours, TooLateToCancel, ImpossibleMove."""
    row = _own(u, booking_id, person_id)
    slot, _site = slot_and_site(u.session, row.slot_id)
    last = slot.starts_at - timedelta(hours=slot.cancel_before_hours)
    if row.state == CONFIRMED and clock.now() > last:
        raise TooLateToCancel
    release(u, row, "cancelled", by)
    return booking_view(u, row, owner=True)


def check_in(u: Unit, booking_id: str, site_id: str, code: str, by: Actor) -> BookingView | None:
    """Somebody stands at the site with the code of the booking; None when the code is wrong.

    A wrong code is counted, so the caller must let the unit commit before it refuses. Raises NotYours,
    WrongDayOrSite, TooMany after five wrong codes, ImpossibleMove on a second check-in.
    """
    row = _locked(u, booking_id)
    slot, _site = slot_and_site(u.session, row.slot_id)
    if slot.site_id != site_id or clock.day_of(slot.starts_at) != clock.today():
        raise WrongDayOrSite
    if row.check_in_tries >= CODE_TRIES:
        raise TooMany("签到码错误次数过多，请核对身份证件后由主管人员处理。", retry_after=600)
    if code != vault.open_sealed(CODE.place, row.id, row.check_in_code):
        row.check_in_tries += 1
        return None
    _move(u, row, "checked_in", by)
    return booking_view(u, row, owner=False)


def mark_served(u: Unit, booking_id: str, site_id: str, by: Actor) -> BookingView:
    """The visit is over. Raises NotYours, ImpossibleMove."""
    row = _locked(u, booking_id)
    slot, _site = slot_and_site(u.session, row.slot_id)
    if slot.site_id != site_id:
        raise WrongDayOrSite
    _move(u, row, "served", by)
    return booking_view(u, row, owner=False)


def release(u: Unit, row: BookingRow, trigger: str, by: Actor) -> None:
    """End a live booking and free its place in one go."""
    _move(u, row, trigger, by)
    u.session.execute(_FREE, {"booking_id": row.id})


def lapse(u: Unit, row: BookingRow) -> None:
    release(u, row, "lapsed", CLOCK)


def mark_missed(u: Unit, row: BookingRow) -> None:
    """The day is over and nobody came; the place stays used."""
    _move(u, row, "missed", CLOCK)


def _take_place(session: Session, row: BookingRow) -> bool:
    """One place, or none when none is left. A place locked by somebody who may still step back is waited for."""
    values = {"booking_id": row.id, "slot_id": row.slot_id}
    for pause in (0.0, 0.01, 0.03, 0.1, 0.3):
        if pause:
            clock.sleep(pause)
        result = session.execute(_TAKE, values)
        if isinstance(result, CursorResult) and result.rowcount == 1:
            return True
        if not session.execute(_LEFT, {"slot_id": row.slot_id}).scalar_one():
            return False
    return False


def _own(u: Unit, booking_id: str, person_id: str) -> BookingRow:
    row = _locked(u, booking_id)
    if row.person_id != person_id:
        raise NotYours
    return row


def _locked(u: Unit, booking_id: str) -> BookingRow:
    row = u.get(BookingRow, booking_id, lock=True)
    if row is None:
        raise NotYours
    return row


def _move(u: Unit, row: BookingRow, trigger: str, by: Actor) -> None:
    u.step(BOOKING, row, trigger, by=by)
    u.record(_EVENTS[trigger](row.matter, row.person_id, row.id))
