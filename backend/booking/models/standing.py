"""Whether somebody may book: blocks after appointments missed, and appeals against them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, Id, Ref


class BlockRow(Base):
    """A person may not book this item until a moment, because of the booking that caused it.

    That is theirs, or one that they were to come along with.
    `counted` are the bookings missed that led to it, the cause among them.
    """

    __tablename__ = "booking_block"
    __retention__ = "2 years after its end"
    __table_args__ = (
        Index("uq_booking_block_cause", "cause_id", "person_id", unique=True),
        Index(
            "ix_booking_block_person", "person_id", "item_id",
            postgresql_where=text("state IN ('active', 'appealed', 'upheld')"),
        ),
        Index("ix_booking_block_appeals", "appealed_at", "id", postgresql_where=text("state = 'appealed'")),
    )  # fmt: skip

    id: Mapped[Id]
    person_id: Mapped[Ref]
    item_id: Mapped[Ref]
    site_id: Mapped[Ref]
    cause_id: Mapped[Ref]
    counted: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    state: Mapped[str] = mapped_column(String(20))
    until: Mapped[datetime]
    appeal: Mapped[bytes | None] = mapped_column(LargeBinary)
    appealed_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_why: Mapped[str] = mapped_column(String(200), default="", server_default="")

    @property
    def matter(self) -> str:
        return self.id


APPEAL = rotation.sealed("booking_block", "appeal", place="booking_block.appeal")
