"""Tables of the house of cases. What lists and deadlines need are columns, changed in the unit of the move.

Each date `<name>` stands beside `<name>_provisional`: true while it reaches into a year without a calendar.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, FenColumn, Id, Ref, Sealed

_TRUE, _FALSE, _ZERO, _ONE, _NONE = text("true"), text("false"), text("0"), text("1"), text("'none'")
PROVISIONAL_COLUMNS = (
    "pre_review_due_at",
    "deemed_acceptance_on",
    "correction_due_on",
    "promised_on",
    "legal_on",
    "delivery_due_on",
)
_ANY_PROVISIONAL = " OR ".join(f"{name}_provisional" for name in PROVISIONAL_COLUMNS)


class Case(Base):
    """办件: one matter of one citizen, under one version of one service item."""

    __tablename__ = "cases_case"
    __retention__ = "case file: archive rules"
    __table_args__ = (
        Index("ix_cases_case_person", "person_id", "id"),
        Index("ix_cases_case_queue", "department_id", "state", "id"),
        Index(
            "ix_cases_case_due", "department_id", "due_on", "id", postgresql_where=text("due_on IS NOT NULL")
        ),
        Index(
            "ix_cases_case_deemed",
            "deemed_acceptance_on",
            postgresql_where=text("deemed_acceptance_on IS NOT NULL"),
        ),
        Index("ix_cases_case_lapse", "correction_due_on", postgresql_where=text("state = 'correcting'")),
        Index("ix_cases_case_pre_review", "pre_review_due_at", postgresql_where=text("state = 'submitted'")),
        Index("ix_cases_case_provisional", "id", postgresql_where=text(_ANY_PROVISIONAL)),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(16), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[Ref]
    item_id: Mapped[Ref]
    item_version_id: Mapped[Ref]
    item_name: Mapped[str] = mapped_column(String(200))
    department_id: Mapped[Ref]
    region_code: Mapped[str] = mapped_column(String(12))
    channel: Mapped[str] = mapped_column(String(10))
    delivery: Mapped[str] = mapped_column(String(12))
    address_id: Mapped[str | None] = mapped_column(String(40))
    form_sealed: Mapped[Sealed]
    originals: Mapped[str] = mapped_column(String(12), server_default=_NONE)
    visit: Mapped[str] = mapped_column(String(12), server_default=_NONE)
    holder: Mapped[str] = mapped_column(String(12))
    result_sent: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    round: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    submitted_at: Mapped[datetime]
    received_at: Mapped[datetime]
    asked_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    decided_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    deemed: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    extended_by: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    paused_days: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    fee_state: Mapped[str] = mapped_column(String(10), server_default=_NONE)
    fee_fen: Mapped[FenColumn] = mapped_column(server_default=_ZERO)
    fee_lines: Mapped[list[Any] | None]
    fee_payment_id: Mapped[str | None] = mapped_column(String(40))
    due_on: Mapped[date | None]
    days_early: Mapped[int | None] = mapped_column(Integer)
    pre_review_due_at: Mapped[datetime | None]
    pre_review_due_at_provisional: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    pre_review_warned: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    deemed_acceptance_on: Mapped[date | None]
    deemed_acceptance_on_provisional: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    correction_due_on: Mapped[date | None]
    correction_due_on_provisional: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    promised_on: Mapped[date | None]
    promised_on_provisional: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    legal_on: Mapped[date | None]
    legal_on_provisional: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)
    delivery_due_on: Mapped[date | None]
    delivery_due_on_provisional: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)

    @property
    def matter(self) -> str:
        return self.id


class Material(Base):
    """One material of the guide as it was given; a corrected one is a new row of a later round."""

    __tablename__ = "cases_material"
    __retention__ = "with its case"
    __table_args__ = (UniqueConstraint("case_id", "code", "round"),)

    id: Mapped[Id]
    case_id: Mapped[Ref] = mapped_column(ForeignKey("cases_case.id"))
    code: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    mode: Mapped[str] = mapped_column(String(10))
    copies: Mapped[int] = mapped_column(Integer, server_default=_ONE)
    round: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    state: Mapped[str] = mapped_column(String(12))


class Upload(Base):
    """A checked file. The bytes lie encrypted in the storage; only the sealed key here opens them."""

    __tablename__ = "cases_upload"
    __retention__ = "unused: 24 hours; evidence of an urgent visit: 30 days after it; used: with its case"
    __table_args__ = (
        Index("ix_cases_upload_purge", "purge_at", postgresql_where=text("purge_at IS NOT NULL")),
        Index("ix_cases_upload_material_id", "material_id"),
        Index("ix_cases_upload_owner_id", "owner_id"),
    )

    id: Mapped[Id]
    owner_id: Mapped[Ref]
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(Integer)
    pages: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes]
    key_sealed: Mapped[Sealed]
    uploaded_at: Mapped[datetime]
    purge_at: Mapped[datetime | None]
    material_id: Mapped[str | None] = mapped_column(ForeignKey("cases_material.id"))
    result_of: Mapped[str | None] = mapped_column(ForeignKey("cases_case.id"))


class Correction(Base):
    """补正通知: one consolidated notice. `closed_at` is set by the answer or by the lapse of its term."""

    __tablename__ = "cases_correction"
    __retention__ = "with its case"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        Index("uq_cases_correction_open", "case_id", unique=True, postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[Id]
    case_id: Mapped[Ref] = mapped_column(ForeignKey("cases_case.id"))
    round: Mapped[int] = mapped_column(Integer)
    points_sealed: Mapped[Sealed]
    asked_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    answered: Mapped[bool] = mapped_column(Boolean, server_default=_FALSE)


class PauseRow(Base):
    """特别程序: the days of one special procedure. The applicant was told how long it would take."""

    __tablename__ = "cases_pause"
    __retention__ = "with its case"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases_case.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    procedure: Mapped[str] = mapped_column(String(60))
    told_days: Mapped[int] = mapped_column(Integer)
    started_on: Mapped[date]
    ended_on: Mapped[date | None]


class Result(Base):
    """The outcome: document numbers (sealed) and, where there is one, the file."""

    __tablename__ = "cases_result"
    __retention__ = "with its case"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases_case.id"), primary_key=True)
    numbers_sealed: Mapped[Sealed]
    upload_id: Mapped[str | None] = mapped_column(ForeignKey("cases_upload.id"))
    recorded_at: Mapped[datetime]


FORM = rotation.sealed("cases_case", "form_sealed", place="cases_case.form_sealed")
POINTS = rotation.sealed("cases_correction", "points_sealed", place="cases_correction.points_sealed")
UPLOAD_KEY = rotation.sealed("cases_upload", "key_sealed", place="cases_upload.key_sealed")
NUMBERS = rotation.sealed(
    "cases_result", "numbers_sealed", place="cases_result.numbers_sealed", key="case_id"
)
