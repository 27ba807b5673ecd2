"""Staff with roles and scope, couriers, and departments' systems with their keys."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Blind, Id, Sealed


class Staff(Base):
    """An account of one civil servant. Two factors: an Argon2 password and one-time codes (TOTP)."""

    __tablename__ = "people_staff"
    __retention__: ClassVar[str] = "for ever: the journal names it"

    id: Mapped[Id]
    state: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[Sealed]
    department_id: Mapped[str | None] = mapped_column(String(40))
    department_name: Mapped[str] = mapped_column(String(60))
    region_code: Mapped[str | None] = mapped_column(String(12))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_set_at: Mapped[datetime | None]
    totp_secret: Mapped[Sealed | None]
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    enrolment_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    enrolment_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]

    @property
    def matter(self) -> str:
        return self.id


class StaffRole(Base):
    """A role and how far it reaches; no department or region means everywhere."""

    __tablename__ = "people_staff_role"
    __retention__: ClassVar[str] = "as long as the account"
    __table_args__ = (
        Index(
            "uq_people_staff_role_one_admin", "staff_id", unique=True,
            postgresql_where=text("role IN ('system_admin', 'security_admin', 'audit_admin')"),
        ),
    )  # fmt: skip

    staff_id: Mapped[str] = mapped_column(ForeignKey("people_staff.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    department_id: Mapped[str | None] = mapped_column(String(40))
    region_code: Mapped[str | None] = mapped_column(String(12))
    granted_at: Mapped[datetime]
    granted_by: Mapped[str] = mapped_column(String(40))


class PasswordRow(Base):
    """A former password's hash, so that the last five are not chosen again."""

    __tablename__ = "people_staff_password"
    __retention__: ClassVar[str] = "the last five of an account"
    __table_args__ = (Index("ix_people_staff_password_staff_id", "staff_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("people_staff.id"))
    hash: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime]


class Rider(Base):
    """A courier bound to a carrier (own riders) or to a postal point; logs in by phone and code."""

    __tablename__ = "people_rider"
    __retention__: ClassVar[str] = "3 years after the last parcel"

    id: Mapped[Id]
    state: Mapped[str] = mapped_column(String(20))
    name: Mapped[Sealed]
    phone: Mapped[Sealed]
    phone_blind: Mapped[Blind] = mapped_column(unique=True)
    carrier: Mapped[str] = mapped_column(String(20))
    point: Mapped[str] = mapped_column(String(60))
    region_code: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id


class System(Base):
    """A department's own system that speaks to us by signed requests."""

    __tablename__ = "people_system"
    __retention__: ClassVar[str] = "for ever: the journal names it"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60))
    department_id: Mapped[str] = mapped_column(String(40))
    region_code: Mapped[str | None] = mapped_column(String(12))
    created_at: Mapped[datetime]


class SystemKey(Base):
    """One key of a system. It opens once somebody other than its issuer has confirmed it.

    While a new one is brought in, the former still opens until `good_until`.
    """

    __tablename__ = "people_system_key"
    __retention__: ClassVar[str] = "3 years after it was disabled"
    __table_args__ = (Index("ix_people_system_key_system_id", "system_id"),)

    id: Mapped[Id]
    system_id: Mapped[str] = mapped_column(ForeignKey("people_system.id"))
    state: Mapped[str] = mapped_column(String(20))
    secret: Mapped[Sealed]
    issued_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    good_until: Mapped[datetime | None]

    @property
    def matter(self) -> str:
        return self.system_id


class Nonce(Base):
    """A nonce of a signed request, kept as long as its time stamp would still be believed."""

    __tablename__ = "people_nonce"
    __retention__: ClassVar[str] = "15 minutes"
    __table_args__ = (Index("ix_people_nonce_heard_at", "heard_at"),)

    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    heard_at: Mapped[datetime]
