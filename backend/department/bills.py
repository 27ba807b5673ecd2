"""The department's desk for bills: push one or many, correct, withdraw, mark handled at the window."""

from typing import Annotated, Literal

from pydantic import Field

import payments
from backend import people
from backend.kernel.problems import Forbidden
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Day, Page, Query, Surface, Unit
from backend.store.unit import unit

FINANCE, CLERK, SYSTEM = "finance", "window_clerk", "system"
BILL_DESK = (FINANCE, CLERK, SYSTEM)
MOST_IN_A_BATCH = 200
MOST_FEN = 10**12
"""Beyond any bill: what may be paid online is the bureau's to say, line by line and with its limit."""
Fen = Annotated[int, Field(ge=0, le=MOST_FEN)]
Sum = Annotated[int, Field(ge=1, le=MOST_FEN)]


class BillLineGiven(Body):
    """One line of a bill: a code of the fee catalogue, what it is called, what it costs."""

    code: str = Field(default="", max_length=30)
    name: str = Field(min_length=1, max_length=80)
    fee_fen: Sum


class BillPush(Body):
    """A payment notice. Amounts in fen; without `due_on` it is due 15 days after `issued_on`.

    `items` add up to `principal_fen`. `overdue_ppm`: millionths of the principal by which a fee grows a day when it is
    late; a fine grows by the law. `payer_id_no`: its owner, once verified, sees the bill without looking it up.
    """

    notice_no: str = Field(pattern=r"^([0-9]{16}|[0-9]{20})$")
    kind: Literal["fee", "fine"]
    executing_unit: str = Field(min_length=1, max_length=80)
    unit_code: str = Field(default="", pattern=r"^([0-9A-Za-z-]{3,30})?$")
    region_code: str = Field(pattern=r"^[0-9]{6}([0-9]{3})?([0-9]{3})?$")
    item: str = Field(min_length=1, max_length=80)
    principal_fen: Sum
    overdue_fen: Fen = 0
    overdue_ppm: int = Field(default=0, ge=0, le=1_000_000)
    items: list[BillLineGiven] = Field(default_factory=list, max_length=20)
    payer_id_no: str = Field(default="", pattern=r"^([0-9]{17}[0-9Xx])?$")
    issued_on: Day
    due_on: Day | None = None
    second_factor: str = Field(min_length=4, max_length=20)
    window_name: str = Field(min_length=1, max_length=80)
    window_address: str = Field(min_length=1, max_length=120)


class BillBatch(Body):
    """Many payment notices; one that is refused does not hold up the others."""

    bills: list[BillPush] = Field(min_length=1, max_length=MOST_IN_A_BATCH)


class Reason(Body):
    """Why; the payer may read it."""

    reason: str = Field(min_length=2, max_length=80)


class Correction(Reason):
    """Other amounts for a bill nobody has paid or begins to pay; amounts that were right are told again.

    `second_factor` and `payer_id_no` stay as they are when left out; with an empty `payer_id_no` the bill names nobody.
    Anything else that was wrong: withdraw the bill and push another under a new number.
    """

    principal_fen: Sum
    overdue_fen: Fen = 0
    overdue_ppm: int = Field(default=0, ge=0, le=1_000_000)
    items: list[BillLineGiven] = Field(default_factory=list, max_length=20)
    due_on: Day
    second_factor: str | None = Field(default=None, min_length=4, max_length=20)
    payer_id_no: str | None = Field(default=None, pattern=r"^([0-9]{17}[0-9Xx])?$")


class BillsAsked(Query):
    """Which bills of my department: by state, executing unit, last day to pay and number; a page of them.

    `paid_from`: those whose money came on this day or later, so that the result returns to who issued them (HN-07).
    """

    state: Literal["due", "paid", "withdrawn"] | None = None
    unit_code: str | None = Field(default=None, max_length=30)
    due_from: Day | None = None
    due_to: Day | None = None
    notice_no: str | None = Field(default=None, pattern=r"^([0-9]{16}|[0-9]{20})$")
    paid_from: Day | None = None
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


def push_bill(call: Call[BillPush], u: Unit) -> payments.BillView:
    """Take a bill in; the same one again is the same bill, and nothing of another under its number is taken over."""
    draft = _draft(call.body, _department(call.principal))
    _require_push(call.principal, draft)
    return payments.issue_bill(u, draft, call.principal.actor)


def push_bills(call: Call[BillBatch], u: Unit) -> list[payments.LineOutcome]:
    """Take many bills in, and tell of each line what became of it."""
    department_id = _department(call.principal)
    drafts = [_draft(push, department_id) for push in call.body.bills]
    return payments.issue_bills(
        u, drafts, call.principal.actor, lambda draft: _require_push(call.principal, draft)
    )


