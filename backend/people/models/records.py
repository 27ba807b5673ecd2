"""Small books beside the register: codes sent by SMS, tries counted, platforms' answers, and who looked at whom."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Blind, Ref


class Code(Base):
    """The one code a phone may use for a purpose; a newer one takes its place. Times are real time."""

    __tablename__ = "people_code"
    __retention__: ClassVar[str] = "1 day"
    __table_args__ = (Index("ix_people_code_good_until", "good_until"),)

    purpose: Mapped[str] = mapped_column(String(20), primary_key=True)
    phone_blind: Mapped[Blind] = mapped_column(LargeBinary(32), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    good_until: Mapped[datetime]
    tries: Mapped[int]
    spent_at: Mapped[datetime | None]


class Tally(Base):
    """How often something was tried in the running window. Business time: a moved clock opens a new window."""

    __tablename__ = "people_tally"
    __retention__: ClassVar[str] = "2 days"
    __table_args__ = (Index("ix_people_tally_opened_at", "opened_at"),)

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int]
    opened_at: Mapped[datetime]


class PhoneAnswer(Base):
    """A platform's signed answer about a phone, and the account that brought it first; both as keyed digests."""

    __tablename__ = "people_phone_answer"
    __retention__: ClassVar[str] = "90 days after it was last shown"
    __table_args__ = (Index("ix_people_phone_answer_heard_at", "heard_at"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account: Mapped[bytes] = mapped_column(LargeBinary(32))
    heard_at: Mapped[datetime]


class AccessLook(Base):
    """Somebody looked at a person's details. Append-only; the person reads it; partitioned by month."""

    __tablename__ = "people_access_log"
    __retention__: ClassVar[str] = "3 years, by partition"
    __table_args__ = (
        Index("ix_people_access_log_person", "person_id", "id"),
        {"postgresql_partition_by": "RANGE (looked_at)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    looked_at: Mapped[datetime] = mapped_column(primary_key=True)
    person_id: Mapped[Ref]
    viewer_kind: Mapped[str] = mapped_column(String(12))
    viewer_id: Mapped[Ref]
    viewer_label: Mapped[str] = mapped_column(String(60))
    session_id: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(80))
    matter: Mapped[str] = mapped_column(String(40))
