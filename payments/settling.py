"""The one door for news of money, pushed by a channel or asked for by us. It never raises for what it hears."""

from sqlalchemy import select

from backend.contracts import Notice, PaymentClosed, PaymentSucceeded
from backend.kernel import clock
from backend.store.unit import Unit
from payments import bills, ledger, receipts, refunds, wording
from payments.channels.port import OURS, REFERENCE
from payments.machine import CLOSED, HOLDING_MONEY, OPEN, PAYMENT
from payments.models import Payment
from payments.subjects import held_payment, provider_actor, settling_payment
from payments.verdicts import repeated, set_aside


def settle(u: Unit, notice: Notice) -> None:
    """Let a notice that is heard for the first time have its effect, or keep it with a verdict."""
    if notice.trigger.startswith("refund_"):
        refunds.settle_refund(u, notice)
        return
    seen = u.session.scalars(select(Payment).where(Payment.number == notice.subject)).one_or_none()
    payment = held_payment(u, seen.id) if seen else None
    if payment is None:
        set_aside(u, notice, "unknown", "no payment of ours carries this number")
    elif notice.trigger == "succeeded":
        _money_came(u, payment, notice)
    elif notice.trigger == "closed":
        _channel_closed(u, payment, notice)


def _money_came(u: Unit, payment: Payment, notice: Notice) -> None:
    reference = str(notice.facts.get(REFERENCE, ""))[:64]
    if why := _contradiction(payment, notice):
        set_aside(u, notice, "mismatch", why, payment)
    elif payment.state in HOLDING_MONEY and payment.reference == reference:
        repeated(u, notice, "this money is already in the books")
    elif payment.state in HOLDING_MONEY:
        set_aside(u, notice, "mismatch", "another transaction under the same number", payment)
    else:
        payment.reference, payment.paid_at = reference, notice.occurred_at or clock.now()
        if back := _reason_to_return(u, payment):
            _give_back(u, payment, *back)
        else:
            _take(u, payment)


def _reason_to_return(u: Unit, payment: Payment) -> tuple[str, str] | None:
    """Trigger and reason when nobody owes this money."""
    if payment.state == CLOSED:
        return "paid_late", wording.LATE_MONEY
    if settling_payment(u, payment.subject):
        return "overpaid", wording.PAID_TWICE
    return None if bills.is_wanted(u, payment.subject) else ("overpaid", wording.BILL_WITHDRAWN)


def _contradiction(payment: Payment, notice: Notice) -> str:
    if notice.provider != payment.channel:
        return "it comes from another channel"
    if not notice.facts.get(OURS):
        return "it speaks of another merchant"
    return "" if notice.amount_fen == payment.amount_fen else "another amount"


def _take(u: Unit, payment: Payment) -> None:
    by = provider_actor(payment.channel)
    payment.settles = True
    facts = {"amount_fen": payment.amount_fen, "channel": payment.channel}
    u.step(PAYMENT, payment, "succeeded", by=by, at=payment.paid_at, facts=facts)
    ledger.enter_receipt(u, payment)
    receipts.issue_receipt(u, payment)
    bills.take_payment(u, payment.subject, by)
    u.record(PaymentSucceeded(*_told(payment)))


def _give_back(u: Unit, payment: Payment, trigger: str, reason: str) -> None:
    facts = {"amount_fen": payment.amount_fen, "channel": payment.channel}
    u.step(PAYMENT, payment, trigger, by=provider_actor(payment.channel), at=payment.paid_at, facts=facts)
    ledger.enter_surplus(u, payment)
    refunds.owe_back(u, payment, reason)


def _channel_closed(u: Unit, payment: Payment, notice: Notice) -> None:
    if payment.state in OPEN:
        u.step(PAYMENT, payment, "closed", by=provider_actor(payment.channel), at=notice.occurred_at)
        u.record(PaymentClosed(*_told(payment)))
    elif payment.state == CLOSED:
        repeated(u, notice, "the payment is already closed")
    else:
        set_aside(u, notice, "impossible", f"the payment is {payment.state}", payment)


def _told(payment: Payment) -> tuple[str, str, str, str, int]:
    return payment.matter, payment.person_id, payment.id, payment.subject, payment.amount_fen
