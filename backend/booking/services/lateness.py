"""Draws that wait longer than was announced: for a figure, a second reader, or somebody to set them off.

Staff are warned and whoever entered is told, once: a draw must not be forgotten in silence.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func

from backend.booking.models import EntryRow, ReleaseRow
from backend.booking.services.releasing import CLOSED, DRAW
from backend.contracts import DrawDelayed
from backend.kernel import clock
from backend.store.unit import CLOCK, Unit

LATE: Final = timedelta(hours=1)
"""So long after the announced moment two people have had time to look the figure up."""


def due_at(row: ReleaseRow) -> datetime:
    """When the public value was to be fixed; a release announced without that says when it opens."""
    return row.public_value_at or row.opens_at


def is_late(row: ReleaseRow) -> bool:
    """Whether a draw should have been set off by now."""
    waits = row.mode == DRAW and row.state == CLOSED and row.revealed_seed is None
    return waits and due_at(row) + LATE <= clock.now()


def waits_for_hands() -> ColumnElement[bool]:
    """Draws whose entries are closed and that nobody has set off, whenever their value is due."""
    return and_(ReleaseRow.mode == DRAW, ReleaseRow.state == CLOSED, ReleaseRow.revealed_seed.is_(None))


def are_late() -> ColumnElement[bool]:
    """As is_late."""
    due = func.coalesce(ReleaseRow.public_value_at, ReleaseRow.opens_at)
    return waits_for_hands() & (due <= clock.now() - LATE)


def is_to_be_told() -> ColumnElement[bool]:
    """Entries of a late draw that have not heard of it; who takes no part is not kept waiting."""
    return and_(are_late(), EntryRow.state == "entered", EntryRow.why == "", EntryRow.delay_told_at.is_(None))


def tell_delay(u: Unit, row: EntryRow) -> None:
    """Tell whoever entered that the draw is late."""
    row.delay_told_at = clock.now()
    u.note(row.id, row.id, "delayed", by=CLOCK, says="公开数值还没有确认，摇号推迟")
    u.record(DrawDelayed(row.id, row.person_id))
