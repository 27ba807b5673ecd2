"""What may be asked about statements, differences, settlements and credits. Nothing here changes anything."""

from typing import Any, TypeVar

from sqlalchemy import Select, func, select, text

from backend.runtime import paging
from backend.store.unit import Unit
from payments.reconciliation import machine as m
from payments.reconciliation import wording
from payments.reconciliation.credits import pays_nothing
from payments.reconciliation.models import BankCredit, Difference, Settlement, Statement, StatementLine
from payments.reconciliation.problems import NotInBooks
from payments.reconciliation.views import (
    CreditView,
    DifferenceView,
    PayoutView,
    SettledLine,
    SettlementView,
    StatementLineView,
    StatementView,
)

T = TypeVar("T")
_LINES = text("""
    SELECT l.line, l.kind, l.number, p.id, p.title, l.reference, l.amount_fen, l.fee_fen, l.happened_at
    FROM payments_statement_line l
    LEFT JOIN payments_refund r ON l.kind = 'returned' AND r.number = l.number
    LEFT JOIN payments_payment own ON own.id = r.payment_id
    JOIN payments_payment p ON p.number = coalesce(own.number, l.payment_number) AND p.payee = :payee
        AND p.channel = :channel
    WHERE l.statement_id = :statement AND l.line > :after AND NOT l.again ORDER BY l.line LIMIT :limit
""")

_DIFFERING = text("""
    SELECT d.statement_id, count(DISTINCT l.line) FROM payments_difference d
    JOIN payments_statement_line l ON l.statement_id = d.statement_id AND l.number = d.number
        AND l.kind = CASE WHEN d.kind = 'refund_differs' OR d.refund_id IS NOT NULL THEN 'returned' ELSE 'paid' END
    WHERE d.statement_id = ANY(:statements) AND d.state <> 'solved' GROUP BY d.statement_id
""")


def statement_of(u: Unit, statement_id: str) -> StatementView:
    """One statement. Raises NotInBooks."""
    return _statement_views(u, [_found(u.get(Statement, statement_id))])[0]


def statements(
    u: Unit,
    *,
    channel: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 20,
) -> list[StatementView]:
    """Statements, the last made first; `after` is the id of the last one shown."""
    wanted = select(Statement)
    if channel is not None:
        wanted = wanted.where(Statement.channel == channel)
    if state is not None:
        wanted = wanted.where(Statement.state == state)
    rows = u.session.scalars(paging.newest_first(wanted, Statement.id, after, limit))
    return _statement_views(u, list(rows))


def difference_of(u: Unit, difference_id: str) -> DifferenceView:
    """One difference. Raises NotInBooks."""
    row = _found(u.get(Difference, difference_id))
    return _difference_view(row, _found(u.get(Statement, row.statement_id)))


def differences(
    u: Unit,
    *,
    statement_id: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    department_id: str | None = None,
    after: str | None = None,
    limit: int = 20,
) -> list[DifferenceView]:
    """Differences, the last found first."""
    wanted = select(Difference, Statement).join(Statement, Statement.id == Difference.statement_id)
    for column, value in (
        (Difference.statement_id, statement_id), (Difference.state, state), (Difference.kind, kind),
        (Difference.department_id, department_id),
    ):  # fmt: skip
        if value is not None:
            wanted = wanted.where(column == value)
    rows = u.session.execute(paging.newest_first(wanted, Difference.id, after, limit))
    return [_difference_view(row, statement) for row, statement in rows]


def statement_lines(
    u: Unit, statement_id: str, *, after: int = 0, limit: int = 100
) -> list[StatementLineView]:
    """The lines of a statement in the order of its file. Raises NotInBooks."""
    _found(u.get(Statement, statement_id))
    wanted = select(StatementLine).where(
        StatementLine.statement_id == statement_id, StatementLine.line > after
    )
    rows = u.session.scalars(wanted.order_by(StatementLine.line).limit(limit))
    return [
        StatementLineView(
            row.line, row.kind, row.number, row.payment_number, row.reference, row.amount_fen, row.fee_fen,
            row.happened_at,
        )
        for row in rows
    ]  # fmt: skip


def settlement_of(u: Unit, settlement_id: str) -> SettlementView:
    """One settlement. Raises NotInBooks."""
    return settlement_view(_found(u.get(Settlement, settlement_id)))


def settlements_of(
    u: Unit, *, payee: str | None = None, channel: str | None = None, statement_id: str | None = None,
    after: str | None = None, limit: int = 20,
) -> list[SettlementView]:  # fmt: skip
    """Settlements of one payee or of all, the last made first."""
    wanted: Select[Any] = select(Settlement)
    for column, value in (
        (Settlement.payee, payee), (Settlement.channel, channel), (Settlement.statement_id, statement_id),
    ):  # fmt: skip
        if value is not None:
            wanted = wanted.where(column == value)
    rows = u.session.scalars(paging.newest_first(wanted, Settlement.id, after, limit))
    return [settlement_view(row) for row in rows]


def lines_of(u: Unit, settlement_id: str, *, after: int = 0, limit: int = 100) -> list[SettledLine]:
    """The payments and refunds a settlement is made of, in the order of the statement. Raises NotInBooks."""
    row = _found(u.get(Settlement, settlement_id))
    asked = {
        "statement": row.statement_id, "payee": row.payee, "channel": row.channel, "after": after, "limit": limit,
    }  # fmt: skip
    return [SettledLine(*line) for line in u.session.execute(_LINES, asked)]


def credit_of(u: Unit, credit_id: str) -> CreditView:
    """One bank credit with what it pays. Raises NotInBooks."""
    return credit_views(u, [_found(u.get(BankCredit, credit_id))])[0]


