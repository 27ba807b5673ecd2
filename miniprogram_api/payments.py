"""Story: I pay what my case costs, see what became of it, and keep the receipt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import Field

import payments
from backend import cases, people
from backend.kernel.problems import ChannelRefused, ChannelSilent, Conflict, InvalidInput, NotFound
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.settings import settings
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, unit

PAYING_PROBLEMS = (
    payments.FeeAlreadyPaid,
    payments.PaymentOver,
    payments.AmountOutOfRange,
    payments.ChannelUnknown,
    payments.PayerUnknown,
    payments.PayeeInactive,
    ChannelSilent,
    ChannelRefused,
)


FOR_ANOTHER = "another"
"""What a payer is told a payment was for, when somebody else owed it: the matter itself is none of theirs."""


class PayWish(Body):
    """How the payer wants to pay: in the app (`mini`), or in a browser (`h5`) that then goes on to `return_to`."""

    channel: str = Field(min_length=1, max_length=20)
    product: Literal["mini", "h5"] = "mini"
    return_to: str = Field(
        default="/", max_length=200, pattern=r"^/([A-Za-z0-9_.?=&%-][A-Za-z0-9_./?=&%-]*)?$"
    )


W = TypeVar("W", bound=PayWish)


class PaymentsAsked(Query):
    """A page of my payments."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class MyPayment:
    """A payment as its payer sees it.

    `received_fen` is what came, once something has; `note` tells that it is another sum than `amount_fen`.
    """

    id: str
    subject: str
    title: str
    amount_fen: int
    received_fen: int | None
    refunded_fen: int
    channel: str
    state: str
    says: str
    note: str | None
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
    payer = call.principal
    return payments.pay(
        lambda u: open_case_payment(u, case_id, payer.id, payer, call.body),
        account_of(payer.id),
        visitor_of(call),
    )


def open_case_payment(
    u: Unit, case_id: str, owner_id: str, payer: Principal, wish: PayWish
) -> payments.PaymentView:
    """A payment of the fee that this owner's case asks for, by the owner or somebody the owner asked.

    Raises NotYours, FeeAlreadyPaid, FeeNotDue, and what `payments.open_payment` raises.
    """
    fee = due_fee(u, case_id, owner_id)
    return payments.open_payment(
        u,
        subject=payments.subject_of_case(case_id),
        matter=case_id,
        person_id=payer.id,
        payee=fee.department_id,
        amount_fen=fee.amount_fen,
        channel=wish.channel,
        title=fee.title,
        by=payer.actor,
        product=wish.product,
        owed_by=owner_id,
        region_code=fee.region_code,
    )


def due_fee(u: Unit, case_id: str, owner_id: str) -> cases.FeeDue:
    """The fee of the owner's case, while it waits for money. Raises NotYours, FeeAlreadyPaid, FeeNotDue."""
    fee = cases.fee_due(u, case_id, owner_id)
    if fee.state == "paid":
        raise payments.FeeAlreadyPaid
    if fee.state != "due":
        raise payments.FeeNotDue
    return fee


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


def account_of(person_id: str) -> Callable[[Unit, str], str | None]:
    """Finds the payer's account with the platform of a channel."""
    return lambda u, platform: people.account_of(u, person_id, platform)


def visitor_of(call: Call[W]) -> payments.Visitor:
    """Where the payer's browser comes from and goes to; never to somebody else's site."""
    return payments.Visitor(call.address, settings().town.public_base_url + call.body.return_to)


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


def _read(call: Call[None], payment_id: str) -> tuple[payments.PaymentView, tuple[payments.RefundView, ...]]:
    with unit() as u:
        payment = payments.payment_of(u, payment_id, call.principal.id)
        return payment, tuple(payments.refunds_of(u, payment_id))


def _mine(payment: payments.PaymentView) -> MyPayment:
    return MyPayment(
        id=payment.id,
        subject=payment.subject if payment.owed_by is None else FOR_ANOTHER,
        title=payment.title,
        amount_fen=payment.amount_fen,
        received_fen=payment.received_fen,
        refunded_fen=payment.refunded_fen,
        channel=payment.channel,
        state=payment.state,
        says=payment.says,
        note=payments.other_sum(payment),
        opened_at=payment.opened_at,
        expires_at=payment.expires_at,
        paid_at=payment.paid_at,
    )
