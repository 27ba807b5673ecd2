"""Asks platforms what became of messages: the unknown ones, and those whose report does not come.

A message the platform has not seen in two looks is sent once more; one it will not speak about stays unknown and
is shown as such. Where a platform has no such question, what must be known goes by short message.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from backend.kernel import clock
from backend.store.unit import Unit, run_unit
from notifications import letters, wording
from notifications.channels import channel
from notifications.channels.port import Answer, Arrived, Lost, NotSeen, OnTheWay, Question, Unknown
from notifications.machine import MESSAGE, SENT, UNKNOWN
from notifications.models import Message
from notifications.outcomes import ASK_AFTER, delivered, fail, platform
from notifications.sending import BATCH, LONGEST_S, in_threads, recover
from notifications.telling import fall_back

log = logging.getLogger(__name__)
LOOKS_BEFORE_REPEAT = 2


@dataclass(frozen=True, slots=True)
class Asked:
    channel: str
    question: Question


def ask_due() -> int:
    """Give up on dead senders, then ask about all that is due; returns how many messages were looked at."""
    done, begun = run_unit(lambda u: recover(u, clock.wire_now())), clock.monotonic()
    while clock.monotonic() - begun < LONGEST_S and (asked := run_unit(claim_questions)):
        done += len(asked)
        for one, answer in in_threads(_ask, asked):
            run_unit(lambda u, m=one.question.message_id, a=answer: write_answer(u, m, a))  # type: ignore[misc]
    return done


def claim_questions(u: Unit) -> list[Asked]:
    """Take the messages to ask about; their next question is put off first, so that nobody asks twice at once."""
    due = (
        select(Message)
        .where(Message.ask_at <= clock.now(), Message.state.in_((UNKNOWN, SENT)))
        .order_by(Message.ask_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return [asked for row in u.session.scalars(due).all() if (asked := _question(u, row)) is not None]


def write_answer(u: Unit, message_id: str, answer: Answer) -> None:
    """Write down what the platform said; a report may have been quicker."""
    row = u.get(Message, message_id, lock=True)
    if row is None or row.state not in (UNKNOWN, SENT):
        return
    if isinstance(answer, Arrived):
        delivered(u, row, answer.at)
    elif isinstance(answer, Lost):
        fail(u, row, answer.why)
    elif row.state == UNKNOWN and isinstance(answer, OnTheWay):
        _found(u, row)
    elif row.state == UNKNOWN and isinstance(answer, NotSeen) and row.asked >= LOOKS_BEFORE_REPEAT:
        _not_seen(u, row)


def _question(u: Unit, row: Message) -> Asked | None:
    to = letters.destination_of(row)
    if not channel(row.channel).can_ask or to is None:
        row.ask_at = None
        if row.state == UNKNOWN:
            fall_back(u, row)
        return None
    row.asked += 1
    pause = ASK_AFTER[row.asked] if row.asked < len(ASK_AFTER) else None
    row.ask_at = None if pause is None else clock.now() + timedelta(seconds=pause)
    return Asked(row.channel, Question(row.id, to, row.provider_id, row.called_at or row.queued_at))


def _found(u: Unit, row: Message) -> None:
    row.sent_at, row.why = row.called_at, ""
    u.step(MESSAGE, row, "found", by=platform(row.channel))


def _not_seen(u: Unit, row: Message) -> None:
    """It never reached the platform: once more, and then no more."""
    if row.repeated or row.content is None:
        fail(u, row, wording.say("why", "not_seen"))
        return
    row.repeated, row.due_at, row.ask_at = True, clock.now(), None
    u.step(MESSAGE, row, "not_seen", by=platform(row.channel))


def _ask(asked: Asked) -> Answer:
    try:
        return channel(asked.channel).ask(asked.question)
    except Exception as trouble:
        log.exception("a channel broke", extra={"channel": asked.channel})
        return Unknown(type(trouble).__name__)
