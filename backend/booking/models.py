"""Rows of the booking office.

Capacity is a set of place rows, not a number that is checked: a place holds one booking or none, so PostgreSQL
itself cannot oversell, and people who want the same slot take different rows instead of queueing for one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, Id, Ref, Sealed

_LIVE = text("state IN ('held', 'confirmed', 'checked_in')")


class SiteRow(Base):
    """A hall, an exam site, a service point."""

    __tablename__ = "booking_site"
    __retention__ = "as long as the site exists"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    department_id: Mapped[Ref]
    region_code: Mapped[Ref]
    address: Mapped[str] = mapped_column(Text)
    hours: Mapped[list[Any]]
    item_ids: Mapped[list[Any]]


class SlotRow(Base):
    """A span of time at a site for one item (and one subject of an exam)."""

    __tablename__ = "booking_slot"
    __retention__ = "2 years after its day"
    __table_args__ = (
        UniqueConstraint("site_id", "item_id", "subject", "starts_at"),
        Index("ix_booking_slot_item", "item_id", "starts_at"),
    )

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    capacity: Mapped[int] = mapped_column(Integer)
    cancel_before_hours: Mapped[int] = mapped_column(Integer)


class PlaceRow(Base):
    """One place of a slot; `booking_id` is empty while it is free."""

    __tablename__ = "booking_place"
    __retention__ = "2 years after its day"
    __table_args__ = (
        Index("ix_booking_place_free", "slot_id", "number", postgresql_where=text("booking_id IS NULL")),
    )

    slot_id: Mapped[str] = mapped_column(ForeignKey("booking_slot.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    booking_id: Mapped[str | None] = mapped_column(String(40), unique=True)


class BookingRow(Base):
    """An appointment. Its matter is the case it belongs to, or itself where there is none."""

    __tablename__ = "booking_booking"
    __retention__ = "2 years after its day"
    __table_args__ = (
        Index(
            "uq_booking_booking_person_item",
            "person_id",
            "item_id",
            "subject",
            unique=True,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_booking_booking_case",
            "case_id",
            unique=True,
            postgresql_where=text(f"case_id IS NOT NULL AND {_LIVE}"),
        ),
        Index("ix_booking_booking_person", "person_id", "id"),
        Index("ix_booking_booking_slot", "slot_id"),
        Index("ix_booking_booking_held", "held_until", postgresql_where=text("state = 'held'")),
    )

    id: Mapped[Id]
    slot_id: Mapped[str] = mapped_column(ForeignKey("booking_slot.id"))
    person_id: Mapped[Ref]
    case_id: Mapped[str | None] = mapped_column(String(40))
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="")
    state: Mapped[str] = mapped_column(String(20))
    held_until: Mapped[datetime]
    check_in_code: Mapped[Sealed]
    check_in_tries: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))

    @property
    def matter(self) -> str:
        return self.case_id or self.id


CODE = rotation.sealed("booking_booking", "check_in_code", place="booking_booking.check_in_code")
