"""Releases: entries, the order, and whose turn it is."""

from datetime import timedelta
from typing import Final

from backend.booking.problems import NotYourTurn
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import Unit

_TURN: Final = """
    SELECT r.mode, r.state, r.opens_at, r.batch, e.state, e.rank
    FROM booking_release r LEFT JOIN booking_entry e ON e.release_id = r.id AND e.person_id = %s WHERE r.id = %s
"""
MINUTE: Final = timedelta(minutes=1)


def require_turn(u: Unit, release_id: str, person_id: str) -> None:
    """Whether somebody may take a place that is given out in order. Raises NotYourTurn."""
    row = lean.execute(u.session, _TURN, (person_id, release_id)).fetchone()
    if row is None:
        return
    mode, state, opens_at, batch, entry_state, rank = row
    now = clock.now()
    if state == "opened" and mode == "queue" and entry_state == "queued" and now >= opens_at:
        admitted = batch * (1 + (now - opens_at) // MINUTE)
        if rank is not None and rank <= admitted:
            return
    raise NotYourTurn(release_id=release_id, opens_at=opens_at.isoformat())
