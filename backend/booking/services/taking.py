"""Takes places: each by updating its own row (SKIP LOCKED), so the database decides every race.

Nobody waits for somebody who wants another place of the same slot.
"""

import random
from typing import Final

from backend.kernel import clock
from backend.store import lean
from backend.store.unit import Unit

SMALL: Final = 32
"""In a larger slot people begin to look at different places; in a small one everybody begins at the first."""
WAITS_S: Final = (0.0, 0.01, 0.03, 0.1, 0.3)
FREE: Final = "booking_id IS NULL AND (kind = 'open' OR kind = ANY(%(kinds)s))"
"""Which places somebody may take; `kinds` are the quotas that are open to them beside the places for everybody."""
TAKE: Final = f"""
    UPDATE booking_place SET booking_id = %(booking)s FROM (
        SELECT slot_id AS slot, number AS place FROM booking_place
        WHERE slot_id = %(slot)s AND number >= %(first)s AND {FREE}
        ORDER BY number LIMIT %(party)s FOR UPDATE SKIP LOCKED) free
    WHERE slot_id = slot AND number = place RETURNING number
"""
_LEFT: Final = f"SELECT count(*) FROM booking_place WHERE slot_id = %(slot)s AND {FREE}"
_GIVE: Final = "UPDATE booking_place SET booking_id = NULL WHERE booking_id = %s AND slot_id = %s"


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


def give_back(u: Unit, booking_id: str, slot_id: str) -> None:
    """Free the places of a booking in a slot."""
    lean.execute(u.session, _GIVE, (booking_id, slot_id))
