"""What the bank has credited to a payee, and what it pays: found by the sum, or chosen by hand.

It pays settlements, and differences that were explained as the payee's own money. Whoever composes credits of a payee
and channel holds both of them first, so that two of these never give the same money to two credits.
"""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, or_, select

from backend.kernel import clock, ids
from backend.store.unit import Actor, Unit, map_constraint, retry_on
from payments.reconciliation import composing, problems, wording
from payments.reconciliation.models import BankCredit, Difference, Settlement, Statement
from payments.reconciliation.views import CreditDraft

map_constraint("uq_payments_bank_credit_reference", problems.CreditReferenceTaken)
retry_on("uq_payments_bank_credit_reference")  # told twice at once: the second finds what the first wrote
R = TypeVar("R", Settlement, Difference)
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('payments.credits:' || %s || ':' || %s, 0))"


def tell_credit(u: Unit, draft: CreditDraft, by: Actor) -> BankCredit:
    """Write a line of a payee's bank account down; the same one again is the same credit.

    Raises CreditReferenceTaken when the bank's reference stands on another one.
    """
    known = select(BankCredit).where(BankCredit.payee == draft.payee, BankCredit.reference == draft.reference)
    row = u.session.scalars(known.where(BankCredit.withdrawn_at.is_(None))).one_or_none()
    if row is not None:
        if _draft_of(row) != draft:
            raise problems.CreditReferenceTaken
        return row
    row = BankCredit(
        id=ids.new_id("bc"), payee=draft.payee, channel=draft.channel, reference=draft.reference,
        credited_on=draft.credited_on, amount_fen=draft.amount_fen, told_by=by.id, told_at=clock.now(),
    )  # fmt: skip
    u.note(row.id, row.id, "told", by=by, says=wording.CREDIT_TOLD, facts={"amount_fen": draft.amount_fen})
    u.add(row)
    u.flush_rows()
    match_waiting(u, draft.payee, draft.channel)
    return row


def withdraw_credit(u: Unit, credit_id: str, reason: str, by: Actor) -> None:
    """What was told was wrong: all it paid is free again, also for other credits that wait.

    Raises NotInBooks, CreditWithdrawn.
    """
    row = _held(u, credit_id)
    row.withdrawn_at, row.withdrawn_by, row.withdrawal = clock.now(), by.id, reason
    freed = _free(u, row)
    facts = {"reason": reason, "freed": freed}
    u.note(row.id, row.id, "withdrawn", by=by, says=wording.CREDIT_WITHDRAWN, facts=facts)
    match_waiting(u, row.payee, row.channel)


def choose_settlements(
    u: Unit, credit_id: str, settlement_ids: Sequence[str], by: Actor, *, difference_ids: Sequence[str] = ()
) -> None:
    """Say by hand which settlements and differences a credit pays; those it had before are free again.

    Raises NotInBooks, CreditWithdrawn, SettlementTaken, SumDiffers.
    """
    row = _held(u, credit_id)
    wanted = select(Settlement).where(Settlement.id.in_(settlement_ids)).order_by(Settlement.day)
    days = list(u.session.scalars(_locked(wanted)))
    beside = select(Difference).where(Difference.id.in_(difference_ids)).order_by(Difference.id)
    others = list(u.session.scalars(_locked(beside)))
    if (len(days), len(others)) != (len(set(settlement_ids)), len(set(difference_ids))):
        raise problems.NotInBooks
    if not all(_may_pay(row, one) for one in days) or not all(_may_bring(u, row, one) for one in others):
        raise problems.SettlementTaken
    if sum(one.net_fen for one in days) + sum(one.payout_fen or 0 for one in others) != row.amount_fen:
        raise problems.SumDiffers
    freed = _free(u, row)
    chosen: list[Settlement | Difference] = [*days, *others]
    for one in chosen:
        one.credit_id = row.id
    facts = {"chosen": [one.id for one in chosen], "instead_of": freed}
    u.note(row.id, row.id, "chosen", by=by, says=wording.CREDIT_CHOSEN, facts=facts)
    u.flush_rows()
    match_waiting(u, row.payee, row.channel)


