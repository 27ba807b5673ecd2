"""The end of a way back: the channel or the treasury has returned the money, or could not."""

from datetime import datetime

from sqlalchemy import select

from backend.contracts import Notice, PaymentRefunded, RefundFailed
from backend.kernel import clock
from backend.store.unit import Actor, Unit
from payments.bills import bills
from payments.channels.port import OURS, REFERENCE, RETURNED_SO_FAR
from payments.ledger import ledger
from payments.machine import FAILED, PAYMENT, PROMISED, REFUND, SUCCEEDED, UNDER_WAY
from payments.models import Payment, Refund
from payments.receipts import receipts
from payments.refunds.questions import came_fen, refunded_fen, refunds_in
from payments.subjects import held_payment, provider_actor
from payments.verdicts import repeated, set_aside


def settle_refund(u: Unit, notice: Notice) -> None:
    """News of a refund over the channel, pushed or asked for."""
    seen = u.session.scalars(select(Refund).where(Refund.number == notice.subject)).one_or_none()
    payment = held_payment(u, seen.payment_id) if seen else None
    refund = u.get(Refund, seen.id, lock=True) if seen else None
    if payment is None or refund is None:
        set_aside(u, notice, "unknown", "no refund of ours carries this number")
        return
    reached = SUCCEEDED if notice.trigger == "refund_succeeded" else FAILED
    if why := _contradiction(u, payment, refund, notice):
        set_aside(u, notice, "mismatch", why, payment)
    elif refund.state == reached:
        repeated(u, notice, "the refund has already ended so")
    elif refund.state not in UNDER_WAY:
        set_aside(u, notice, "impossible", f"the refund is {refund.state}", payment)
    else:
        _end(u, payment, refund, notice, reached)


def money_is_back(
    u: Unit, payment: Payment, refund: Refund, by: Actor, reference: str, at: datetime | None
) -> None:
    """The promise is kept: tell it, and let go of the subject once all is back. Both rows are locked."""
    refund.reference, refund.returned_at = reference[:64], at or clock.now()
    facts = {"amount_fen": refund.amount_fen}
    u.step(REFUND, refund, "succeeded", by=by, at=at, facts=facts)
    ledger.enter_return(u, payment, refund)
    u.flush_rows()
    left = came_fen(payment) - refunded_fen(u, payment.id)
    others = refunded_fen(u, payment.id, but=refund.id, states=PROMISED)
    trigger = "returned_whole" if not left else "returned_some" if others else "returned_part"
    u.step(PAYMENT, payment, trigger, by=by, at=at, facts=facts)
    u.record(PaymentRefunded(*_told(payment, refund)))
    if payment.settles:
        receipts.correct_receipt(u, payment, left)
    if payment.settles and not left:
        payment.settles = False
        wrong = any(one.withdraw_bill for one in refunds_in(u, payment.id, (SUCCEEDED,)))
        bills.take_back_payment(u, payment, by, withdrawn=wrong)


def money_stays(
    u: Unit, payment: Payment, refund: Refund, by: Actor, why: str, at: datetime | None = None
) -> None:
    """It could not be returned: the money is again whose it was, and staff find another way. Both rows are locked."""
    refund.failure = why[:200]
    u.step(REFUND, refund, "failed", by=by, at=at)
    ledger.enter_failure(u, payment, refund)
    u.flush_rows()
    if not refunded_fen(u, payment.id, states=PROMISED):
        back = refunded_fen(u, payment.id)
        trigger = "refund_failed_in_part" if back else "refund_failed"
        u.step(PAYMENT, payment, "surplus_stays" if refund.owed else trigger, by=by)
    u.record(RefundFailed(*_told(payment, refund)))


def _end(u: Unit, payment: Payment, refund: Refund, notice: Notice, reached: str) -> None:
    by = provider_actor(notice.provider)
    if reached == SUCCEEDED:
        reference = str(notice.facts.get(REFERENCE, ""))
        money_is_back(u, payment, refund, by, reference, notice.occurred_at)
        return
    money_stays(u, payment, refund, by, str(notice.facts.get("why", "")), notice.occurred_at)
    if refund.owed:
        # The money is not ours to keep: it waits, as a dispute, for somebody to give it back.
        set_aside(u, notice, "used", "money owed back could not be returned", payment)


def _contradiction(u: Unit, payment: Payment, refund: Refund, notice: Notice) -> str:
    if notice.provider != payment.channel:
        return "it comes from another channel"
    if not notice.facts.get(OURS):
        return "it speaks of another merchant"
    if notice.trigger == "refund_failed":
        return ""
    so_far = notice.facts.get(RETURNED_SO_FAR)
    if so_far is not None:
        least = refund.amount_fen + refunded_fen(u, refund.payment_id, but=refund.id)
        return "" if so_far >= least else "less went back than we know of"
    return "" if notice.amount_fen == refund.amount_fen else "another amount"


def _told(payment: Payment, refund: Refund) -> tuple[str, str, str, str, int, str]:
    return payment.matter, payment.person_id, payment.id, payment.subject, refund.amount_fen, refund.id
