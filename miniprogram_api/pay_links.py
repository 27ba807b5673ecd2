"""Story: somebody pays for me (代付). I make a code and hand it on; who has it sees what is owed, and pays it.

The payer learns the item, the unit, the sum and my masked name, nothing else; the receipt stays mine.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

import payments
from backend import catalogue, people
from backend.kernel.problems import NotFound, TooMany
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit, unit
from miniprogram_api.payments import (
    PAYING_PROBLEMS,
    PayWish,
    account_of,
    due_fee,
    open_case_payment,
    visitor_of,
)

PayCode = Field(min_length=12, max_length=20)
BILL_PROBLEMS = (payments.BillNotFound, payments.BillNotDue, payments.MustVisitWindow)
DEBT_PROBLEMS = (payments.FeeAlreadyPaid, payments.FeeNotDue, *BILL_PROBLEMS)


class CodeGiven(Body):
    """The code somebody handed on to me; spaces, dashes and small letters do not matter."""

    code: str = PayCode


class LinkWish(PayWish):
    """The code, and how I want to pay."""

    code: str = PayCode


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody else owes, as much of it as a payer must know; `owner` is a masked name."""

    item: str
    unit: str
    amount_fen: int
    owner: str
    expires_at: datetime


def share_case(call: Call[None], u: Unit, case_id: str) -> payments.PayLinkMade:
    """Make a code with which somebody else may pay the fee of my case; a former code is over."""
    people.require_level(u, call.principal.id, 2)
    due_fee(u, case_id, call.principal.id)
    return _made(call, u, payments.subject_of_case(case_id), case_id)


def share_bill(call: Call[None], u: Unit, bill_id: str) -> payments.PayLinkMade:
    """Make a code with which somebody else may pay a bill I have found; a former code is over."""
    people.require_level(u, call.principal.id, 2)
    _due_bill(u, bill_id, call.principal.id)
    return _made(call, u, payments.subject_of_bill(bill_id), bill_id)


def list_links(call: Call[None]) -> list[payments.PayLinkView]:
    """The codes I have handed on lately (never the code itself), and the payments they brought."""
    with unit() as u:
        return payments.links_of(u, call.principal.id)


def end_link(call: Call[None], u: Unit, link_id: str) -> payments.PayLinkView:
    """Let a code open nothing any more; payments others have begun with it are closed."""
    return payments.end_link(u, link_id, call.principal.id, call.principal.actor)


def look_up(call: Call[CodeGiven]) -> Owed:
    """What a code asks me to pay. Wrong codes are counted."""
    found = _found(call, call.body.code)
    with unit() as u:
        owner = people.person_of(u, found.owner_id).name_masked
        return Owed(*_debt(u, found), owner, found.expires_at)


def pay_for_another(call: Call[LinkWish]) -> payments.PayOrder:
    """Begin to pay what a code asks for, with an account of my own."""
    found, payer = _found(call, call.body.code), call.principal
    return payments.pay(lambda u: _opened(u, found, payer, call.body), account_of(payer.id), visitor_of(call))


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    made, owner = payments.PayLinkMade, (NotFound, people.RealNameNeeded)
    surface.post(
        "/cases/<case_id>/pay-links",
        answers=made,
        status=201,
        problems=(*owner, payments.FeeAlreadyPaid, payments.FeeNotDue),
    )(share_case)
    surface.post(
        "/bills/<bill_id>/pay-links",
        answers=made,
        status=201,
        problems=(*owner, payments.FeeAlreadyPaid, *BILL_PROBLEMS),
    )(share_bill)
    link, gone = payments.PayLinkView, payments.PayLinkNotFound
    surface.get("/pay-links", answers=list[payments.PayLinkView])(list_links)
    surface.post("/pay-links/<link_id>/end", answers=link, problems=(gone,))(end_link)
    found = (gone, people.PhoneNeeded, NotFound, TooMany, *DEBT_PROBLEMS)
    surface.post("/pay-links/lookup", body=CodeGiven, answers=Owed, steps=True, problems=found)(look_up)
    surface.post(
        "/pay-links/payments",
        body=LinkWish,
        answers=payments.PayOrder,
        status=201,
        steps=True,
        problems=(*found, *PAYING_PROBLEMS),
    )(pay_for_another)


def _made(call: Call[None], u: Unit, subject: str, matter: str) -> payments.PayLinkMade:
    return payments.make_link(u, subject, matter, call.principal.id, call.principal.actor)


def _found(call: Call[CodeGiven] | Call[LinkWish], code: str) -> payments.LinkFound:
    """The debt behind the code, for somebody with a proven phone."""
    with unit() as u:
        people.require_level(u, call.principal.id, 1)
    return payments.find_link(call.principal.id, code, call.ip_digest)


def _debt(u: Unit, found: payments.LinkFound) -> tuple[str, str, int]:
    """Item, unit and what it costs now. Raises what says that nothing is due any more."""
    if found.bill_id is not None:
        bill = _due_bill(u, found.bill_id, found.owner_id)
        return bill.item, bill.executing_unit, bill.total_fen
    fee = due_fee(u, found.case_id or "", found.owner_id)
    return fee.title, catalogue.department(u, fee.department_id).name, fee.amount_fen


def _opened(u: Unit, found: payments.LinkFound, payer: Principal, wish: PayWish) -> payments.PaymentView:
    payments.hold_link(u, found)
    if found.bill_id is None:
        return open_case_payment(u, found.case_id or "", found.owner_id, payer, wish)
    return payments.open_bill_payment(
        u, found.bill_id, payer.id, wish.channel, payer.actor, wish.product, owed_by=found.owner_id
    )


def _due_bill(u: Unit, bill_id: str, owner_id: str) -> payments.BillView:
    """The owner's bill, while it can be paid online. Raises BillNotFound, BillNotDue, MustVisitWindow."""
    bill = payments.bill_of(u, bill_id, person_id=owner_id)
    if bill.state == "paid":
        raise payments.FeeAlreadyPaid
    if bill.state != "due":
        raise payments.BillNotDue(state=bill.state)
    payments.require_online(bill)
    return bill
