"""Those who come along: one row for each, so that limits count human beings and not accounts."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend import people
from backend.store import rotation
from backend.store.base import Base, Blind, Id, Sealed


class CompanionRow(Base):
    """Somebody who comes along with a booking; `number_blind` compares with that of the register of people."""

    __tablename__ = "booking_companion"
    __retention__ = "2 years after the day of its booking"
    __table_args__ = (
        Index("ix_booking_companion_number", "number_blind"),
        Index("ix_booking_companion_booking", "booking_id"),
    )

    id: Mapped[Id]
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking_booking.id"))
    id_no: Mapped[Sealed]
    number_blind: Mapped[Blind]


COMPANION = rotation.sealed("booking_companion", "id_no", place="booking_companion.id_no")
rotation.blind("booking_companion", "number_blind", of=COMPANION, place=people.folded.NUMBER_PLACE)
