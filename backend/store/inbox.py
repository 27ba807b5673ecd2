"""What came in from outside: notices heard once, and the answers given to clients' idempotency keys.

Unique keys live in small tables of their own, because a partitioned table cannot keep a global unique key.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.store import lean, vault
from backend.store.base import AwareDateTime, Base
from backend.store.book import Desk


class NoticeKey(Base):
    """The provider's identity of a piece of news: the second of its kind changes nothing."""

    __tablename__ = "store_notice_key"
    __retention__ = "13 months"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    notice_id: Mapped[str] = mapped_column(String(40))
    heard_at: Mapped[datetime] = mapped_column(AwareDateTime())


class NoticeRow(Base):
    """A notice as it came, raw bytes sealed, with what we made of it."""

    __tablename__ = "store_notice"
    __retention__ = "13 months, by partition"
    __table_args__ = (
        Index("ix_store_notice_subject", "subject"),
        {"postgresql_partition_by": "RANGE (heard_at)"},
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(AwareDateTime(), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    provider: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(160))
    subject: Mapped[str] = mapped_column(String(80))
    trigger: Mapped[str] = mapped_column(String(60))
    occurred_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    verdict: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(Text)


class AnswerRow(Base):
    """The answer kept for an Idempotency-Key, sealed; `state` is open while the first request works."""

    __tablename__ = "store_answer"
    __retention__ = "24 hours"
    __table_args__ = (Index("ix_store_answer_expires_at", "expires_at"),)

    scope: Mapped[str] = mapped_column(String(90), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    lease_until: Mapped[datetime] = mapped_column(AwareDateTime())
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(AwareDateTime())


_KEEP = """
    WITH first AS (
        INSERT INTO store_notice_key (provider, key, notice_id, heard_at)
        VALUES (%(provider)s, %(key)s, %(id)s, %(at)s) ON CONFLICT DO NOTHING RETURNING notice_id
    ), kept AS (
        INSERT INTO store_notice (id, heard_at, provider, key, subject, trigger, occurred_at, raw, verdict, why)
        SELECT notice_id, %(at)s, %(provider)s, %(key)s, %(subject)s, %(trigger)s, %(occurred)s, %(raw)s, 'used', ''
        FROM first
    )
    SELECT notice_id FROM first
"""


def keep_notice(
    desk: Desk, notice: Notice, asks: Sequence[lean.Question] = ()
) -> tuple[str | None, list[lean.Rows]]:
    """Store a notice heard for the first time; its id (None for a repetition) and what is known of what was asked.

    One round trip, no ORM.
    """
    notice_id = ids.new_id("no")
    values = {
        "id": notice_id, "at": clock.now(), "provider": notice.provider, "key": notice.key,
        "subject": notice.subject[:80], "trigger": notice.trigger, "occurred": notice.occurred_at,
        "raw": vault.seal_bytes("store_notice.raw", notice_id, notice.raw),
    }  # fmt: skip
    kept, *answers = desk.execute_each([(_KEEP, values), *asks])
    row = kept.fetchone()
    return None if row is None else str(row[0]), answers


def judge_notice(session: Session, notice: Notice, verdict: str, why: str) -> str:
    """Write down what became of a notice that could not be used; returns its id."""
    key = session.get(NoticeKey, (notice.provider, notice.key))
    if key is None:
        raise LookupError("a notice is judged in the unit that heard it first")
    row = session.get(NoticeRow, (key.notice_id, key.heard_at))
    if row is not None:
        row.verdict, row.why = verdict, why[:500]
    return key.notice_id
