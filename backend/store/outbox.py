"""Events recorded in the transaction of the fact, and who still has to hear them.

Each (event, ear) pair is one delivery row, born with the event. The relay gives an ear only the oldest
unfinished event of a stream; a dead letter therefore blocks its own stream and ear, and nothing else. Times here are
real: a business clock that was moved and set back must not leave a delivery due in the future.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.contracts import Event
from backend.store.base import AwareDateTime, Base

BACK_OFF = (1, 5, 15, 60, 300, 900, 3600, 3600, 7200, 14400)
DUE, DONE, DEAD = "due", "done", "dead"


class OutboxRow(Base):
    """An event as it was recorded; partitioned by month of recording."""

    __tablename__ = "store_outbox"
    __retention__ = "13 months, by partition"
    __table_args__ = ({"postgresql_partition_by": "RANGE (recorded_at)"},)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(AwareDateTime(), primary_key=True)
    stream: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ears: Mapped[list[str]] = mapped_column(ARRAY(String(80)))


class DeliveryRow(Base):
    """One ear's copy of one event."""

    __tablename__ = "store_delivery"
    __retention__ = "90 days after it was done"
    __table_args__ = (
        Index(
            "ix_store_delivery_unfinished",
            "ear",
            "stream",
            "event_id",
            postgresql_where=text("state <> 'done'"),
        ),
        Index("ix_store_delivery_due", "due_at", "event_id", postgresql_where=text("state = 'due'")),
    )

    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ear: Mapped[str] = mapped_column(String(80), primary_key=True)
    stream: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(AwareDateTime())
    done_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    last_error: Mapped[str | None] = mapped_column(Text)


Ear = Callable[[Any, Any], None]
_ears: dict[str, Ear] = {}
_subscriptions: dict[str, tuple[str, ...]] = {}


def subscribe(subscriptions: dict[type[Event], tuple[Ear, ...]]) -> None:
    """Called once by the town plan. An ear's name is its module and function: it outlives a restart."""
    _ears.clear()
    _subscriptions.clear()
    for event, ears in subscriptions.items():
        names = tuple(ear_name(ear) for ear in ears)
        _ears.update(zip(names, ears, strict=True))
        _subscriptions[event.__name__] = names


def ear_name(ear: Ear) -> str:
    return f"{ear.__module__}.{ear.__qualname__}".removeprefix("backend.")


def ears_of(event: Event) -> tuple[str, ...]:
    return _subscriptions.get(type(event).__name__, ())


def ear(name: str) -> Ear | None:
    return _ears.get(name)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery locked by this transaction."""

    event_id: int
    ear: str
    kind: str
    payload: dict[str, Any]
    tries: int

    @property
    def event(self) -> Event:
        return Event.kinds[self.kind].from_payload(self.payload)


_CLAIM = text("""
    SELECT event_id, ear, kind, payload, tries FROM store_delivery d
    WHERE state = 'due' AND due_at <= :at AND event_id > :after
      AND NOT EXISTS (SELECT 1 FROM store_delivery o WHERE o.ear = d.ear AND o.stream = d.stream
                      AND o.event_id < d.event_id AND o.state <> 'done')
    ORDER BY event_id, ear LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_DONE = text(
    "UPDATE store_delivery SET state = 'done', done_at = :at WHERE event_id = :event_id AND ear = :ear"
)
_FAILED = text("""
    UPDATE store_delivery SET tries = tries + 1, last_error = :error, due_at = :due_at,
        state = CASE WHEN tries + 1 >= :most THEN 'dead' ELSE 'due' END
    WHERE event_id = :event_id AND ear = :ear AND state = 'due' RETURNING state
""")
_REVIVE = text("""
    UPDATE store_delivery SET state = 'due', tries = 0, due_at = :at
    WHERE state = 'dead' AND (:ear = '' OR ear = :ear) AND (:event_id = 0 OR event_id = :event_id)
""")


def claim(session: Session, at: datetime, after: int = 0) -> Claim | None:
    """Lock the next delivery that is due and not waiting for an older one of its stream."""
    row = session.execute(_CLAIM, {"at": at, "after": after}).first()
    return None if row is None else Claim(row[0], row[1], row[2], row[3], row[4])


def mark_done(session: Session, claimed: Claim, at: datetime) -> None:
    session.execute(_DONE, {"event_id": claimed.event_id, "ear": claimed.ear, "at": at})


def mark_failed(session: Session, claimed: Claim, at: datetime, error: str) -> str:
    """Back off, or bury after the last try. Returns the new state ("" when another worker was quicker)."""
    pause = BACK_OFF[min(claimed.tries, len(BACK_OFF) - 1)]
    values = {
        "event_id": claimed.event_id,
        "ear": claimed.ear,
        "error": error[:500],
        "due_at": at + timedelta(seconds=pause),
        "most": len(BACK_OFF),
    }
    return session.execute(_FAILED, values).scalar_one_or_none() or ""


def revive(session: Session, at: datetime, ear_wanted: str = "", event_id: int = 0) -> int:
    """Make dead letters due again (all, or those of one ear or event); returns how many."""
    done = session.execute(_REVIVE, {"at": at, "ear": ear_wanted, "event_id": event_id})
    return int(getattr(done, "rowcount", 0))


def backlog(session: Session) -> dict[str, int]:
    """How many deliveries are due and how many are dead, for metrics and alarms."""
    rows = session.execute(
        text("SELECT state, count(*) FROM store_delivery WHERE state <> 'done' GROUP BY state")
    )
    counts = {DUE: 0, DEAD: 0}
    for state, number in rows:
        counts[state] = number
    return counts
