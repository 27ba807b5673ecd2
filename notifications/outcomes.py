"""What becomes of a message: every end of a call, every answer and every report is written down here."""

from datetime import datetime, timedelta

from backend import people
from backend.contracts import MessageDead
from backend.kernel import clock
from backend.store.unit import CLOCK, Actor, Unit
from notifications import grants, letters, wording
from notifications.channels.port import NotTaken, Outcome, Taken, Unknown
from notifications.kinds import KINDS
from notifications.machine import MESSAGE, SENDING
from notifications.models import Message
from notifications.telling import fall_back

RETRY_AFTER = (5, 15, 60, 300, 900, 3600)
"""Seconds between tries while the platform cannot be reached; the last one goes on until the message is pointless."""
ASK_AFTER = (15, 45, 240, 1800, 7200, 43200, 86400, 129600)
"""Seconds between questions about an unknown message, 72 hours in all."""
REPORT_WITHIN = timedelta(minutes=10)
_PLATFORMS = {wording.SMS: "短信平台", wording.WECHAT: "微信", wording.INBOX: "消息箱"}


def platform(channel_name: str) -> Actor:
    """The platform as the journal names it."""
    return Actor("provider", channel_name, _PLATFORMS[channel_name])


def write_outcome(u: Unit, message_id: str, outcome: Outcome) -> None:
    """Write down how a call ended. A report may have been quicker: then only the platform's number is kept."""
    row = u.get(Message, message_id, lock=True)
    if row is None:
        return
    if isinstance(outcome, Taken):
        row.provider_id = outcome.provider_id or row.provider_id
    if row.state != SENDING:
        return
    row.lease_until = None
    if isinstance(outcome, Taken):
        _taken(u, row)
    elif isinstance(outcome, Unknown):
        lost_touch(u, row, wording.say("why", "silent"))
    else:
        _not_taken(u, row, outcome)


def lost_touch(u: Unit, row: Message, why: str) -> None:
    """Nobody knows whether it went out: it will be asked about, and is not sent again until then."""
    row.why, row.lease_until = why[:120], None
    row.asked, row.ask_at = 0, clock.now() + timedelta(seconds=ASK_AFTER[0])
    u.step(MESSAGE, row, "lost", by=platform(row.channel), facts={"channel": row.channel})


def delivered(u: Unit, row: Message, at: datetime | None) -> None:
    """The phone has it. `at` is the platform's time: real, to the second, so kept within what is possible by ours."""
    now = clock.now()
    row.delivered_at = max(min(at or now, now), row.queued_at)
    row.sent_at = row.sent_at or row.delivered_at
    row.ask_at, row.lease_until, row.why = None, None, ""
    u.step(MESSAGE, row, "delivered", by=platform(row.channel))
    forget_secret(row)


def fail(u: Unit, row: Message, why: str) -> None:
    """It did not arrive. Another channel carries it if it must be known; else staff hear of it."""
    row.why, row.ask_at, row.lease_until = why[:120], None, None
    carried = fall_back(u, row)
    if row.must_know and not carried:
        u.step(MESSAGE, row, "buried", by=platform(row.channel), facts={"why": row.why})
        u.record(MessageDead(row.id, row.id))
    else:
        u.step(MESSAGE, row, "failed", by=platform(row.channel), facts={"why": row.why})
    forget_secret(row)


def expire(u: Unit, row: Message) -> None:
    """What it speaks of is over: it is never sent. Staff hear of it when somebody had to know."""
    return_grant(u, row)
    row.ask_at = None
    if row.must_know:
        u.step(MESSAGE, row, "buried", by=CLOCK, facts={"why": row.why})
        u.record(MessageDead(row.id, row.id))
    else:
        u.step(MESSAGE, row, "expired", by=CLOCK)
    forget_secret(row)


def forget_secret(row: Message) -> None:
    """A code has no business here once it went (or never will)."""
    if KINDS[row.kind].secret:
        row.content = None


def return_grant(u: Unit, row: Message) -> None:
    """The card certainly did not go out: what its person allows us is as it was."""
    words = letters.words_of(row)
    if row.channel != wording.WECHAT or words is None or row.person_id is None:
        return
    # A card that was never tried has no destination yet.
    openid = letters.destination_of(row) or people.contact_of(u, row.person_id).openids.get("wechat")
    if openid is not None:
        grants.give_back(u, openid, words.template)


def _taken(u: Unit, row: Message) -> None:
    row.sent_at, row.asked = clock.now(), 0
    row.ask_at = row.sent_at + REPORT_WITHIN
    row.why = ""
    u.step(MESSAGE, row, "taken", by=platform(row.channel))
    forget_secret(row)


def _not_taken(u: Unit, row: Message, outcome: NotTaken) -> None:
    if outcome.grant_gone:
        _grant_is_gone(u, row)
    elif outcome.permanent:
        return_grant(u, row)
    if outcome.permanent:
        fail(u, row, outcome.why)
    else:
        _put_back(u, row, outcome)


def _put_back(u: Unit, row: Message, outcome: NotTaken) -> None:
    """Flow control is no failure: the wait it asks for does not count as a try. Tries end with `not_after`."""
    if outcome.wait is None:
        row.tries += 1
    step = min(max(row.tries, 1), len(RETRY_AFTER)) - 1
    row.due_at = clock.now() + (outcome.wait or timedelta(seconds=RETRY_AFTER[step]))
    row.why = outcome.why[:120]
    u.step(MESSAGE, row, "put_back", by=platform(row.channel), facts={"code": outcome.code})


def _grant_is_gone(u: Unit, row: Message) -> None:
    words, openid = letters.words_of(row), letters.destination_of(row)
    if words is not None and openid is not None:
        grants.mark_gone(u, openid, words.template)
