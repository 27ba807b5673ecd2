"""Chores of the register: what has served its time is swept away."""

from datetime import timedelta

from sqlalchemy import delete

from backend.kernel import clock
from backend.people.models import Address, Code, Nonce, PhoneAnswer, SessionRow, Tally
from backend.people.services import vouchers
from backend.people.services.systems import WINDOW_S
from backend.runtime.worker import chore
from backend.store.unit import Unit, run_unit

ENDED_KEPT = timedelta(days=30)
REMOVED_KEPT = timedelta(days=365)
TALLY_KEPT = timedelta(days=2)


@chore("people.purge", every=timedelta(minutes=10))
def purge() -> int:
    """Drop expired codes, nonces, phone answers, tallies, sessions with their tokens, and long removed addresses."""
    return run_unit(_purge)


def _purge(u: Unit) -> int:
    wire, now = clock.wire_now(), clock.now()
    old = wire - ENDED_KEPT
    statements = (
        delete(Code).where(Code.good_until < wire - timedelta(days=1)),
        # Twice the window on both sides: a time stamp may run ahead as far as it may lag.
        delete(Nonce).where(Nonce.heard_at < wire - timedelta(seconds=3 * WINDOW_S)),
        delete(PhoneAnswer).where(PhoneAnswer.heard_at < wire - vouchers.KEPT),
        delete(Tally).where(Tally.opened_at < now - TALLY_KEPT),
        delete(SessionRow).where((SessionRow.ended_at < old) | (SessionRow.good_until < old)),
        delete(Address).where(Address.removed_at < now - REMOVED_KEPT),
    )
    return sum(int(getattr(u.session.execute(statement), "rowcount", 0)) for statement in statements)
