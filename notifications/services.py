"""Verbs of readers and staff: mark a message read, send a failed one again."""

from backend.kernel import clock
from backend.runtime.worker import wake
from backend.store.unit import Actor, Unit
from notifications import wording
from notifications.gathering import still_true_until
from notifications.kinds import KINDS, end_of
from notifications.machine import MESSAGE
from notifications.models import Message
from notifications.problems import MessageNotFound, NothingToResend
from notifications.questions import inbox_line, message_view
from notifications.telling import SEND
from notifications.views import InboxLine, MessageView


def mark_read(u: Unit, message_id: str, person_id: str) -> InboxLine:
    """The person opened it; reading twice changes nothing. Raises MessageNotFound."""
    row = u.get(Message, message_id, lock=True)
    if row is None or row.person_id != person_id or row.channel != wording.INBOX:
        raise MessageNotFound
    row.read_at = row.read_at or clock.now()
    return inbox_line(row)


def resend(u: Unit, message_id: str, by: Actor) -> MessageView:
    """Staff send a failed, expired or unknown message again, at once, with a new life.

    Raises MessageNotFound, NothingToResend (it arrived, is on its way, was a code, or what it speaks of is over).
    """
    row = u.get(Message, message_id, lock=True)
    if row is None:
        raise MessageNotFound
    if not MESSAGE.can(row.state, "resent") or row.content is None:
        raise NothingToResend
    now = clock.now()
    limit = still_true_until(u, row, now)
    if limit is not None and limit <= now:
        raise NothingToResend(wording.say("resend", "over"))
    row.due_at, row.not_after = now, end_of(KINDS[row.kind], now, limit)
    row.tries, row.asked, row.repeated, row.ask_at = 0, 0, False, None
    row.provider_id, row.why = None, ""
    u.step(MESSAGE, row, "resent", by=by)
    u.after_commit(lambda: wake(SEND))
    return message_view(row)
