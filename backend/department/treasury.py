"""The finance office's list of 退付: money that is the treasury's already, and goes back to its payer from there."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

import payments
from backend import people
from backend.department.bills import Reason
from backend.department.refunds import RefundsAsked, page_of_refunds, region_of
from backend.kernel.problems import NotFound
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Page, Surface, Unit
from backend.store.unit import run_unit

PURPOSE = "办理退付"


class TreasuryAsked(RefundsAsked):
    """A page of the list: what is to be handed in, what was, and how it ended."""

    state: Literal["listed", "submitted", "succeeded", "failed"] = "listed"
    payee: str | None = Field(default=None, max_length=40)


class Submission(Body):
    """The number under which the treasury has the request."""

    reference: str = Field(pattern=r"^[0-9A-Za-z()（）〔〕\-一-龥]{1,64}$")


@dataclass(frozen=True, slots=True)
class TreasuryRefund:
    """What a 退付 needs; `payer_name` is in plain words, empty for somebody who never told it."""

    refund: payments.RefundAtDesk
    payer_name: str


def list_treasury(call: Call[None]) -> Page[payments.RefundAtDesk]:
    """Refunds over the treasury, of all departments or of one."""
    _require_office(call.principal)
    asked: TreasuryAsked = call.query
    return page_of_refunds(call, asked.payee, sees=_is_ours, way="treasury")


def show_treasury(call: Call[None], refund_id: str) -> TreasuryRefund:
    """One refund over the treasury with its payer's full name; the look is written down, and the payer can see it."""
    principal = call.principal

    def look(u: Unit) -> TreasuryRefund:
        found = _in_reach(u, principal, refund_id)
        name = people.reveal(u, found.person_id, principal, PURPOSE, found.subject.partition(":")[2]).name
        return TreasuryRefund(found, name)

    return run_unit(look)


def submit_refund(call: Call[Submission], u: Unit, refund_id: str) -> payments.RefundView:
    """The request is handed in at the treasury."""
    _in_reach(u, call.principal, refund_id)
    return payments.submit_to_treasury(u, refund_id, call.body.reference, call.principal.actor)


def tell_paid(call: Call[None], u: Unit, refund_id: str) -> payments.RefundView:
    """The treasury has paid it to the payer."""
    _in_reach(u, call.principal, refund_id)
    return payments.treasury_paid(u, refund_id, call.principal.actor)


def tell_failed(call: Call[Reason], u: Unit, refund_id: str) -> payments.RefundView:
    """The treasury could not pay it, or it is taken off the list before it was handed in."""
    _in_reach(u, call.principal, refund_id)
    return payments.treasury_failed(u, refund_id, call.body.reason, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    told = (people.OutsideYourScope, NotFound, payments.RefundDecided)
    refund = payments.RefundView
    surface.get(
        "/treasury/refunds",
        query=TreasuryAsked,
        answers=Page[payments.RefundAtDesk],
        problems=(people.OutsideYourScope,),
    )(list_treasury)
    step = "/treasury/refunds/<refund_id>"
    surface.get(step, answers=TreasuryRefund, problems=(people.OutsideYourScope, NotFound))(show_treasury)
    surface.post(f"{step}/submission", body=Submission, answers=refund, problems=told)(submit_refund)
    surface.post(f"{step}/payment", answers=refund, problems=told)(tell_paid)
    surface.post(f"{step}/failure", body=Reason, answers=refund, problems=told)(tell_failed)


def _require_office(principal: Principal) -> None:
    if not people.is_finance_office(principal):
        raise people.OutsideYourScope


def _in_reach(u: Unit, principal: Principal, refund_id: str) -> payments.RefundAtDesk:
    """Raises OutsideYourScope for whoever is no finance office, PaymentNotFound for what is not on its list."""
    _require_office(principal)
    found = payments.refund_at_desk(u, refund_id)
    if not _is_ours(u, principal, found):
        raise payments.PaymentNotFound
    return found


def _is_ours(u: Unit, principal: Principal, refund: payments.RefundAtDesk) -> bool:
    """Over the treasury, and paid for something in this office's region."""
    on_list = refund.refund.way == "treasury"
    try:
        return on_list and people.is_finance_office(principal, region_of(u, refund.subject))
    except NotFound:
        return False
