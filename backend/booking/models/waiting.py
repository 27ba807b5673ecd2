"""Waiting for a place, and being reminded of one."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, Id, Ref


class WaitRow(Base):
    """Somebody waits for a place of an item; an offer is a held booking of their own (`booking_id`).

    `party` places are wanted in one slot, for the person and their `companions` (sealed as in a booking).
    `offers` counts those of the business day `offers_on`, the last on which there was one.
    `instead_of` is the appointment in a closed slot for which nothing was found: those who wait for it come first.
    """

    __tablename__ = "booking_wait"
    __retention__ = "1 year after it ended"
    __table_args__ = (
        Index(
            "uq_booking_wait_person", "person_id", "item_id", "subject",
            unique=True, postgresql_where=text("state IN ('waiting', 'offered')"),
        ),
        Index("ix_booking_wait_next", "item_id", "subject", "since", postgresql_where=text("state = 'waiting'")),
        Index("uq_booking_wait_booking", "booking_id", unique=True),
        Index("ix_booking_wait_offers", "person_id", "offers_on", postgresql_where=text("offers_on IS NOT NULL")),
        Index("ix_booking_wait_instead", "instead_of", postgresql_where=text("instead_of IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    person_id: Mapped[Ref]
    case_id: Mapped[str | None] = mapped_column(String(40))
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="", server_default="")
    site_id: Mapped[str | None] = mapped_column(String(40))
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime]
    booking_id: Mapped[str | None] = mapped_column(String(40))
    offers_on: Mapped[date | None] = mapped_column(Date)
    offers: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    party: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    companions: Mapped[bytes | None] = mapped_column(LargeBinary)
    instead_of: Mapped[str | None] = mapped_column(String(40))

    @property
    def matter(self) -> str:
        return self.id


class GatheringRow(Base):
    """Until when the places freed in a slot gather for a family that waits: once for each family and slot."""

    __tablename__ = "booking_gathering"
    __retention__ = "as long as the wait"

    wait_id: Mapped[str] = mapped_column(ForeignKey("booking_wait.id"), primary_key=True)
    slot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    until: Mapped[datetime]


class ReminderRow(Base):
    """One reminder per appointment and kind, by this key; it dies with its appointment or its time."""

    __tablename__ = "booking_reminder"
    __retention__ = "2 years after the day"
    __table_args__ = (Index("ix_booking_reminder_due", "due_at", postgresql_where=text("state = 'waiting'")),)

    booking_id: Mapped[str] = mapped_column(ForeignKey("booking_booking.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    slot_id: Mapped[Ref]
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime]
    not_after: Mapped[datetime]
    told_at: Mapped[datetime | None]


WAITING_COMPANIONS = rotation.sealed("booking_wait", "companions", place="booking_wait.companions")
