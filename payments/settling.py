"""The one door for news of money, pushed by a channel or asked for by us. It never raises for what it hears.

Money decides: whatever came is in the books, whoever it belongs to. What settles its subject is the payee's; what
came late for something that is over, or twice, goes back by itself; another sum than the one asked for is held.
"""

from sqlalchemy import select

from backend.contracts import Notice, PaymentClosed, PaymentSucceeded, SurplusComes
from backend.kernel import clock
from backend.store.unit import Unit
from payments import swift, wording
from payments.bills import bills
from payments.channels.port import OURS, REFERENCE
from payments.ledger import ledger
from payments.machine import CLOSED, DISPUTED, HOLDING_MONEY, LIVE, OPEN, PAYMENT
from payments.models import Payment
from payments.receipts import receipts
from payments.refunds import refunds
from payments.refunds.hearing import settle_refund
from payments.subjects import held_payment, kin_of, provider_actor, request_closing
from payments.verdicts import repeated, set_aside


def settle(u: Unit, notice: Notice) -> None:
    """Let a notice that is heard for the first time have its effect, or keep it with a verdict."""
    if notice.trigger.startswith("refund_"):
        settle_refund(u, notice)
    elif (plain := swift.plain_payment(u, notice)) is not None:
        _keep(plain, notice, plain.amount_fen)
        _take(u, plain, "succeeded", [])
        swift.write_payment(u, plain)
    else:
        _settle_any(u, notice)


def _settle_any(u: Unit, notice: Notice) -> None:
    seen = u.session.scalars(select(Payment).where(Payment.number == notice.subject)).one_or_none()
    payment = held_payment(u, seen.id) if seen else None
    if payment is None:
        set_aside(u, notice, "unknown", "no payment of ours carries this number")
    elif notice.trigger == "succeeded":
        _money_came(u, payment, notice)
    elif notice.trigger == "closed":
        _channel_closed(u, payment, notice)


def _money_came(u: Unit, payment: Payment, notice: Notice) -> None:
    came = notice.amount_fen
    if (why := _contradiction(payment, notice)) or came is None:
        set_aside(u, notice, "mismatch", why, payment)
    elif payment.state in HOLDING_MONEY:
        _more_news(u, payment, notice, came)
    elif came == payment.amount_fen:
        _keep(payment, notice, came)
        _take_or_return(u, payment, "paid_late_honoured" if payment.state == CLOSED else "succeeded")
    else:
        _keep(payment, notice, came)
        _hold(u, payment, notice, came)


def _contradiction(payment: Payment, notice: Notice) -> str:
    if notice.provider != payment.channel:
        return "it comes from another channel"
    if not notice.facts.get(OURS):
        return "it speaks of another merchant"
    usable = type(notice.amount_fen) is int and notice.amount_fen > 0
    return "" if usable else "no usable amount, or another amount in no words of ours"


def _more_news(u: Unit, payment: Payment, notice: Notice, came: int) -> None:
    """News of a payment that has its money already: a repetition, or the channel puts right what it said before."""
    was = payment.received_fen or payment.amount_fen
    if came != was and came == payment.amount_fen and payment.state == DISPUTED:
        _keep(payment, notice, came)
        _correct(u, payment, was)
    elif came != was:
        set_aside(u, notice, "mismatch", "another amount", payment)
    elif payment.reference == _reference(notice):
        repeated(u, notice, "this money is already in the books")
    else:
        set_aside(u, notice, "mismatch", "another transaction under the same number", payment)


def _keep(payment: Payment, notice: Notice, came: int) -> None:
    payment.reference, payment.received_fen = _reference(notice), came
    payment.paid_at = notice.occurred_at or clock.now()


def _reference(notice: Notice) -> str:
    return str(notice.facts.get(REFERENCE, ""))[:64]


def _take_or_return(u: Unit, payment: Payment, trigger: str) -> None:
    kin = kin_of(u, payment)
    back = _reason_to_return(u, payment, kin)
    if back:
        ledger.enter_surplus(u, payment)
        _give_back(u, payment, back)
    else:
        _take(u, payment, trigger, kin)


def _reason_to_return(u: Unit, payment: Payment, kin: list[Payment]) -> str:
    """Why nobody owes this money; empty when it is still due."""
    if any(other.settles for other in kin):
        return wording.PAID_TWICE
    if bills.is_wanted(u, payment):
        return ""
    return wording.LATE_MONEY if payment.state == CLOSED else wording.BILL_WITHDRAWN


def _take(u: Unit, payment: Payment, trigger: str, kin: list[Payment]) -> None:
    by = provider_actor(payment.channel)
    payment.settles = True
    facts = {"amount_fen": payment.amount_fen, "channel": payment.channel}
    u.step(PAYMENT, payment, trigger, by=by, at=payment.paid_at, facts=facts)
    for other in kin:
        if other.state in LIVE:  # nobody shall pay it a second time
            request_closing(u, other, by)
    ledger.enter_receipt(u, payment)
    receipts.want_receipt(u, payment)
    bills.take_payment(u, payment, by)
    u.record(PaymentSucceeded(*_told(payment)))


def _give_back(u: Unit, payment: Payment, reason: str) -> None:
    """The surplus is in the books: all of it goes back by itself."""
    facts = {"amount_fen": payment.amount_fen, "channel": payment.channel}
    trigger = "paid_late" if payment.state == CLOSED else "overpaid"
    u.step(PAYMENT, payment, trigger, by=provider_actor(payment.channel), at=payment.paid_at, facts=facts)
    refund_id = refunds.owe_back(u, payment, reason)
    u.record(SurplusComes(*_told(payment), refund_id))


def _hold(u: Unit, payment: Payment, notice: Notice, came: int) -> None:
    """Another sum than the one asked for: it is ours to hold, until staff or the channel itself say what it is."""
    facts = {"amount_fen": came, "due_fen": payment.amount_fen, "channel": payment.channel}
    u.step(PAYMENT, payment, "mispaid", by=provider_actor(payment.channel), at=payment.paid_at, facts=facts)
    ledger.enter_surplus(u, payment)
    payment.ask_next_at = clock.wire_now()
    u.record(SurplusComes(payment.matter, payment.person_id, payment.id, payment.subject, came))
    set_aside(u, notice, "mismatch", "another amount", payment)


def _correct(u: Unit, payment: Payment, was: int) -> None:
    """The channel now tells the sum we asked for: what was held becomes what it should have been."""
    refunds.drop_questions(u, payment, provider_actor(payment.channel))
    kin = kin_of(u, payment)
    back = _reason_to_return(u, payment, kin)
    ledger.enter_correction(u, payment, was, payment.amount_fen if back else 0)
    if back:
        _give_back(u, payment, back)
    else:
        _take(u, payment, "corrected", kin)


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
