"""Whose turn it is: differences we look at again, and those the channel is asked about, a batch at a time."""

from datetime import timedelta

from sqlalchemy import select

from backend.kernel import clock
from backend.store.unit import Unit
from payments.reconciliation import machine as m
from payments.reconciliation.models import Difference, Statement

LOOK_AT_ONCE = 500
LOOK_AGAIN = timedelta(minutes=1)
PAUSES = (
    timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=2),
)  # fmt: skip
"""The channel is asked once, and again after each of these; then a person has to decide."""


def claim_looks(u: Unit) -> list[str]:
    """Ids of differences of reconciled statements that have not ended and were not looked at just now."""
    at = clock.wire_now()
    due = (
        select(Difference)
        .join(Statement, Statement.id == Difference.statement_id)
        .where(Difference.state != m.SOLVED, Difference.look_next_at <= at, Statement.state == m.RECONCILED)
        .order_by(Difference.look_next_at, Difference.id)
        .limit(LOOK_AT_ONCE)
        .with_for_update(of=Difference, skip_locked=True)
    )
    rows = u.session.scalars(due).all()
    for row in rows:
        row.look_next_at = at + LOOK_AGAIN
    return [row.id for row in rows]


def claim_questions(u: Unit, limit: int, statement_id: str | None = None) -> list[str]:
    """Ids of open differences (of one statement) that a question to the channel may end and whose turn it is."""
    at = clock.wire_now()
    due = select(Difference).where(
        Difference.state == m.OPEN, Difference.proposal == m.ASK, Difference.ask_next_at <= at,
        Difference.asked <= len(PAUSES),
    )  # fmt: skip
    if statement_id is not None:
        due = due.where(Difference.statement_id == statement_id)
    due = due.order_by(Difference.ask_next_at, Difference.id).limit(limit)
    rows = u.session.scalars(due.with_for_update(skip_locked=True)).all()
    for row in rows:
        row.ask_next_at = at + PAUSES[min(row.asked, len(PAUSES) - 1)]
        row.asked += 1
    return [row.id for row in rows]
