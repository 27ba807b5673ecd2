"""What may be asked about payments. Nothing here changes anything or lifts a telephone."""

from collections.abc import Mapping

from sqlalchemy import func, select

from backend.kernel.money import yuan
from backend.runtime import paging
from backend.store.unit import Unit
from payments import wording
from payments.machine import PAYMENT, REFUND, SUCCEEDED
from payments.models import Payment, Refund
from payments.problems import PaymentNotFound
from payments.refunds.questions import refunded_fen
from payments.subjects import settling_payment
from payments.views import PaymentView


def payment_of(u: Unit, payment_id: str, person_id: str | None = None) -> PaymentView:
    """One payment. Raises PaymentNotFound: absent, or not of this payer."""
    payment = u.get(Payment, payment_id)
    if payment is None or person_id not in (None, payment.person_id):
        raise PaymentNotFound
    return payment_view(payment, refunded_fen(u, payment.id))


def payments_of(u: Unit, person_id: str, before: str | None = None, limit: int = 20) -> list[PaymentView]:
    """A payer's payments, newest first; `before` is the id of the last one shown."""
    wanted = select(Payment).where(Payment.person_id == person_id)
    return _views(u, list(u.session.scalars(paging.newest_first(wanted, Payment.id, before, limit))))


def payments_for(u: Unit, subject: str) -> list[PaymentView]:
    """Every attempt to pay a subject, oldest first."""
    wanted = select(Payment).where(Payment.subject == subject).order_by(Payment.id)
    return _views(u, list(u.session.scalars(wanted)))


def paid_for(u: Unit, subject: str) -> PaymentView | None:
    """The payment that settles the subject, None while nobody has paid."""
    payment = settling_payment(u, subject)
    return None if payment is None else payment_view(payment, refunded_fen(u, payment.id))


def facts_for(u: Unit, public_id: str) -> Mapping[str, str]:
    """Words for messages about a payment ("pay-") or a refund ("rf-"); empty for neither."""
    if (payment := u.get(Payment, public_id)) is not None:
        return _words(payment, payment.amount_fen, PAYMENT.label(payment.state))
    refund = u.get(Refund, public_id)
    payment = u.get(Payment, refund.payment_id) if refund else None
    if refund is None or payment is None:
        return {}
    words = dict(_words(payment, refund.amount_fen, REFUND.label(refund.state)))
    words["way"] = refund.way
    return words | ({"why": refund.decision} if refund.decision else {})


def other_sum(payment: PaymentView) -> str | None:
    """What the payer is told when another sum came than was asked for; None otherwise."""
    if payment.received_fen in (None, payment.amount_fen):
        return None
    return wording.OTHER_SUM.format(came=yuan(payment.received_fen), asked=yuan(payment.amount_fen))


def payment_view(payment: Payment, refunded: int) -> PaymentView:
    return PaymentView(
        id=payment.id,
        number=payment.number,
        subject=payment.subject,
        matter=payment.matter,
        person_id=payment.person_id,
        payee=payment.payee,
        channel=payment.channel,
        title=payment.title,
        amount_fen=payment.amount_fen,
        state=payment.state,
        says=PAYMENT.label(payment.state),
        opened_at=payment.opened_at,
        expires_at=payment.expires_at,
        paid_at=payment.paid_at,
        refunded_fen=refunded,
        settles=payment.settles,
        product=payment.product,
        received_fen=payment.received_fen,
        settled_at=payment.settled_at,
        owed_by=payment.owed_by,
    )


def _views(u: Unit, payments: list[Payment]) -> list[PaymentView]:
    summed = (
        select(Refund.payment_id, func.sum(Refund.amount_fen))
        .where(Refund.payment_id.in_([payment.id for payment in payments]), Refund.state == SUCCEEDED)
        .group_by(Refund.payment_id)
    )
    back = {payment_id: int(total) for payment_id, total in u.session.execute(summed)} if payments else {}
    return [payment_view(payment, back.get(payment.id, 0)) for payment in payments]


def _words(payment: Payment, amount_fen: int, state: str) -> Mapping[str, str]:
    return {
        "amount": yuan(amount_fen),
        "item_name": payment.title,
        "channel": wording.CHANNELS[payment.channel],
        "state": state,
        "number": payment.number,
        **({"owed_by": payment.owed_by} if payment.owed_by else {}),
    }
