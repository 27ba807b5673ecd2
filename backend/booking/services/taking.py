"""Takes places: each by updating its own row (SKIP LOCKED), so the database decides every race.

Nobody waits for somebody who wants another place of the same slot; only families, who want several at once, do.
"""

import random
from typing import Final

from backend.booking.services.wanted import FITS, OFFERABLE
from backend.kernel import clock
from backend.runtime import worker
from backend.store import lean
from backend.store.unit import Unit

SMALL: Final = 32
"""In a larger slot people begin to look at different places; in a small one everybody begins at the first."""
WAITS_S: Final = (0.0, 0.01, 0.03, 0.1, 0.3)
FREE: Final = "booking_id IS NULL AND NOT kept AND (kind = 'open' OR kind = ANY(%(kinds)s))"
"""Which places somebody may take; `kinds` are the quotas that are open to them beside the places for everybody."""
TAKE: Final = f"""
    UPDATE booking_place SET booking_id = %(booking)s FROM (
        SELECT slot_id AS slot, number AS place FROM booking_place
        WHERE slot_id = %(slot)s AND number >= %(first)s AND {FREE}
        ORDER BY number LIMIT %(party)s FOR UPDATE SKIP LOCKED) free
    WHERE slot_id = slot AND number = place RETURNING number
"""
_LEFT: Final = f"SELECT count(*) FROM booking_place WHERE slot_id = %(slot)s AND {FREE}"
# One who waits keeps one place from the others, not a whole slot.
_WANTED: Final = f"""
    (SELECT count(*) FROM booking_slot s JOIN booking_wait w ON {FITS} WHERE s.id = %(slot)s AND {OFFERABLE})
    - (SELECT count(*) FROM booking_place k WHERE k.slot_id = %(slot)s AND k.kept)
"""
_GIVE: Final = f"""
    UPDATE booking_place SET booking_id = NULL, kept = kind <> 'walk_in' AND {_WANTED} > 0
    WHERE booking_id = %(booking)s AND slot_id = %(slot)s RETURNING kept
"""
_KEEP: Final = f"""
    UPDATE booking_place SET kept = true FROM (
        SELECT slot_id AS slot, number AS place FROM booking_place
        WHERE slot_id = %(slot)s AND booking_id IS NULL AND NOT kept AND kind <> 'walk_in'
        ORDER BY number LIMIT greatest(0, {_WANTED}) FOR UPDATE SKIP LOCKED) free
    WHERE slot_id = slot AND number = place RETURNING kept
"""
_LET_GO: Final = "UPDATE booking_place SET kept = false WHERE slot_id = %s AND number = ANY(%s)"
_KEPT: Final = """
    SELECT number FROM booking_place WHERE slot_id = %s AND kept AND kind = ANY(%s)
    ORDER BY number FOR UPDATE SKIP LOCKED
"""
_IN_LINE: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 4712))"
OFFERS: Final = "booking.offer_places"
"""The chore that offers what was kept."""


def first_place(capacity: int) -> int:
    """Where somebody begins to look for a free place: chance spreads the crowd, it decides nothing."""
    return random.randint(1, capacity) if capacity > SMALL else 1


def take(u: Unit, booking_id: str, slot_id: str, party: int, kinds: list[str], *, already: int = 0) -> bool:
    """Take the places still missing; whether all were found. The caller rolls back when they were not.

    A place locked by somebody who may still step back is waited for.
    """
    missing, asked = party - already, {"booking": booking_id, "slot": slot_id, "kinds": kinds, "first": 1}
    for pause in WAITS_S:
        if pause:
            clock.sleep(pause)
        missing -= len(lean.execute(u.session, TAKE, {**asked, "party": missing}).fetchall())
        if missing == 0:
            return True
        left = lean.execute(u.session, _LEFT, asked).fetchone()
        if left is None or left[0] < missing:
            return False
    return False


def stand_in_line(u: Unit, slot_id: str, party: int) -> None:
    """Let families who want the same slot take one after the other: two that each got half would both get nothing."""
    if party > 1:
        lean.execute(u.session, _IN_LINE, (slot_id,))


def give_back(u: Unit, booking_id: str, slot_id: str) -> None:
    """Free the places of a booking in a slot; they are kept for those who wait for them."""
    asked = {"booking": booking_id, "slot": slot_id, "now": clock.now()}
    _wake(u, lean.execute(u.session, _GIVE, asked).fetchall())


def keep_new(u: Unit, slot_id: str) -> None:
    """New places of a slot are kept for those who wait, one for each, before anybody else sees them."""
    _wake(u, lean.execute(u.session, _KEEP, {"slot": slot_id, "now": clock.now()}).fetchall())


def kept_in(u: Unit, slot_id: str, kinds: list[str]) -> list[int]:
    """Numbers of the places of these kinds kept in a slot, locked; what somebody else has locked is left out."""
    return [number for (number,) in lean.execute(u.session, _KEPT, (slot_id, kinds))]


def let_go(u: Unit, slot_id: str, numbers: list[int]) -> None:
    """These places are no longer kept."""
    lean.execute(u.session, _LET_GO, (slot_id, numbers))


def wake_offers() -> None:
    """Let the offers go out soon."""
    worker.wake(OFFERS)


def _wake(u: Unit, freed: list[tuple[bool]]) -> None:
    if any(kept for (kept,) in freed):
        u.after_commit(wake_offers)
