"""Chores of the courier bureau: what nobody waits for, and what heals by itself.

Each takes a bounded batch, calls outside with no transaction open, and is safe to repeat.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import delete, func, or_, select

from backend.contracts import ParcelTroubled
from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.runtime.callbacks import hear
from backend.runtime.outbound import OutsideError
from backend.runtime.worker import chore
from backend.store.unit import CLOCK, Unit, run_unit
from courier import carriers, labels
from courier.carriers.port import Waybill
from courier.machine import FINISHED
from courier.models import ParcelRow, TraceRow
from courier.services import ordering
from courier.services.cancelling import SWEEP_ORDERS
from courier.services.hearing import record_for
from courier.services.sending import PLACE_ORDERS
from courier.services.settling import settle
from courier.wording import say

log = logging.getLogger(__name__)
AT_ONCE = 4
ASK_AGAIN = timedelta(minutes=30)
"""Each parcel is asked about at most this often (STANDARDS §15)."""
LATE = timedelta(days=3)
LATE_AT_WINDOW = timedelta(days=15)
FORGET = timedelta(days=7)
DROP_TRACES = timedelta(days=90)
UNDER_WAY = (
    "ordered",
    "assigned",
    "collected",
    "in_transit",
    "out_for_delivery",
    "troubled",
    "returning",
    "lost",
)


@chore(PLACE_ORDERS, every=timedelta(seconds=20))
def place_orders() -> int:
    """Order carriers for parcels that are packed and wait: results, and pick-ups whose first try failed."""
    return _each(run_unit(ordering.waiting_for_order), ordering.place_order)


@chore(SWEEP_ORDERS, every=timedelta(seconds=20))
def sweep_orders() -> int:
    """Find out what became of orders and cancellations whose answer never came."""
    return _each(run_unit(ordering.unanswered_orders), ordering.sweep_order)


@chore("courier.poll_tracks", every=timedelta(minutes=1))
def poll_tracks() -> int:
    """Ask about parcels whose pushes have stopped."""
    return _each(run_unit(_claim_silent), _ask_about)


@chore("courier.warn_late", every=timedelta(minutes=10))
def warn_late() -> int:
    """Say once that a parcel has not been heard of, or that a result still lies at the window."""
    return run_unit(_warn)


@chore("courier.forget_contacts", every=timedelta(hours=1))
def forget_contacts() -> int:
    """Remove what is no longer needed: labels a week after the end, traces after ninety days (PIPL 19)."""
    return run_unit(_forget) + run_unit(_drop_traces)


def _each(things: Iterable[str], work: Callable[[str], object]) -> int:
    """Do it for each, a few at once; one that fails does not stop the others."""

    def attempt(thing: str) -> bool:
        try:
            work(thing)
        except (Problem, OutsideError) as error:
            log.warning(
                "a parcel could not be seen to", extra={"subject": thing, "why": type(error).__name__}
            )
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(attempt, things))


def _claim_silent(u: Unit, limit: int = 40) -> list[str]:
    """Parcels that a carrier should have spoken of; marked as asked before the call, so that nobody asks twice."""
    before = clock.now() - ASK_AGAIN
    question = (
        select(ParcelRow)
        .where(ParcelRow.closed_at.is_(None), ParcelRow.state.in_(UNDER_WAY))
        .where(ParcelRow.carrier.in_(carriers.POLLED), ParcelRow.order_code.is_not(None))
        .where(or_(ParcelRow.heard_at.is_(None), ParcelRow.heard_at < before))
        .where(or_(ParcelRow.polled_at.is_(None), ParcelRow.polled_at < before))
        .order_by(func.coalesce(ParcelRow.polled_at, ParcelRow.created_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(u.session.scalars(question))
    for row in found:
        row.polled_at = clock.now()
    return [row.id for row in found]


def _ask_about(parcel_id: str) -> None:
    """Ask once; and once more when only now the waybill number was learnt, under which the road is told."""
    for _ in range(2):
        name, waybill = run_unit(lambda u: _waybill_of(u, parcel_id))
        notice = carriers.carrier(name).query(waybill)
        if notice is None:
            return
        hear(settle, notice)
        if waybill.number:
            return


def _waybill_of(u: Unit, parcel_id: str) -> tuple[str, Waybill]:
    row = u.get(ParcelRow, parcel_id)
    assert row is not None
    contact = labels.contact_on(row)
    tail = contact.phone_tail if contact else ""
    return row.carrier, Waybill(row.waybill_no or "", row.shipper or "", row.order_code or "", tail)


def _warn(u: Unit, limit: int = 100) -> int:
    now = clock.now()
    silent = (ParcelRow.carrier != carriers.WINDOW) & (ParcelRow.changed_at < now - LATE)
    waiting = (
        (ParcelRow.carrier == carriers.WINDOW)
        & (ParcelRow.state == "out_for_delivery")
        & (ParcelRow.changed_at < now - LATE_AT_WINDOW)
    )
    question = (
        select(ParcelRow)
        .where(ParcelRow.closed_at.is_(None), ParcelRow.warned_at.is_(None))
        .where(ParcelRow.packed_at.is_not(None), ParcelRow.state.not_in(FINISHED), or_(silent, waiting))
        .order_by(ParcelRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    late = list(u.session.scalars(question))
    for row in late:
        row.warned_at = now
        words = say("late.window") if row.carrier == carriers.WINDOW else say("late.road")
        u.note(row.matter, row.id, "late", by=CLOCK, says=words)
        record_for(u, row, ParcelTroubled)
    return len(late)


def _forget(u: Unit, limit: int = 200) -> int:
    question = (
        select(ParcelRow)
        .where(ParcelRow.closed_at < clock.now() - FORGET, ParcelRow.contact.is_not(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    over = list(u.session.scalars(question))
    for row in over:
        row.contact = None
    return len(over)


def _drop_traces(u: Unit, limit: int = 500) -> int:
    over = (
        select(TraceRow.id)
        .join(ParcelRow, ParcelRow.id == TraceRow.parcel_id)
        .where(ParcelRow.closed_at < clock.now() - DROP_TRACES)
        .limit(limit)
    )
    dropped = list(u.session.scalars(over))
    u.session.execute(delete(TraceRow).where(TraceRow.id.in_(dropped)))
    return len(dropped)
