"""The desk where money goes back: a payment with its refunds, staff's own refunds, the payers' questions, disputes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

import payments
from backend import cases, people
from backend.department.bills import FINANCE, Reason
from backend.kernel.problems import Forbidden, NotFound
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Call, Page, Query, Surface, Unit
from backend.store.unit import unit

State = Literal[
    "asked",
    "second",
    "requested",
    "sent",
    "stuck",
    "listed",
    "submitted",
    "succeeded",
    "failed",
    "refused",
    "withdrawn",
]


class RefundAsked(Reason):
    """How much goes back, in fen; without an amount all that is left.

    `withdraw_bill`: the bill was wrong; once all of its money is back it is withdrawn, and not due again.
    """

    amount_fen: int | None = Field(default=None, ge=1, le=100_000_000)
    withdraw_bill: bool = False


class RefundsAsked(Query):
    """A page of refunds in one state; the first state is what waits for a decision.

    `retryable`: of those that failed only the ones whose money is still held and that nobody tries again yet.
    """

    state: State = "asked"
    retryable: bool = False
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class PaymentAtDesk:
    """A payment as the payee's staff see it: who paid is an id, never a name."""

    payment: payments.PaymentView
    refunds: tuple[payments.RefundView, ...]


def show_payment(call: Call[None], payment_id: str) -> PaymentAtDesk:
    """A payment to my department, with its refunds."""
    with unit() as u:
        payment = _payment_in_reach(u, call.principal, payment_id)
        return PaymentAtDesk(payment, tuple(payments.refunds_of(u, payment_id)))


def give_back(call: Call[RefundAsked], u: Unit, payment_id: str) -> payments.RefundView:
    """Promise money back to the payer; above the threshold a colleague must confirm."""
    _payment_in_reach(u, call.principal, payment_id)
    asked = call.body
    return payments.request_refund(
        u, payment_id, asked.amount_fen, asked.reason, call.principal.actor, withdraw_bill=asked.withdraw_bill
    )


def contest_payment(call: Call[Reason], u: Unit, payment_id: str) -> payments.PaymentView:
    """Hold a paid payment while it is being looked into."""
    _payment_in_reach(u, call.principal, payment_id)
    return payments.contest(u, payment_id, call.body.reason, call.principal.actor)


def clear_payment(call: Call[Reason], u: Unit, payment_id: str) -> payments.PaymentView:
    """The payment stands; it may be refunded again."""
    _payment_in_reach(u, call.principal, payment_id)
    return payments.clear(u, payment_id, call.body.reason, call.principal.actor)


def give_back_held(call: Call[Reason], u: Unit, payment_id: str) -> payments.RefundView:
    """Return what is held although nobody owes it: another amount came than was asked for."""
    _payment_in_reach(u, call.principal, payment_id)
    return payments.give_back(u, payment_id, call.body.reason, call.principal.actor)


def list_refunds(call: Call[None]) -> Page[payments.RefundAtDesk]:
    """Refunds of my department in one state, newest first; the finance office sees those of all departments."""
    people.require_role(call.principal, FINANCE)
    return page_of_refunds(call, None, sees=_may_see)


def show_refund(call: Call[None], refund_id: str) -> payments.RefundAtDesk:
    """One refund with its steps."""
    with unit() as u:
        return _refund_in_reach(u, call.principal, refund_id)


def approve_refund(call: Call[None], u: Unit, refund_id: str) -> payments.RefundView:
    """Say yes; above the threshold the second yes is another person's."""
    _refund_in_reach(u, call.principal, refund_id)
    return payments.approve_refund(u, refund_id, call.principal.actor)


def refuse_refund(call: Call[Reason], u: Unit, refund_id: str) -> payments.RefundView:
    """Say no; the payer reads the reason."""
    _refund_in_reach(u, call.principal, refund_id)
    return payments.refuse_refund(u, refund_id, call.body.reason, call.principal.actor)


