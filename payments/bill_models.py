"""Nouns of bills (缴款通知): what a department demands, who has found it, and how often strangers guessed."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, FenColumn, Id, Ref, Sealed
from payments.models import MAX_FEN

FEE, FINE = "fee", "fine"
FACTOR = rotation.sealed("payments_bill", "factor", place="payments_bill.factor").place


class Bill(Base):
    """One payment notice. Its timeline is the journal of its own id."""

    __tablename__ = "payments_bill"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint(f"principal_fen BETWEEN 1 AND {MAX_FEN}", name="principal"),
        CheckConstraint("overdue_fen >= 0", name="overdue"),
        CheckConstraint("notice_no ~ '^[0-9]{20}$'", name="notice_no"),
        Index("ix_payments_bill_department_id", "department_id", "id"),
    )

    id: Mapped[Id]
    notice_no: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(8))
    executing_unit: Mapped[str] = mapped_column(String(80))
    region_code: Mapped[str] = mapped_column(String(12))
    department_id: Mapped[Ref]
    item: Mapped[str] = mapped_column(String(80))
    principal_fen: Mapped[FenColumn]
    overdue_fen: Mapped[FenColumn]
    issued_on: Mapped[date]
    due_on: Mapped[date]
    factor: Mapped[Sealed]
    window_name: Mapped[str] = mapped_column(String(80))
    window_address: Mapped[str] = mapped_column(String(120))
    window_handled_at: Mapped[datetime | None]
    issued_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id


class BillReader(Base):
    """Somebody who proved to know the second factor, and may therefore see and pay the bill."""

    __tablename__ = "payments_bill_reader"
    __retention__ = "as long as the bill"
    __table_args__ = (Index("ix_payments_bill_reader_person_id", "person_id", "bill_id"),)

    bill_id: Mapped[str] = mapped_column(ForeignKey("payments_bill.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    found_at: Mapped[datetime]


class LookupTally(Base):
    """Failed lookups within the hour (real time) of a person, an address, a number, or a person at a number."""

    __tablename__ = "payments_lookup_tally"
    __retention__ = "1 day"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime]
