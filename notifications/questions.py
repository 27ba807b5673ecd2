"""Reads: the inbox, proof that a message is ours, how messages fare."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from backend.runtime.paging import Page, cursor, keys_of
from backend.store.unit import Unit
from notifications import letters, wording
from notifications.machine import MESSAGE
from notifications.models import Message
from notifications.views import Counts, InboxLine, MessageView, Verdict

_PROOF = re.compile(r"(?:防伪码)?\s*([2-9A-HJKMNP-TV-Z]{6})(?![0-9A-Z])")
MOST_SHOWN = 200


def inbox_of(
    u: Unit, person_id: str, *, after: str | None = None, limit: int = 20, unread: bool = False
) -> Page[InboxLine]:
    """A person's messages, newest first. `after` is the cursor of a former page. Raises MalformedRequest."""
    wanted = _inbox(person_id)
    if (keys := keys_of(after, 1)) is not None:
        wanted = wanted.where(Message.id < str(keys[0]))
    if unread:
        wanted = wanted.where(Message.read_at.is_(None))
    rows = u.session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    following = cursor(shown[-1].id) if len(rows) > limit else None
    return Page(tuple(inbox_line(row) for row in shown), following)


def inbox_line(row: Message) -> InboxLine:
    words = letters.words_of(row)
    return InboxLine(
        id=row.id,
        kind=row.kind,
        title=words.title if words else "",
        text=words.text if words else "",
        link=words.page if words else "",
        matter=row.about,
        sent_at=row.queued_at,
        read_at=row.read_at,
    )


def verify(u: Unit, person_id: str, text: str) -> Verdict:
    """Did the government send this? `text` is a short message as received, or only its 防伪码.

    Only the person's own messages count: a code copied from somebody else's message proves nothing.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    proofs = _PROOF.findall(plain)[:20]
    mine = select(Message).where(Message.person_id == person_id, Message.proof.in_(proofs))
    row = u.session.scalars(mine.order_by(Message.channel != wording.SMS, Message.id).limit(1)).first()
    words = letters.words_of(row) if row is not None else None
    if row is None or words is None:
        return Verdict(False, wording.say("verify", "unknown"))
    return Verdict(True, wording.say("verify", "genuine"), words.text, row.sent_at or row.queued_at)


def messages_about(u: Unit, matter: str) -> tuple[MessageView, ...]:
    """How the messages about a matter fare, oldest first, for clerks."""
    rows = u.session.scalars(
        select(Message).where(Message.about == matter).order_by(Message.id).limit(MOST_SHOWN)
    )
    return tuple(message_view(row) for row in rows)


def export_of(u: Unit, person_id: str) -> list[dict[str, Any]]:
    """Everything the bureau told a person, in plain words, for the person (PIPL art. 45)."""
    return [
        {"title": line.title, "text": line.text, "sent_at": line.sent_at, "read_at": line.read_at}
        for line in map(inbox_line, u.session.scalars(_inbox(person_id)))
    ]


def counts(u: Unit, since: datetime | None = None) -> Counts:
    """Messages sent outside (not the inbox) by state, queued at or after `since`."""
    wanted = select(Message.state, func.count()).where(Message.channel != wording.INBOX)
    if since is not None:
        wanted = wanted.where(Message.queued_at >= since)
    found = {row[0]: row[1] for row in u.session.execute(wanted.group_by(Message.state))}
    return Counts(**found)


def message_view(row: Message) -> MessageView:
    return MessageView(
        id=row.id,
        kind=row.kind,
        channel=row.channel,
        matter=row.about,
        state=row.state,
        label=MESSAGE.label(row.state),
        must_know=row.must_know,
        tries=row.tries,
        why=row.why,
        queued_at=row.queued_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
    )


def _inbox(person_id: str) -> Select[Message]:
    return (
        select(Message)
        .where(Message.person_id == person_id, Message.channel == wording.INBOX)
        .order_by(Message.id.desc())
    )
