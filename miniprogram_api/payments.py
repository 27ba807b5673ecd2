"""Story: I pay what my case costs, see what became of it, and keep the receipt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

import payments
from backend import cases, people
from backend.kernel.problems import ChannelRefused, ChannelSilent, Conflict, InvalidInput, NotFound
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, unit

PAYING_PROBLEMS = (
    payments.FeeAlreadyPaid,
    payments.PaymentOver,
    payments.AmountOutOfRange,
    payments.ChannelUnknown,
    payments.PayerUnknown,
    ChannelSilent,
    ChannelRefused,
)


class PayWish(Body):
    """How the payer wants to pay."""

    channel: str = Field(min_length=1, max_length=20)


class PaymentsAsked(Query):
    """A page of my payments."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class MyPayment:
    """A payment as its payer sees it."""

    id: str
    subject: str
    title: str
    amount_fen: int
    refunded_fen: int
    channel: str
    state: str
    says: str
    opened_at: datetime
    expires_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class MyPaymentInFull:
    """A payment with every way back of its money."""

    payment: MyPayment
    refunds: tuple[payments.RefundView, ...]


def pay_case_fee(call: Call[PayWish], case_id: str) -> payments.PayOrder:
    """Begin to pay the fee of a case; repeated, it gives the same payment again."""

    def open_it(u: Unit) -> payments.PaymentView:
        fee = cases.fee_due(u, case_id, call.principal.id)
        if fee.state == "paid":
            raise payments.FeeAlreadyPaid
        if fee.state != "due":
            raise payments.FeeNotDue
        return payments.open_payment(
            u,
            subject=payments.subject_of_case(case_id),
            matter=case_id,
            person_id=call.principal.id,
            payee=fee.department_id,
            amount_fen=fee.amount_fen,
            channel=call.body.channel,
            title=fee.title,
            by=call.principal.actor,
        )

    return payments.pay(open_it, account_of(call.principal.id))


def show_payment(call: Call[None], payment_id: str) -> MyPaymentInFull:
    """What became of a payment; while it is silent the channel is asked once."""
    payment, refunds = _read(call, payment_id)
    if payment.is_silent:
        payments.ask_about(payment_id)
        payment, refunds = _read(call, payment_id)
    return MyPaymentInFull(_mine(payment), refunds)


def list_payments(call: Call[None]) -> Page[MyPayment]:
    """My payments, newest first."""
    asked: PaymentsAsked = call.query
    before = paging.key_of(asked.cursor)
    with unit() as u:
        found = payments.payments_of(u, call.principal.id, before, asked.limit + 1)
    shown = paging.page(found, asked.limit, lambda one: one.id)
    return Page(tuple(_mine(payment) for payment in shown.items), shown.next)


def show_receipt(call: Call[None], payment_id: str) -> payments.ReceiptView:
    """The receipt of a payment."""
    with unit() as u:
        return payments.receipt_of(u, payment_id, call.principal.id)


def account_of(person_id: str) -> Callable[[Unit, str], str | None]:
    """Finds the payer's account with the platform of a channel."""
    return lambda u, platform: people.account_of(u, person_id, platform)


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    surface.post(
        "/cases/<case_id>/payments",
        body=PayWish,
        answers=payments.PayOrder,
        status=201,
        steps=True,
        problems=(NotFound, Conflict, InvalidInput, payments.FeeNotDue, *PAYING_PROBLEMS),
    )(pay_case_fee)
    surface.get("/payments", query=PaymentsAsked, answers=Page[MyPayment])(list_payments)
    surface.get("/payments/<payment_id>", answers=MyPaymentInFull, problems=(NotFound,))(show_payment)
    surface.get("/payments/<payment_id>/receipt", answers=payments.ReceiptView, problems=(NotFound,))(
        show_receipt
    )


def _read(call: Call[None], payment_id: str) -> tuple[payments.PaymentView, tuple[payments.RefundView, ...]]:
    with unit() as u:
        payment = payments.payment_of(u, payment_id, call.principal.id)
        return payment, tuple(payments.refunds_of(u, payment_id))


def _mine(payment: payments.PaymentView) -> MyPayment:
    return MyPayment(
        id=payment.id,
        subject=payment.subject,
        title=payment.title,
        amount_fen=payment.amount_fen,
        refunded_fen=payment.refunded_fen,
        channel=payment.channel,
        state=payment.state,
        says=payment.says,
        opened_at=payment.opened_at,
        expires_at=payment.expires_at,
        paid_at=payment.paid_at,
    )
