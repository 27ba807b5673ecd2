"""退付: money that the channel has paid out is the treasury's, and only the finance office gives it back."""

from collections.abc import Collection

from sqlalchemy import select

from backend.contracts import RefundListed, RefundSubmitted
from backend.kernel import clock
from backend.kernel.privacy import scrub
from backend.store.unit import CLOCK, Actor, Unit
from payments.bills.payees import purse_of
from payments.machine import AT_TREASURY, LISTED, REFUND, REQUESTED, SUBMITTED
from payments.models import TREASURY, Payment, Refund
from payments.problems import RefundDecided
from payments.refunds.questions import held_refund, refund_view, told_of
from payments.refunds.returning import money_is_back, money_stays
from payments.views import RefundView

_TOLD_PAID = """
    SELECT EXISTS (SELECT FROM payments_statement_line l
        JOIN payments_statement s ON s.id = l.statement_id AND s.channel = %(channel)s AND s.state = 'reconciled'
        WHERE l.number = %(number)s AND l.kind = 'paid')
"""


def has_it(u: Unit, payment: Payment) -> bool:
    """Whether this money has been settled into the treasury: where its payee's purse was on that day.

    A payee without a row has no purse of its own. A statement that lists the money is enough: what we heard of after
    its day was settled is marked a little later.
    """
    if not payment.settles or (payment.purse or purse_of(u, payment.payee)) != TREASURY:
        return False
    return payment.settled_at is not None or _told_paid(u, payment)


def settled_unsent(u: Unit, most: int) -> list[str]:
    """Refunds that were promised over the channel and never sent, though their money may be the treasury's by now."""
    wanted = select(Refund.id).join(Payment, Payment.id == Refund.payment_id)
    late = wanted.where(Refund.state == REQUESTED, Refund.asked == 0, Refund.ask_next_at <= clock.wire_now())
    mine = late.where(Payment.settled_at.is_not(None), Payment.settles).order_by(Refund.id).limit(most)
    return list(u.session.scalars(mine))


def list_unsent(u: Unit, refund_id: str) -> bool:
    """Put it on the treasury's list unless the channel may have heard of it; its promise stays in the ledger."""
    payment, refund = held_refund(u, refund_id)
    if not is_for_list(u, payment, refund):
        return False
    refund.way = TREASURY
    u.step(REFUND, refund, "listed", by=CLOCK, facts={"amount_fen": refund.amount_fen, "way": TREASURY})
    u.record(RefundListed(*told_of(payment, refund)))
    return True


def is_for_list(u: Unit, payment: Payment, refund: Refund) -> bool:
    """Whether the channel was not asked for it yet, and no longer holds its money."""
    return refund.state == REQUESTED and refund.asked == 0 and has_it(u, payment)


def submit_to_treasury(u: Unit, refund_id: str, reference: str, by: Actor) -> RefundView:
    """The finance office has handed the request in, under this number. Raises PaymentNotFound, RefundDecided."""
    payment, refund = _at_office(u, refund_id, (LISTED,))
    refund.reference = reference[:64]
    u.step(REFUND, refund, "submitted", by=by, facts={"reference": refund.reference})
    u.record(RefundSubmitted(*told_of(payment, refund)))
    return refund_view(u, refund)


def treasury_paid(u: Unit, refund_id: str, by: Actor) -> RefundView:
    """The treasury has paid it to the payer. Raises PaymentNotFound, RefundDecided."""
    payment, refund = _at_office(u, refund_id, (SUBMITTED,))
    money_is_back(u, payment, refund, by, refund.reference or "", None)
    return refund_view(u, refund)


def treasury_failed(u: Unit, refund_id: str, why: str, by: Actor) -> RefundView:
    """The treasury could not pay it, or the office takes it off the list: staff try again, or the payer asks anew.

    Raises PaymentNotFound, RefundDecided.
    """
    payment, refund = _at_office(u, refund_id, AT_TREASURY)
    money_stays(u, payment, refund, by, scrub(why)[:80])
    return refund_view(u, refund)


def _told_paid(u: Unit, payment: Payment) -> bool:
    found = u.execute(_TOLD_PAID, {"channel": payment.channel, "number": payment.number}).fetchone()
    return bool(found and found[0])


def _at_office(u: Unit, refund_id: str, states: Collection[str]) -> tuple[Payment, Refund]:
    payment, refund = held_refund(u, refund_id)
    if refund.state not in states:
        raise RefundDecided(state=refund.state)
    return payment, refund
