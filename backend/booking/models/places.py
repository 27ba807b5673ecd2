"""Sites, slots, places and bookings.

Capacity is a set of place rows, not a number that is checked: a place holds one booking or none, so PostgreSQL
itself cannot oversell, and people who want the same slot take different rows instead of queueing for one.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, Id, Ref

_LIVE = text("state IN ('held', 'confirmed', 'checked_in', 'called')")


class SiteRow(Base):
    """A hall, an exam site, a postal point; from `hours_set_at` on its hours are those its department has set."""

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
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    phone: Mapped[str] = mapped_column(String(30), default="", server_default="")
    hours_set_at: Mapped[datetime | None]


class SlotRow(Base):
    """A span of time at a site for one item (and one subject of an exam).

    A closed slot (`closed_at`) takes nobody; its bookings have been offered other times. `release_id` names the
    release that gives its places out, if they are not simply first come, first served.
    """

    __tablename__ = "booking_slot"
    __retention__ = "2 years after its day"
    __table_args__ = (
        # One span each; beside it there may be one for urgent cases (HN-06).
        Index(
            "uq_booking_slot_span",
            "site_id",
            "item_id",
            "subject",
            "group_id",
            "starts_at",
            "urgent",
            unique=True,
        ),
        Index("ix_booking_slot_item", "item_id", "starts_at"),
        Index("ix_booking_slot_site", "site_id", "starts_at"),
        Index("ix_booking_slot_closed", "starts_at", postgresql_where=text("closed_at IS NOT NULL")),
    )

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    group_id: Mapped[str] = mapped_column(String(40), default="", server_default="")
    pattern_id: Mapped[str | None] = mapped_column(String(40))
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime]
    capacity: Mapped[int] = mapped_column(Integer)
    cancel_before_hours: Mapped[float] = mapped_column(Float)
    urgent: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str] = mapped_column(Text, default="", server_default="")
    release_id: Mapped[str | None] = mapped_column(String(40), index=True)


class PlaceRow(Base):
    """One place of a slot; `booking_id` is empty while it is free.

    Places of the window's own go to queue numbers instead (`ticket_id`): whoever walks in takes one of them.

    Quotas are kinds of places: `open` for everybody, `elder` kept for the elderly until shortly before, `walk_in`
    kept for the window's own. A booking of several people has several rows; one that is being moved has rows in
    both slots until the new ones are sure. A place freed while somebody waits for it is `kept`: nobody takes it
    until it was offered to those who wait, or let go because it suits none of them.
    """

    __tablename__ = "booking_place"
    __retention__ = "2 years after its day"
    __table_args__ = (
        Index("ix_booking_place_free", "slot_id", "number", postgresql_where=text("booking_id IS NULL")),
        Index("ix_booking_place_booking", "booking_id", postgresql_where=text("booking_id IS NOT NULL")),
        Index("ix_booking_place_kept", "slot_id", postgresql_where=text("kept")),
        Index(
            "uq_booking_place_ticket",
            "ticket_id",
            unique=True,
            postgresql_where=text("ticket_id IS NOT NULL"),
        ),
        CheckConstraint("NOT kept OR booking_id IS NULL", name="kept_is_free"),
        CheckConstraint(
            "ticket_id IS NULL OR (kind = 'walk_in' AND booking_id IS NULL)", name="walk_in_has_a_ticket"
        ),
    )

    slot_id: Mapped[str] = mapped_column(ForeignKey("booking_slot.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), default="open", server_default="open")
    booking_id: Mapped[str | None] = mapped_column(String(40))
    ticket_id: Mapped[str | None] = mapped_column(String(40))
    kept: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))


class BookingRow(Base):
    """An appointment of one person, with the people who come along. Its matter is its case, or itself.

    `day` is the day of its slot in Shanghai: the rules count by it. `moving_to` is the slot to which it is being
    moved: its places there are held until `moving_until`, those in `slot_id` are kept until the move is sure. Until
    then the rules count it on `moving_day` too. `displaced_from` is the slot whose closing (at `displaced_at`) its
    person was told of, `displaced_to` the slot that was held for them instead, empty while there is none. `excused`:
    cancelled by the window for somebody who phoned, and never held against them. Wrong codes and wrong ID tails at
    check-in are counted apart, each from its `..._tried_at` on. `identity_checked_at`: when a window compared the ID
    card with the booking; nobody is served before. `urgency_accepted_at`: when the site saw the evidence for an hour
    outside the usual ones, and found it good. `cancelled_why`: what its person is told, where we ended it.
    """

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
        Index("ix_booking_booking_moving", "moving_until", postgresql_where=text("moving_to IS NOT NULL")),
        Index("ix_booking_booking_device", "device", "made_at", postgresql_where=text("device IS NOT NULL")),
        Index(
            "ix_booking_booking_displaced",
            "displaced_from",
            postgresql_where=text("displaced_from IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    slot_id: Mapped[str] = mapped_column(ForeignKey("booking_slot.id"))
    person_id: Mapped[Ref]
    case_id: Mapped[str | None] = mapped_column(String(40))
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="")
    day: Mapped[date]
    state: Mapped[str] = mapped_column(String(20))
    party: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    companions: Mapped[bytes | None] = mapped_column(LargeBinary)
    origin: Mapped[str] = mapped_column(String(20), default="direct", server_default="direct")
    made_at: Mapped[datetime]
    held_until: Mapped[datetime]
    moving_to: Mapped[str | None] = mapped_column(String(40))
    moving_until: Mapped[datetime | None]
    moving_day: Mapped[date | None]
    displaced_from: Mapped[str | None] = mapped_column(String(40))
    displaced_to: Mapped[str | None] = mapped_column(String(40))
    displaced_at: Mapped[datetime | None]
    moves: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    device: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    urgent_reason: Mapped[str] = mapped_column(String(40), default="", server_default="")
    urgent_evidence: Mapped[list[Any] | None]
    urgency_accepted_at: Mapped[datetime | None]
    excused: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    check_in_tries: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    check_in_tried_at: Mapped[datetime | None]
    tail_tries: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    tail_tried_at: Mapped[datetime | None]
    cancelled_why: Mapped[str] = mapped_column(Text, default="", server_default="")
    checked_in_at: Mapped[datetime | None]
    identity_checked_at: Mapped[datetime | None]

    @property
    def matter(self) -> str:
        return self.case_id or self.id


COMPANIONS = rotation.sealed("booking_booking", "companions", place="booking_booking.companions")
