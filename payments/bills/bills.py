"""Bills (缴款): pushed by departments, corrected, withdrawn, handled at their window, settled by payments."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from backend.contracts import BillIssued, BillWithdrawn
from backend.kernel import clock
from backend.kernel.privacy import scrub
from backend.kernel.problems import Problem
from backend.store.unit import Actor, Unit, retry_on
from payments import subjects, wording
from payments.bills import drafts, payees
from payments.bills.models import Bill, BillItem, BillReader, BillReminder
from payments.bills.prices import Price, price_met, price_on
from payments.bills.problems import BillBeingPaid
from payments.bills.questions import bill_view, knows_factor, lines_of
from payments.bills.reminding import payer_of
from payments.bills.views import BillCorrection, BillDraft, BillLine, BillView, LineFault, LineOutcome
from payments.machine import BILL, BILL_PAID, DUE
from payments.models import Payment
from payments.problems import BillNotDue, BillNotFound, BillNumberTaken

retry_on("uq_payments_bill_notice_no")


def issue_bill(u: Unit, draft: BillDraft, by: Actor) -> BillView:
    """Take a bill in. The same one again is the same bill; nothing that differs from it is taken over silently.

    Raises InvalidInput (or one of its kinds), PayeeInactive, and BillNumberTaken: the number stands on a bill that
    says something else, or that was withdrawn.
    """
    draft = drafts.checked(draft)
    known = u.session.scalars(select(Bill).where(Bill.notice_no == draft.notice_no)).one_or_none()
    if known is not None:
        if wrong := drafts.differences(known, lines_of(u, [known.id]).get(known.id, ()), draft):
            raise BillNumberTaken(errors=wrong)
        return bill_view(u, known)
    payees.require_active(u, draft.department_id)
    payees.require_unit(u, draft.department_id, draft.unit_code)
    bill = drafts.written(draft)
    u.add(bill)
    facts = {"principal_fen": bill.principal_fen, "item": bill.item, "unit": bill.executing_unit}
    issued = BillIssued(bill.id, bill.id, payer_of(u, bill))
    u.begin(BILL, bill, by=by, says=wording.BILL_ISSUED, facts=facts, event=issued)
    u.flush_rows()
    u.session.add_all(drafts.item_rows(bill.id, draft.items))
    u.flush_rows()
    return bill_view(u, bill)


def issue_bills(
    u: Unit, drafts: Iterable[BillDraft], by: Actor, may_push: Callable[[BillDraft], None]
) -> list[LineOutcome]:
    """Take a batch in, line by line: a line that is refused does not hold up the others.

    `may_push` raises for a bill that the caller may not push; that, too, is only this line's outcome.
    """

    def one(line: int, draft: BillDraft) -> LineOutcome:
        try:
            may_push(draft)
            return LineOutcome(line, draft.notice_no, issue_bill(u, draft, by).id)
        except Problem as refused:
            faults = refused.extra.get("errors")
            told = tuple(LineFault(**fault) for fault in faults) if isinstance(faults, list) else ()
            return LineOutcome(line, draft.notice_no, None, refused.slug, refused.title, told)

    return [one(line, draft) for line, draft in enumerate(drafts, 1)]


def load_bills(u: Unit, rows: Iterable[Mapping[str, Any]], by: Actor) -> int:
    """Take in bills from data. `issued_days_ago` counts from today; a number known already is left alone."""
    loaded = 0
    for row in rows:
        if u.session.scalars(select(Bill.id).where(Bill.notice_no == row["notice_no"])).one_or_none():
            continue
        fields = {name: value for name, value in row.items() if name != "issued_days_ago"}
        fields["issued_on"] = clock.today() - timedelta(days=int(row["issued_days_ago"]))
        fields["items"] = tuple(BillLine(**line) for line in row.get("items", ()))
        issue_bill(u, BillDraft(**fields), by)
        loaded += 1
    return loaded


def correct_bill(
    u: Unit, bill_id: str, department_id: str | None, told: BillCorrection, reason: str, by: Actor
) -> BillView:
    """Put other amounts on a bill that nobody has paid or begins to pay; the journal keeps both sums.

    With another second factor it is found anew by everybody, with another payer it tells and reminds them. The journal
    keeps which of the two changed and neither of them. What else was wrong needs a new bill under a new number.
    Raises BillNotFound, BillNotDue, BillBeingPaid, InvalidInput (or one of its kinds).
    """
    bill = _due_bill(u, bill_id, department_id)
    if subjects.open_payments(u, subjects.subject_of_bill(bill.id)):
        raise BillBeingPaid
    told = drafts.checked_correction(told, bill)
    was_fen = price_on(bill, bill.due_on).total_fen
    facts = {"reason": scrub(reason)[:80], "was_fen": was_fen, "principal_fen": told.principal_fen}
    has_other_day, has_other_payer = told.due_on != bill.due_on, _takes_payer(bill, told)
    changed = {"payer_changed": has_other_payer, "factor_changed": _takes_factor(u, bill, told)}
    facts |= {name: True for name, has_changed in changed.items() if has_changed}
    if has_other_day or has_other_payer:
        u.session.execute(delete(BillReminder).where(BillReminder.bill_id == bill.id))
    bill.principal_fen, bill.overdue_fen = told.principal_fen, told.overdue_fen
    bill.overdue_ppm, bill.due_on = told.overdue_ppm, told.due_on
    u.session.execute(delete(BillItem).where(BillItem.bill_id == bill.id))
    u.session.add_all(drafts.item_rows(bill.id, told.items))
    u.step(BILL, bill, "corrected", by=by, facts=facts)
    if has_other_payer:
        u.record(BillIssued(bill.id, bill.id, payer_of(u, bill)))
    u.flush_rows()
    return bill_view(u, bill)


def withdraw_bill(u: Unit, bill_id: str, department_id: str | None, reason: str, by: Actor) -> BillView:
    """Take a bill back that is still due; payments under way are closed. Raises BillNotFound, BillNotDue."""
    bill = _due_bill(u, bill_id, department_id)
    u.step(BILL, bill, "withdrawn", by=by, facts={"reason": scrub(reason)[:80]})
    u.record(BillWithdrawn(bill.id, bill.id))
    subjects.close_live(u, subjects.subject_of_bill(bill.id), by)
    return bill_view(u, bill)


def mark_window_handled(u: Unit, bill_id: str, department_id: str | None, by: Actor) -> BillView:
    """The payer was at the window: from now on the bill may be paid online. Raises BillNotFound, BillNotDue."""
    bill = _due_bill(u, bill_id, department_id)
    if bill.window_handled_at is None:
        bill.window_handled_at = clock.now()
        u.step(BILL, bill, "window_handled", by=by)
    return bill_view(u, bill)


def is_wanted(u: Unit, payment: Payment) -> bool:
    """Whether this held payment's money is due: the bill still is, and cost this when the payment was opened.

    What a case owes is not ours to know: its money is taken.
    """
    bill = _bill_of_subject(u, payment.subject)
    if bill is None:
        return subjects.bill_in(payment.subject) is None
    return bill.state == DUE and _price_met(bill, payment) is not None


def take_payment(u: Unit, payment: Payment, by: Actor) -> None:
    """The money for a held subject is here: if it is a bill, the bill is paid, at the price it was opened for."""
    bill = _bill_of_subject(u, payment.subject)
    if bill is None:
        return
    price = _price_met(bill, payment)
    if price is not None:
        bill.paid_overdue_fen, bill.paid_penalty_fen = price.overdue_fen, price.penalty_fen
    u.step(BILL, bill, "paid", by=by)


def take_back_payment(u: Unit, payment: Payment, by: Actor, *, withdrawn: bool = False) -> None:
    """All the money of a held payment went back: a paid bill is due again, or withdrawn if it was wrong.

    The days on which it was paid do not count against its payer: its last day moves by as many.
    """
    bill = _bill_of_subject(u, payment.subject)
    if bill is not None and bill.state == BILL_PAID:
        bill.paid_overdue_fen = bill.paid_penalty_fen = None
        if payment.paid_at is not None:
            bill.due_on += max(clock.today() - clock.day_of(payment.paid_at), timedelta(0))
        u.step(BILL, bill, "withdrawn_returned" if withdrawn else "returned", by=by)


def _takes_payer(bill: Bill, told: BillCorrection) -> bool:
    """Name another payer, if another is told; whether one was."""
    if told.payer_id_no is None or drafts.names_payer(bill, told.payer_id_no):
        return False
    drafts.put_payer(bill, told.payer_id_no)
    return True


def _takes_factor(u: Unit, bill: Bill, told: BillCorrection) -> bool:
    """Put another second factor on it, if another is told: whoever found it by the former one has proven nothing."""
    if told.factor is None or knows_factor(bill, told.factor):
        return False
    drafts.put_factor(bill, told.factor)
    u.session.execute(delete(BillReader).where(BillReader.bill_id == bill.id))
    return True


def _price_met(bill: Bill, payment: Payment) -> Price | None:
    return price_met(bill, payment.amount_fen, clock.day_of(payment.opened_at))


def _bill_of_subject(u: Unit, subject: str) -> Bill | None:
    bill_id = subjects.bill_in(subject)
    return None if bill_id is None else u.get(Bill, bill_id, lock=True)


def _due_bill(u: Unit, bill_id: str, department_id: str | None) -> Bill:
    """The bill, held and locked, while it is due. Raises BillNotFound, BillNotDue."""
    subjects.hold_subject(u, subjects.subject_of_bill(bill_id))
    bill = u.get(Bill, bill_id, lock=True)
    if bill is None or department_id not in (None, bill.department_id):
        raise BillNotFound
    if bill.state != DUE:
        raise BillNotDue(state=bill.state)
    return bill