def credits_of(
    u: Unit, *, payee: str | None = None, unmatched: bool = False, after: str | None = None, limit: int = 20
) -> list[CreditView]:
    """Bank credits, the last told first; only those that nothing explains when `unmatched`."""
    wanted = select(BankCredit)
    if payee is not None:
        wanted = wanted.where(BankCredit.payee == payee)
    if unmatched:
        wanted = wanted.where(BankCredit.withdrawn_at.is_(None), pays_nothing())
    return credit_views(u, list(u.session.scalars(paging.newest_first(wanted, BankCredit.id, after, limit))))


def payouts_of(
    u: Unit,
    *,
    payee: str | None = None,
    channel: str | None = None,
    after: str | None = None,
    limit: int = 20,
) -> list[PayoutView]:
    """Differences that were a payee's own money, of one payee or of all, the last found first."""
    wanted = _payouts()
    if payee is not None:
        wanted = wanted.where(Difference.explained_department == payee)
    if channel is not None:
        wanted = wanted.where(Statement.channel == channel)
    rows = u.session.execute(paging.newest_first(wanted, Difference.id, after, limit))
    return [_payout_view(row, statement) for row, statement in rows]


def credit_views(u: Unit, rows: list[BankCredit]) -> list[CreditView]:
    mine = [row.id for row in rows]
    asked = select(Settlement).where(Settlement.credit_id.in_(mine)).order_by(Settlement.day)
    beside = _payouts().where(Difference.credit_id.in_(mine)).order_by(Statement.day, Difference.id)
    paid: dict[str, list[SettlementView]] = {key: [] for key in mine}
    others: dict[str, list[PayoutView]] = {key: [] for key in mine}
    for one in u.session.scalars(asked) if rows else ():
        paid[one.credit_id or ""].append(settlement_view(one))
    for pair in u.session.execute(beside) if rows else ():
        others[pair[0].credit_id or ""].append(_payout_view(*pair))
    return [
        CreditView(
            id=row.id, payee=row.payee, channel=row.channel, reference=row.reference,
            credited_on=row.credited_on, amount_fen=row.amount_fen, settlements=tuple(paid[row.id]),
            differences=tuple(others[row.id]), withdrawn_at=row.withdrawn_at, withdrawal=row.withdrawal,
        )
        for row in rows
    ]  # fmt: skip


def settlement_view(row: Settlement) -> SettlementView:
    return SettlementView(
        id=row.id, statement_id=row.statement_id, channel=row.channel, day=row.day, payee=row.payee,
        payments=row.payments, paid_fen=row.paid_fen, returned_fen=row.returned_fen, fee_fen=row.fee_fen,
        net_fen=row.net_fen, credit_id=row.credit_id,
    )  # fmt: skip


def _payouts() -> Select[Difference, Statement]:
    joined = select(Difference, Statement).join(Statement, Statement.id == Difference.statement_id)
    return joined.where(Difference.payout_fen.is_not(None))


def _payout_view(row: Difference, statement: Statement) -> PayoutView:
    return PayoutView(
        id=row.id, channel=statement.channel, day=statement.day, payee=row.explained_department or "",
        kind=row.kind, kind_says=wording.KINDS[row.kind], number=row.number, amount_fen=row.payout_fen or 0,
        explanation=row.explanation or "", credit_id=row.credit_id,
    )  # fmt: skip


def _found(row: T | None) -> T:
    if row is None:
        raise NotInBooks
    return row


def _statement_views(u: Unit, rows: list[Statement]) -> list[StatementView]:
    unsolved = func.count().filter(Difference.state.in_(m.UNSOLVED))
    counted = select(Difference.statement_id, func.count(), unsolved).group_by(Difference.statement_id)
    mine = counted.where(Difference.statement_id.in_([row.id for row in rows]))
    counts = {key: (found, left) for key, found, left in u.session.execute(mine)}
    asked = {"statements": [row.id for row in rows]}
    differing = {row[0]: row[1] for row in u.session.execute(_DIFFERING, asked)}
    return [_statement_view(row, differing.get(row.id, 0), *counts.get(row.id, (0, 0))) for row in rows]


def _statement_view(row: Statement, differing: int, found: int, left: int) -> StatementView:
    matched = row.lines - differing if row.state == m.RECONCILED else 0
    return StatementView(
        id=row.id, channel=row.channel, day=row.day, state=row.state, says=m.STATEMENT.label(row.state),
        trouble=row.trouble, lines=row.lines, paid_fen=row.paid_fen, returned_fen=row.returned_fen,
        fee_fen=row.fee_fen, matched=matched, differences=found, unsolved=left, fetched_at=row.fetched_at,
        reconciled_at=row.reconciled_at,
    )  # fmt: skip


def _difference_view(row: Difference, statement: Statement) -> DifferenceView:
    return DifferenceView(
        id=row.id, statement_id=row.statement_id, channel=statement.channel, day=statement.day, kind=row.kind,
        kind_says=wording.KINDS[row.kind], number=row.number, state=row.state, says=m.DIFFERENCE.label(row.state),
        payment_id=row.payment_id, refund_id=row.refund_id, department_id=row.department_id,
        ours_fen=row.ours_fen, theirs_fen=row.theirs_fen, proposal=row.proposal, decision=row.decision,
        reason=row.reason, decided_by=row.decided_by, confirmed_by=row.confirmed_by, decided_at=row.decided_at,
        explanation=row.explanation, explained_to=row.explained_to, explained_by=row.explained_by,
        explanation_confirmed_by=row.explanation_confirmed_by, explained_at=row.explained_at,
        explained_department=row.explained_department, found_at=row.found_at,
    )  # fmt: skip
