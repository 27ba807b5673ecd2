"""By which payment a bill was settled, when, and whether there is a receipt of it: results go back to who issued it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, select

from backend.kernel import clock
from backend.store.unit import Unit
from payments.bills.models import Bill
from payments.models import Payment
from payments.receipts.machine import ISSUED
from payments.receipts.models import Receipt
from payments.subjects import bill_in, subject_of_bill


@dataclass(frozen=True, slots=True)
class Settled:
    """What settled one bill; who neither paid nor owed it learns no payment."""

    payment_id: str | None = None
    paid_at: datetime | None = None
    has_receipt: bool = False


def settled(u: Unit, bill_ids: Sequence[str], person_id: str | None) -> dict[str, Settled]:
    """What settled these bills, in one statement, as this person may know it; None is the desk."""
    if not bill_ids:
        return {}
    valid = and_(Receipt.payment_id == Payment.id, Receipt.state == ISSUED)
    wanted = select(
        Payment.subject,
        Payment.id,
        Payment.paid_at,
        Payment.person_id,
        Payment.owed_by,
        exists().where(valid),
    ).where(Payment.subject.in_([subject_of_bill(bill_id) for bill_id in bill_ids]), Payment.settles)
    return {
        bill_in(subject) or "": Settled(
            payment_id if person_id in (None, payer, owner) else None, paid_at, has_receipt
        )
        for subject, payment_id, paid_at, payer, owner, has_receipt in u.session.execute(wanted)
    }


def paid_since(day: date) -> ColumnElement[bool]:
    """Bills whose money came on this day or later, and has not gone back."""
    mine = Payment.subject == func.concat("bill:", Bill.id)
    return exists().where(mine, Payment.settles, Payment.paid_at >= clock.start_of_day(day))
