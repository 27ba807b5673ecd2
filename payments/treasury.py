"""退付: money that the channel has paid out is the treasury's, and only the finance office gives it back."""

from backend.kernel.privacy import scrub
from backend.store.unit import Actor, Unit
from payments.machine import LISTED, REFUND, SUBMITTED
from payments.models import TREASURY, Payment, Refund
from payments.payees import purse_of
from payments.problems import RefundDecided
from payments.refund_questions import held_refund, refund_view
from payments.returning import money_is_back, money_stays
from payments.views import RefundView


def has_it(u: Unit, payment: Payment) -> bool:
    """Whether this money has been settled into the treasury. A payee without a row has no purse of its own."""
    if payment.settled_at is None or not payment.settles:
        return False
    return purse_of(u, payment.payee) == TREASURY


def submit_to_treasury(u: Unit, refund_id: str, reference: str, by: Actor) -> RefundView:
    """The finance office has handed the request in, under this number. Raises PaymentNotFound, RefundDecided."""
    _, refund = _at_office(u, refund_id, LISTED)
    refund.reference = reference[:64]
    u.step(REFUND, refund, "submitted", by=by, facts={"reference": refund.reference})
    return refund_view(u, refund)


def treasury_paid(u: Unit, refund_id: str, by: Actor) -> RefundView:
    """The treasury has paid it to the payer. Raises PaymentNotFound, RefundDecided."""
    payment, refund = _at_office(u, refund_id, SUBMITTED)
    money_is_back(u, payment, refund, by, refund.reference or "", None)
    return refund_view(u, refund)


def treasury_failed(u: Unit, refund_id: str, why: str, by: Actor) -> RefundView:
    """The treasury could not pay it; the payer may ask again. Raises PaymentNotFound, RefundDecided."""
    payment, refund = _at_office(u, refund_id, SUBMITTED)
    money_stays(u, payment, refund, by, scrub(why)[:80])
    return refund_view(u, refund)


def _at_office(u: Unit, refund_id: str, state: str) -> tuple[Payment, Refund]:
    payment, refund = held_refund(u, refund_id)
    if refund.state != state:
        raise RefundDecided(state=refund.state)
    return payment, refund
