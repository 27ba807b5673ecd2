"""Nouns of the payments bureau: payments, refunds, the ledger and receipts. Bills have their own room.

A payment's number is its id without the dash: providers allow letters and digits only, 32 of them at most.
`ask_next_at` is real time: questions to providers are paced by the world, not by our business clock.
"""

from datetime import datetime

from sqlalchemy import BigInteger as Big
from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel import ids
from backend.store.base import Base, FenColumn, Id, Ref

MAX_FEN = 100_000_000
"""One million yuan: above this a payment belongs on a bank's counter."""


def number_of(public_id: str) -> str:
    """Our number as providers see it."""
    return public_id.replace("-", "")


class Payment(Base):
    """One attempt of one payer to pay one subject over one channel.

    `unwanted`: its matter ended and no longer wants the money, so that all that is left of it goes back.
    """

    __tablename__ = "payments_payment"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint(f"amount_fen BETWEEN 1 AND {MAX_FEN}", name="amount"),
        Index(
            "uq_payments_payment_live", "subject", "person_id", "channel", unique=True,
            postgresql_where=text("state IN ('created', 'awaiting')"),
        ),
        Index("uq_payments_payment_settles", "subject", unique=True, postgresql_where=text("settles")),
        Index("ix_payments_payment_subject", "subject"),
        Index("ix_payments_payment_person_id", "person_id", "id"),
        Index(
            "ix_payments_payment_ask_next_at", "ask_next_at",
            postgresql_where=text("state IN ('created', 'awaiting', 'closing')"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(48))
    matter: Mapped[Ref]
    person_id: Mapped[Ref]
    payee: Mapped[Ref]
    channel: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[FenColumn]
    settles: Mapped[bool] = mapped_column(default=False)
    unwanted: Mapped[bool] = mapped_column(default=False)
    ticket: Mapped[str | None] = mapped_column(String(128))
    reference: Mapped[str | None] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(Integer, default=0)
    asked_at: Mapped[datetime | None]
    ask_next_at: Mapped[datetime]

    @classmethod
    def opened(cls, *, opened_at: datetime, expires_at: datetime, ask_next_at: datetime) -> "Payment":
        """A new row with its id and number."""
        public_id = ids.new_id("pay")
        return cls(
            id=public_id, number=number_of(public_id), settles=False, unwanted=False, asked=0,
            opened_at=opened_at, expires_at=expires_at, ask_next_at=ask_next_at,
        )  # fmt: skip


class Refund(Base):
    """One way back of money. `owed` tells that the payer never owed it: late money, or paid twice."""

    __tablename__ = "payments_refund"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_payments_refund_payment_id", "payment_id"),
        Index(
            "ix_payments_refund_ask_next_at", "ask_next_at",
            postgresql_where=text("state IN ('requested', 'sent')"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(32), unique=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments_payment.id"))
    state: Mapped[str] = mapped_column(String(20))
    matter: Mapped[Ref]
    amount_fen: Mapped[FenColumn]
    owed: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(80))
    failure: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(String(64))
    requested_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(Integer, default=0)
    ask_next_at: Mapped[datetime]


class LedgerEntry(Base):
    """One side of a movement; debit is positive, credit negative, and a movement's sides add up to nothing.

    Nobody updates or deletes an entry: a mistake is put right by another movement.
    """

    __tablename__ = "payments_ledger_entry"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount"),
        Index("uq_payments_ledger_entry_movement", "movement", "account", unique=True),
        Index("ix_payments_ledger_entry_account", "account"),
        Index("ix_payments_ledger_entry_payment_id", "payment_id"),
    )

    id: Mapped[int] = mapped_column(Big, Identity(always=True), primary_key=True)
    movement: Mapped[str] = mapped_column(String(60))
    account: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[FenColumn]
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments_payment.id"))
    matter: Mapped[Ref]
    entered_at: Mapped[datetime]


class Receipt(Base):
    """Proof for the payer: code (8 digits), number (10), check code (6). Void once all money went back."""

    __tablename__ = "payments_receipt"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (Index("uq_payments_receipt_payment_id", "payment_id", unique=True),)

    id: Mapped[Id]
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments_payment.id"))
    serial: Mapped[int] = mapped_column(Big, Identity(always=True))
    code: Mapped[str] = mapped_column(String(8))
    check_code: Mapped[str] = mapped_column(String(6))
    payee: Mapped[Ref]
    title: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[FenColumn]
    issued_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
