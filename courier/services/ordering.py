"""Calling the carrier: remember, ask with no transaction open, remember the answer.

An answer that never came is neither yes nor no: the order is asked about before anything else is tried, and a
new attempt always has a new code. The sweep heals what a crash leaves between the steps.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, or_, select

from backend.contracts import ParcelTroubled
from backend.kernel import clock, ids
from backend.runtime.outbound import OutsideError, Refused, Unreachable
from backend.runtime.worker import wake
from backend.store.unit import SYSTEM, Unit, run_unit
from courier import carriers, labels
from courier.carriers.port import PickupOrder, Placed, RoadNews
from courier.machine import PARCEL, UNCOLLECTED
from courier.models import OPEN_ORDER, OrderRow, ParcelRow
from courier.problems import CarrierRefused
from courier.services import rows
from courier.services.cancelling import SWEEP_ORDERS, cancelled, finish_cancel
from courier.services.hearing import hear_news, record_for
from courier.wording import say

SETTLED = timedelta(seconds=15)
"""Real time after which "never heard of it" is believed: a request may still have been under way."""
LOOKS_LOST = timedelta(seconds=60)
"""Real time after which a question counts as unanswered: longer than every time-out of the telephone."""
PAUSE = timedelta(seconds=30)
"""Real time between two attempts while a carrier cannot be reached."""
GOODS = (say("label.goods"),)
"""The carrier learns that there are documents, not which ones (PIPL 21: least data)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a carrier that may now be put, since it was written down."""

    carrier: str
    order: PickupOrder


def place_order(parcel_id: str) -> None:
    """Order the pick-up of a parcel that waits for it; does nothing when it is being done already.

    A carrier that cannot be reached or stays silent leaves the parcel waiting for the sweep. Opens its own units.
    Raises CarrierRefused in the carrier's words.
    """
    ask = run_unit(lambda u: _write_down(u, parcel_id))
    if ask is None:
        return
    code = ask.order.code
    try:
        placed = carriers.carrier(ask.carrier).order_pickup(ask.order)
    except Refused as error:
        words = error.message
        run_unit(lambda u: _refused(u, code, words))
        raise CarrierRefused(words) from error
    except Unreachable as error:
        words = error.message
        run_unit(lambda u: _dropped(u, code, words))
    except OutsideError as error:
        words = error.message
        run_unit(lambda u: _mark(u, code, "unknown", words))
    else:
        run_unit(lambda u: order_placed(u, code, placed))


def waiting_for_order(u: Unit, limit: int = 50) -> list[str]:
    """Packed parcels nobody was ordered for, whose last attempt has had its pause."""
    now = clock.wire_now()
    open_order = exists().where(OrderRow.parcel_id == ParcelRow.id).where(OrderRow.state.in_(OPEN_ORDER))
    recent = exists().where(OrderRow.code == ParcelRow.order_code).where(OrderRow.asked_at > now - PAUSE)
    question = (
        select(ParcelRow.id)
        .where(ParcelRow.state == "created", ParcelRow.packed_at.is_not(None))
        .where(ParcelRow.carrier != carriers.WINDOW, ParcelRow.cancel_reason.is_(None))
        .where(~open_order, or_(ParcelRow.order_code.is_(None), ~recent))
        .order_by(ParcelRow.id)
        .limit(limit)
    )
    return list(u.session.scalars(question))


def order_placed(u: Unit, code: str, placed: Placed) -> None:
    """The carrier has the order: by its answer, by a push that was quicker, or found by asking."""
    order, row = rows.locked_order(u, code)
    if order.state not in OPEN_ORDER:
        return
    order.carrier_order_no = order.carrier_order_no or placed.carrier_order_no
    order.state = "placed"
    if order.number != row.attempt:
        return
    row.shipper = placed.shipper or row.shipper
    row.waybill_no = placed.waybill_no or row.waybill_no
    asked_at = order.asked_at + (clock.now() - clock.wire_now())
    # Carriers write whole seconds: what they tell of the same second must not seem older than our order.
    news = RoadNews("ordered", asked_at.replace(microsecond=0), say("trace.ordered"))
    hear_news(u, row, (news,), "order", SYSTEM)
    if row.cancel_reason and row.state in UNCOLLECTED:
        order.state = "cancelling"
        u.after_commit(lambda: wake(SWEEP_ORDERS))


def sweep_order(code: str) -> bool:
    """Ask what became of an order whose last word was never heard; True when it is known now."""
    state, name = run_unit(lambda u: _state_of(u, code))
    if state == "cancelling":
        finish_cancel(code)
        return True
    if state not in ("asking", "unknown"):
        return False
    try:
        known = carriers.carrier(name).order_known(code)
    except OutsideError:
        return False
    placed = known.placed
    if placed is None or known.cancelled:
        run_unit(lambda u: _dropped(u, code, "the carrier does not have it"))
    else:
        run_unit(lambda u: order_placed(u, code, placed))
    return True


def unanswered_orders(u: Unit, limit: int = 50) -> list[str]:
    """Codes of orders that were asked too long ago to be still on the line."""
    now = clock.wire_now()
    question = (
        select(OrderRow.code)
        .where(OrderRow.state.in_(OPEN_ORDER))
        .where(or_(OrderRow.state != "asking", OrderRow.asked_at < now - LOOKS_LOST))
        .where(or_(OrderRow.state != "unknown", OrderRow.asked_at < now - SETTLED))
        .order_by(OrderRow.asked_at)
        .limit(limit)
    )
    return list(u.session.scalars(question))


def _write_down(u: Unit, parcel_id: str) -> Ask | None:
    row = rows.locked(u, parcel_id)
    asked = select(OrderRow.code).where(OrderRow.parcel_id == row.id, OrderRow.state.in_(OPEN_ORDER))
    if row.state != "created" or row.packed_at is None or u.session.scalar(asked.limit(1)):
        return None
    citizen, office = labels.contact_on(row), labels.office_of(u, row.department_id)
    if citizen is None:
        return None
    row.attempt += 1
    row.order_code = ids.new_id("par").replace("par-", "ZB").upper()
    u.add(
        OrderRow(
            code=row.order_code,
            parcel_id=row.id,
            number=row.attempt,
            carrier=row.carrier,
            state="asking",
            asked_at=clock.wire_now(),
            answer="",
        )
    )
    sender, receiver = (citizen, office) if row.direction == "inbound" else (office, citizen)
    return Ask(row.carrier, PickupOrder(row.order_code, sender, receiver, GOODS))


def _refused(u: Unit, code: str, words: str) -> None:
    """A citizen may try again with a better address; a result waits for the department."""
    order, row = rows.locked_order(u, code)
    order.state, order.answer = "refused", words
    if row.state != "created":
        return
    if row.direction == "inbound":
        cancelled(u, row, SYSTEM)
        return
    u.step(PARCEL, row, "troubled", by=SYSTEM, facts={"why": "carrier refused"})
    record_for(u, row, ParcelTroubled)
    rows.touched(row)


def _dropped(u: Unit, code: str, words: str) -> None:
    order, row = rows.locked_order(u, code)
    if order.state not in OPEN_ORDER:
        return
    order.state, order.answer = "dropped", words
    if row.cancel_reason and row.state in UNCOLLECTED:
        cancelled(u, row, SYSTEM)


def _mark(u: Unit, code: str, state: str, words: str) -> None:
    order, _row = rows.locked_order(u, code)
    if order.state == "asking":
        order.state, order.answer = state, words
        u.after_commit(lambda: wake(SWEEP_ORDERS))


def _state_of(u: Unit, code: str) -> tuple[str, str]:
    order, _row = rows.locked_order(u, code)
    return order.state, order.carrier
