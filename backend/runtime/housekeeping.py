"""Chores of the plumbing itself: partitions made ahead, old rows dropped, journal heads signed."""

from datetime import timedelta

from sqlalchemy import CursorResult, text

from backend.kernel import clock
from backend.runtime import answers, metrics
from backend.runtime.worker import chore
from backend.store import journal, outbox, partitions
from backend.store.unit import Unit, run_unit

DONE_LIFE = timedelta(days=90)
NOTICE_LIFE = timedelta(days=396)


@chore("store.make_partitions", every=timedelta(hours=6))
def make_partitions() -> int:
    """Keep three months of partitions ahead of the clock."""
    return run_unit(lambda u: partitions.make_ahead(u.session.connection(), clock.today()))


@chore("store.drop_partitions", every=timedelta(hours=24))
def drop_partitions() -> int:
    """Drop the months that have outlived their declared time. Real time: a demo looks ahead without forgetting."""
    return run_unit(lambda u: partitions.drop_old(u.session.connection(), clock.day_of(clock.wire_now())))


@chore("store.purge", every=timedelta(minutes=10))
def purge() -> int:
    """Drop what has outlived its declared time."""
    return run_unit(_purge)


@chore("store.sign_heads", every=timedelta(minutes=5))
def sign_heads() -> int:
    """Sign the journal heads that have moved."""
    return run_unit(lambda u: journal.sign_heads(u.session, clock.now()))


@chore("store.measure", every=timedelta(seconds=30))
def measure() -> int:
    """Publish the outbox backlog."""
    counts = run_unit(lambda u: outbox.backlog(u.session))
    for state, number in counts.items():
        metrics.BACKLOG.labels(state).set(number)
    return sum(counts.values())


def _purge(u: Unit) -> int:
    now = clock.wire_now()
    dropped = answers.purge(u.session)
    for statement, before in (
        ("DELETE FROM store_delivery WHERE state = 'done' AND done_at < :before", now - DONE_LIFE),
        ("DELETE FROM store_notice_key WHERE heard_at < :before", now - NOTICE_LIFE),
    ):
        result = u.session.execute(text(statement), {"before": before})
        dropped += result.rowcount if isinstance(result, CursorResult) else 0
    return dropped
