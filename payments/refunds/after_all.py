"""The channel said no to a refund, and gave the money back all the same: then it is back, and our books say so.

Whatever was promised since for the same money gives way, as long as no channel and no treasury has it in hand.
"""

from backend.contracts import Notice, RefundRefused
from backend.store.unit import SYSTEM, Actor, Unit
from payments import wording
from payments.channels.port import REFERENCE
from payments.ledger import ledger
from payments.machine import COUNTED, PROMISED, REFUND, SUCCEEDED, UNDECIDED, UNSENT
from payments.models import Payment, Refund
from payments.refunds.questions import came_fen, refunded_fen, refunds_in, told_of, tried_again
from payments.refunds.refunds import return_unwanted
from payments.refunds.returning import money_is_back, money_stays, promise_ends
from payments.subjects import provider_actor
from payments.verdicts import set_aside

_LEFT_OR_LEAVING = (*PROMISED, SUCCEEDED)


def returned_after_all(u: Unit, payment: Payment, refund: Refund, notice: Notice) -> None:
    """Correct a failed refund of a locked payment: the money is back. Without room for it staff are alarmed."""
    by = provider_actor(notice.provider)
    _end_retries(u, payment, refund, by)
    gave_way = _make_room(u, payment, refund, by)
    if _room(u, payment, _LEFT_OR_LEAVING) < refund.amount_fen:
        set_aside(
            u, notice, "impossible", f"the refund is {refund.state}, and other money is on its way", payment
        )
        return
    _drop_questions(u, payment, refund, by)
    refund.owed, refund.failure = not payment.settles, None
    ledger.enter_promise_again(u, payment, refund)
    reference = str(notice.facts.get(REFERENCE, ""))
    money_is_back(u, payment, refund, by, reference, notice.occurred_at, "succeeded_after_all")
    if gave_way and payment.unwanted:
        return_unwanted(u, payment, SYSTEM)


def _end_retries(u: Unit, payment: Payment, refund: Refund, by: Actor) -> None:
    """Nobody sends the same money again. What has ended is not tried again either."""
    for one in tried_again(u, refund):
        one.superseded = True
        if one.state in UNDECIDED:
            u.step(REFUND, one, "taken_back", by=by, facts={"reason": wording.CAME_BACK_BEFORE})
        elif one.state in UNSENT:
            promise_ends(u, payment, one, by, wording.CAME_BACK_BEFORE, "superseded")


def _make_room(u: Unit, payment: Payment, refund: Refund, by: Actor) -> bool:
    """End promises that nobody has in hand, newest first, while there is no room; True when one was ended."""
    ended = False
    for one in reversed(refunds_in(u, payment.id, UNSENT)):
        if _room(u, payment, _LEFT_OR_LEAVING) < refund.amount_fen:
            money_stays(u, payment, one, by, wording.CAME_BACK_BEFORE)
            ended = True
    return ended


def _drop_questions(u: Unit, payment: Payment, refund: Refund, by: Actor) -> None:
    """Questions about money that is back by now need no answer; the payer is told why."""
    for one in reversed(refunds_in(u, payment.id, UNDECIDED)):
        if _room(u, payment, COUNTED) >= refund.amount_fen:
            return
        one.decision = wording.CAME_BACK_BEFORE
        if one.asked_by != payment.person_id:
            u.step(REFUND, one, "taken_back", by=by, facts={"reason": one.decision})
            continue
        u.step(REFUND, one, "refused", by=by, facts={"reason": one.decision})
        u.record(RefundRefused(*told_of(payment, one)))


def _room(u: Unit, payment: Payment, states: tuple[str, ...]) -> int:
    return came_fen(payment) - refunded_fen(u, payment.id, states=states)
