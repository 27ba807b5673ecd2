"""Those who come along: they count as if they had booked themselves, for every limit, wherever they are named.

Whoever names somebody is told that it does not go, and not why, when or with whom: that is the other's own matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from backend import people
from backend.booking.models import COMPANION, CompanionRow
from backend.booking.problems import CompanionNotFree, LimitReached
from backend.booking.services.limits import THEIRS, require_times, spans
from backend.booking.services.looking import SlotSeen, hold_still
from backend.booking.views import Companion
from backend.kernel import clock, ids
from backend.store import lean, vault
from backend.store.unit import Unit

_HOLDERS: Final = f"""
    SELECT {people.folded.HOLDER.format(blind="asked.blind")}, encode(asked.blind, 'hex')
    FROM unnest(%s::bytea[]) AS asked (blind)
"""
_BLOCKED: Final = f"""
    SELECT DISTINCT asked.place FROM unnest(%(places)s::integer[], %(blinds)s::bytea[]) AS asked (place, blind)
    JOIN booking_block k ON k.person_id = {people.folded.HOLDER.format(blind="asked.blind")}
    WHERE k.item_id = %(item)s AND k.until > %(now)s AND k.state IN ('active', 'appealed', 'upheld')
"""
_ALONG: Final = f"""
    SELECT DISTINCT holder FROM (SELECT {people.folded.HOLDER.format(blind="c.number_blind")} AS holder
        FROM booking_companion c WHERE c.booking_id = %s) AS along
    WHERE holder IS NOT NULL ORDER BY holder
"""
_ADD: Final = """
    INSERT INTO booking_companion (id, booking_id, id_no, number_blind)
    SELECT one.id, %(booking)s, one.id_no, one.blind
    FROM unnest(%(ids)s::text[], %(sealed)s::bytea[], %(blinds)s::bytea[]) AS one (id, id_no, blind)
"""


def stand_still(u: Unit, companions: Sequence[Companion], *person_ids: str) -> None:
    """Let the bookings of a whole family hold still to the end of the unit, before any slot is looked at.

    Everybody is locked in one order, whoever books for whom, so that two families who name each other do not deadlock.
    """
    blinds = [people.folded.number_blind(one.id_no) for one in companions]
    found = lean.execute(u.session, _HOLDERS, (blinds,)).fetchall() if blinds else []
    hold_still(u, [*person_ids, *(holder or blind for holder, blind in found)])


def require_free(u: Unit, slot: SlotSeen, companions: Sequence[Companion], booking_id: str) -> None:
    """Whether all of them may come along here, beside what they have. Raises CompanionNotFree.

    Nobody can book for them meanwhile: they are locked as if they had booked themselves.
    """
    if not companions:
        return
    stand_still(u, companions)
    require_no_blocks(u, companions, slot.item_id)
    _require(u, slot, booking_id, _asked(companions))


def require_no_blocks(u: Unit, companions: Sequence[Companion], item_id: str) -> None:
    """Who may not book the item does not come along either. Raises CompanionNotFree."""
    asked = _asked(companions)
    values = {
        "places": [place for place, _ in asked], "blinds": [blind for _, blind in asked], "item": item_id,
        "now": clock.now(),
    }  # fmt: skip
    found = lean.execute(u.session, _BLOCKED, values).fetchall() if asked else []
    if found:
        raise CompanionNotFree(companions=sorted(place for (place,) in found))


def along_with(u: Unit, booking_id: str) -> list[str]:
    """Who of the register comes along with a booking."""
    return [str(holder) for (holder,) in lean.execute(u.session, _ALONG, (booking_id,))]


def require_room(u: Unit, slot: SlotSeen, booking_id: str) -> None:
    """The same for those who come along with a booking that is being moved here. Raises CompanionNotFree."""
    query = select(CompanionRow.number_blind).where(CompanionRow.booking_id == booking_id)
    rows = u.session.scalars(query.order_by(CompanionRow.id)).all()
    if rows:
        _require(u, slot, booking_id, [(place, bytes(blind)) for place, blind in enumerate(rows)])


def write(u: Unit, booking_id: str, companions: Sequence[Companion]) -> None:
    """Write down who comes along with a booking that was just born."""
    if not companions:
        return
    row_ids = [ids.new_id("cn") for _ in companions]
    values: Mapping[str, Any] = {
        "booking": booking_id, "ids": row_ids,
        "sealed": [
            vault.seal(COMPANION.place, row_id, one.id_no)
            for row_id, one in zip(row_ids, companions, strict=True)
        ],
        "blinds": [people.folded.number_blind(one.id_no) for one in companions],
    }  # fmt: skip
    lean.execute(u.session, _ADD, values)


def _asked(companions: Sequence[Companion]) -> list[tuple[int, bytes]]:
    return [
        (place, blind)
        for place, one in enumerate(companions)
        for blind in people.folded.number_blinds(one.id_no)
    ]


def _require(u: Unit, slot: SlotSeen, booking_id: str, asked: Sequence[tuple[int, bytes]]) -> None:
    values = {
        "booking": booking_id, "item": slot.item_id, "subject": slot.subject, **spans(slot.day),
        "places": [place for place, _ in asked], "blinds": [blind for _, blind in asked],
    }  # fmt: skip
    found = lean.execute(u.session, THEIRS, values).fetchall()
    if not_free := sorted(place for place, *counts in found if _is_too_often(slot, counts)):
        raise CompanionNotFree(companions=not_free)


def _is_too_often(slot: SlotSeen, counts: Sequence[Any]) -> bool:
    if counts[3]:
        return True
    try:
        require_times(slot.rules, counts)
    except LimitReached:
        return True
    return False
