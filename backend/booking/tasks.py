"""Chores of the booking office."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select

from backend.booking.closing.rehousing import rehouse
from backend.booking.machine import CHECKED_IN, HELD
from backend.booking.models import BookingRow, SlotRow
from backend.booking.plan.supply import open_slots
from backend.booking.reminding import remind_batch
from backend.booking.services.hall import close_ticket, has_ticket, stale_tickets, take_as_served
from backend.booking.services.keeping import lapse
from backend.booking.services.moving import let_move_lapse
from backend.booking.services.offering import offer_places
from backend.booking.services.standing import note_all_missed
from backend.booking.services.taking import OFFERS
from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store.unit import Unit, run_unit

log = logging.getLogger(__name__)
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
    """Note who did not come, once the day is over; who does so again and again is blocked for a while."""
    return note_all_missed()


@chore(OFFERS, every=timedelta(seconds=10))
def offer_freed_places() -> int:
    """Offer what became free to those who wait for it, each place to one person at a time."""
    return offer_places()


@chore("booking.remind", every=timedelta(seconds=30))
def remind() -> int:
    """Remind people of their appointments, a batch to a unit."""
    done = 0
    while found := run_unit(remind_batch):
        done += found
    return done


@chore("booking.close_hall", every=timedelta(minutes=5))
def close_hall() -> int:
    """End what the halls left open on days gone by: one person to a unit, so that none holds up another."""
    done = sum(_closed(one) for one in run_unit(stale_tickets))
    return done + _each(
        lambda: (BookingRow.state == CHECKED_IN) & (SlotRow.ends_at < clock.start_of_day(clock.today()))
        & ~has_ticket(),
        take_as_served,
    )  # fmt: skip


@chore("booking.rehouse", every=timedelta(seconds=30))
def find_other_times() -> int:
    """Find other times for those whose slot was closed."""
    return rehouse()


@chore("booking.open_slots", every=timedelta(minutes=5))
def open_ahead() -> int:
    """Keep the coming working days open."""
    return run_unit(open_slots)


def _closed(ticket_id: str) -> int:
    try:
        return int(run_unit(partial(close_ticket, ticket_id=ticket_id)))
    except Exception:
        log.exception("a ticket could not be closed", extra={"ticket_id": ticket_id})
        return 0


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
