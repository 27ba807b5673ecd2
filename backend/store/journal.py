"""The append-only book: who moved what, from where to where, when it happened and when we heard of it.

Case progress is this book read aloud, so there is no second history that could drift. Rows of one matter form a
hash chain over keyed digests: a changed, missing or inserted row is noticed. The facts have a digest of their own
inside the line's, so that they may be erased by law and the rest of the line is still vouched for. Chains are per
matter, never global: a global one would make all writers wait for each other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, String, Text, and_, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.store import lean, vault
from backend.store.base import AwareDateTime, Base

ZERO_LINK = bytes(32)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `kind`: citizen courier staff system provider clock. `label` is shown to the citizen."""

    kind: str
    id: str
    label: str = ""


CLOCK = Actor("clock", "clock", "系统")
SYSTEM = Actor("system", "town", "系统")


class Stream(Base):
    """Head of one matter's chain; its row lock gives the order in which the matter's news are numbered."""

    __tablename__ = "store_stream"
    __retention__ = "as long as the matter"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    link: Mapped[bytes] = mapped_column(LargeBinary(32))


class JournalRow(Base):
    """One line of the book. Nobody updates it; erasure by law empties `facts` and says so."""

    __tablename__ = "store_journal"
    __retention__ = "as long as the matter; archive rules"
    matter: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject: Mapped[str] = mapped_column(String(40))
    trigger: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(40))
    says: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(AwareDateTime())
    heard_at: Mapped[datetime] = mapped_column(AwareDateTime())
    actor_kind: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[str] = mapped_column(String(40))
    actor_label: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    digest: Mapped[bytes] = mapped_column(LargeBinary(64))
    link: Mapped[bytes] = mapped_column(LargeBinary(32))
    erased: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))


class SignedHead(Base):
    """A head as it stood when the chore signed it: later tampering with a whole chain would contradict it."""

    __tablename__ = "store_signed_head"
    __retention__ = "as long as the matter"

    matter: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    link: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(32))
    signed_at: Mapped[datetime] = mapped_column(AwareDateTime())


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line as houses may read it."""

    matter: str
    subject: str
    trigger: str
    source: str
    target: str
    says: str
    occurred_at: datetime
    heard_at: datetime
    actor: Actor
    facts: Mapping[str, Any]
    seq: int = 0

    @property
    def subject_kind(self) -> str:
        return self.subject.split("-", 1)[0]


def digest_of(entry: JournalEntry) -> bytes:
    """Keyed digests of everything the line says (not of its place: the chain gives that).

    32 bytes of the line, which covers 32 bytes of its facts.
    """
    facts = vault.journal_digest(orjson.dumps(entry.facts, option=orjson.OPT_SORT_KEYS))
    return _digest_of_line(entry, facts) + facts


def _digest_of_line(entry: JournalEntry, facts: bytes) -> bytes:
    return vault.journal_digest(
        orjson.dumps(
            [
                entry.matter, entry.subject, entry.trigger, entry.source, entry.target, entry.says,
                _stamp(entry.occurred_at), _stamp(entry.heard_at),
                entry.actor.kind, entry.actor.id, entry.actor.label, facts.hex(),
            ]
        )
    )  # fmt: skip


def next_link(link: bytes, digest: bytes) -> bytes:
    return hashlib.sha256(link + digest).digest()


_READ = (
    "SELECT seq, subject, trigger, source, target, says, occurred_at, heard_at,"
    " actor_kind, actor_id, actor_label, facts FROM store_journal WHERE matter = %s ORDER BY seq"
)


_EVERY_MATTER = text("""
    SELECT id FROM store_stream UNION SELECT matter FROM store_signed_head UNION SELECT matter FROM store_journal
    ORDER BY 1
""")


def entries_of(session: Session, matter: str) -> list[JournalEntry]:
    """The matter's lines in the order in which they were heard. One round trip, no ORM: it is on the hot path."""
    rows = lean.execute(session, _READ, (matter,))
    return [
        JournalEntry(
            matter, r[1], r[2], r[3], r[4], r[5], r[6], r[7], Actor(r[8], r[9], r[10]), r[11] or {}, r[0]
        )
        for r in rows
    ]


def every_matter(session: Session) -> list[str]:
    """All matters that have, or once had, a line: those whose head was taken away as well."""
    return list(session.execute(_EVERY_MATTER).scalars())


def verify_chain(session: Session, matter: str) -> str | None:
    """Walk the chain; None when it holds, else what is broken in one sentence."""
    rows = session.query(JournalRow).filter_by(matter=matter).order_by(JournalRow.seq).all()
    link = ZERO_LINK
    for number, row in enumerate(rows, start=1):
        if row.seq != number:
            return f"{matter}: line {number} is missing"
        if _is_altered(row):
            return f"{matter}: line {number} was altered"
        link = next_link(link, row.digest)
        if link != row.link:
            return f"{matter}: the chain breaks at line {number}"
    head = session.get(Stream, matter)
    if (head.seq, head.link) != (len(rows), link) if head else rows:
        return f"{matter}: the head does not fit the last line"
    return _contradicts_signature(session, matter, rows)


def sign_heads(session: Session, at: datetime, limit: int = 5000) -> int:
    """Sign the heads that have moved since they were last signed; returns how many.

    A chain that contradicts its former signature keeps it: signing anew would forget the contradiction.
    """
    moved = (
        session.query(Stream)
        .outerjoin(SignedHead, SignedHead.matter == Stream.id)
        .outerjoin(JournalRow, and_(JournalRow.matter == Stream.id, JournalRow.seq == SignedHead.seq))
        .filter(Stream.seq > 0)
        .filter(
            SignedHead.seq.is_(None) | ((SignedHead.seq < Stream.seq) & (JournalRow.link == SignedHead.link))
        )
        .limit(limit)
        .all()
    )
    for head in moved:
        signature = _head_signature(head.id, head.seq, head.link)
        session.merge(
            SignedHead(matter=head.id, seq=head.seq, link=head.link, signature=signature, signed_at=at)
        )
    session.flush()
    return len(moved)


def _is_altered(row: JournalRow) -> bool:
    if row.erased:
        return row.digest[:32] != _digest_of_line(_entry(row), row.digest[32:])
    return row.digest != digest_of(_entry(row))


def _contradicts_signature(session: Session, matter: str, rows: list[JournalRow]) -> str | None:
    signed = session.get(SignedHead, matter)
    if signed is None:
        return None
    if signed.signature != _head_signature(matter, signed.seq, signed.link):
        return f"{matter}: the signature of its head is false"
    if signed.seq > len(rows) or rows[signed.seq - 1].link != signed.link:
        return f"{matter}: the chain contradicts its signed head"
    return None


def _head_signature(matter: str, seq: int, link: bytes) -> bytes:
    return vault.journal_digest(f"head|{matter}|{seq}|".encode() + link)


def _entry(row: JournalRow) -> JournalEntry:
    actor = Actor(row.actor_kind, row.actor_id, row.actor_label)
    return JournalEntry(
        row.matter, row.subject, row.trigger, row.source, row.target, row.says,
        row.occurred_at, row.heard_at, actor, row.facts or {}, row.seq,
    )  # fmt: skip


def _stamp(at: datetime) -> int:
    """Microseconds: what PostgreSQL keeps, whatever time zone the value is shown in."""
    return round(at.timestamp() * 1_000_000)
