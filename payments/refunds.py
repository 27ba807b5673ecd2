"""Ways back of money: asked for under the row lock of the payment, never more than is left of it."""

from sqlalchemy import select

from backend.contracts import Notice, PaymentRefunded
from backend.kernel import clock, ids
from backend.kernel.privacy import scrub
from backend.kernel.problems import FieldError
from backend.runtime.worker import wake
from backend.store.unit import Actor, Unit
from payments import bills, ledger, receipts, wording
from payments.channels.port import OURS, REFERENCE, RETURNED_SO_FAR
from payments.machine import FAILED, PAID, PARTLY_REFUNDED, PAYMENT, REFUND, REFUNDING, SUCCEEDED, UNDER_WAY
from payments.models import Payment, Refund, number_of
from payments.problems import NotRefundable, PaymentNotFound, RefundTooLarge
from payments.questions import refund_view, refunded_fen
from payments.subjects import held_payment, provider_actor
from payments.verdicts import repeated, set_aside
from payments.views import RefundView

SWEEP = "payments.refunds"
_RETURNABLE = (PAID, PARTLY_REFUNDED, REFUNDING)


def request_refund(u: Unit, payment_id: str, amount_fen: int | None, reason: str, by: Actor) -> RefundView:
    """Promise money back; None means all that is left. The channel is asked by the chore.

    Raises PaymentNotFound, NotRefundable, RefundTooLarge.
    """
    payment = held_payment(u, payment_id)
    if payment is None:
        raise PaymentNotFound
    if payment.state not in _RETURNABLE:
        raise NotRefundable(state=payment.state)
    return refund_view(_promise(u, payment, _within_rest(u, payment, amount_fen), reason, by))


def return_unwanted(u: Unit, payment: Payment, by: Actor) -> None:
    """Promise back all that is left of a locked payment that its matter no longer wants.

    A contested payment waits until it is cleared; one that is back or on its way stays as it is.
    """
    rest = _rest(u, payment)
    if rest > 0 and payment.state in _RETURNABLE:
        _promise(u, payment, rest, wording.NOT_WANTED, by)


def owe_back(u: Unit, payment: Payment, reason: str) -> None:
    """Give the whole of a locked payment back that nobody owed; the payment is already `refunding`."""
    _add_refund(u, payment, payment.amount_fen, reason, provider_actor(payment.channel))


def settle_refund(u: Unit, notice: Notice) -> None:
    """News of a refund, pushed or asked for."""
    seen = u.session.scalars(select(Refund).where(Refund.number == notice.subject)).one_or_none()
    payment = held_payment(u, seen.payment_id) if seen else None
    refund = u.get(Refund, seen.id, lock=True) if seen else None
    if payment is None or refund is None:
        set_aside(u, notice, "unknown", "no refund of ours carries this number")
        return
    reached = SUCCEEDED if notice.trigger == "refund_succeeded" else FAILED
    if why := _contradiction(u, refund, notice):
        set_aside(u, notice, "mismatch", why, payment)
    elif refund.state == reached:
        repeated(u, notice, "the refund has already ended so")
    elif refund.state not in UNDER_WAY:
        set_aside(u, notice, "impossible", f"the refund has already {refund.state}", payment)
    elif reached == SUCCEEDED:
        _returned(u, payment, refund, notice)
    else:
        _failed(u, payment, refund, notice)


def _promise(u: Unit, payment: Payment, amount_fen: int, reason: str, by: Actor) -> Refund:
    u.step(PAYMENT, payment, "refund_requested", by=by, facts={"amount_fen": amount_fen})
    refund = _add_refund(u, payment, amount_fen, reason, by)
    if not refund.owed:
        ledger.enter_promise(u, payment, refund)
    return refund


def _rest(u: Unit, payment: Payment) -> int:
    return payment.amount_fen - refunded_fen(u, payment.id, states=(*UNDER_WAY, SUCCEEDED))


def _within_rest(u: Unit, payment: Payment, amount_fen: int | None) -> int:
    rest = _rest(u, payment)
    amount = rest if amount_fen is None else amount_fen
    if rest <= 0:
        raise NotRefundable(left_fen=rest)
    if type(amount) is not int or not 1 <= amount <= rest:
        fault = FieldError(field="amount_fen", message=f"1–{rest}")
        raise RefundTooLarge(errors=[fault], left_fen=rest)
    return amount


def _add_refund(u: Unit, payment: Payment, amount_fen: int, reason: str, by: Actor) -> Refund:
    public_id = ids.new_id("rf")
    refund = Refund(
        id=public_id,
        number=number_of(public_id),
        payment_id=payment.id,
        matter=payment.matter,
        amount_fen=amount_fen,
        owed=not payment.settles,
        reason=scrub(reason)[:80],  # it goes to the channel and into the journal
        requested_at=clock.now(),
        asked=0,
        ask_next_at=clock.wire_now(),
    )
    u.add(refund)
    facts = {"amount_fen": amount_fen, "payment": payment.id, "reason": refund.reason}
    u.begin(REFUND, refund, by=by, says=wording.REFUND_ASKED, facts=facts)
    u.flush()
    u.after_commit(lambda: wake(SWEEP))
    return refund


def _contradiction(u: Unit, refund: Refund, notice: Notice) -> str:
    if not notice.facts.get(OURS):
        return "it speaks of another merchant"
    if notice.trigger == "refund_failed":
        return ""
    so_far = notice.facts.get(RETURNED_SO_FAR)
    if so_far is not None:
        least = refund.amount_fen + refunded_fen(u, refund.payment_id, but=refund.id)
        return "" if so_far >= least else "less went back than we know of"
    return "" if notice.amount_fen == refund.amount_fen else "another amount"


def _returned(u: Unit, payment: Payment, refund: Refund, notice: Notice) -> None:
    by, at = provider_actor(notice.provider), notice.occurred_at
    refund.reference = str(notice.facts.get(REFERENCE, ""))[:64]
    refund.returned_at = at or clock.now()
    u.step(REFUND, refund, "succeeded", by=by, at=at, facts={"amount_fen": refund.amount_fen})
    ledger.enter_return(u, payment, refund)
    u.flush()
    whole = refunded_fen(u, payment.id) == payment.amount_fen
    others = refunded_fen(u, payment.id, but=refund.id, states=UNDER_WAY)
    trigger = "returned_whole" if whole else "returned_some" if others else "returned_part"
    u.step(PAYMENT, payment, trigger, by=by, at=at, facts={"amount_fen": refund.amount_fen})
    u.record(
        PaymentRefunded(
            payment.matter, payment.person_id, payment.id, payment.subject, refund.amount_fen, refund.id
        )
    )
    if whole and payment.settles:
        payment.settles = False
        receipts.void_receipt(u, payment)
        bills.take_back_payment(u, payment.subject, by)


def _failed(u: Unit, payment: Payment, refund: Refund, notice: Notice) -> None:
    by = provider_actor(notice.provider)
    refund.failure = str(notice.facts.get("why", ""))[:200]
    u.step(REFUND, refund, "failed", by=by, at=notice.occurred_at)
    if refund.owed:
        # The money is not ours to keep: it stays promised, and staff must find another way.
        set_aside(u, notice, "used", "money owed back could not be returned", payment)
        return
    ledger.enter_failure(u, payment, refund)
    u.flush()
    if not refunded_fen(u, payment.id, states=UNDER_WAY):
        trigger = "refund_failed_in_part" if refunded_fen(u, payment.id) else "refund_failed"
        u.step(PAYMENT, payment, trigger, by=by)