def match_waiting(u: Unit, payee: str, channel: str) -> None:
    """Let every credit that waits take what it pays, the oldest credit first."""
    u.execute(_HOLD, (payee, channel))
    u.flush_rows()
    open_days = (
        select(Settlement)
        .where(Settlement.payee == payee, Settlement.channel == channel, Settlement.credit_id.is_(None))
        .order_by(Settlement.day)
        .with_for_update()
    )
    waiting = (
        select(BankCredit)
        .where(BankCredit.payee == payee, BankCredit.channel == channel, BankCredit.withdrawn_at.is_(None))
        .where(pays_nothing())
        .order_by(BankCredit.credited_on, BankCredit.id)
    )
    days = list(u.session.scalars(open_days))
    others = list(u.session.execute(payouts(payee, channel).with_for_update(of=Difference)))
    for credit in u.session.scalars(waiting):
        before = [one for one in days if one.day <= credit.credited_on]
        beside = [pair for pair in others if pair[1] <= credit.credited_on]
        run, picked = composing.way_to(
            credit.amount_fen, [one.net_fen for one in before], [one.payout_fen or 0 for one, _ in beside]
        )
        for day in (before[place] for place in run):
            day.credit_id = credit.id
            days.remove(day)
        for pair in (beside[place] for place in picked):
            pair[0].credit_id = credit.id
            others.remove(pair)
    u.flush_rows()


def payouts(payee: str, channel: str) -> Select[Difference, date]:
    """Differences that are the payee's and that no credit has brought yet, each with its day."""
    return (
        select(Difference, Statement.day)
        .join(Statement, Statement.id == Difference.statement_id)
        .where(Difference.explained_department == payee, Statement.channel == channel)
        .where(Difference.payout_fen.is_not(None), Difference.credit_id.is_(None))
        .order_by(Statement.day, Difference.id)
    )


def pays_nothing() -> ColumnElement[bool]:
    """Whether nothing explains a credit yet."""
    days = select(Settlement.id).where(Settlement.credit_id == BankCredit.id)
    others = select(Difference.id).where(Difference.credit_id == BankCredit.id)
    return ~or_(days.exists(), others.exists())


def _draft_of(row: BankCredit) -> CreditDraft:
    return CreditDraft(row.payee, row.channel, row.reference, row.credited_on, row.amount_fen)


def _held(u: Unit, credit_id: str) -> BankCredit:
    known = u.get(BankCredit, credit_id)
    if known is None:
        raise problems.NotInBooks
    u.execute(_HOLD, (known.payee, known.channel))
    row = u.get(BankCredit, credit_id, lock=True) or known
    if row.withdrawn_at is not None:
        raise problems.CreditWithdrawn
    return row


def _may_pay(row: BankCredit, one: Settlement) -> bool:
    same = (one.payee, one.channel) == (row.payee, row.channel)
    return same and one.credit_id in (None, row.id)


def _may_bring(u: Unit, row: BankCredit, one: Difference) -> bool:
    statement = u.get(Statement, one.statement_id)
    same = (
        one.explained_department == row.payee and statement is not None and statement.channel == row.channel
    )
    return same and one.payout_fen is not None and one.credit_id in (None, row.id)


def _locked(wanted: Select[R]) -> Select[R]:
    """Read anew: who looked at the credit before has them as they were then."""
    return wanted.with_for_update().execution_options(populate_existing=True)


def _free(u: Unit, row: BankCredit) -> list[str]:
    days = select(Settlement).where(Settlement.credit_id == row.id).order_by(Settlement.day)
    others = select(Difference).where(Difference.credit_id == row.id).order_by(Difference.id)
    freed = [*u.session.scalars(_locked(days)), *u.session.scalars(_locked(others))]
    for one in freed:
        one.credit_id = None
    u.flush_rows()
    return [one.id for one in freed]
