"""The hall: queue numbers of those who are there, with an appointment or without."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Id


class TicketRow(Base):
    """A queue number of a day in a window group.

    `starts_at` is the appointment's time; empty for a walk-in, and for who came when the appointment was over.
    `called_at` begins this turn at a window, `spoken_at` is when the number was last called out, `passed_at` when
    it last had to step back, `calls` how often it was called out in this group. `item_id` is what a walk-in came for,
    where it was said; `beyond`: the places for walk-ins were gone, and the site let them queue all the same.
    """

    __tablename__ = "booking_ticket"
    __retention__ = "2 years after its day"
    __table_args__ = (
        # Not the number in its group: whoever is sent to another group keeps the label in their hand.
        Index("uq_booking_ticket_label", "site_id", "day", "label", unique=True),
        Index(
            "uq_booking_ticket_booking", "booking_id",
            unique=True, postgresql_where=text("state IN ('waiting', 'called')"),
        ),
        Index("ix_booking_ticket_waiting", "group_id", "day", postgresql_where=text("state = 'waiting'")),
        Index(
            "uq_booking_ticket_window", "window_id", unique=True, postgresql_where=text("state = 'called'")
        ),
    )  # fmt: skip

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    group_id: Mapped[str] = mapped_column(ForeignKey("booking_window_group.id"))
    day: Mapped[date] = mapped_column(Date)
    number: Mapped[int] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(8))
    booking_id: Mapped[str | None] = mapped_column(String(40))
    person_id: Mapped[str | None] = mapped_column(String(40))
    item_id: Mapped[str | None] = mapped_column(String(40))
    beyond: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    starts_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(20))
    window_id: Mapped[str | None] = mapped_column(String(40))
    taken_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    spoken_at: Mapped[datetime | None]
    passed_at: Mapped[datetime | None]
    calls: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    ended_at: Mapped[datetime | None]

    @property
    def matter(self) -> str:
        return self.id


class TicketCount(Base):
    """The last number given out in a group on a day."""

    __tablename__ = "booking_ticket_count"
    __retention__ = "2 years after its day"

    group_id: Mapped[str] = mapped_column(ForeignKey("booking_window_group.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)
