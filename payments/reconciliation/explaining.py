"""How a difference ends, by itself or by being understood: first what stood on its account goes back.

A booked difference is explained when the channel's line or news comes after all, or by a person who has found out.
"""

from collections.abc import Mapping
from typing import Any

from backend.kernel import clock
from backend.runtime.settings import settings
from backend.store.unit import CLOCK, Actor, Unit
from payments.ledger import ledger
from payments.reconciliation import machine as m
from payments.reconciliation import matching, payees, settlements
from payments.reconciliation.models import Difference, Statement
from payments.reconciliation.problems import NotInBooks, SameHands


def explain(
    u: Unit, difference_id: str, to: str, reason: str, by: Actor, *, department_id: str | None = None
) -> None:
    """It is known what a booked difference was. Above the threshold a second person confirms it.

    `channel`: the channel's mistake, which it takes back or has put right. Nobody is paid anything for it, so that
    this is wrong for a stranger's money or a doubled line that was really paid out: `payee` names whose that is.

    Raises NotInBooks, ImpossibleMove when it is not booked, InvalidInput about the department, NobodysPayout.
    """
    row = held(u, difference_id)
    first = is_large(row)
    facts = {"to": to, "off_by_fen": matching.off_by(row), "reason": reason}
    if department_id is not None:
        facts["department"] = department_id
    u.step(m.DIFFERENCE, row, "explained_first" if first else "explained", by=by, facts=facts)
    payees.check(u, row, to, department_id)
    row.explanation, row.explained_to, row.explained_by = reason, to, by.id
    row.explained_department = department_id
    if not first:
        _clear(u, row)


def confirm(u: Unit, row: Difference, agree: bool, reason: str, by: Actor) -> None:
    """The second person's word about an explanation. Raises SameHands."""
    if row.explained_by == by.id:
        raise SameHands
    trigger = "confirmed_explanation" if agree else "rejected_explanation"
    u.step(m.DIFFERENCE, row, trigger, by=by, facts={"reason": reason})
    if agree:
        row.explanation_confirmed_by = by.id
        _clear(u, row)
    else:
        row.explanation = row.explained_to = row.explained_by = row.explained_department = None


def end(u: Unit, row: Difference, trigger: str, by: Actor, facts: Mapping[str, Any]) -> None:
    """Both sides agree by now (`healed`), or another day lists it (`appeared`)."""
    if row.state in m.ON_ACCOUNT:
        row.explanation = row.explained_by = row.explained_department = None
        row.explained_to = m.TO_CHANNEL
        _clear(u, row)
    elif row.state == m.SECOND:
        forget_decision(row)
    u.step(m.DIFFERENCE, row, trigger, by=by, facts=facts)
    row.decided_at = row.decided_at or clock.now()
    if row.payment_id and row.theirs_fen is not None and not matching.about_return(row):
        settlements.mark_one(u, row.payment_id)


def end_if_agreeing(u: Unit, row: Difference, reason: str, by: Actor) -> bool:
    """Whether both sides agree by now: then it has ended, and nobody's decision about it counts any more."""
    if row.state not in m.UNENDED or not matching.agreeing(u, [row.id]):
        return False
    end(u, row, "healed", by, {"reason": reason})
    return True


def solve_appeared(u: Unit, statement: Statement) -> int:
    """End the differences of other days whose line stands on this statement; returns how many."""
    done = 0
    for difference_id in matching.appeared_on(u, statement):
        row = held(u, difference_id)
        if row.state in m.UNENDED:
            end(u, row, "appeared", CLOCK, {"statement": statement.id})
            done += 1
    return done


def solve_agreeing(u: Unit, difference_ids: list[str]) -> int:
    """End those of them about which both sides agree by now; returns how many."""
    done = 0
    for difference_id in matching.agreeing(u, difference_ids):
        row = held(u, difference_id)
        if row.state in m.UNENDED:
            end(u, row, "healed", CLOCK, {})
            done += 1
    return done


def reopen_waiting(u: Unit, channel: str) -> int:
    """Open again what waited for another day in vain; returns how many."""
    done = 0
    for difference_id in matching.waited_long(u, channel):
        row = held(u, difference_id)
        if row.state == m.WAITING:
            u.step(m.DIFFERENCE, row, "reopened", by=CLOCK)
            forget_decision(row)
            row.proposal = m.ASK if row.payment_id else m.BOOK
            row.asked, row.ask_next_at = 0, clock.wire_now()
            done += 1
    return done


def is_large(row: Difference) -> bool:
    """Whether two people have to agree about it."""
    return abs(matching.off_by(row)) > settings().money.refund_four_eyes_fen


def forget_decision(row: Difference) -> None:
    row.decision = row.reason = row.decided_by = row.confirmed_by = row.decided_at = None


def held(u: Unit, difference_id: str) -> Difference:
    """The row, locked. Raises NotInBooks."""
    row = u.get(Difference, difference_id, lock=True)
    if row is None:
        raise NotInBooks
    return row


def channel_of(u: Unit, row: Difference) -> str:
    statement = u.get(Statement, row.statement_id)
    return statement.channel if statement else ""


def _clear(u: Unit, row: Difference) -> None:
    channel = channel_of(u, row)
    row.explained_at = clock.now()
    if row.explained_to == m.TO_PAYEE:
        payees.pay_out(u, row, channel)
        return
    account = ledger.fee(channel) if row.explained_to == m.TO_FEE else ledger.clearing(channel)
    ledger.enter_explanation(
        u, difference_id=row.id, channel=channel, account=account, amount_fen=matching.booking_of(row),
        payment_id=row.payment_id,
    )  # fmt: skip
