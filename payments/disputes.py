"""Money that is held while people find out whose it is: contested by its payer, or another sum than asked for."""

from backend.kernel.privacy import scrub
from backend.store.unit import Actor, Unit
from payments.machine import DISPUTED, PAID, PAYMENT
from payments.models import Payment
from payments.problems import NotRefundable, PaymentNotFound
from payments.questions import payment_view
from payments.refunds.refunds import give_back_held, return_unwanted
from payments.subjects import held_payment
from payments.views import PaymentView, RefundView


def contest(u: Unit, payment_id: str, reason: str, by: Actor) -> PaymentView:
    """Hold a paid payment while staff find out; nothing of it can be refunded meanwhile. Raises NotRefundable."""
    payment = _held(u, payment_id)
    if payment.state != PAID:
        raise NotRefundable(state=payment.state)
    return _moved(u, payment, "contested", reason, by)


def clear(u: Unit, payment_id: str, reason: str, by: Actor) -> PaymentView:
    """The payment stands, or goes back when its matter no longer wants it.

    Raises NotRefundable: it is not contested, or another sum came, which can only be given back.
    """
    payment = _held(u, payment_id)
    if payment.state != DISPUTED or not payment.settles:
        raise NotRefundable(state=payment.state)
    view = _moved(u, payment, "cleared", reason, by)
    if payment.unwanted:
        return_unwanted(u, payment, by)
        view = payment_view(payment, 0)
    return view


def give_back(u: Unit, payment_id: str, reason: str, by: Actor) -> RefundView:
    """Return what is held although nobody owes it: another amount than asked for, or a surplus whose return failed.

    Above the threshold another person must confirm, and the payment is held until then.
    Raises PaymentNotFound, NotRefundable: nothing of that kind is held, or it is being decided already.
    """
    payment = _held(u, payment_id)
    if payment.state != DISPUTED or payment.settles:
        raise NotRefundable(state=payment.state)
    return give_back_held(u, payment, reason, by)


def _held(u: Unit, payment_id: str) -> Payment:
    payment = held_payment(u, payment_id)
    if payment is None:
        raise PaymentNotFound
    return payment


def _moved(u: Unit, payment: Payment, trigger: str, reason: str, by: Actor) -> PaymentView:
    u.step(PAYMENT, payment, trigger, by=by, facts={"reason": scrub(reason)[:80]})
    return payment_view(payment, 0)
