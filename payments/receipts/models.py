"""Nouns of receipts: what the payer holds in hand, and what the finance office's receipt system knows of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, FenColumn, Id, Ref, Sealed

PAYER = rotation.sealed("payments_receipt", "payer", place="payments_receipt.payer").place


class Receipt(Base):
    """Proof for the payer: code (8 digits), number (10), check code (6), given by the receipt system.

    It is wanted as soon as money settles something, issued when the receipt system has answered, and void once money
    went back; if some is left, the next `edition` is about the rest (冲红重开). The owner is who owed the money.
    `proof` is what its QR code carries: whoever holds it may verify the receipt. The id names the request, so that
    the receipt system gives one receipt however often it is asked. `payer`, `unit_…` and `region_code` are frozen
    when it is asked for the first time.
    """

    __tablename__ = "payments_receipt"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        Index("uq_payments_receipt_edition", "payment_id", "edition", unique=True),
        Index("ix_payments_receipt_owner_id", "owner_id", "id"),
        Index("uq_payments_receipt_proof", "proof", unique=True),
        Index("uq_payments_receipt_number", "code", "number", unique=True),
        Index(
            "ix_payments_receipt_ask_next_at",
            "ask_next_at",
            postgresql_where=text("state IN ('wanted', 'voiding')"),
        ),
    )

    id: Mapped[Id]
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments_payment.id"))
    owner_id: Mapped[Ref]
    edition: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    state: Mapped[str] = mapped_column(String(20))
    matter: Mapped[Ref]
    code: Mapped[str | None] = mapped_column(String(8))
    number: Mapped[str | None] = mapped_column(String(10))
    check_code: Mapped[str | None] = mapped_column(String(6))
    proof: Mapped[str] = mapped_column(String(64))
    payee: Mapped[Ref]
    payer: Mapped[Sealed | None]
    unit_code: Mapped[str | None] = mapped_column(String(30))
    unit_name: Mapped[str | None] = mapped_column(String(80))
    region_code: Mapped[str | None] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[FenColumn]
    wanted_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    reference: Mapped[str | None] = mapped_column(String(64))
    failure: Mapped[str | None] = mapped_column(Text)
    asked: Mapped[int] = mapped_column(Integer, default=0)
    ask_next_at: Mapped[datetime]
