"""What a channel owes each payee for a day, and which bank credit brought it (收支两条线: it is the treasury's then).

Settlements are made of the statement's own lines, so that they add up to what the channel pays out; a line whose
payment nobody knows belongs to no payee and stays a difference.
"""

from collections.abc import Mapping
from functools import partial
from itertools import accumulate
from typing import Any

from sqlalchemy import select

from backend.kernel import clock, ids
from backend.store.unit import Actor, Unit, map_constraint, run_unit
from payments import ledger
from payments.reconciliation import problems
from payments.reconciliation.models import BankCredit, Settlement, Statement
from payments.reconciliation.views import CreditDraft

SLICE = 20_000
"""So many lines are marked in one transaction: refunds of yesterday's payments must not wait for a million rows."""
_MARK = """
    UPDATE payments_payment p SET settled_at = %(at)s FROM payments_statement_line l
    WHERE l.statement_id = %(statement)s AND l.line > %(after)s AND l.line <= %(upto)s AND l.kind = 'paid'
      AND p.number = l.number AND p.channel = %(channel)s AND p.paid_at IS NOT NULL AND p.settled_at IS NULL
"""
_MARK_ONE = """
    UPDATE payments_payment SET settled_at = %(at)s
    WHERE id = %(payment)s AND paid_at IS NOT NULL AND settled_at IS NULL
"""
_TOTALS = """
    SELECT p.payee, count(*) FILTER (WHERE l.kind = 'paid')::int,
        coalesce(sum(l.amount_fen) FILTER (WHERE l.kind = 'paid'), 0)::bigint,
        coalesce(sum(l.amount_fen) FILTER (WHERE l.kind = 'returned'), 0)::bigint, sum(l.fee_fen)::bigint
    FROM payments_statement_line l JOIN payments_payment p ON p.number = l.payment_number AND p.channel = %(channel)s
    WHERE l.statement_id = %(statement)s GROUP BY p.payee ORDER BY p.payee
"""
map_constraint("uq_payments_bank_credit_reference", problems.CreditReferenceTaken)


def mark_settled(statement_id: str, channel: str, lines: int) -> None:
    """Note on every payment of the statement that the channel has paid it out, a slice at a time."""
    for after in range(0, lines, SLICE):
        told = {"statement": statement_id, "channel": channel, "after": after, "upto": after + SLICE}
        run_unit(partial(_mark, told | {"at": clock.now()}))


def _mark(told: Mapping[str, Any], u: Unit) -> None:
    u.execute(_MARK, told)


def mark_one(u: Unit, payment_id: str) -> None:
    """The same for one payment whose money was found after its day was settled."""
    u.execute(_MARK_ONE, {"payment": payment_id, "at": clock.now()})


def make(u: Unit, statement: Statement) -> None:
    """One settlement for each payee, its movement in the ledger, and the credits that waited for it."""
    u.execute("SELECT set_config('statement_timeout', '0', true)")
    for payee, count, paid, returned, fee in u.execute(
        _TOTALS, {"statement": statement.id, "channel": statement.channel}
    ).fetchall():
        row = Settlement(
            id=ids.new_id("sm"), statement_id=statement.id, channel=statement.channel, day=statement.day,
            payee=payee, payments=count, paid_fen=paid, returned_fen=returned, fee_fen=fee,
            net_fen=paid - returned - fee, made_at=clock.now(),
        )  # fmt: skip
        u.add(row)
        ledger.enter_settlement(
            u,
            settlement_id=row.id,
            channel=row.channel,
            department_id=payee,
            net_fen=row.net_fen,
            fee_fen=fee,
        )
        u.flush_rows()
        _match_waiting(u, payee, statement.channel)


def tell_credit(u: Unit, draft: CreditDraft, by: Actor) -> BankCredit:
    """Write a line of a payee's bank account down; the same one again is the same credit.

    Raises CreditReferenceTaken when the bank's reference stands on another one.
    """
    known = select(BankCredit).where(BankCredit.payee == draft.payee, BankCredit.reference == draft.reference)
    row = u.session.scalars(known).one_or_none()
    if row is not None:
        if _draft_of(row) != draft:
            raise problems.CreditReferenceTaken
        return row
    row = BankCredit(
        id=ids.new_id("bc"), payee=draft.payee, channel=draft.channel, reference=draft.reference,
        credited_on=draft.credited_on, amount_fen=draft.amount_fen, told_by=by.id, told_at=clock.now(),
    )  # fmt: skip
    u.add(row)
    u.flush_rows()
    _match_waiting(u, draft.payee, draft.channel)
    return row


def run_of_days(nets: list[int], amount: int) -> range | None:
    """The days one after the other whose nets add up to the amount: the earliest such run, and its shortest."""
    for first in range(len(nets)):
        for length, total in enumerate(accumulate(nets[first:]), start=1):
            if total == amount:
                return range(first, first + length)
    return None


def _match_waiting(u: Unit, payee: str, channel: str) -> None:
    """Let every credit that waits take the settlements it pays, the oldest credit first."""
    open_ones = (
        select(Settlement)
        .where(Settlement.payee == payee, Settlement.channel == channel, Settlement.credit_id.is_(None))
        .order_by(Settlement.day)
        .with_for_update()
    )
    waiting = (
        select(BankCredit)
        .where(BankCredit.payee == payee, BankCredit.channel == channel)
        .where(~select(Settlement.id).where(Settlement.credit_id == BankCredit.id).exists())
        .order_by(BankCredit.credited_on, BankCredit.id)
    )
    due = list(u.session.scalars(open_ones))
    for credit in u.session.scalars(waiting):
        before = [one for one in due if one.day <= credit.credited_on]
        run = run_of_days([one.net_fen for one in before], credit.amount_fen)
        for one in (before[place] for place in run or ()):
            one.credit_id = credit.id
            due.remove(one)
    u.flush_rows()


def _draft_of(row: BankCredit) -> CreditDraft:
    return CreditDraft(row.payee, row.channel, row.reference, row.credited_on, row.amount_fen)
