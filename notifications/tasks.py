"""Chores of the bureau: send, ask, put away what is pointless, forget what is old."""

from datetime import timedelta

from sqlalchemy import delete, or_, select

from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store.unit import Unit, run_unit
from notifications import asking, sending
from notifications.kinds import KINDS
from notifications.machine import DELIVERED, EXPIRED, FAILED, QUEUED, SENT, UNKNOWN
from notifications.models import Message
from notifications.outcomes import expire
from notifications.telling import SEND

BATCH = 200
KEPT = timedelta(days=400)
_SECRET = [kind.name for kind in KINDS.values() if kind.secret]


@chore(SEND, every=timedelta(seconds=2), lane="messages")
def send() -> int:
    """Send what is due."""
    return sending.send_due()


@chore("notifications.ask", every=timedelta(seconds=5), lane="messages")
def ask() -> int:
    """Ask about what is unknown or unreported."""
    return asking.ask_due()


@chore("notifications.expire", every=timedelta(seconds=60))
def put_away() -> int:
    """Close what is pointless by now, and empty codes nobody can use any more."""
    return run_unit(_expire_batch) + run_unit(_empty_secrets)


@chore("notifications.forget", every=timedelta(days=1))
def forget() -> int:
    """Delete messages kept long enough; the journal goes on knowing that they were."""
    done = 0
    while batch := run_unit(_forget_batch):
        done += batch
    return done


def _expire_batch(u: Unit) -> int:
    late = (
        select(Message)
        .where(Message.state == QUEUED, Message.not_after <= clock.now())
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = u.session.scalars(late).all()
    for row in rows:
        expire(u, row)
    return len(rows)


def _empty_secrets(u: Unit) -> int:
    stale = (
        select(Message)
        .where(
            Message.state.in_((UNKNOWN, SENT)),
            Message.kind.in_(_SECRET),
            Message.content.is_not(None),
            Message.not_after <= clock.now(),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = u.session.scalars(stale).all()
    for row in rows:
        row.content = None
    return len(rows)


def _forget_batch(u: Unit) -> int:
    over = or_(Message.state.in_((DELIVERED, FAILED, EXPIRED)), Message.ask_at.is_(None))
    old = select(Message.id).where(Message.queued_at < clock.now() - KEPT, over).limit(BATCH)
    done = u.session.execute(delete(Message).where(Message.id.in_(old)))
    return int(getattr(done, "rowcount", 0))
