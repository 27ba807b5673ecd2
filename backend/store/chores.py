"""Who is doing which chore, until when, and how it went: a lease is committed before the work starts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Integer, String, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.store.base import AwareDateTime, Base


class ChoreRow(Base):
    """One chore. Times are real time: a moved business clock must not keep a lease alive."""

    __tablename__ = "store_chore"
    __retention__ = "for ever; one row a chore"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(AwareDateTime())
    started_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    finished_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    next_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    done_last: Mapped[int | None] = mapped_column(Integer)
    done_ever: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    last_error: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class ChoreView:
    name: str
    running: bool
    started_at: datetime | None
    finished_at: datetime | None
    next_at: datetime | None
    done_last: int | None
    done_ever: int
    failures: int
    last_error: str | None


_TAKE = text("""
    INSERT INTO store_chore (name, owner, lease_until, started_at) VALUES (:name, :owner, :until, :at)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until,
        started_at = excluded.started_at
    WHERE store_chore.lease_until IS NULL OR store_chore.lease_until < :at OR store_chore.owner = excluded.owner
    RETURNING name
""")
_HOLDER = text("SELECT owner FROM store_chore WHERE name = :name")
_INHERIT = text("""
    UPDATE store_chore SET owner = :owner, lease_until = :until, started_at = :at
    WHERE name = :name AND owner = :holder RETURNING name
""")
_GIVE_BACK = text("""
    UPDATE store_chore SET owner = NULL, lease_until = NULL, finished_at = :at, next_at = :next_at,
        done_last = :done, done_ever = done_ever + :done, last_error = :error,
        failures = CASE WHEN CAST(:error AS text) IS NULL THEN 0 ELSE failures + 1 END
    WHERE name = :name AND owner = :owner
""")


def take(
    session: Session, name: str, owner: str, at: datetime, lease: timedelta,
    is_gone: Callable[[str], bool] = lambda _owner: False,
) -> bool:  # fmt: skip
    """Take the lease; False when somebody else holds it who is not known to be gone.

    An owner who asks again has the lease: the database died before it could be given back.
    """
    values = {"name": name, "owner": owner, "until": at + lease, "at": at}
    if session.execute(_TAKE, values).scalar_one_or_none() is not None:
        return True
    holder = session.execute(_HOLDER, {"name": name}).scalar_one_or_none()
    if holder is None or not is_gone(holder):
        return False
    return session.execute(_INHERIT, values | {"holder": holder}).scalar_one_or_none() is not None


def give_back(
    session: Session,
    name: str,
    owner: str,
    *,
    at: datetime,
    next_at: datetime | None,
    done: int,
    error: str | None,
) -> None:
    session.execute(
        _GIVE_BACK,
        {
            "name": name,
            "owner": owner,
            "at": at,
            "next_at": next_at,
            "done": done,
            "error": error and error[:500],
        },
    )


def all_chores(session: Session, at: datetime) -> list[ChoreView]:
    rows = session.query(ChoreRow).order_by(ChoreRow.name).all()
    return [
        ChoreView(
            r.name, bool(r.lease_until and r.lease_until > at), r.started_at, r.finished_at, r.next_at,
            r.done_last, r.done_ever, r.failures, r.last_error,
        )
        for r in rows
    ]  # fmt: skip
