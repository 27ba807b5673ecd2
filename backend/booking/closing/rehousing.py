"""What becomes of people whose slot was closed: another place is held for each, and none of them is forgotten.

Nothing here remembers a list of work. Every pass asks the books who still waits for an answer, so a crash loses
nothing, and somebody who took a place while the slot was being closed is found by the next pass. One unit a person.

- Who only held a place loses it; a move that leads into a closed slot is dropped.
- A confirmed appointment is answered once for each closing: the next fitting place (same item, subject and party,
  after today; the same site first, then the soonest) is held for as long as the site's rules say, and others may be
  chosen instead of it (`other_times`); or the person is told that there is none. Those with none stand first on the
  wait list and are tried again, also whenever a place is freed, until their time comes.
- An offer that passes is not repeated. Until the old time comes its owner may still choose another one freely.
- When the old time has come and nothing is held, the appointment is cancelled; nobody is blamed. The same goes for
  somebody who was told of a closing that was taken back, and then did not come.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from backend.booking.closing.other_times import fitting
from backend.booking.machine import CONFIRMED, HELD
from backend.booking.models import BookingRow, SlotRow
from backend.booking.problems import SlotTaken
from backend.booking.rules import Rules
from backend.booking.services.first_in_line import in_line_for, leave_line, stand_first
from backend.booking.services.keeping import locked, release
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.moving import hold_for_move, stay
from backend.booking.services.site_rules import rules_of
from backend.contracts import BookingDisplaced
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import SYSTEM, Unit, run_unit

log = logging.getLogger(__name__)
LOOK_BACK: Final = timedelta(days=60)
"""Longer than any offer; a slot closed before that has nobody left in it."""
CANDIDATES: Final = 5
Act = Callable[[Unit, str], bool]

_IN_CLOSED: Final = """
    SELECT b.id FROM booking_slot s JOIN booking_booking b ON b.{column} = s.id
    WHERE s.closed_at IS NOT NULL AND s.starts_at > %(since)s AND {which} ORDER BY s.starts_at, b.id
"""
_TOLD: Final = "(b.displaced_from = s.id AND b.displaced_at IS NOT DISTINCT FROM s.closed_at)"
_HELD: Final = _IN_CLOSED.format(column="slot_id", which="b.state = 'held'")
_MOVING: Final = _IN_CLOSED.format(column="moving_to", which="b.state = 'confirmed'")
_UNANSWERED: Final = _IN_CLOSED.format(
    column="slot_id",
    which=f"""b.state = 'confirmed' AND b.moving_to IS NULL
        AND (NOT coalesce({_TOLD}, false) OR b.displaced_to IS NULL)""",
)
_OVER: Final = """
    SELECT b.id FROM booking_booking b JOIN booking_slot s ON s.id = b.slot_id
    WHERE b.displaced_from = b.slot_id AND b.state = 'confirmed' AND b.moving_to IS NULL
        AND s.starts_at < %(now)s ORDER BY b.id
