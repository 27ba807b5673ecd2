"""Rows of the notifications bureau: messages, one for each channel, and what people allow us to send."""

from datetime import datetime

from sqlalchemy import Index, Integer, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import Base, Blind, Id, Ref, Sealed
from backend.store.unit import retry_on

ONCE = "uq_notifications_message_once"
ONE_GRANT = "uq_notifications_grant_openid_blind_template_id"


class Message(Base):
    """One message to one person on one channel.

    `about` is the matter it speaks of (the journal of the message itself goes by its own id, so that sending
    never lengthens the timeline of a case), `dedupe` the fact it tells: the same fact is told once. `content` is
    what goes out, sealed; of a code it is emptied as soon as it went. `lease_until` is real time, all else ours.
    """

    __tablename__ = "notifications_message"
    __retention__ = "400 days; the content of codes until they are sent"
    __table_args__ = (
        UniqueConstraint("dedupe", "kind", "person_id", "channel", name=ONCE),
        Index("ix_notifications_message_due", "rank", "due_at", postgresql_where=text("state = 'queued'")),
        Index("ix_notifications_message_held", "lease_until", postgresql_where=text("state = 'sending'")),
        Index("ix_notifications_message_ask", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
        Index("ix_notifications_message_inbox", "person_id", "channel", "id"),
        Index("ix_notifications_message_about", "about"),
        Index(
            "ix_notifications_message_provider",
            "provider_id",
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
        Index(
            "ix_notifications_message_away",
            "destination_blind",
            postgresql_where=text("state IN ('sending', 'unknown')"),
        ),
        Index("ix_notifications_message_state", "state", "queued_at"),
    )

    id: Mapped[Id]
    dedupe: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(20))
    about: Mapped[Ref]
    subject: Mapped[Ref]
    person_id: Mapped[str | None] = mapped_column(String(40))
    must_know: Mapped[bool]
    rank: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(String(12))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    asked: Mapped[int] = mapped_column(Integer, default=0)
    repeated: Mapped[bool] = mapped_column(default=False)
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    not_after: Mapped[datetime]
    ask_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    provider_id: Mapped[str | None] = mapped_column(String(64))
    destination: Mapped[Sealed | None]
    destination_blind: Mapped[Blind | None]
    content: Mapped[Sealed | None]
    proof: Mapped[str | None] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(String(120), default="")

    @property
    def matter(self) -> str:
        return self.id


class Grant(Base):
    """What one WeChat user allows for one template: a one-time accept is one message.

    The phone and the platform both report an accept; the larger count is the true one, never the sum.
    """

    __tablename__ = "notifications_grant"
    __retention__ = "as long as the person is registered"
    __table_args__ = (UniqueConstraint("openid_blind", "template_id", name=ONE_GRANT),)

    id: Mapped[Id]
    openid: Mapped[Sealed]
    openid_blind: Mapped[Blind]
    template_id: Mapped[str] = mapped_column(String(64))
    told_by_phone: Mapped[int] = mapped_column(Integer, default=0)
    told_by_platform: Mapped[int] = mapped_column(Integer, default=0)
    used: Mapped[int] = mapped_column(Integer, default=0)
    changed_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]

    @property
    def left(self) -> int:
        return max(self.told_by_phone, self.told_by_platform) - self.used


CONTENT = rotation.sealed("notifications_message", "content", place="notifications_message.content")
DESTINATION = rotation.sealed(
    "notifications_message", "destination", place="notifications_message.destination"
)
rotation.blind(
    "notifications_message", "destination_blind", of=DESTINATION, place="notifications_message.destination"
)
OPENID = rotation.sealed("notifications_grant", "openid", place="notifications_grant.openid")
rotation.blind("notifications_grant", "openid_blind", of=OPENID, place="notifications_grant.openid")

retry_on(ONCE)
retry_on(ONE_GRANT)
