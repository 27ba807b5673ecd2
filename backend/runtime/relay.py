"""Carries recorded events to the ears of the other houses, each exactly once and in the order of its stream."""

import logging
from datetime import timedelta

from backend.kernel import clock
from backend.runtime import metrics, worker
from backend.store import outbox
from backend.store.unit import Unit, on_recorded, run_unit

log = logging.getLogger(__name__)
NAME = "relay.deliver"
LINGER_S = 0.3
LONGEST_S = 20.0


@worker.chore(NAME, every=timedelta(seconds=2), lane="relay")
def deliver() -> int:
    """Deliver what is due; lingers a moment, so that a wake-up held back by the sender is not missed."""
    done, last, begun = 0, clock.monotonic(), clock.monotonic()
    while clock.monotonic() - begun < LONGEST_S:
        if relay_once():
            done, last = done + 1, clock.monotonic()
        elif clock.monotonic() - last > LINGER_S:
            break
        else:
            clock.sleep(0.05)
    return done


def relay_all() -> int:
    """Deliver everything that is due now, without waiting; returns how many deliveries were tried."""
    tried = 0
    while relay_once():
        tried += 1
    return tried


def relay_once() -> bool:
    """One delivery. The ear's writes and the mark that it has heard are one transaction."""
    claimed: list[outbox.Claim] = []

    def work(u: Unit) -> bool:
        claimed.clear()
        found = outbox.claim(u.session, clock.wire_now())
        if found is None:
            return False
        claimed.append(found)
        hearer = outbox.ear(found.ear)
        if hearer is None:
            raise LookupError(f"no ear is called {found.ear}")
        hearer(u, found.event)
        outbox.mark_done(u.session, found, clock.wire_now())
        return True

    try:
        found = run_unit(work)
    except Exception as trouble:
        if not claimed:
            raise
        _bury_or_wait(claimed[0], trouble)
        return True
    if found:
        metrics.DELIVERIES.labels(claimed[0].ear, "done").inc()
    return found


def _bury_or_wait(claimed: outbox.Claim, trouble: Exception) -> None:
    error = f"{type(trouble).__name__}: {trouble}"
    state = run_unit(lambda u: outbox.mark_failed(u.session, claimed, clock.wire_now(), error))
    metrics.DELIVERIES.labels(claimed.ear, state or "lost race").inc()
    log.error(
        "an ear failed",
        exc_info=trouble,
        extra={"ear": claimed.ear, "event_id": claimed.event_id, "state": state},
    )


def wake() -> None:
    worker.wake(NAME)


on_recorded(wake)
