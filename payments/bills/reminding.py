"""Reminders of bills that name their payer: before the last day to pay, and before a fine begins to grow.

Once per bill and kind, by the key of their rows. Whoever is not known to us cannot be told, and may be tomorrow.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from sqlalchemy import and_, or_, select

from backend import people
from backend.contracts import BillReminderDue
from backend.kernel import clock
from backend.store import vault
from backend.store.unit import Unit
from payments.bills.models import FINE, PAYER, Bill, BillReminder
from payments.bills.prices import GRACE, last_free_day
from payments.machine import DUE

BATCH: Final = 100
SOON, PENALTY = "due", "penalty"
AHEAD: Final = timedelta(days=3)


def payer_of(u: Unit, bill: Bill) -> str | None:
    """Whom a bill names, if they are registered and the authority has confirmed their number."""
    if bill.payer is None:
        return None
    return people.verified_owner_of(u, vault.open_sealed(PAYER, bill.id, bill.payer))


def remind_batch(u: Unit, after: str) -> tuple[int, str | None]:
    """Tell the town of bills whose reminder is due; returns how many, and the last bill looked at (None: no more)."""
    today = clock.today()
    soon = Bill.due_on.between(today, today + AHEAD)
    # A notice of before we looked may name an earlier day than the law allows: its penalty begins with the law's.
    early = and_(Bill.kind == FINE, Bill.due_on < today, Bill.issued_on == today - GRACE)
    wanted = select(Bill).where(Bill.state == DUE, Bill.payer_blind.is_not(None), or_(soon, early))
    wanted = wanted.where(Bill.id > after).order_by(Bill.id).limit(BATCH)
    bills = u.session.scalars(wanted.with_for_update(skip_locked=True)).all()
    told = sum(_remind(u, bill, kind) for bill in bills for kind in _kinds_of(bill, today))
    return told, bills[-1].id if bills else None


def _kinds_of(bill: Bill, today: date) -> Iterator[str]:
    """The last day of a fine has its own words; what came only today has just been told."""
    if bill.kind == FINE and last_free_day(bill) == today:
        yield PENALTY
    elif clock.day_of(bill.issued_at) < today <= bill.due_on:
        yield SOON


def _remind(u: Unit, bill: Bill, kind: str) -> bool:
    person_id = None if u.get(BillReminder, (bill.id, kind)) else payer_of(u, bill)
    if person_id is None:
        return False
    u.add(BillReminder(bill_id=bill.id, kind=kind, told_at=clock.now()))
    u.record(BillReminderDue(bill.id, bill.id, person_id, kind))
    return True
