"""What a bill costs on which day. Pure sums over whole fen; parts of a fen fall away in the payer's favour."""

from dataclasses import dataclass
from datetime import date, timedelta

from payments.bills.models import FINE, Bill
from payments.machine import BILL_PAID, DUE

DAILY_PERCENT = 3
GRACE = timedelta(days=15)
"""A fine is paid within 15 days (行政处罚法); the 16th day is the first with a penalty, whatever a notice says."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Principal, what being late adds (滞纳金) and what not obeying a fine adds (加处罚款), in fen."""

    principal_fen: int
    overdue_fen: int
    penalty_fen: int

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.overdue_fen + self.penalty_fen


def overdue_fen(principal_fen: int, base_fen: int, ppm: int, late_days: int) -> int:
    """Overdue (滞纳金): what stood on the bill, and `ppm` millionths of the principal for each day late.

    Never above the principal (行政强制法 45: 滞纳金的数额不得超出金钱给付义务的数额).
    """
    return min(principal_fen, base_fen + principal_fen * ppm * max(0, late_days) // _MILLION)


def penalty_fen(principal_fen: int, last_day: date, today: date) -> int:
    """Penalty (加处罚款) of a fine: 3 % of the principal for each day after the last, never above the principal.

    行政处罚法: 每日按罚款数额的百分之三加处罚款, 加处罚款的数额不得超出罚款的数额.
    """
    late = max(0, (today - last_day).days)
    return min(principal_fen, principal_fen * DAILY_PERCENT * late // 100)


def last_free_day(bill: Bill) -> date:
    """The last day on which a fine costs no penalty: its last day to pay, and never before the law's own."""
    return max(bill.due_on, bill.issued_on + GRACE)


def price_on(bill: Bill, day: date) -> Price:
    """What the bill cost, or will cost, if it is due on this day. Both additions together stay within the principal."""
    late = (day - bill.due_on).days
    overdue = overdue_fen(bill.principal_fen, bill.overdue_fen, bill.overdue_ppm, late)
    penalty = penalty_fen(bill.principal_fen, last_free_day(bill), day) if bill.kind == FINE else 0
    return Price(bill.principal_fen, overdue, min(penalty, bill.principal_fen - overdue))


def price_now(bill: Bill, today: date) -> Price:
    """A due bill as of today; what is paid is frozen at what was paid, what is withdrawn grows no more."""
    if bill.state == DUE:
        return price_on(bill, today)
    if bill.state == BILL_PAID and bill.paid_overdue_fen is not None:
        return Price(bill.principal_fen, bill.paid_overdue_fen, bill.paid_penalty_fen or 0)
    return Price(bill.principal_fen, bill.overdue_fen, 0)


def price_met(bill: Bill, amount_fen: int, opened_on: date) -> Price | None:
    """The price that a payment opened on this day was opened for; None when the bill never cost that then.

    The day before counts too: a payment may be priced before midnight and written after it.
    """
    prices = (price_on(bill, opened_on - timedelta(days=back)) for back in (0, 1))
    return next((price for price in prices if price.total_fen == amount_fen), None)
