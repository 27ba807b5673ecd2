"""Citizens: one person behind several channels, what they agreed to, where they live, and for whom they may act.

Names, numbers and places are sealed; blind columns find them by exact value.
"""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Blind, Id, Sealed

LEVELS = {"visitor": 0, "reachable": 1, "verified": 2, "joined": 0}


class Person(Base):
    """A natural person. A row that turned out to be somebody already known points to that one (`joined_to`)."""

    __tablename__ = "people_person"
    __retention__: ClassVar[str] = "until deletion is asked for and no case forbids it; joined rows 3 years"
    __table_args__ = (
        Index("ix_people_person_phone_blind", "phone_blind"),
        Index("ix_people_person_name_blind", "name_blind"),
        Index("ix_people_person_tail_blind", "tail_blind"),
        CheckConstraint("(state = 'verified') <= (number_blind IS NOT NULL)", name="verified_has_number"),
    )

    id: Mapped[Id]
    state: Mapped[str] = mapped_column(String(20))
    name: Mapped[Sealed | None]
    id_no: Mapped[Sealed | None]
    phone: Mapped[Sealed | None]
    tail: Mapped[Sealed | None]
    number_blind: Mapped[Blind | None] = mapped_column(unique=True)
    phone_blind: Mapped[Blind | None]
    name_blind: Mapped[Blind | None]
    tail_blind: Mapped[Blind | None]
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[str | None] = mapped_column(String(12))
    joined_to: Mapped[str | None] = mapped_column(ForeignKey("people_person.id"))
    elder_mode: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    push_off: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id

    @property
    def level(self) -> int:
        """Real-name level: 0 none, 1 phone proven, 2 verified by the authority."""
        return LEVELS[self.state]


class Channel(Base):
    """A way in: a platform account or a proven phone. One outside id opens exactly one person."""

    __tablename__ = "people_channel"
    __retention__: ClassVar[str] = "as long as the person"
    __table_args__ = (
        Index("uq_people_channel_outside", "channel", "outside_blind", unique=True),
        Index(
            "uq_people_channel_one_phone",
            "person_id",
            unique=True,
            postgresql_where=text("channel = 'phone'"),
        ),
        Index("ix_people_channel_person_id", "person_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[str] = mapped_column(ForeignKey("people_person.id"))
    channel: Mapped[str] = mapped_column(String(10))
    outside_id: Mapped[Sealed]
    outside_blind: Mapped[Blind]
    linked_at: Mapped[datetime]
    used_at: Mapped[datetime]


class Consent(Base):
    """What was agreed to: the text's version and digest, when, and through which channel."""

    __tablename__ = "people_consent"
    __retention__: ClassVar[str] = "3 years after the person is deleted (proof of consent)"
    __table_args__ = (Index("uq_people_consent_once", "person_id", "scope", "version", unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people_person.id"))
    scope: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    given_at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(String(10))


class Address(Base):
    """An entry of the address book. Removed ones stay readable for matters that name them, and are purged later."""

    __tablename__ = "people_address"
    __retention__: ClassVar[str] = "1 year after removal"
    __table_args__ = (Index("ix_people_address_person_id", "person_id"),)

    id: Mapped[Id]
    person_id: Mapped[str] = mapped_column(ForeignKey("people_person.id"))
    name: Mapped[Sealed]
    phone: Mapped[Sealed]
    place: Mapped[Sealed]
    region_code: Mapped[str] = mapped_column(String(12))
    is_default: Mapped[bool]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Party(Base):
    """Whoever can be a party to a matter: a natural person of the register, or a legal person by credit code."""

    __tablename__ = "people_party"
    __retention__: ClassVar[str] = "as long as a matter names it"
    __table_args__ = (
        CheckConstraint("kind IN ('natural', 'legal')", name="kind"),
        CheckConstraint("(kind = 'natural') = (person_id IS NOT NULL)", name="natural_is_a_person"),
        CheckConstraint("(kind = 'legal') = (credit_code_blind IS NOT NULL)", name="legal_has_code"),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(8))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people_person.id"), unique=True)
    name: Mapped[Sealed | None]
    credit_code: Mapped[Sealed | None]
    credit_code_blind: Mapped[Blind | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Representation(Base):
    """Who may act for whom: legal representative, agent of a legal person, or relative."""

    __tablename__ = "people_representation"
    __retention__: ClassVar[str] = "3 years after it ends"
    __table_args__ = (
        CheckConstraint("kind IN ('representative', 'agent', 'relative')", name="kind"),
        Index("ix_people_representation_agent_id", "agent_id"),
    )

    id: Mapped[Id]
    party_id: Mapped[str] = mapped_column(ForeignKey("people_party.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("people_person.id"))
    kind: Mapped[str] = mapped_column(String(16))
    scope: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
