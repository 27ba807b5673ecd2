"""The desk for settlements and bank credits: what a channel owes a department, and what its bank has credited.

The city's finance office sees all of them, a department's own finance staff theirs. What is out of reach looks absent.
"""

from typing import Annotated

from flask import Response
from pydantic import Field

from backend import people
from backend.department.reconciling import CITY, LINES, PAGE, Channel, Paged, line_of, workbook
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Day, Page, Surface, Unit
from backend.store.unit import unit
from payments import reconciliation as books
from payments.reconciliation import NotInBooks

FINANCE = "finance"
MOST = 92
"""A bank credit of three months at most."""
OneId = Annotated[str, Field(min_length=1, max_length=40)]


class SettlementsAsked(Paged):
    payee: str | None = Field(None, max_length=40)
    channel: Channel | None = None


class CreditsAsked(Paged):
    payee: str | None = Field(None, max_length=40)
    unmatched: bool = False


class CreditTold(Body):
    """A line of a payee's bank account; `reference` is the bank's own."""

    payee: str = Field(min_length=1, max_length=40)
    channel: Channel
    reference: str = Field(pattern=r"^[0-9A-Za-z-]{1,64}$")
    credited_on: Day
    amount_fen: int = Field(ge=1, le=10**13)


class Withdrawal(Body):
    """Why a credit was wrong."""

    reason: str = Field(min_length=2, max_length=200)


class Choice(Body):
    """What a credit pays: settlements, and differences that were found to be the payee's own money."""

    settlement_ids: list[OneId] = Field(default=[], max_length=MOST)
    difference_ids: list[OneId] = Field(default=[], max_length=MOST)


def settlements(call: Call[None]) -> Page[books.SettlementView]:
    """List what the channels owe a payee day by day; the finance office sees all of them."""
    asked = call.query
    payee = _payee(call.principal, asked.payee)
    with unit() as u:
        found = books.settlements_of(
            u, payee=payee, channel=asked.channel, after=paging.key_of(asked.cursor), limit=PAGE + 1
        )
    return paging.page(found, PAGE, lambda one: one.id)


def settlement_lines(call: Call[None], settlement_id: str) -> Page[books.SettledLine]:
    """Show which payments and refunds make up a settlement."""
    after = paging.keys_of(call.query.cursor, 1)
    with unit() as u:
        _settlement_in_reach(u, call.principal, settlement_id)
        found = books.lines_of(u, settlement_id, after=line_of(after), limit=LINES + 1)
    return paging.page(found, LINES, lambda one: str(one.line))


def settlement_file(call: Call[None], settlement_id: str) -> Response:
    """Download a settlement with its payments and refunds as a workbook."""
    with unit() as u:
        _settlement_in_reach(u, call.principal, settlement_id)
        return workbook(f"settlement-{settlement_id}", books.settlement_book(u, settlement_id))


def payouts(call: Call[None]) -> Page[books.PayoutView]:
    """List differences that were found to be a payee's own money, and the bank credits that brought them."""
    asked = call.query
    payee = _payee(call.principal, asked.payee)
    with unit() as u:
        found = books.payouts_of(
            u, payee=payee, channel=asked.channel, after=paging.key_of(asked.cursor), limit=PAGE + 1
        )
    return paging.page(found, PAGE, lambda one: one.id)


def tell_credit(call: Call[CreditTold], u: Unit) -> books.CreditView:
    """Write down what the bank has credited; what it pays is found by the sum."""
    told = call.body
    _require_reach(call.principal, told.payee)
    draft = books.CreditDraft(told.payee, told.channel, told.reference, told.credited_on, told.amount_fen)
    return books.credit_of(u, books.tell_credit(u, draft, call.principal.actor).id)


def bank_credits(call: Call[None]) -> Page[books.CreditView]:
    """List bank credits with what they pay, or only those that nothing explains yet."""
    asked = call.query
    payee = _payee(call.principal, asked.payee)
    with unit() as u:
        found = books.credits_of(
            u, payee=payee, unmatched=asked.unmatched, after=paging.key_of(asked.cursor), limit=PAGE + 1
        )
    return paging.page(found, PAGE, lambda one: one.id)


