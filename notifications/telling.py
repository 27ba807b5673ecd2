"""Writing messages down: what is to be told to whom, on which channels, from when and until when.

Nothing is sent here. Ears and windows queue rows in their own unit; the chore that sends is woken after commit.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select

from backend import people
from backend.kernel import clock, ids
from backend.runtime.worker import wake
from backend.store.unit import SYSTEM, Unit
from notifications import grants, letters, wording
from notifications.channels import channel
from notifications.channels.wechat_fields import DoesNotFit
from notifications.kinds import ELDER_SMS_TOO, KINDS, Kind, code_kind, end_of, first_hour
from notifications.machine import MESSAGE
from notifications.models import Message

log = logging.getLogger(__name__)
SEND = "notifications.send"
_PROOF_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_BORN = "消息已生成"


@dataclass(frozen=True, slots=True)
class News:
    """One fact for one person. The same `fact` of the same kind is told to the same person once."""

    kind: str
    fact: str
    person_id: str
    about: str
    subject: str
    values: Mapping[str, str]
    not_after: datetime | None = None


def tell(u: Unit, news: News) -> None:
    """Queue the news on every channel it should take. Raises NotFound for a person who is not registered."""
    if _already_told(u, news):
        return
    kind, contact = KINDS[news.kind], people.contact_of(u, news.person_id)
    proof = "".join(secrets.choice(_PROOF_LETTERS) for _ in range(6))
    values = {**news.values, "proof": proof, "about": news.about, "subject": news.subject}
    for name in channels_for(u, kind, contact, values):
        _queue(u, _row(kind, name, news, proof), values)


def channels_for(u: Unit, kind: Kind, contact: people.Contact, values: Mapping[str, str]) -> list[str]:
    """The inbox always; a card where one may go (its grant is taken now); a short message for what must be known."""
    if contact.push_off and not kind.must_know:
        return [wording.INBOX]
    carded = _fits_a_card(kind.name, values) and _may_send_card(u, kind.name, contact)
    texted = kind.must_know and contact.phone is not None and (not carded or _wants_both(contact))
    wanted = {wording.INBOX: True, wording.WECHAT: carded, wording.SMS: texted}
    return [name for name, wish in wanted.items() if wish]


def queue_code(u: Unit, phone: str, code: str, purpose: str) -> None:
    """Queue a short message with a code: sealed here, emptied once it went, pointless after five minutes.

    Raises KeyError for a purpose without words.
    """
    kind = code_kind(purpose)
    row = _row(kind, wording.SMS, News(kind.name, ids.new_id("ms"), "", "", "", {}), None)
    letters.put_destination(row, phone)
    _queue(u, row, {"code": code})


def fall_back(u: Unit, row: Message) -> bool:
    """See that what no card could carry goes by short message. True when one does (or did)."""
    if row.channel != wording.WECHAT or not row.must_know or row.person_id is None:
        return False
    if _same_fact(u, row, wording.SMS):
        return True
    if row.not_after <= clock.now() or people.contact_of(u, row.person_id).phone is None:
        return False
    values = letters.values_of(row)
    news = News(row.kind, row.dedupe, row.person_id, row.about, row.subject, values, row.not_after)
    fresh = _row(KINDS[row.kind], wording.SMS, news, row.proof)
    _queue(u, fresh, values)
    return True


def _may_send_card(u: Unit, kind: str, contact: people.Contact) -> bool:
    openid = contact.openids.get("wechat")
    return openid is not None and grants.take(u, openid, wording.card(kind).template_id)


def _wants_both(contact: people.Contact) -> bool:
    return contact.elder_mode and ELDER_SMS_TOO


def _fits_a_card(kind: str, values: Mapping[str, str]) -> bool:
    try:
        channel(wording.WECHAT).compose(kind, values)
    except DoesNotFit:
        log.warning("a value does not fit its card", extra={"kind": kind})
        return False
    return True


def _already_told(u: Unit, news: News) -> bool:
    told = select(Message.id).where(
        Message.dedupe == news.fact, Message.kind == news.kind, Message.person_id == news.person_id
    )
    return u.session.scalar(select(exists(told))) is True


def _same_fact(u: Unit, row: Message, channel_name: str) -> bool:
    same = select(Message.id).where(
        Message.dedupe == row.dedupe,
        Message.kind == row.kind,
        Message.person_id == row.person_id,
        Message.channel == channel_name,
    )
    return u.session.scalar(select(exists(same))) is True


def _row(kind: Kind, channel_name: str, news: News, proof: str | None) -> Message:
    now = clock.now()
    end = end_of(kind, now, news.not_after)
    return Message(
        id=ids.new_id("ms"),
        dedupe=news.fact,
        kind=kind.name,
        channel=channel_name,
        about=news.about,
        subject=news.subject,
        person_id=news.person_id or None,
        must_know=kind.must_know,
        rank=kind.rank,
        tries=0,
        asked=0,
        repeated=False,
        queued_at=now,
        due_at=first_hour(kind, now, end),
        not_after=end,
        proof=proof,
        why="",
    )


def _queue(u: Unit, row: Message, values: Mapping[str, str]) -> None:
    letters.put_content(row, values, channel(row.channel).compose(row.kind, values))
    u.add(row)
    u.begin(MESSAGE, row, by=SYSTEM, says=_BORN)
    if row.channel == wording.INBOX:
        u.step(MESSAGE, row, "shelved", by=SYSTEM)
        row.sent_at = row.delivered_at = row.queued_at
    else:
        u.after_commit(lambda: wake(SEND))
    u.flush()
