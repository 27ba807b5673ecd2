"""How places are given out when many want them at once: a virtual queue, or a draw that anyone can replay."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend import people
from backend.store import rotation
from backend.store.base import Base, Blind, Id, Ref, Sealed


class ReleaseRow(Base):
    """One release of slots of a site: entries from, entries until, then the order.

    `commitment` is the SHA-256 of the seed, published with the release; `public_source` says in advance which
    public value will be mixed in, and `public_value_at` when that will be fixed. It is written down only after
    that: `proposed_value` by one of the staff, `public_value` once another has said the same. `record` is what
    anybody may read of it (backend/booking/releases/draws.py); it may be large. Whoever entered reads `called_off_why`.
    """

    __tablename__ = "booking_release"
    __retention__ = "2 years after it"
    __table_args__ = (Index("ix_booking_release_item", "item_id", "entries_until"),)

    id: Mapped[Id]
    site_id: Mapped[str] = mapped_column(ForeignKey("booking_site.id"))
    item_id: Mapped[Ref]
    subject: Mapped[str] = mapped_column(String(20), default="", server_default="")
    mode: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20))
    entries_from: Mapped[datetime]
    entries_until: Mapped[datetime]
    opens_at: Mapped[datetime]
    batch: Mapped[int] = mapped_column(Integer)
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32))
    seed: Mapped[Sealed]
    revealed_seed: Mapped[str | None] = mapped_column(String(80))
    public_source: Mapped[str] = mapped_column(Text)
    public_value_at: Mapped[datetime | None]
    proposed_value: Mapped[str | None] = mapped_column(Text)
    proposed_by: Mapped[str | None] = mapped_column(String(40))
    public_value: Mapped[str | None] = mapped_column(Text)
    record: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    called_off_why: Mapped[str] = mapped_column(Text, default="", server_default="")
    made_by: Mapped[Ref]
    made_at: Mapped[datetime]

    @property
    def matter(self) -> str:
        return self.id


class EntryRow(Base):
    """One person's entry; `rank` is the place in the order, `wishes` the slots wanted (empty: any of them).

    One lot for the whole family: `party` places, for the person and their `companions` (sealed as in a booking).
    `elder`: all of them may take places kept for the elderly. `why`: the kind of problem for which it takes no part
    in the draw, or could not be given what it drew. `delay_told_at`: when it was told that the draw is late.
    """

    __tablename__ = "booking_entry"
    __retention__ = "2 years after its release"
    __table_args__ = (
        Index("uq_booking_entry_person", "release_id", "person_id", unique=True),
        Index("ix_booking_entry_rank", "release_id", "rank"),
        Index("ix_booking_entry_person", "person_id", "id"),
        Index("ix_booking_entry_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
        Index(
            "ix_booking_entry_open",
            "release_id",
            "id",
            postgresql_where=text("state IN ('entered', 'queued')"),
        ),
    )

    id: Mapped[Id]
    release_id: Mapped[str] = mapped_column(ForeignKey("booking_release.id"))
    person_id: Mapped[Ref]
    case_id: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    wishes: Mapped[list[Any]]
    elder: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    why: Mapped[str] = mapped_column(String(40), default="", server_default="")
    rank: Mapped[int | None] = mapped_column(Integer)
    booking_id: Mapped[str | None] = mapped_column(String(40))
    entered_at: Mapped[datetime]
    party: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    companions: Mapped[bytes | None] = mapped_column(LargeBinary)
    delay_told_at: Mapped[datetime | None]

    @property
    def matter(self) -> str:
        return self.id


class EntryCompanionRow(Base):
    """Somebody who comes along with an entry, so that nobody draws twice; `number_blind` as in the register of people.

    Those of an entry that left do not count.
    """

    __tablename__ = "booking_entry_companion"
    __retention__ = "2 years after its release"
    __table_args__ = (
        Index("ix_booking_entry_companion_number", "number_blind"),
        Index("ix_booking_entry_companion_entry", "entry_id"),
    )

    id: Mapped[Id]
    entry_id: Mapped[str] = mapped_column(ForeignKey("booking_entry.id"))
    id_no: Mapped[Sealed]
    number_blind: Mapped[Blind]


ENTRY_COMPANION = rotation.sealed("booking_entry_companion", "id_no", place="booking_entry_companion.id_no")
rotation.blind(
    "booking_entry_companion", "number_blind", of=ENTRY_COMPANION, place=people.folded.NUMBER_PLACE
)
ENTRY_COMPANIONS = rotation.sealed("booking_entry", "companions", place="booking_entry.companions")
SEED = rotation.sealed("booking_release", "seed", place="booking_release.seed")
