"""Chores of the booking office."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from backend.booking.machine import CONFIRMED, HELD
from backend.booking.models import BookingRow, SlotRow
from backend.booking.services.keeping import lapse, mark_missed
from backend.booking.services.moving import let_move_lapse
from backend.booking.supply import open_slots
from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store.unit import Unit, run_unit

BATCH = 100


@chore("booking.lapse_holds", every=timedelta(seconds=10))
def lapse_holds() -> int:
    """Free the places whose hold was not confirmed in time."""
    return _each(lambda: (BookingRow.state == HELD) & (BookingRow.held_until <= clock.now()), lapse)


@chore("booking.lapse_moves", every=timedelta(seconds=10))
def lapse_moves() -> int:
    """Give back what was held for a move that nobody confirmed."""
    return _each(
        lambda: BookingRow.moving_to.is_not(None) & (BookingRow.moving_until <= clock.now()), let_move_lapse
    )


@chore("booking.mark_missed", every=timedelta(minutes=5))
def mark_those_missed() -> int:
    """Note who did not come, once the day is over."""
    return _each(
        lambda: (BookingRow.state == CONFIRMED) & (SlotRow.ends_at < clock.start_of_day(clock.today())),
        mark_missed,
    )


@chore("booking.open_slots", every=timedelta(minutes=5))
def open_ahead() -> int:
    """Keep the coming working days open."""
    return run_unit(open_slots)


def _each(wanted: Callable[[], ColumnElement[bool]], act: Callable[[Unit, Any], None]) -> int:
    """Act on every wanted booking, a batch to a unit; rows that others hold are left for the next look."""

    def batch(u: Unit) -> int:
        query = (
            select(BookingRow)
            .join(SlotRow, SlotRow.id == BookingRow.slot_id)
            .where(wanted())
            .order_by(BookingRow.id)
            .limit(BATCH)
            .with_for_update(of=BookingRow, skip_locked=True)
        )
        rows = u.session.scalars(query).all()
        for row in rows:
            act(u, row)
        return len(rows)

    done = 0
    while found := run_unit(batch):
        done += found
    return done
