"""What the bank has credited to a payee, and the settlements it pays: found by their sum, or chosen by hand."""

from collections.abc import Sequence
from itertools import accumulate

from sqlalchemy import select

from backend.kernel import clock, ids
from backend.store.unit import Actor, Unit, map_constraint, retry_on
from payments.reconciliation import problems, wording
from payments.reconciliation.models import BankCredit, Settlement
from payments.reconciliation.views import CreditDraft

map_constraint("uq_payments_bank_credit_reference", problems.CreditReferenceTaken)
retry_on("uq_payments_bank_credit_reference")  # told twice at once: the second finds what the first wrote


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
    """What was told was wrong: its settlements are free again, also for other credits that wait.

    Raises NotInBooks, CreditWithdrawn.
    """
    row = _held(u, credit_id)
    row.withdrawn_at, row.withdrawn_by, row.withdrawal = clock.now(), by.id, reason
    freed = _free(u, row)
    facts = {"reason": reason, "settlements": freed}
    u.note(row.id, row.id, "withdrawn", by=by, says=wording.CREDIT_WITHDRAWN, facts=facts)
    match_waiting(u, row.payee, row.channel)


def choose_settlements(u: Unit, credit_id: str, settlement_ids: Sequence[str], by: Actor) -> None:
    """Say by hand which settlements a credit pays; those it had before are free again.

    Raises NotInBooks, CreditWithdrawn, SettlementTaken, SumDiffers.
    """
    row = _held(u, credit_id)
    wanted = select(Settlement).where(Settlement.id.in_(settlement_ids)).order_by(Settlement.day)
    chosen = list(u.session.scalars(wanted.with_for_update()))
    if len(chosen) != len(set(settlement_ids)):
        raise problems.NotInBooks
    if any(not _may_pay(row, one) for one in chosen):
        raise problems.SettlementTaken
    if sum(one.net_fen for one in chosen) != row.amount_fen:
        raise problems.SumDiffers
    freed = _free(u, row)
    for one in chosen:
        one.credit_id = row.id
    facts = {"settlements": [one.id for one in chosen], "instead_of": freed}
    u.note(row.id, row.id, "chosen", by=by, says=wording.CREDIT_CHOSEN, facts=facts)
    u.flush_rows()
    match_waiting(u, row.payee, row.channel)


def run_of_days(nets: list[int], amount: int) -> range | None:
    """The days one after the other whose nets add up to the amount: the earliest such run, and its shortest."""
    for first in range(len(nets)):
        for length, total in enumerate(accumulate(nets[first:]), start=1):
            if total == amount:
                return range(first, first + length)
    return None


def match_waiting(u: Unit, payee: str, channel: str) -> None:
    """Let every credit that waits take the settlements it pays, the oldest credit first."""
    open_ones = (
        select(Settlement)
        .where(Settlement.payee == payee, Settlement.channel == channel, Settlement.credit_id.is_(None))
        .order_by(Settlement.day)
        .with_for_update()
    )
    waiting = (
        select(BankCredit)
        .where(BankCredit.payee == payee, BankCredit.channel == channel, BankCredit.withdrawn_at.is_(None))
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


def _held(u: Unit, credit_id: str) -> BankCredit:
    row = u.get(BankCredit, credit_id, lock=True)
    if row is None:
        raise problems.NotInBooks
    if row.withdrawn_at is not None:
        raise problems.CreditWithdrawn
    return row


def _may_pay(row: BankCredit, one: Settlement) -> bool:
    same = (one.payee, one.channel) == (row.payee, row.channel)
    return same and one.credit_id in (None, row.id)


def _free(u: Unit, row: BankCredit) -> list[str]:
    paid = select(Settlement).where(Settlement.credit_id == row.id).order_by(Settlement.day).with_for_update()
    freed = list(u.session.scalars(paid))
    for one in freed:
        one.credit_id = None
    u.flush_rows()
    return [one.id for one in freed]
