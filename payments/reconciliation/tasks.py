"""The chore of the morning: fetch what is missing, compare it with the ledger, ask, settle; all of it repeatable."""

import logging
from datetime import timedelta

from sqlalchemy import select

from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.runtime.worker import chore
from backend.store.unit import CLOCK, Unit, run_unit
from payments.reconciliation import deciding, explaining, fetching, looking, matching, settlements
from payments.reconciliation.machine import FETCHED, STATEMENT
from payments.reconciliation.models import Statement
from payments.reconciliation.views import Wish

log = logging.getLogger(__name__)
RECONCILE = "payments.reconcile"
MOST_ASKED = 200
"""So many differences of a new statement are asked about at once, before its day is settled."""
MORE_ASKED = 100
"""So many are asked about each time the chore comes by; the others when their turn comes."""


@chore(RECONCILE, every=timedelta(seconds=10), lane="statements")
def reconcile() -> int:
    """Bring every missing statement in and compare it; returns how many were reconciled."""
    run_unit(fetching.want_days)
    for wish in run_unit(fetching.claim):
        try:
            fetching.bring(wish)
        except Exception:
            log.exception("bringing a statement in failed", extra={"statement": wish.id})
    done = sum(compare(wish) for wish in run_unit(_fetched))
    look_again()
    return done


def compare(wish: Wish) -> bool:
    """Compare one fetched statement with the ledger and settle its day; True when it is done."""
    note_differences(wish)
    for difference_id in run_unit(lambda u: looking.claim_questions(u, MOST_ASKED, wish.id)):
        _ask_quietly(difference_id)
    return settle_day(wish)


def look_again() -> int:
    """End the differences of settled days that agree by now, and ask on about the others; returns how many ended."""
    due = run_unit(looking.claim_looks)
    ended = run_unit(lambda u: explaining.solve_agreeing(u, due)) if due else 0
    for difference_id in run_unit(lambda u: looking.claim_questions(u, MORE_ASKED)):
        _ask_quietly(difference_id)
    return ended


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
    explaining.solve_appeared(u, statement)
    settlements.make(u, statement)
    u.step(STATEMENT, statement, "reconciled", by=CLOCK)
    statement.reconciled_at = clock.now()
    u.flush_rows()
    explaining.reopen_waiting(u, statement.channel)
    return True
