"""What becomes of a difference: the channel is asked again, it is booked until explained, or it was only the midnight.

Booking and letting be are decisions about money: above the threshold another person confirms them. An answer of the
channel takes the one door for news of money and needs nobody's decision.
"""

from dataclasses import replace

from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove
from backend.runtime.settings import settings
from backend.store.unit import CLOCK, Actor, Unit, run_unit
from payments import asking, ledger
from payments.machine import UNDER_WAY
from payments.models import Payment, Refund
from payments.reconciliation import machine as m
from payments.reconciliation import settlements
from payments.reconciliation.matching import about_return, agrees_now
from payments.reconciliation.models import Difference, Statement
from payments.reconciliation.problems import NothingToAsk, NotInBooks, SameHands

AUTOMATIC = "系统自动询问渠道"


def decide(u: Unit, difference_id: str, decision: str, reason: str, by: Actor) -> None:
    """Book it, or let it be (`wait`). Above the threshold it then waits for a second person.

    Raises NotInBooks, ImpossibleMove when it is decided already.
    """
    row = _held(u, difference_id)
    first = abs(off_by(row)) > settings().money.refund_four_eyes_fen
    facts = {"decision": decision, "off_by_fen": off_by(row)}
    u.step(m.DIFFERENCE, row, "decided_first" if first else "decided", by=by, facts=facts)
    row.decision, row.reason, row.decided_by, row.decided_at = decision, reason, by.id, clock.now()
    if not first:
        _act(u, row)


def confirm(u: Unit, difference_id: str, agree: bool, reason: str, by: Actor) -> None:
    """The second person's word. Raises NotInBooks, SameHands, ImpossibleMove."""
    row = _held(u, difference_id)
    if row.state == m.SECOND and row.decided_by == by.id:
        raise SameHands
    u.step(m.DIFFERENCE, row, "confirmed" if agree else "rejected", by=by, facts={"reason": reason})
    if agree:
        row.confirmed_by, row.decided_at = by.id, clock.now()
        _act(u, row)
    else:
        row.decision = row.reason = row.decided_by = row.decided_at = None


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


def off_by(row: Difference) -> int:
    """How much more the channel says than we do, in fen."""
    return (row.theirs_fen or 0) - (row.ours_fen or 0)


def _held(u: Unit, difference_id: str) -> Difference:
    row = u.get(Difference, difference_id, lock=True)
    if row is None:
        raise NotInBooks
    return row


def _channel_of(u: Unit, row: Difference) -> str:
    statement = u.get(Statement, row.statement_id)
    return statement.channel if statement else ""


def _act(u: Unit, row: Difference) -> None:
    """What was given back and we did not know of is less in the channel's hands, not more."""
    if row.decision != m.BOOK:
        return
    more = -off_by(row) if about_return(row) else off_by(row)
    ledger.enter_difference(
        u, difference_id=row.id, channel=_channel_of(u, row), amount_fen=more, payment_id=row.payment_id
    )


def _question(u: Unit, difference_id: str) -> asking.Silent | asking.Underway:
    row = _held(u, difference_id)
    if row.state != m.OPEN:
        raise ImpossibleMove(state=row.state, trigger="asked")
    payment = u.get(Payment, row.payment_id) if row.payment_id else None
    refund = u.get(Refund, row.refund_id) if row.refund_id else None
    if payment is None or (about_return(row) and (refund is None or refund.state not in UNDER_WAY)):
        raise NothingToAsk
    if refund is None:
        # The bill is no reason to close anything: only the question is wanted.
        return replace(asking.silent_one(payment), closing=False)
    return asking.underway_one(refund, payment)


def _after_asking(u: Unit, difference_id: str, reason: str, by: Actor) -> bool:
    row = _held(u, difference_id)
    if row.state != m.OPEN:
        return row.state == m.SOLVED
    healed = agrees_now(u, row, _channel_of(u, row))
    u.step(m.DIFFERENCE, row, "healed" if healed else "asked", by=by, facts={"reason": reason})
    if healed:
        row.decision, row.reason, row.decided_by, row.decided_at = m.ASK, reason, by.id, clock.now()
        if row.payment_id and not about_return(row):
            settlements.mark_one(u, row.payment_id)
    return healed