def bank_credit(call: Call[None], credit_id: str) -> books.CreditView:
    """Show one bank credit with what it pays."""
    with unit() as u:
        return _credit_in_reach(u, call.principal, credit_id)


def credit_file(call: Call[None], credit_id: str) -> Response:
    """Download which payments and refunds make up a bank credit."""
    with unit() as u:
        _credit_in_reach(u, call.principal, credit_id)
        return workbook(f"credit-{credit_id}", books.credit_book(u, credit_id))


def withdraw_credit(call: Call[Withdrawal], u: Unit, credit_id: str) -> books.CreditView:
    """Take back a credit that was told wrongly; all it paid is free again."""
    _credit_in_reach(u, call.principal, credit_id)
    books.withdraw_credit(u, credit_id, call.body.reason, call.principal.actor)
    return books.credit_of(u, credit_id)


def choose_settlements(call: Call[Choice], u: Unit, credit_id: str) -> books.CreditView:
    """Say by hand which settlements and differences a credit pays; they must add up to it."""
    _credit_in_reach(u, call.principal, credit_id)
    asked, by = call.body, call.principal.actor
    books.choose_settlements(u, credit_id, asked.settlement_ids, by, difference_ids=asked.difference_ids)
    return books.credit_of(u, credit_id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    seen, gone = (people.OutsideYourScope,), (people.OutsideYourScope, NotInBooks)
    at, credit = "/settlements/<settlement_id>", "/bank-credits/<credit_id>"
    surface.get("/settlements", answers=Page[books.SettlementView], query=SettlementsAsked, problems=seen)(
        settlements
    )
    surface.get(f"{at}/lines", answers=Page[books.SettledLine], query=Paged, problems=gone)(settlement_lines)
    surface.get(f"{at}/file", media=(books.MEDIA,), problems=gone)(settlement_file)
    surface.get("/payouts", answers=Page[books.PayoutView], query=SettlementsAsked, problems=seen)(payouts)
    surface.post(
        "/bank-credits", body=CreditTold, answers=books.CreditView, status=201,
        problems=(*seen, books.CreditReferenceTaken),
    )(tell_credit)  # fmt: skip
    surface.get("/bank-credits", answers=Page[books.CreditView], query=CreditsAsked, problems=seen)(
        bank_credits
    )
    surface.get(credit, answers=books.CreditView, problems=gone)(bank_credit)
    surface.get(f"{credit}/file", media=(books.MEDIA,), problems=gone)(credit_file)
    surface.post(
        f"{credit}/withdrawal", body=Withdrawal, answers=books.CreditView,
        problems=(*gone, books.CreditWithdrawn),
    )(withdraw_credit)  # fmt: skip
    surface.post(
        f"{credit}/settlements", body=Choice, answers=books.CreditView,
        problems=(*gone, books.CreditWithdrawn, books.SettlementTaken, books.SumDiffers),
    )(choose_settlements)  # fmt: skip


def _reaches(principal: Principal, payee: str) -> bool:
    """Whether it is this department's finance or the city's office: a settlement is of all regions together."""
    return people.is_finance_office(principal, CITY) or any(
        scope.role == FINANCE and scope.department_id == payee for scope in people.scopes_of(principal)
    )


def _require_reach(principal: Principal, payee: str) -> None:
    if not _reaches(principal, payee):
        raise people.OutsideYourScope


def _payee(principal: Principal, wanted: str | None) -> str | None:
    """Whose settlements are listed: everybody's only for the finance office."""
    if wanted is None and people.is_finance_office(principal, CITY):
        return None
    payee = wanted or principal.department_id or ""
    _require_reach(principal, payee)
    return payee


def _settlement_in_reach(u: Unit, principal: Principal, settlement_id: str) -> None:
    if not _reaches(principal, books.settlement_of(u, settlement_id).payee):
        raise NotInBooks


def _credit_in_reach(u: Unit, principal: Principal, credit_id: str) -> books.CreditView:
    found = books.credit_of(u, credit_id)
    if not _reaches(principal, found.payee):
        raise NotInBooks
    return found