"""


def rehouse() -> int:
    """Do whatever is left to do for people in closed slots; returns for how many something was done."""
    asked = {"since": clock.now() - LOOK_BACK, "now": clock.now()}
    passes: tuple[tuple[str, Act], ...] = (
        (_HELD, _give_up), (_MOVING, _drop), (_UNANSWERED, _answer), (_OVER, _end),
    )  # fmt: skip
    return sum(_each(query, asked, act) for query, act in passes)


def rehouse_into(slot_id: str) -> int:
    """Let those who were displaced have what became free in a slot, before anybody else who waits; how many did."""
    return sum(_in_unit(_answer, booking_id) for booking_id in run_unit(lambda u: in_line_for(u, slot_id)))


def _each(query: str, asked: dict[str, Any], act: Act) -> int:
    found: Iterable[tuple[str]] = run_unit(lambda u: lean.execute(u.session, query, asked).fetchall())
    return sum(_in_unit(act, booking_id) for (booking_id,) in found)


def _in_unit(act: Act, booking_id: str) -> bool:
    """One person to a unit: whatever goes wrong for one is logged, tried again by the next pass, and stops nobody."""
    try:
        return run_unit(lambda u: act(u, booking_id))
    except Exception:
        log.exception("somebody in a closed slot could not be served", extra={"booking_id": booking_id})
        return False


def _give_up(u: Unit, booking_id: str) -> bool:
    """A place in a closed slot that was only held is held no longer."""
    row, slot = _both(u, booking_id)
    if row.state != HELD or slot.closed_at is None:
        return False
    row.displaced_from, row.displaced_at = slot.id, slot.closed_at
    release(u, row, "cancelled", SYSTEM)
    return True


def _drop(u: Unit, booking_id: str) -> bool:
    """A move must not lead into a closed slot; if we offered it, we owe another answer."""
    row, _slot = _both(u, booking_id)
    if row.state != CONFIRMED or row.moving_to is None:
        return False
    target = u.session.get_one(SlotRow, row.moving_to, populate_existing=True)
    if target.closed_at is None:
        return False
    if row.displaced_to == target.id:
        row.displaced_from = row.displaced_to = row.displaced_at = None
    stay(u, row, SYSTEM)
    return True


def _answer(u: Unit, booking_id: str) -> bool:
    """Hold another place for an appointment in a closed slot, or say that there is none."""
    asked = u.session.get_one(BookingRow, booking_id)
    look(u, asked.slot_id, asked.person_id)  # from here on the person's bookings hold still
    row, slot = _both(u, booking_id)
    if row.state != CONFIRMED or row.moving_to is not None or slot.closed_at is None:
        return False
    is_told = (row.displaced_from, row.displaced_at) == (slot.id, slot.closed_at)
    if is_told and row.displaced_to is not None:
        return False
    chosen = _elsewhere(u, row, rules_of(u, slot.site_id, row.item_id))
    if chosen is None and is_told:
        return False
    row.displaced_from, row.displaced_at = slot.id, slot.closed_at
    row.displaced_to = chosen.id if chosen else None
    if not is_told:
        says = f"原时段停办，原因：{slot.closed_why.rstrip('。')}"
        u.note(row.matter, row.id, "time_closed", by=SYSTEM, says=says, facts={"slot": slot.id})
    if chosen is None:
        u.note(row.matter, row.id, "displaced", by=SYSTEM, says="暂无合适的新时段，已优先候补，也可另选时间")
        stand_first(u, row)
    elif is_told:
        leave_line(u, row)
    u.record(BookingDisplaced(row.matter, row.person_id, row.id, chosen is not None))
    return True


def _elsewhere(u: Unit, row: BookingRow, rules: Rules) -> SlotSeen | None:
    """The first fitting slot in which places could be held for a booking."""
    tried: list[str] = []
    while found := fitting(u, row, CANDIDATES, tried=tried, first=True):
        for slot_id in found:
            seen = look(u, slot_id, row.person_id, row.party)
            if _is_held(u, row, seen, rules):
                return seen
        tried += found
    return None


def _is_held(u: Unit, row: BookingRow, seen: SlotSeen, rules: Rules) -> bool:
    """Hold a place there; what was taken of it meanwhile is given back at once."""
    until = min(clock.now() + timedelta(hours=rules.closure_hours), seen.closes_at)
    try:
        with u.session.begin_nested():
            hold_for_move(u, row, seen, SYSTEM, "displaced", until, first=True)
    except SlotTaken:
        return False
    return True


def _end(u: Unit, booking_id: str) -> bool:
    """The old time has come and nothing else was found or chosen: the appointment ends without blame."""
    row, slot = _both(u, booking_id)
    if row.state != CONFIRMED or row.moving_to is not None or row.displaced_from != slot.id:
        return False
    if slot.closed_at is None:
        is_over = slot.ends_at < clock.start_of_day(clock.today())
    else:
        is_over = slot.starts_at <= clock.now() and row.displaced_at == slot.closed_at
    if is_over:
        release(u, row, "cancelled", SYSTEM)
    return is_over


def _both(u: Unit, booking_id: str) -> tuple[BookingRow, SlotRow]:
    """A booking, locked, and its slot, which nobody opens or closes until the end of the unit."""
    while True:
        slot_id = u.session.scalar(select(BookingRow.slot_id).where(BookingRow.id == booking_id))
        query = select(SlotRow).where(SlotRow.id == slot_id).with_for_update(read=True)
        slot = u.session.scalars(query, execution_options={"populate_existing": True}).one()
        row = locked(u, booking_id)
        if row.slot_id == slot.id:
            return row, slot
