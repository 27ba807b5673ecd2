"""The chore of the morning: fetch what is missing, compare it with the ledger, ask, settle; all of it repeatable."""

import logging
from datetime import timedelta

from sqlalchemy import select

from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.runtime.worker import chore
from backend.store.unit import CLOCK, Unit, run_unit
from payments.reconciliation import deciding, fetching, matching, settlements
from payments.reconciliation.machine import FETCHED, STATEMENT
from payments.reconciliation.models import Statement
from payments.reconciliation.views import Wish

log = logging.getLogger(__name__)
RECONCILE = "payments.reconcile"
MOST_ASKED = 200
"""So many differences of a statement are asked about at once; the others wait for a person."""


@chore(RECONCILE, every=timedelta(seconds=20), lane="statements")
def reconcile() -> int:
    """Bring every missing statement in and compare it; returns how many were reconciled."""
    run_unit(fetching.want_days)
    for wish in run_unit(fetching.claim):
        try:
            fetching.bring(wish)
        except Exception:
            log.exception("bringing a statement in failed", extra={"statement": wish.id})
    return sum(compare(wish) for wish in run_unit(_fetched))


def compare(wish: Wish) -> bool:
    """Compare one fetched statement with the ledger and settle its day; True when it is done."""
    note_differences(wish)
    for difference_id in run_unit(lambda u: matching.open_of(u, wish.id, MOST_ASKED)):
        _ask_quietly(difference_id)
    return settle_day(wish)


def note_differences(wish: Wish) -> int:
    """Write down what differs and was not written down before; returns how much that was."""
    noted = 0
    while True:
        found = run_unit(lambda u: _find(u, wish.id))
        noted += found
        if found < matching.BATCH:
            return noted


def settle_day(wish: Wish) -> bool:
    """Make the settlements of a statement that has been compared; False when somebody did before."""
    lines = run_unit(lambda u: _lines(u, wish.id))
    settlements.mark_settled(wish.id, wish.channel, lines)
    return run_unit(lambda u: _finish(u, wish.id))


def _ask_quietly(difference_id: str) -> None:
    try:
        deciding.ask_again(difference_id, deciding.AUTOMATIC)
    except Problem:
        log.info("nothing to ask about a difference", extra={"difference": difference_id})
    except Exception:
        log.exception("asking about a difference failed", extra={"difference": difference_id})


def _fetched(u: Unit) -> list[Wish]:
    wanted = select(Statement).where(Statement.state == FETCHED).order_by(Statement.day, Statement.id)
    return [Wish(row.id, row.channel, row.day) for row in u.session.scalars(wanted)]


def _lines(u: Unit, statement_id: str) -> int:
    statement = u.get(Statement, statement_id)
    return statement.lines if statement else 0


def _find(u: Unit, statement_id: str) -> int:
    statement = u.get(Statement, statement_id, lock=True)
    return matching.find(u, statement) if statement else 0


def _finish(u: Unit, statement_id: str) -> bool:
    """Settle the day once, whoever comes first."""
    statement = u.get(Statement, statement_id, lock=True)
    if statement is None or statement.state != FETCHED:
        return False
    matching.solve_appeared(u, statement)
    settlements.make(u, statement)
    u.step(STATEMENT, statement, "reconciled", by=CLOCK)
    statement.reconciled_at = clock.now()
    return True
