"""Logins and the chain of refresh tokens behind each. All times here are real time: they guard tokens."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.base import Base, Id, Ref, Sealed


class SessionRow(Base):
    """One login. Whoever asks shows a token that names it; an ended row opens nothing from that moment on."""

    __tablename__ = "people_session"
    __retention__: ClassVar[str] = "30 days after its end"
    __table_args__ = (
        Index("ix_people_session_subject", "subject_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_people_session_good_until", "good_until"),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(8))
    subject_id: Mapped[Ref]
    channel: Mapped[str] = mapped_column(String(10))
    device: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    good_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(20))


class RefreshToken(Base):
    """A refresh token by its digest. A spent one is kept, so that a copy of it gives itself away."""

    __tablename__ = "people_refresh_token"
    __retention__: ClassVar[str] = "as long as its session"
    __table_args__ = (Index("ix_people_refresh_token_session_id", "session_id"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("people_session.id", ondelete="CASCADE"))
    issued_at: Mapped[datetime]
    good_until: Mapped[datetime]
    spent_at: Mapped[datetime | None]
    spent_key: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    successor: Mapped[Sealed | None]
