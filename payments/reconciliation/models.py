"""Nouns of reconciliation: a day's statement of a channel, its lines, what differs, and what the bank credited."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, FenColumn, Id, Ref


class Statement(Base):
    """What a channel says happened on one business day. `digest` is of the unpacked bytes as they came."""

    __tablename__ = "payments_statement"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        Index("uq_payments_statement_day", "channel", "day", unique=True),
        Index("ix_payments_statement_ask_next_at", "ask_next_at", postgresql_where=text("state = 'wanted'")),
    )

    id: Mapped[Id]
    channel: Mapped[str] = mapped_column(String(20))
    day: Mapped[date]
    state: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str | None] = mapped_column(String(64))
    lines: Mapped[int] = mapped_column(Integer, default=0)
    paid_fen: Mapped[FenColumn] = mapped_column(default=0)
    returned_fen: Mapped[FenColumn] = mapped_column(default=0)
    fee_fen: Mapped[FenColumn] = mapped_column(default=0)
    trouble: Mapped[str | None] = mapped_column(Text)
    fetched_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(Integer, default=0)
    ask_next_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id


class StatementLine(Base):
    """One line of a statement: `kind` paid or returned; `number` is ours as the channel knows it.

    `line` is its place in the file, so that a line told twice is seen and not lost. Lines come in one transaction
    that holds their statement: a foreign key would look it up a million times. `again`: the channel had told it
    before, on this statement or another; it is no money of its own and never settled.
    """

    __tablename__ = "payments_statement_line"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (Index("ix_payments_statement_line_number", "number"),)

    statement_id: Mapped[Id]
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    number: Mapped[str] = mapped_column(String(64))
    payment_number: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(64))
    amount_fen: Mapped[FenColumn]
    fee_fen: Mapped[FenColumn]
    happened_at: Mapped[datetime]
    again: Mapped[bool] = mapped_column(Boolean, server_default=false())


class Difference(Base):
    """Something the channel and our ledger do not agree on: a task with a proposal, a decision and its reason.

    Above the threshold two people decide: `decided_by` first, `confirmed_by` another; the same for the explanation of
    what was booked. `look_next_at` and `ask_next_at` are real time: when we look and when the channel is asked again.

    `explained_department`: whose the money is when it was a payee's all along. `payout_fen` is what the channel then
    pays out for it, less its fee, beside the settlements; `credit_id` the one bank credit that brought it.
    """

    __tablename__ = "payments_difference"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        Index("uq_payments_difference_line", "statement_id", "kind", "number", unique=True),
        Index(
            "ix_payments_difference_look_next_at", "look_next_at", postgresql_where=text("state <> 'solved'")
        ),
        Index("ix_payments_difference_ask_next_at", "ask_next_at", postgresql_where=text("state = 'open'")),
        Index("ix_payments_difference_number", "number", postgresql_where=text("state <> 'solved'")),
        Index("ix_payments_difference_credit_id", "credit_id", postgresql_where=text("credit_id IS NOT NULL")),
        Index(
            "ix_payments_difference_payout", "explained_department",
            postgresql_where=text("payout_fen IS NOT NULL AND credit_id IS NULL"),
        ),
        CheckConstraint("credit_id IS NULL OR payout_fen IS NOT NULL", name="credited"),
    )  # fmt: skip

    id: Mapped[Id]
    statement_id: Mapped[str] = mapped_column(ForeignKey("payments_statement.id"))
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    payment_id: Mapped[str | None] = mapped_column(String(40))
    refund_id: Mapped[str | None] = mapped_column(String(40))
    department_id: Mapped[str | None] = mapped_column(String(40))
    ours_fen: Mapped[int | None] = mapped_column(BigInteger)
    theirs_fen: Mapped[int | None] = mapped_column(BigInteger)
    proposal: Mapped[str] = mapped_column(String(20))
    decision: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(200))
    decided_by: Mapped[str | None] = mapped_column(String(40))
    confirmed_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[datetime | None]
    explanation: Mapped[str | None] = mapped_column(String(200))
    explained_to: Mapped[str | None] = mapped_column(String(20))
    explained_by: Mapped[str | None] = mapped_column(String(40))
    explanation_confirmed_by: Mapped[str | None] = mapped_column(String(40))
    explained_at: Mapped[datetime | None]
    explained_department: Mapped[str | None] = mapped_column(String(40))
    payout_fen: Mapped[int | None] = mapped_column(BigInteger)
    credit_id: Mapped[str | None] = mapped_column(ForeignKey("payments_bank_credit.id"))
    found_at: Mapped[datetime]
    asked: Mapped[int] = mapped_column(Integer, default=0)
    ask_next_at: Mapped[datetime]
    look_next_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id


class Settlement(Base):
    """What a channel owes one payee for one day: paid less returned less fee, and the bank credit that brought it."""

    __tablename__ = "payments_settlement"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        Index("uq_payments_settlement_day", "channel", "day", "payee", unique=True),
        Index("ix_payments_settlement_credit_id", "credit_id"),
    )

    id: Mapped[Id]
    statement_id: Mapped[str] = mapped_column(ForeignKey("payments_statement.id"))
    channel: Mapped[str] = mapped_column(String(20))
    day: Mapped[date]
    payee: Mapped[Ref]
    payments: Mapped[int] = mapped_column(Integer)
    paid_fen: Mapped[FenColumn]
    returned_fen: Mapped[FenColumn]
    fee_fen: Mapped[FenColumn]
    net_fen: Mapped[FenColumn]
    credit_id: Mapped[str | None] = mapped_column(ForeignKey("payments_bank_credit.id"))
    made_at: Mapped[datetime]


class BankCredit(Base):
    """A line of a payee's bank account: money that a channel has paid out. Its reference is the bank's.

    What was typed wrongly is withdrawn with a reason; its reference is free again then.
    """

    __tablename__ = "payments_bank_credit"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index(
            "uq_payments_bank_credit_reference", "payee", "reference", unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    payee: Mapped[Ref]
    channel: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(64))
    credited_on: Mapped[date]
    amount_fen: Mapped[FenColumn]
    told_by: Mapped[Ref]
    told_at: Mapped[datetime]
    withdrawn_by: Mapped[str | None] = mapped_column(String(40))
    withdrawn_at: Mapped[datetime | None]
    withdrawal: Mapped[str | None] = mapped_column(String(200))