def retry_refund(call: Call[None], u: Unit, refund_id: str) -> payments.RefundView:
    """Try a refund that has failed again; above the threshold a colleague must confirm."""
    _refund_in_reach(u, call.principal, refund_id)
    return payments.retry_refund(u, refund_id, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    told = (Forbidden, people.OutsideYourScope, NotFound, payments.NotRefundable)
    surface.get("/payments/<payment_id>", answers=PaymentAtDesk, problems=told)(show_payment)
    surface.post(
        "/payments/<payment_id>/refunds",
        body=RefundAsked,
        answers=payments.RefundView,
        status=201,
        problems=(*told, payments.RefundTooLarge),
    )(give_back)
    held, refund = payments.PaymentView, payments.RefundView
    surface.post("/payments/<payment_id>/dispute", body=Reason, answers=held, problems=told)(contest_payment)
    surface.post("/payments/<payment_id>/dispute-end", body=Reason, answers=held, problems=told)(
        clear_payment
    )
    surface.post(
        "/payments/<payment_id>/surplus-return", body=Reason, answers=refund, status=201, problems=told
    )(give_back_held)
    _register_decisions(surface)


def _register_decisions(surface: Surface) -> None:
    reach = (Forbidden, people.OutsideYourScope, NotFound)
    deciding = (*reach, payments.RefundDecided, payments.NotRefundable, payments.AnotherMustConfirm)
    surface.get(
        "/refunds",
        query=RefundsAsked,
        answers=Page[payments.RefundAtDesk],
        problems=(people.OutsideYourScope,),
    )(list_refunds)
    surface.get("/refunds/<refund_id>", answers=payments.RefundAtDesk, problems=reach)(show_refund)
    surface.post("/refunds/<refund_id>/approval", answers=payments.RefundView, problems=deciding)(
        approve_refund
    )
    surface.post("/refunds/<refund_id>/refusal", body=Reason, answers=payments.RefundView, problems=deciding)(
        refuse_refund
    )
    surface.post(
        "/refunds/<refund_id>/retry",
        answers=payments.RefundView,
        status=201,
        problems=(*reach, payments.RefundDecided, payments.NotRefundable, payments.RefundTooLarge),
    )(retry_refund)


def page_of_refunds(
    call: Call[None],
    payee: str | None,
    sees: Callable[[Unit, Principal, payments.RefundAtDesk], bool],
    way: str | None = None,
) -> Page[payments.RefundAtDesk]:
    """A page of refunds within reach; one whose region nobody knows is left out of a page that is already cut."""
    asked: RefundsAsked = call.query
    with unit() as u:
        found = payments.refunds_at_desk(
            u, (asked.state,), payee, paging.key_of(asked.cursor), asked.limit + 1,
            reach=finance_reach(call.principal), way=way, only_retryable=asked.retryable,
        )  # fmt: skip
        shown = paging.page(found, asked.limit, lambda one: one.refund.id)
        return Page(tuple(one for one in shown.items if sees(u, call.principal, one)), shown.next)


def finance_reach(principal: Principal) -> list[people.Scope]:
    """How far somebody reaches in matters of money."""
    return [scope for scope in people.scopes_of(principal) if scope.role == FINANCE]


def region_of(u: Unit, subject: str) -> str | None:
    """Where the case or the bill belongs that was paid for."""
    kind, _, public_id = subject.partition(":")
    if kind == "bill":
        return payments.bill_of(u, public_id).region_code
    return cases.case_brief(u, public_id).region_code


def _payment_in_reach(u: Unit, principal: Principal, payment_id: str) -> payments.PaymentView:
    """The payment, if finance of the payee asks; a foreign one looks absent."""
    payment = payments.payment_of(u, payment_id)
    if not people.may_handle(principal, payment.payee, region_of(u, payment.subject), FINANCE):
        raise payments.PaymentNotFound
    return payment


def _refund_in_reach(u: Unit, principal: Principal, refund_id: str) -> payments.RefundAtDesk:
    """The refund, if finance of the payee asks; a foreign one looks absent."""
    refund = payments.refund_at_desk(u, refund_id)
    if not _may_see(u, principal, refund):
        raise payments.PaymentNotFound
    return refund


def _may_see(u: Unit, principal: Principal, refund: payments.RefundAtDesk) -> bool:
    return is_in_reach(u, principal, refund.payee, refund.subject)


def is_in_reach(u: Unit, principal: Principal, payee: str, subject: str) -> bool:
    """Whether finance of this payee asks, in the region of what was paid for; nobody is where that is unknown."""
    try:
        return people.may_handle(principal, payee, region_of(u, subject), FINANCE)
    except NotFound:
        return False
