"""Story: I find the bill I was given by its number and what only I know, and pay it."""

from pydantic import Field

import payments
from backend import people
from backend.kernel.problems import NotFound, TooMany
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import unit
from miniprogram_api.payments import PAYING_PROBLEMS, PayWish, account_of, visitor_of


class BillAsked(Body):
    """A payment notice number (16 or 20 digits) and the second factor printed on the notice."""

    notice_no: str = Field(pattern=r"^([0-9]{16}|[0-9]{20})$")
    second_factor: str = Field(min_length=4, max_length=40)


def look_up_bill(call: Call[BillAsked]) -> payments.BillView:
    """Find a bill, with a proven phone; unknown number and wrong factor look the same, and tries are counted."""
    asked, who = call.body, call.principal.id
    with unit() as u:
        people.require_level(u, who, 1)
    return payments.look_up_bill(who, asked.notice_no, asked.second_factor, call.ip_digest)


def list_bills(call: Call[None]) -> list[payments.BillView]:
    """The bills I have found and those that name my identity number, newest first."""
    with unit() as u:
        return payments.bills_of(u, call.principal.id)


def show_bill(call: Call[None], bill_id: str) -> payments.BillView:
    """A bill I have found or that names me, with what it costs today."""
    with unit() as u:
        return payments.bill_of(u, bill_id, person_id=call.principal.id)


def pay_bill(call: Call[PayWish], bill_id: str) -> payments.PayOrder:
    """Begin to pay a bill I have found; repeated, it gives the same payment again."""
    payer, wish = call.principal, call.body
    return payments.pay(
        lambda u: payments.open_bill_payment(u, bill_id, payer.id, wish.channel, payer.actor, wish.product),
        account_of(payer.id),
        visitor_of(call),
    )


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    surface.post(
        "/bills/lookup",
        body=BillAsked,
        answers=payments.BillView,
        steps=True,
        problems=(payments.BillNotFound, people.PhoneNeeded, NotFound, TooMany),
    )(look_up_bill)
    surface.get("/bills", answers=list[payments.BillView])(list_bills)
    surface.get("/bills/<bill_id>", answers=payments.BillView, problems=(payments.BillNotFound,))(show_bill)
    surface.post(
        "/bills/<bill_id>/payments",
        body=PayWish,
        answers=payments.PayOrder,
        status=201,
        steps=True,
        problems=(
            payments.BillNotFound,
            payments.BillNotDue,
            payments.MustVisitWindow,
            *PAYING_PROBLEMS,
        ),
    )(pay_bill)
