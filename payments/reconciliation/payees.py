"""Differences that were a department's money all along: a payment nobody of ours opened, or one the channel doubled.

Such a line is in no settlement, and yet the channel pays it out to the department's bank account. Explained as the
department's, it takes the way of a settled payment, and a bank credit may be made up of it beside the settlements.
"""

from sqlalchemy import select

from backend.kernel.problems import FieldError, InvalidInput
from backend.store.unit import Unit
from payments.bills.models import Payee
from payments.ledger import ledger
from payments.reconciliation import credits, matching, wording
from payments.reconciliation import machine as m
from payments.reconciliation.models import Difference, Settlement
from payments.reconciliation.problems import NobodysPayout

# What of a difference's own lines no settlement contains, and what the channel keeps of it.
_UNSETTLED = """
    SELECT coalesce(sum(CASE l.kind WHEN 'paid' THEN l.amount_fen ELSE -l.amount_fen END), 0)::bigint,
        coalesce(sum(l.fee_fen), 0)::bigint
    FROM payments_statement_line l
    JOIN payments_statement s ON s.id = l.statement_id
    LEFT JOIN payments_refund r ON l.kind = 'returned' AND r.number = l.number
    LEFT JOIN payments_payment own ON own.id = r.payment_id
    LEFT JOIN payments_payment p ON p.number = coalesce(own.number, l.payment_number) AND p.channel = s.channel
    WHERE l.statement_id = %(statement)s AND l.number = %(number)s AND l.kind = %(kind)s
      AND l.again = %(again)s AND (l.again OR p.id IS NULL)
"""


def check(u: Unit, row: Difference, to: str, department_id: str | None) -> None:
    """Whether an explanation may name this department. Raises InvalidInput, NobodysPayout."""
    if to != m.TO_PAYEE:
        if department_id is not None:
            raise _wrong(wording.NOT_TO_A_DEPARTMENT)
        return
    if department_id is None:
        raise _wrong(wording.NO_DEPARTMENT)
    if not _is_known(u, department_id):
        raise _wrong(wording.STRANGE_DEPARTMENT)
    _fee_of(u, row)


def pay_out(u: Unit, row: Difference, channel: str) -> None:
    """Enter it as the department's, earned and paid out, for a bank credit to bring. Raises NobodysPayout."""
    department_id, fen, kept = row.explained_department or "", matching.booking_of(row), _fee_of(u, row)
    row.payout_fen = fen - kept
    ledger.enter_payees_difference(
        u, difference_id=row.id, channel=channel, department_id=department_id, amount_fen=fen, fee_fen=kept
    )
    credits.match_waiting(u, department_id, channel)


def _fee_of(u: Unit, row: Difference) -> int:
    """What the channel keeps of it. Raises NobodysPayout when a settlement contains it, or no line tells of it."""
    asked = {
        "statement": row.statement_id, "number": row.number, "again": row.kind == m.TOLD_TWICE,
        "kind": m.RETURNED_LINE if matching.about_return(row) else m.PAID_LINE,
    }  # fmt: skip
    fen, kept = u.execute(_UNSETTLED, asked).fetchone() or (0, 0)
    if not fen or fen != matching.booking_of(row):
        raise NobodysPayout
    return int(kept)


def _is_known(u: Unit, department_id: str) -> bool:
    """Whether it is an active payee of the register, or the channels have settled with it."""
    payee = u.get(Payee, department_id)
    if payee is not None and payee.active:
        return True
    settled = select(Settlement.id).where(Settlement.payee == department_id)
    return u.session.scalars(settled.limit(1)).first() is not None


def _wrong(says: str) -> InvalidInput:
    return InvalidInput(errors=[FieldError(field="department_id", message=says)])
