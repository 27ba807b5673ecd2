"""News of refunds over a channel: pushed, or asked for. Each has its effect once, or is kept with a verdict."""

from datetime import timedelta

from sqlalchemy import select

from backend.contracts import Notice
from backend.kernel import clock
from backend.store.unit import Unit
from payments.channels.port import OURS, REFERENCE, RETURNED_SO_FAR
from payments.machine import FAILED, REFUND, STUCK, SUCCEEDED, UNDER_WAY
from payments.models import CHANNEL, Payment, Refund
from payments.refunds.after_all import returned_after_all
from payments.refunds.questions import refunded_fen
from payments.refunds.returning import money_is_back, money_stays
from payments.subjects import held_payment, provider_actor
from payments.verdicts import repeated, set_aside

STUCK_AGAIN = timedelta(hours=1)
"""A stuck refund waits for people: so often the channel is asked whether they have finished it."""
_REACHES = {"refund_succeeded": SUCCEEDED, "refund_failed": FAILED, "refund_stuck": STUCK}


def settle_refund(u: Unit, notice: Notice) -> None:
    """Let news of a refund have its effect. What the channel has paid is back, whatever it said before."""
    seen = u.session.scalars(select(Refund).where(Refund.number == notice.subject)).one_or_none()
    payment = held_payment(u, seen.payment_id) if seen else None
    refund = u.get(Refund, seen.id, lock=True) if seen else None
    if payment is None or refund is None:
        set_aside(u, notice, "unknown", "no refund of ours carries this number")
        return
    reached = _REACHES[notice.trigger]
    if why := _contradiction(u, payment, refund, notice):
        set_aside(u, notice, "mismatch", why, payment)
    elif refund.state == reached:
        repeated(u, notice, "the refund has already ended so")
    elif refund.state in UNDER_WAY:
        _reach(u, payment, refund, notice, reached)
    elif (refund.state, reached) == (SUCCEEDED, STUCK):
        repeated(u, notice, "older news: the money is back since")
    elif (refund.state, reached, refund.way) == (FAILED, SUCCEEDED, CHANNEL):
        returned_after_all(u, payment, refund, notice)
    else:
        set_aside(u, notice, "impossible", f"the refund is {refund.state}", payment)


def _reach(u: Unit, payment: Payment, refund: Refund, notice: Notice, reached: str) -> None:
    by = provider_actor(notice.provider)
    if reached == SUCCEEDED:
        reference = str(notice.facts.get(REFERENCE, ""))
        money_is_back(u, payment, refund, by, reference, notice.occurred_at)
        return
    if reached == STUCK:
        u.step(REFUND, refund, "stuck", by=by, at=notice.occurred_at)
        refund.ask_next_at = clock.wire_now() + STUCK_AGAIN
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
    if notice.trigger != "refund_succeeded":
        return ""
    so_far = notice.facts.get(RETURNED_SO_FAR)
    if so_far is not None:
        least = refund.amount_fen + refunded_fen(u, refund.payment_id, but=refund.id)
        return "" if so_far >= least else "less went back than we know of"
    return "" if notice.amount_fen == refund.amount_fen else "another amount"
