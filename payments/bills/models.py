"""Nouns of bills (缴款通知): what a department demands, who has found it, and how often strangers guessed."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, Blind, FenColumn, Id, Ref, Sealed
from payments.models import MAX_FEN

FEE, FINE = "fee", "fine"
FACTOR = rotation.sealed("payments_bill", "factor", place="payments_bill.factor").place
BANK_ACCOUNT = rotation.sealed(
    "payments_payee", "bank_account", place="payments_payee.bank_account", key="department_id"
).place
_PAYER = rotation.sealed("payments_bill", "payer", place="payments_bill.payer")
PAYER = rotation.blind("payments_bill", "payer_blind", of=_PAYER, place=_PAYER.place).place
LINK_CODE = "payments_pay_link.code"
"""Blind only: a link is over before a change of keys is."""


class Bill(Base):
    """One payment notice. Its timeline is the journal of its own id.

    `principal_fen` is the sum of its items' fees. `overdue_fen` (滞纳金) stood on it when it was issued; from the day
    after `due_on` it grows by `overdue_ppm` millionths of the principal a day. What was paid is frozen in `paid_…`.
    `payer`: the identity number the department named, if it did; its owner sees the bill without looking it up.
    """

    __tablename__ = "payments_bill"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint(f"principal_fen BETWEEN 1 AND {MAX_FEN}", name="principal"),
        CheckConstraint("overdue_fen >= 0", name="overdue"),
        CheckConstraint("overdue_ppm BETWEEN 0 AND 100000", name="overdue_rate"),
        CheckConstraint("notice_no ~ '^([0-9]{16}|[0-9]{20})$'", name="notice_no"),
        Index("ix_payments_bill_department_id", "department_id", "id"),
        Index("ix_payments_bill_payer_blind", "payer_blind", "id"),
        Index(
            "ix_payments_bill_due_on",
            "due_on",
            postgresql_where=text("state = 'due' AND payer_blind IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    notice_no: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(8))
    executing_unit: Mapped[str] = mapped_column(String(80))
    unit_code: Mapped[str] = mapped_column(String(30), default="", server_default="")
    region_code: Mapped[str] = mapped_column(String(12))
    department_id: Mapped[Ref]
    item: Mapped[str] = mapped_column(String(80))
    principal_fen: Mapped[FenColumn]
    overdue_fen: Mapped[FenColumn]
    overdue_ppm: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    paid_overdue_fen: Mapped[int | None] = mapped_column(BigInteger)
    paid_penalty_fen: Mapped[int | None] = mapped_column(BigInteger)
    issued_on: Mapped[date]
    due_on: Mapped[date]
    factor: Mapped[Sealed]
    payer: Mapped[Sealed | None]
    payer_blind: Mapped[Blind | None]
    window_name: Mapped[str] = mapped_column(String(80))
    window_address: Mapped[str] = mapped_column(String(120))
    window_handled_at: Mapped[datetime | None]
    issued_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id


class BillItem(Base):
    """One line of a bill: what is charged under which code of the fee catalogue."""

    __tablename__ = "payments_bill_item"
    __retention__ = "as long as the bill"
    __table_args__ = (CheckConstraint("fee_fen > 0", name="fee"),)

    bill_id: Mapped[str] = mapped_column(ForeignKey("payments_bill.id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(30))
    name: Mapped[str] = mapped_column(String(80))
    fee_fen: Mapped[FenColumn]


class Payee(Base):
    """An executing unit (执收单位) that may receive money, and where the channel pays it out to.

    `purse`: "treasury" for non-tax income, which nobody but the finance office gives back once it is settled; "own" for
    a unit's own takings. Without a row a department's money is the treasury's.
    """

    __tablename__ = "payments_payee"
    __retention__ = "as long as the department, then 10 years: accounting rules"
    __table_args__ = (CheckConstraint("purse IN ('treasury', 'own')", name="purse"),)

    department_id: Mapped[Id]
    unit_code: Mapped[str] = mapped_column(String(30), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    region_code: Mapped[str] = mapped_column(String(12))
    purse: Mapped[str] = mapped_column(String(8))
    bank_name: Mapped[str] = mapped_column(String(80))
    bank_account: Mapped[Sealed]
    active: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime]


class PayLink(Base):
    """Somebody who owes money lets somebody else pay it (代付): a code that is handed on, good until its time."""

    __tablename__ = "payments_pay_link"
    __retention__ = "90 days after its end"
    __table_args__ = (Index("ix_payments_pay_link_owner_id", "owner_id", "subject"),)

    id: Mapped[Id]
    subject: Mapped[str] = mapped_column(String(48))
    owner_id: Mapped[Ref]
    code_blind: Mapped[Blind] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class BillReader(Base):
    """Somebody who proved to know the second factor, and may therefore see and pay the bill."""

    __tablename__ = "payments_bill_reader"
    __retention__ = "as long as the bill"
    __table_args__ = (Index("ix_payments_bill_reader_person_id", "person_id", "bill_id"),)

    bill_id: Mapped[str] = mapped_column(ForeignKey("payments_bill.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    found_at: Mapped[datetime]


class BillReminder(Base):
    """One reminder of a bill and kind was told, by this key; a bill that gets another last day is reminded anew."""

    __tablename__ = "payments_bill_reminder"
    __retention__ = "as long as the bill"

    bill_id: Mapped[str] = mapped_column(ForeignKey("payments_bill.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    told_at: Mapped[datetime]


class LookupTally(Base):
    """Failed lookups within the hour (real time) of a person, an address, a number, or a person at a number."""

    __tablename__ = "payments_lookup_tally"
    __retention__ = "1 day"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime]
