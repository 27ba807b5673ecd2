"""Calling a pick-up off: remember the wish, tell the carrier, remember its answer.

A carrier tells nobody that an order was cancelled by us (there is no push), so its answer is all there is.
"""

from backend.contracts import ParcelCancelled
from backend.kernel import clock
from backend.runtime.outbound import OutsideError, Refused
from backend.runtime.worker import wake
from backend.store.unit import SYSTEM, Actor, Unit, run_unit
from courier import carriers
from courier.carriers.port import Carrier
from courier.machine import PARCEL
from courier.models import OrderRow, ParcelRow
from courier.problems import ParcelAlreadyCollected
from courier.services import rows
from courier.services.hearing import record_for
from courier.wording import say

SWEEP_ORDERS = "courier.sweep_orders"


def cancel_parcel(parcel_id: str, reason: str, by: Actor, *, person_id: str | None = None) -> None:
    """Call a pick-up off. While the carrier's answer is unknown the wish is remembered and carried out later.

    Opens its own units. Raises NotYours, ParcelAlreadyCollected.
    """
    code = run_unit(lambda u: wish_cancelled(u, rows.locked(u, parcel_id, person_id=person_id), reason, by))
    if code is not None and not finish_cancel(code):
        raise ParcelAlreadyCollected


def wish_cancelled(u: Unit, row: ParcelRow, reason: str, by: Actor) -> str | None:
    """Remember that a parcel shall not be fetched; the code of the order that must be called off outside."""
    if row.state == "cancelled":
        return None
    if row.collected_at is not None or not PARCEL.can(row.state, "cancelled"):
        raise ParcelAlreadyCollected
    row.cancel_reason = reason[:60]
    order = u.get(OrderRow, row.order_code, lock=True) if row.order_code else None
    if order is None or order.state in ("refused", "dropped"):
        cancelled(u, row, by)
        return None
    if order.state == "placed":
        order.state, order.asked_at = "cancelling", clock.wire_now()
    return order.code if order.state == "cancelling" else None


def leave_order(u: Unit, row: ParcelRow) -> None:
    """Begin anew: an order of the former attempt that still lives is called off behind the parcel's back."""
    order = u.get(OrderRow, row.order_code, lock=True) if row.order_code else None
    if order is not None and order.state == "placed":
        order.state, order.asked_at = "cancelling", clock.wire_now()
        u.after_commit(lambda: wake(SWEEP_ORDERS))
    row.attempt, row.order_code, row.rider_id = row.attempt + 1, None, None


def finish_cancel(code: str) -> bool:
    """Tell the carrier and write down its answer. False when it says that it is too late."""
    name, reason = run_unit(lambda u: _what_to_cancel(u, code))
    try:
        gone = _call_off(carriers.carrier(name), code, reason)
    except OutsideError:
        return True
    run_unit(lambda u: _cancel_answered(u, code, gone))
    return gone


def _call_off(telephone: Carrier, code: str, reason: str) -> bool:
    """Whether the order is gone. A refusal may only mean that it was gone before."""
    try:
        telephone.cancel(code, reason)
    except Refused:
        known = telephone.order_known(code)
        return known.cancelled or known.placed is None
    return True


def cancelled(u: Unit, row: ParcelRow, by: Actor) -> None:
    """Nobody will fetch this parcel any more."""
    u.step(PARCEL, row, "cancelled", by=by, facts={"why": row.cancel_reason or ""})
    record_for(u, row, ParcelCancelled)
    rows.touched(row)


def _cancel_answered(u: Unit, code: str, gone: bool) -> None:
    order, row = rows.locked_order(u, code)
    if order.state != "cancelling":
        return
    order.state = "dropped" if gone else "placed"
    if order.code != row.order_code:
        return
    if not gone:
        u.note(row.matter, row.id, "cancel_refused", by=SYSTEM, says=say("cancel.refused"))
        row.cancel_reason = None
    elif PARCEL.can(row.state, "cancelled"):
        cancelled(u, row, SYSTEM)


def _what_to_cancel(u: Unit, code: str) -> tuple[str, str]:
    order, row = rows.locked_order(u, code)
    return order.carrier, row.cancel_reason or ""
