"""The finance office's list of 退付: money that is the treasury's already, and goes back to its payer from there."""

from typing import Literal

from pydantic import Field

import payments
from backend import people
from backend.department.bills import Reason
from backend.department.refunds import RefundsAsked, page_of_refunds, region_of
from backend.kernel.problems import NotFound
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Page, Surface, Unit


class TreasuryAsked(RefundsAsked):
    """A page of the list: what is to be handed in, what was, and how it ended."""

    state: Literal["listed", "submitted", "succeeded", "failed"] = "listed"
    payee: str | None = Field(default=None, max_length=40)


class Submission(Body):
    """The number under which the treasury has the request."""

    reference: str = Field(pattern=r"^[0-9A-Za-z()（）〔〕\-一-龥]{1,64}$")


def list_treasury(call: Call[None]) -> Page[payments.RefundAtDesk]:
    """Refunds over the treasury, of all departments or of one."""
    _require_office(call.principal)
    asked: TreasuryAsked = call.query
    return page_of_refunds(call, asked.payee, reach=_is_ours)


def submit_refund(call: Call[Submission], u: Unit, refund_id: str) -> payments.RefundView:
    """The request is handed in at the treasury."""
    _in_reach(u, call.principal, refund_id)
    return payments.submit_to_treasury(u, refund_id, call.body.reference, call.principal.actor)


def tell_paid(call: Call[None], u: Unit, refund_id: str) -> payments.RefundView:
    """The treasury has paid it to the payer."""
    _in_reach(u, call.principal, refund_id)
    return payments.treasury_paid(u, refund_id, call.principal.actor)


def tell_failed(call: Call[Reason], u: Unit, refund_id: str) -> payments.RefundView:
    """The treasury could not pay it."""
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
    surface.post(f"{step}/submission", body=Submission, answers=refund, problems=told)(submit_refund)
    surface.post(f"{step}/payment", answers=refund, problems=told)(tell_paid)
    surface.post(f"{step}/failure", body=Reason, answers=refund, problems=told)(tell_failed)


def _require_office(principal: Principal) -> None:
    if not people.is_finance_office(principal):
        raise people.OutsideYourScope


def _in_reach(u: Unit, principal: Principal, refund_id: str) -> None:
    """Raises OutsideYourScope for whoever is no finance office, PaymentNotFound for what is not on its list."""
    _require_office(principal)
    if not _is_ours(u, principal, payments.refund_at_desk(u, refund_id)):
        raise payments.PaymentNotFound


def _is_ours(u: Unit, principal: Principal, refund: payments.RefundAtDesk) -> bool:
    """Over the treasury, and paid for something in this office's region."""
    on_list = refund.refund.way == "treasury"
    return on_list and people.is_finance_office(principal, region_of(u, refund.subject))
