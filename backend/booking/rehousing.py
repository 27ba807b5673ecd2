"""What becomes of people whose slot was closed: another place is held for each, and none of them is forgotten.

Nothing here remembers a list of work. Every pass asks the books who still waits for an answer, so a crash loses
nothing, and somebody who took a place while the slot was being closed is found by the next pass. One unit a person.

- Who only held a place loses it; a move that leads into a closed slot is dropped.
- A confirmed appointment is answered once for each closing: the next fitting place (same item, subject and party,
  after today; the same site first, then the soonest) is held for as long as the site's rules say, or the person is
  told that there is none. Those with none are tried again until their time comes.
- An offer that passes is not repeated. Until the old time comes its owner may still choose another one freely.
- When the old time has come and nothing is held, the appointment is cancelled; nobody is blamed. The same goes for
  somebody who was told of a closing that was taken back, and then did not come.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from backend import people
from backend.booking.machine import CONFIRMED, HELD
from backend.booking.models import BookingRow, SlotRow
from backend.booking.problems import SlotTaken
from backend.booking.rules import Rules
from backend.booking.services.keeping import locked, release
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.moving import hold_for_move, stay
from backend.booking.services.presence import rules_of
from backend.contracts import BookingDisplaced
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import SYSTEM, Unit, run_unit

LOOK_BACK: Final = timedelta(days=60)
"""Longer than any offer; a slot closed before that has nobody left in it."""
TIME_TO_ANSWER: Final = timedelta(hours=2)
"""A place that must be confirmed sooner is not offered: messages are read late."""
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
_FITTING: Final = f"""
    SELECT s.id FROM booking_slot s JOIN booking_slot old ON old.id = %(slot)s
    WHERE s.item_id = old.item_id AND s.subject = old.subject AND s.id <> old.id AND s.closed_at IS NULL
        AND s.release_id IS NULL AND (old.urgent OR NOT s.urgent)
        AND s.starts_at >= %(tomorrow)s AND s.closes_at >= %(answered)s
        AND coalesce(s.opens_at, '-infinity') <= %(now)s
        AND %(party)s <= (SELECT count(*) FROM booking_place p WHERE p.slot_id = s.id AND p.booking_id IS NULL
            AND NOT p.kept AND (p.kind = 'open' OR p.kind = ANY(%(kinds)s)))
        AND NOT EXISTS (SELECT 1 FROM booking_booking b JOIN booking_slot t ON t.id = b.slot_id
            WHERE b.person_id = %(person)s AND b.state IN ('held', 'confirmed', 'checked_in', 'called')
                AND t.starts_at < s.ends_at AND s.starts_at < t.ends_at)
    ORDER BY s.site_id <> old.site_id, s.starts_at, s.id LIMIT {CANDIDATES}
"""


def rehouse() -> int:
    """Do whatever is left to do for people in closed slots; returns for how many something was done."""
    asked = {"since": clock.now() - LOOK_BACK, "now": clock.now()}
    passes: tuple[tuple[str, Act], ...] = (
        (_HELD, _give_up), (_MOVING, _drop), (_UNANSWERED, _answer), (_OVER, _end),
    )  # fmt: skip
    return sum(_each(query, asked, act) for query, act in passes)


def _each(query: str, asked: dict[str, Any], act: Act) -> int:
    found: Iterable[tuple[str]] = run_unit(lambda u: lean.execute(u.session, query, asked).fetchall())
    return sum(_in_unit(act, booking_id) for (booking_id,) in found)


def _in_unit(act: Act, booking_id: str) -> bool:
    return run_unit(lambda u: act(u, booking_id))


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
    site_id = u.session.get_one(SlotRow, asked.slot_id).site_id
    rules = rules_of(u, site_id, asked.item_id)
    seen = [look(u, slot_id, asked.person_id, asked.party) for slot_id in _fitting(u, asked, rules)]
    row, slot = _both(u, booking_id)
    if row.state != CONFIRMED or row.moving_to is not None or slot.closed_at is None:
        return False
    is_told = (row.displaced_from, row.displaced_at) == (slot.id, slot.closed_at)
    if is_told and row.displaced_to is not None:
        return False
    chosen = next((one for one in seen if _is_held(u, row, one, rules)), None)
    if chosen is None and is_told:
        return False
    row.displaced_from, row.displaced_at = slot.id, slot.closed_at
    row.displaced_to = chosen.id if chosen else None
    if chosen is None:
        u.note(row.matter, row.id, "displaced", by=SYSTEM, says="原时段停办，暂无合适的新时段，可另选时间")
    u.record(BookingDisplaced(row.matter, row.person_id, row.id, chosen is not None))
    return True


def _fitting(u: Unit, row: BookingRow, rules: Rules) -> list[str]:
    now = clock.now()
    is_elder = people.is_of_age(u, row.person_id, rules.elder_age)
    values = {
        "slot": row.slot_id, "person": row.person_id, "party": row.party, "kinds": ["elder"] if is_elder else [],
        "now": now, "answered": now + TIME_TO_ANSWER,
        "tomorrow": clock.start_of_day(clock.today() + timedelta(days=1)),
    }  # fmt: skip
    return [slot_id for (slot_id,) in lean.execute(u.session, _FITTING, values)]


def _is_held(u: Unit, row: BookingRow, seen: SlotSeen, rules: Rules) -> bool:
    """Hold a place there; what was taken of it meanwhile is given back at once."""
    until = min(clock.now() + timedelta(hours=rules.closure_hours), seen.closes_at)
    try:
        with u.session.begin_nested():
            hold_for_move(u, row, seen, SYSTEM, "displaced", until)
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
