"""Sends what is due: claim a batch, lift the telephones with no transaction open, write down each end.

Every message of a batch is `sending`, committed, before its telephone is lifted. If this process dies, the lease
runs out and the message is unknown, not due again.
"""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select

from backend import people
from backend.kernel import clock
from backend.store.unit import CLOCK, Unit, run_unit
from notifications import letters, wording
from notifications.channels import channel
from notifications.channels.port import Letter, Outcome, Unknown
from notifications.machine import MESSAGE, QUEUED, SENDING
from notifications.models import Message
from notifications.outcomes import expire, fail, lost_touch, write_outcome

log = logging.getLogger(__name__)
BATCH, AT_ONCE = 32, 8
LEASE = timedelta(seconds=120)
LINGER_S, LONGEST_S = 0.2, 20.0
"""A wake-up held back by its sender is caught by lingering; other chores of the lane wait no longer than this."""

T = TypeVar("T")
R = TypeVar("R")
Ready = tuple[str, Letter]


def send_due() -> int:
    """Send everything that is due now; returns how many telephones were lifted."""
    done, begun, last = 0, clock.monotonic(), clock.monotonic()
    while clock.monotonic() - begun < LONGEST_S and clock.monotonic() - last < LINGER_S:
        if sent := send_batch():
            done, last = done + sent, clock.monotonic()
        else:
            clock.sleep(0.05)
    return done


def send_batch() -> int:
    """One batch; returns how many messages it held."""
    ready = run_unit(claim)
    for (_, letter), outcome in in_threads(_lift, ready):
        _write(letter.message_id, outcome)
    return len(ready)


def claim(u: Unit) -> list[Ready]:
    """Take the due messages nobody else holds, codes first; what has become pointless is put away."""
    now = clock.now()
    due = (
        select(Message)
        .where(Message.state == QUEUED, Message.due_at <= now)
        .order_by(Message.rank, Message.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    while rows := u.session.scalars(due).all():
        if taken := [ready for row in rows if (ready := _take(u, row, now)) is not None]:
            return taken
        # A whole batch of pointless ones was put away: what can still be sent waits behind them.
        u.session.flush()
    return []


def recover(u: Unit, at: datetime) -> int:
    """Messages whose sender died: nobody knows whether they went out. `at` is real time; returns how many."""
    held = (
        select(Message)
        .where(Message.state == SENDING, Message.lease_until < at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = u.session.scalars(held).all()
    for row in rows:
        lost_touch(u, row, wording.say("why", "crashed"))
    return len(rows)


def in_threads(call: Callable[[T], R], things: Iterable[T]) -> Iterator[tuple[T, R]]:
    """Do the calls a few at a time and hand back each as it ends, so that a slow one delays nobody's note."""
    running = {_pool().submit(call, thing): thing for thing in things}
    for ended in as_completed(running):
        yield running[ended], ended.result()


def _take(u: Unit, row: Message, now: datetime) -> Ready | None:
    if row.not_after <= now:
        expire(u, row)
        return None
    to, words = _destination(u, row), letters.words_of(row)
    if to is None or words is None:
        fail(u, row, wording.say("why", "no_destination"))
        return None
    row.called_at, row.lease_until = now, clock.wire_now() + LEASE
    u.step(MESSAGE, row, "claimed", by=CLOCK)
    return row.channel, Letter(row.id, to, words)


def _destination(u: Unit, row: Message) -> str | None:
    """Where it goes now: a person's phone or account as it is today; a code goes where it was asked for."""
    if row.person_id is None:
        return letters.destination_of(row)
    contact = people.contact_of(u, row.person_id)
    to = contact.phone if row.channel == wording.SMS else contact.openids.get("wechat")
    if to is not None:
        letters.put_destination(row, to)
    return to


def _write(message_id: str, outcome: Outcome) -> None:
    """One note that cannot be written must not keep back the others: its message becomes unknown."""
    try:
        run_unit(lambda u: write_outcome(u, message_id, outcome))
    except Exception:
        log.exception("an outcome was not written", extra={"message_id": message_id})


def _lift(ready: Ready) -> Outcome:
    name, letter = ready
    try:
        return channel(name).send(letter)
    except Exception as trouble:
        log.exception("a channel broke", extra={"channel": name})
        return Unknown(type(trouble).__name__)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Kept for the life of the process: each thread keeps its connections to the platforms."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="messages")
