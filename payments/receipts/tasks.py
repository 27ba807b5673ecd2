"""The chore of receipts: ask for what is wanted, and for the end of what no longer says the truth."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store.unit import run_unit
from payments.receipts import asking
from payments.receipts.asking import Wish

log = logging.getLogger(__name__)
BATCH, LINES = 40, 4
LONGEST_S = 20.0
"""A chore's lease is a minute: what is not done by then waits for the next look."""


@chore("payments.receipts", every=timedelta(seconds=5))
def issue_receipts() -> int:
    """Ask about every receipt whose time has come; returns how many went a step further."""
    done, end = 0, clock.monotonic() + LONGEST_S
    while wishes := run_unit(lambda u: asking.claim(u, BATCH)):
        with ThreadPoolExecutor(max_workers=LINES) as lines:
            done += sum(lines.map(_quietly, wishes))
        if clock.monotonic() > end:
            break
    return done


def _quietly(wish: Wish) -> bool:
    """One receipt that fails is told and does not hold up the others."""
    try:
        return asking.ask(wish)
    except Exception:
        log.exception("asking for a receipt failed", extra={"receipt": wish.receipt_id})
        return False
