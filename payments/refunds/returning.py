"""The end of a way back: the channel or the treasury has returned the money, or could not."""

from datetime import datetime

from backend.contracts import PaymentRefunded, RefundFailed
from backend.kernel import clock
from backend.store.unit import Actor, Unit
from payments.bills import bills
from payments.ledger import ledger
from payments.machine import DISPUTED, PAYMENT, PROMISED, REFUND, SUCCEEDED
from payments.models import Payment, Refund
from payments.receipts import receipts
from payments.refunds.questions import came_fen, refunded_fen, refunds_in, told_of


def money_is_back(
    u: Unit, payment: Payment, refund: Refund, by: Actor, reference: str, at: datetime | None,
    trigger: str = "succeeded",
) -> None:  # fmt: skip
    """The promise is kept: tell it, and let go of the subject once all is back. Both rows are locked."""
    refund.reference, refund.returned_at = reference[:64], at or clock.now()
    facts = {"amount_fen": refund.amount_fen}
    u.step(REFUND, refund, trigger, by=by, at=at, facts=facts)
    ledger.enter_return(u, payment, refund)
    u.flush_rows()
    left = came_fen(payment) - refunded_fen(u, payment.id)
    stays = payment.state == DISPUTED or refunded_fen(u, payment.id, but=refund.id, states=PROMISED)
    moved = "returned_whole" if not left else "returned_some" if stays else "returned_part"
    u.step(PAYMENT, payment, moved, by=by, at=at, facts=facts)
    u.record(PaymentRefunded(*told_of(payment, refund)))
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
    promise_ends(u, payment, refund, by, why, "failed", at)
    u.record(RefundFailed(*told_of(payment, refund)))


def promise_ends(
    u: Unit, payment: Payment, refund: Refund, by: Actor, why: str, trigger: str, at: datetime | None = None
) -> None:
    """The promise is taken back, and nobody is told. Both rows are locked."""
    refund.failure = why[:200]
    u.step(REFUND, refund, trigger, by=by, at=at)
    ledger.enter_failure(u, payment, refund)
    u.flush_rows()
    if not refunded_fen(u, payment.id, states=PROMISED):
        back = refunded_fen(u, payment.id)
        moved = "refund_failed_in_part" if back else "refund_failed"
        u.step(PAYMENT, payment, "surplus_stays" if refund.owed else moved, by=by)
