"""Bills (缴款): pushed by departments, withdrawn by them, handled at their window, settled by payments."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from backend.contracts import BillIssued
from backend.kernel import clock, ids
from backend.kernel.privacy import scrub
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import vault
from backend.store.unit import Actor, Unit, retry_on
from payments import subjects, wording
from payments.bill_models import FACTOR, FEE, FINE, Bill
from payments.bill_questions import bill_view, tidy_factor
from payments.machine import BILL, BILL_PAID, DUE
from payments.models import MAX_FEN
from payments.problems import BillNotDue, BillNotFound, BillNumberTaken
from payments.views import BillDraft, BillView

GRACE = timedelta(days=15)
"""A fine is paid within 15 days (行政处罚法); the 16th day is the first with a penalty."""

retry_on("uq_payments_bill_notice_no")


def issue_bill(u: Unit, draft: BillDraft, by: Actor) -> BillView:
    """Take a bill in. The same one again is the same bill.

    Raises InvalidInput, BillNumberTaken (the number stands on another bill).
    """
    draft = _checked(draft)
    known = u.session.scalars(select(Bill).where(Bill.notice_no == draft.notice_no)).one_or_none()
    if known is not None:
        if _differs(known, draft):
            raise BillNumberTaken
        return bill_view(known)
    bill = _written(draft)
    u.add(bill)
    facts = {"principal_fen": bill.principal_fen, "item": bill.item, "unit": bill.executing_unit}
    u.begin(
        BILL, bill, by=by, says=wording.BILL_ISSUED, facts=facts, event=BillIssued(bill.id, bill.id, None)
    )
    return bill_view(bill)


def load_bills(u: Unit, rows: Iterable[Mapping[str, Any]], by: Actor) -> int:
    """Take in bills from data. `issued_days_ago` counts from today; a number known already is left alone."""
    loaded = 0
    for row in rows:
        if u.session.scalars(select(Bill.id).where(Bill.notice_no == row["notice_no"])).one_or_none():
            continue
        fields = {name: value for name, value in row.items() if name != "issued_days_ago"}
        fields["issued_on"] = clock.today() - timedelta(days=int(row["issued_days_ago"]))
        issue_bill(u, BillDraft(**fields), by)
        loaded += 1
    return loaded


def withdraw_bill(u: Unit, bill_id: str, department_id: str | None, reason: str, by: Actor) -> BillView:
    """Take a bill back that is still due; payments under way are closed. Raises BillNotFound, BillNotDue."""
    bill = _held_bill(u, bill_id, department_id)
    if bill.state != DUE:
        raise BillNotDue(state=bill.state)
    u.step(BILL, bill, "withdrawn", by=by, facts={"reason": scrub(reason)[:80]})
    subjects.close_live(u, subjects.subject_of_bill(bill.id), by)
    return bill_view(bill)


def mark_window_handled(u: Unit, bill_id: str, department_id: str | None, by: Actor) -> BillView:
    """The payer was at the window: from now on the bill may be paid online. Raises BillNotFound, BillNotDue."""
    bill = _held_bill(u, bill_id, department_id)
    if bill.state != DUE:
        raise BillNotDue(state=bill.state)
    if bill.window_handled_at is None:
        bill.window_handled_at = clock.now()
        u.step(BILL, bill, "window_handled", by=by)
    return bill_view(bill)


def is_wanted(u: Unit, subject: str) -> bool:
    """Whether money for this held subject is due. What a case owes is not ours to know: it is taken."""
    bill_id = subjects.bill_in(subject)
    if bill_id is None:
        return True
    bill = u.get(Bill, bill_id, lock=True)
    return bill is not None and bill.state == DUE


def take_payment(u: Unit, subject: str, by: Actor) -> None:
    """The money for a held subject is here: if it is a bill, the bill is paid."""
    bill = _bill_of_subject(u, subject)
    if bill is not None:
        u.step(BILL, bill, "paid", by=by)


def take_back_payment(u: Unit, subject: str, by: Actor) -> None:
    """All the money of a held subject went back: if it is a paid bill, it is due again."""
    bill = _bill_of_subject(u, subject)
    if bill is not None and bill.state == BILL_PAID:
        u.step(BILL, bill, "returned", by=by)


def _bill_of_subject(u: Unit, subject: str) -> Bill | None:
    bill_id = subjects.bill_in(subject)
    return None if bill_id is None else u.get(Bill, bill_id, lock=True)


def _held_bill(u: Unit, bill_id: str, department_id: str | None) -> Bill:
    subjects.hold_subject(u, subjects.subject_of_bill(bill_id))
    bill = u.get(Bill, bill_id, lock=True)
    if bill is None or department_id not in (None, bill.department_id):
        raise BillNotFound
    return bill


def _checked(draft: BillDraft) -> BillDraft:
    """The draft with its due date, if nothing is wrong with it."""
    due_on = draft.due_on or draft.issued_on + GRACE
    faults = {
        "notice_no": not re.fullmatch(r"[0-9]{20}", draft.notice_no),
        "kind": draft.kind not in (FEE, FINE),
        "principal_fen": not _is_fen(draft.principal_fen, 1),
        "overdue_fen": not _is_fen(draft.overdue_fen, 0),
        "factor": not 4 <= len(tidy_factor(draft.factor)) <= 20,
        "due_on": due_on < draft.issued_on,
        "issued_on": draft.issued_on > clock.today(),
        "executing_unit": not 1 <= len(draft.executing_unit) <= 80,
        "item": not 1 <= len(draft.item) <= 80,
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise InvalidInput(errors=[FieldError(field=name, message="填写不正确") for name in wrong])
    return replace(draft, due_on=due_on)


def _is_fen(value: object, least: int) -> bool:
    return type(value) is int and least <= value <= MAX_FEN


def _written(draft: BillDraft) -> Bill:
    public_id = ids.new_id("bi")
    return Bill(
        id=public_id,
        notice_no=draft.notice_no,
        kind=draft.kind,
        executing_unit=draft.executing_unit,
        region_code=draft.region_code,
        department_id=draft.department_id,
        item=draft.item,
        principal_fen=draft.principal_fen,
        overdue_fen=draft.overdue_fen,
        issued_on=draft.issued_on,
        due_on=_due_on(draft),
        factor=vault.seal(FACTOR, public_id, tidy_factor(draft.factor)),
        window_name=draft.window_name,
        window_address=draft.window_address,
        issued_at=clock.now(),
    )


def _due_on(draft: BillDraft) -> date:
    return draft.due_on or draft.issued_on + GRACE


def _differs(bill: Bill, draft: BillDraft) -> bool:
    known = (bill.kind, bill.department_id, bill.item, bill.principal_fen, bill.overdue_fen, bill.due_on)
    told = (
        draft.kind, draft.department_id, draft.item, draft.principal_fen, draft.overdue_fen, _due_on(draft)
    )  # fmt: skip
    return known != told
