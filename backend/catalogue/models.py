"""Tables of the register: departments, regions, items with their versions, and the calendar of legal days."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Id, Ref


class DepartmentRow(Base):
    """A unit as it was given; its current name is the successor's, where one is known."""

    __tablename__ = "catalogue_department"
    __retention__ = "for ever: cases name it"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(120))
    successor_name: Mapped[str | None] = mapped_column(String(120))
    aliases: Mapped[list[str]] = mapped_column(ARRAY(String(120)))
    category: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(40))
    region_id: Mapped[Ref]
    uscc_test: Mapped[str] = mapped_column(String(18))
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(60)))


class RegionRow(Base):
    """A division by its GB/T 2260 code, or a functional zone by its local code."""

    __tablename__ = "catalogue_region"
    __retention__ = "for ever: cases name it"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(120))
    level: Mapped[str] = mapped_column(String(40))
    parent_id: Mapped[str | None] = mapped_column(String(40))


class ItemRow(Base):
    """An item through all its versions. Its lock orders what happens to them."""

    __tablename__ = "catalogue_item"
    __retention__ = "for ever: cases name it"

    id: Mapped[Id]
    latest_number: Mapped[int] = mapped_column(Integer)


class VersionRow(Base):
    """One version: content that never changes, and a state that does. The columns beside it are for searching."""

    __tablename__ = "catalogue_item_version"
    __retention__ = "for ever: cases were filed under it"
    __table_args__ = (
        UniqueConstraint("item_id", "number"),
        Index(
            "uq_catalogue_item_version_published",
            "item_id",
            unique=True,
            postgresql_where=text("state = 'published'"),
        ),
        Index("ix_catalogue_item_version_state", "state", "item_id"),
    )

    id: Mapped[Id]
    item_id: Mapped[str] = mapped_column(ForeignKey("catalogue_item.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20))
    department_id: Mapped[str] = mapped_column(ForeignKey("catalogue_department.id"), index=True)
    handle_code: Mapped[str] = mapped_column(String(33))
    name: Mapped[str] = mapped_column(String(200))
    search_text: Mapped[str] = mapped_column(Text)
    themes: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    region_ids: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    findings: Mapped[list[Any]] = mapped_column(JSONB)
    imported_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    @property
    def matter(self) -> str:
        return self.item_id


class CalendarYearRow(Base):
    """A year whose official notice has been loaded whole."""

    __tablename__ = "catalogue_calendar_year"
    __retention__ = "for ever: limits were counted by it"

    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    source: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    loaded_at: Mapped[datetime]


class CalendarDayRow(Base):
    """A day that differs from the plain week."""

    __tablename__ = "catalogue_calendar_day"
    __retention__ = "for ever: limits were counted by it"
    __table_args__ = (CheckConstraint("kind IN ('off', 'work')", name="kind"),)

    on: Mapped[date] = mapped_column("day", Date, primary_key=True)
    year: Mapped[int] = mapped_column(ForeignKey("catalogue_calendar_year.year"), index=True)
    kind: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(String(60))
