"""What the department plans: window groups, windows, weekly patterns, exceptional days, and the rules of a site."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Id, Ref


class WindowGroupRow(Base):
    """Windows of a site that handle the same items and share one queue; `letter` begins its queue numbers."""

    __tablename__ = "booking_window_group"
    __retention__ = "as long as the site exists"
    __table_args__ = (
        Index("uq_booking_window_group_name", "site_id", "name", unique=True),
        Index("uq_booking_window_group_letter", "site_id", "letter", unique=True),
    )

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    name: Mapped[str] = mapped_column(String(40))
    letter: Mapped[str] = mapped_column(String(1))
    item_ids: Mapped[list[Any]]


class WindowRow(Base):
    """One window; at a window marked `booked_first` people with an appointment are called before walk-ins (HN-05).

    `open` is as planned. On the day `today_on` the clerks have the say: `today_open`.
    """

    __tablename__ = "booking_window"
    __retention__ = "as long as the site exists"
    __table_args__ = (Index("uq_booking_window_number", "site_id", "number", unique=True),)

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    group_id: Mapped[str] = mapped_column(ForeignKey("booking_window_group.id"))
    number: Mapped[int] = mapped_column(Integer)
    booked_first: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    open: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    today_on: Mapped[date | None] = mapped_column(Date)
    today_open: Mapped[bool | None] = mapped_column(Boolean)

    def is_open_on(self, day: date) -> bool:
        """Whether it serves on a day."""
        return bool(self.today_open) if self.today_on == day else self.open


class PatternRow(Base):
    """A weekly pattern that the working-day calendar turns into slots; days are ISO weekdays (1 Monday … 7 Sunday).

    A working weekend (调休) is worked like a Monday, see `rota`. Times are "HH:MM" in Shanghai.
    """

    __tablename__ = "booking_pattern"
    __retention__ = "2 years after it was withdrawn"
    __table_args__ = (Index("ix_booking_pattern_site", "site_id", "item_id"),)

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    group_id: Mapped[str] = mapped_column(String(40), default="", server_default="")
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="", server_default="")
    weekdays: Mapped[list[Any]]
    opens: Mapped[str] = mapped_column(String(5))
    closes: Mapped[str] = mapped_column(String(5))
    slot_minutes: Mapped[int] = mapped_column(Integer)
    capacity: Mapped[int] = mapped_column(Integer)
    urgent: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    withdrawn_at: Mapped[datetime | None]


class DayRow(Base):
    """A day on which a site departs from its patterns: closed, or open at other hours ([["09:00","12:00"]])."""

    __tablename__ = "booking_day"
    __retention__ = "2 years after the day"

    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    hours: Mapped[list[Any]]
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[Ref]
    set_at: Mapped[datetime]


class RuleRow(Base):
    """Rules of a site for one item, or for all its items (`item_id` empty); what is left out has its default."""

    __tablename__ = "booking_rule"
    __retention__ = "as long as the site exists"

    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    rules: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
