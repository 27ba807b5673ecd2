"""The department's desk for money: push a bill, withdraw it, mark it handled at the window, give money back."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

import payments
from backend import cases, people
from backend.kernel.problems import Forbidden, NotFound
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Day, Surface, Unit
from backend.store.unit import unit

FINANCE, CLERK, SYSTEM = "finance", "window_clerk", "system"


class BillPush(Body):
    """A payment notice. Amounts in fen; without `due_on` a fine is due 15 days after `issued_on`."""

    notice_no: str = Field(pattern=r"^[0-9]{20}$")
    kind: Literal["fee", "fine"]
    executing_unit: str = Field(min_length=1, max_length=80)
    region_code: str = Field(pattern=r"^[0-9]{6}([0-9]{3})?([0-9]{3})?$")
    item: str = Field(min_length=1, max_length=80)
    principal_fen: int = Field(ge=1, le=100_000_000)
    overdue_fen: int = Field(default=0, ge=0, le=100_000_000)
    issued_on: Day
    due_on: Day | None = None
    second_factor: str = Field(min_length=4, max_length=20)
    window_name: str = Field(min_length=1, max_length=80)
    window_address: str = Field(min_length=1, max_length=120)


class Reason(Body):
    """Why; the payer may read it."""

    reason: str = Field(min_length=2, max_length=80)


class RefundAsked(Reason):
    """How much goes back, in fen; without an amount all that is left."""

    amount_fen: int | None = Field(default=None, ge=1)


@dataclass(frozen=True, slots=True)
class PaymentAtDesk:
    """A payment as the payee's staff see it: who paid is an id, never a name."""

    payment: payments.PaymentView
    refunds: tuple[payments.RefundView, ...]


def push_bill(call: Call[BillPush], u: Unit) -> payments.BillView:
    """Take a bill in; the same one again is the same bill."""
    department_id = _department(call.principal)
    if not _reaches(call.principal, department_id, call.body.region_code, (FINANCE, CLERK, SYSTEM)):
        raise people.OutsideYourScope
    told = call.body.model_dump(exclude={"second_factor"})
    draft = payments.BillDraft(**told, department_id=department_id, factor=call.body.second_factor)
    return payments.issue_bill(u, draft, call.principal.actor)


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


def show_payment(call: Call[None], payment_id: str) -> PaymentAtDesk:
    """A payment to my department, with its refunds."""
    with unit() as u:
        payment = _payment_in_reach(u, call.principal, payment_id)
        return PaymentAtDesk(payment, tuple(payments.refunds_of(u, payment_id)))


def give_back(call: Call[RefundAsked], u: Unit, payment_id: str) -> payments.RefundView:
    """Promise money back to the payer; the channel is asked at once."""
    _payment_in_reach(u, call.principal, payment_id)
    asked = call.body
    return payments.request_refund(u, payment_id, asked.amount_fen, asked.reason, call.principal.actor)


def contest_payment(call: Call[Reason], u: Unit, payment_id: str) -> payments.PaymentView:
    """Hold a paid payment while it is being looked into."""
    _payment_in_reach(u, call.principal, payment_id)
    return payments.contest(u, payment_id, call.body.reason, call.principal.actor)


def clear_payment(call: Call[Reason], u: Unit, payment_id: str) -> payments.PaymentView:
    """The payment stands; it may be refunded again."""
    _payment_in_reach(u, call.principal, payment_id)
    return payments.clear(u, payment_id, call.body.reason, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    bill, reach = payments.BillView, (Forbidden, people.OutsideYourScope)
    bill_gone = (*reach, payments.BillNotFound)
    surface.post(
        "/bills", body=BillPush, answers=bill, status=201, problems=(*reach, payments.BillNumberTaken)
    )(push_bill)
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
    _register_payments(surface)


def _register_payments(surface: Surface) -> None:
    told = (Forbidden, people.OutsideYourScope, NotFound, payments.NotRefundable)
    surface.get("/payments/<payment_id>", answers=PaymentAtDesk, problems=told)(show_payment)
    surface.post(
        "/payments/<payment_id>/refunds",
        body=RefundAsked,
        answers=payments.RefundView,
        status=201,
        problems=(*told, payments.RefundTooLarge),
    )(give_back)
    held = payments.PaymentView
    surface.post("/payments/<payment_id>/dispute", body=Reason, answers=held, problems=told)(contest_payment)
    surface.post("/payments/<payment_id>/dispute-end", body=Reason, answers=held, problems=told)(
        clear_payment
    )


def _department(principal: Principal) -> str:
    if principal.department_id is None:
        raise Forbidden
    return principal.department_id


def _bill_in_reach(u: Unit, principal: Principal, bill_id: str) -> payments.BillView:
    """The bill, if a clerk, finance, or the department's own system asks; a foreign one looks absent."""
    bill = payments.bill_of(u, bill_id)
    if not _reaches(principal, bill.department_id, bill.region_code, (FINANCE, CLERK, SYSTEM)):
        raise payments.BillNotFound
    return bill


def _payment_in_reach(u: Unit, principal: Principal, payment_id: str) -> payments.PaymentView:
    """The payment, if finance of the payee asks; a foreign one looks absent."""
    payment = payments.payment_of(u, payment_id)
    if not _reaches(principal, payment.payee, _region_of(u, payment), (FINANCE,)):
        raise payments.PaymentNotFound
    return payment


def _region_of(u: Unit, payment: payments.PaymentView) -> str | None:
    """Where the case or the bill belongs that was paid for."""
    if payment.subject.startswith("bill:"):
        return payments.bill_of(u, payment.matter).region_code
    return cases.case_brief(u, payment.matter).region_code


def _reaches(principal: Principal, department_id: str, region: str | None, roles: tuple[str, ...]) -> bool:
    return any(people.may_handle(principal, department_id, region, role) for role in roles)
