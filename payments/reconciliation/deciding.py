"""What becomes of a difference: the channel is asked again, it is booked until explained, or it waits for another day.

Booking and letting be are decisions about money: above the threshold another person confirms them. An answer of the
channel takes the one door for news of money and needs nobody's decision.
"""

from collections.abc import Sequence
from dataclasses import replace

from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove, Problem
from backend.store.unit import CLOCK, Actor, Unit, run_unit
from payments import asking
from payments.ledger import ledger
from payments.models import Payment, Refund
from payments.reconciliation import explaining
from payments.reconciliation import machine as m
from payments.reconciliation.explaining import channel_of, held
from payments.reconciliation.matching import about_return, agreeing, booking_of, off_by
from payments.reconciliation.models import Difference
from payments.reconciliation.problems import NothingToAsk, SameHands
from payments.reconciliation.views import DecisionOutcome

AUTOMATIC = "系统自动询问渠道"
_MOVES = {m.BOOK: "booked", m.WAIT: "waited"}
_CONFIRMED = {m.BOOK: "confirmed_booking", m.WAIT: "confirmed_waiting"}


def decide(u: Unit, difference_id: str, decision: str, reason: str, by: Actor) -> str:
    """Book it, or let it wait for another day; returns its state. Above the threshold a second person is asked first.

    Should both sides agree by now it ends as healed, and nothing is booked.

    Raises NotInBooks, ImpossibleMove when it is decided already.
    """
    row = held(u, difference_id)
    if row.state == m.OPEN and explaining.end_if_agreeing(u, row, reason, by):
        return row.state
    first = explaining.is_large(row)
    facts = {"decision": decision, "off_by_fen": off_by(row), "reason": reason}
    u.step(m.DIFFERENCE, row, "decided_first" if first else _MOVES[decision], by=by, facts=facts)
    row.decision, row.reason, row.decided_by, row.decided_at = decision, reason, by.id, clock.now()
    if not first:
        _act(u, row)
    return row.state


def decide_many(
    u: Unit, difference_ids: Sequence[str], decision: str, reason: str, by: Actor
) -> list[DecisionOutcome]:
    """The same decision about many; what one of them refuses stops none of the others."""
    # In one order, so that two of these never wait for each other.
    told = {one: _decide_one(u, one, decision, reason, by) for one in sorted(set(difference_ids))}
    return [told[one] for one in dict.fromkeys(difference_ids)]


def confirm(u: Unit, difference_id: str, agree: bool, reason: str, by: Actor) -> None:
    """The second person's word about a decision or an explanation. Raises NotInBooks, SameHands, ImpossibleMove."""
    row = held(u, difference_id)
    if row.state in (m.SECOND, m.EXPLAINING) and explaining.end_if_agreeing(u, row, reason, by):
        return
    if row.state == m.EXPLAINING:
        explaining.confirm(u, row, agree, reason, by)
        return
    if row.state == m.SECOND and row.decided_by == by.id:
        raise SameHands
    trigger = _CONFIRMED.get(row.decision or "", "confirmed_booking") if agree else "rejected"
    u.step(m.DIFFERENCE, row, trigger, by=by, facts={"reason": reason})
    if agree:
        row.confirmed_by, row.decided_at = by.id, clock.now()
        _act(u, row)
    else:
        explaining.forget_decision(row)


def ask_again(difference_id: str, reason: str, by: Actor = CLOCK) -> bool:
    """Ask the channel about the payment or refund behind it; True when both sides agree afterwards.

    It lifts the telephone: no unit is open. Raises NotInBooks, NothingToAsk, ImpossibleMove.
    """
    question = run_unit(lambda u: _question(u, difference_id))
    if isinstance(question, asking.Silent):
        asking.ask(question)
    else:
        asking.ask_refund(question)
    return run_unit(lambda u: _after_asking(u, difference_id, reason, by))


def _decide_one(u: Unit, difference_id: str, decision: str, reason: str, by: Actor) -> DecisionOutcome:
    try:
        state = decide(u, difference_id, decision, reason, by)
    except Problem as refused:
        return DecisionOutcome(difference_id, None, refused.slug, refused.title)
    return DecisionOutcome(difference_id, state, None, m.DIFFERENCE.label(state))


def _act(u: Unit, row: Difference) -> None:
    if row.decision == m.BOOK:
        ledger.enter_difference(
            u, difference_id=row.id, channel=channel_of(u, row), amount_fen=booking_of(row),
            payment_id=row.payment_id,
        )  # fmt: skip


def _question(u: Unit, difference_id: str) -> asking.Silent | asking.Underway:
    row = held(u, difference_id)
    if row.state != m.OPEN:
        raise ImpossibleMove(state=row.state, trigger="asked")
    payment = u.get(Payment, row.payment_id) if row.payment_id else None
    refund = u.get(Refund, row.refund_id) if row.refund_id else None
    if payment is None or (about_return(row) and (refund is None or not asking.may_ask(refund))):
        raise NothingToAsk
    if refund is None:
        # The bill is no reason to close anything: only the question is wanted.
        return replace(asking.silent_one(payment), closing=False)
    return asking.underway_one(refund, payment)


def _after_asking(u: Unit, difference_id: str, reason: str, by: Actor) -> bool:
    row = held(u, difference_id)
    if row.state != m.OPEN:
        return row.state == m.SOLVED
    if not agreeing(u, [row.id]):
        u.step(m.DIFFERENCE, row, "asked", by=by, facts={"reason": reason})
        return False
    explaining.end(u, row, "healed", by, {"reason": reason})
    row.decision, row.reason, row.decided_by = m.ASK, reason, by.id
    return True