def list_bills(call: Call[None]) -> Page[payments.BillView]:
    """The bills within my departments and regions, newest first."""
    asked: BillsAsked = call.query
    reach = [scope for scope in people.scopes_of(call.principal) if scope.role in BILL_DESK]
    wanted = payments.BillFilter(**asked.model_dump(exclude={"cursor", "limit"}))
    with unit() as u:
        found = payments.bills_at_desk(u, reach, wanted, paging.key_of(asked.cursor), asked.limit + 1)
    return paging.page(found, asked.limit, lambda bill: bill.id)


def correct_bill(call: Call[Correction], u: Unit, bill_id: str) -> payments.BillView:
    """Put other amounts, another second factor or payer on a bill that nobody has paid or begins to pay."""
    bill, told = _bill_in_reach(u, call.principal, bill_id), call.body
    amounts = told.model_dump(exclude={"reason", "second_factor", "items"})
    correction = payments.BillCorrection(**amounts, items=_lines(told.items), factor=told.second_factor)
    return payments.correct_bill(
        u, bill_id, bill.department_id, correction, told.reason, call.principal.actor
    )


def show_bill(call: Call[None], bill_id: str) -> payments.BillView:
    """One bill of my department."""
    with unit() as u:
        return _bill_in_reach(u, call.principal, bill_id)


def withdraw_bill(call: Call[Reason], u: Unit, bill_id: str) -> payments.BillView:
    """Take a bill back that nobody has paid."""
    bill = _bill_in_reach(u, call.principal, bill_id)
    return payments.withdraw_bill(u, bill_id, bill.department_id, call.body.reason, call.principal.actor)


def handle_at_window(call: Call[None], u: Unit, bill_id: str) -> payments.BillView:
    """The payer was at the window: the bill may now be paid online (HN-07)."""
    bill = _bill_in_reach(u, call.principal, bill_id)
    return payments.mark_window_handled(u, bill_id, bill.department_id, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    bill, reach = payments.BillView, (Forbidden, people.OutsideYourScope)
    bill_gone = (*reach, payments.BillNotFound)
    wrong = (payments.AmountOutOfRange, payments.ItemsDoNotAddUp, payments.RateOutOfRange)
    surface.post(
        "/bills",
        body=BillPush,
        answers=bill,
        status=201,
        problems=(*reach, payments.BillNumberTaken, payments.PayeeInactive, *wrong),
    )(push_bill)
    surface.post("/bills/batch", body=BillBatch, answers=list[payments.LineOutcome], problems=reach)(
        push_bills
    )
    surface.get("/bills", query=BillsAsked, answers=Page[payments.BillView])(list_bills)
    surface.post(
        "/bills/<bill_id>/correction",
        body=Correction,
        answers=bill,
        problems=(*bill_gone, payments.BillNotDue, payments.BillBeingPaid, *wrong),
    )(correct_bill)
    surface.get("/bills/<bill_id>", answers=bill, problems=bill_gone)(show_bill)
    surface.post(
        "/bills/<bill_id>/withdrawal",
        body=Reason,
        answers=bill,
        problems=(*bill_gone, payments.BillNotDue),
    )(withdraw_bill)
    surface.post(
        "/bills/<bill_id>/window-handling", answers=bill, problems=(*bill_gone, payments.BillNotDue)
    )(handle_at_window)


def _department(principal: Principal) -> str:
    if principal.department_id is None:
        raise Forbidden
    return principal.department_id


def _lines(given: list[BillLineGiven]) -> tuple[payments.BillLine, ...]:
    return tuple(payments.BillLine(**line.model_dump()) for line in given)


def _draft(push: BillPush, department_id: str) -> payments.BillDraft:
    told = push.model_dump(exclude={"second_factor", "items"})
    return payments.BillDraft(
        **told, department_id=department_id, factor=push.second_factor, items=_lines(push.items)
    )


def _require_push(principal: Principal, draft: payments.BillDraft) -> None:
    if not _reaches(principal, draft.department_id, draft.region_code, BILL_DESK):
        raise people.OutsideYourScope


def _bill_in_reach(u: Unit, principal: Principal, bill_id: str) -> payments.BillView:
    """The bill, if a clerk, finance, or the department's own system asks; a foreign one looks absent."""
    bill = payments.bill_of(u, bill_id)
    if not _reaches(principal, bill.department_id, bill.region_code, BILL_DESK):
        raise payments.BillNotFound
    return bill


def _reaches(principal: Principal, department_id: str, region: str | None, roles: tuple[str, ...]) -> bool:
    return any(people.may_handle(principal, department_id, region, role) for role in roles)
