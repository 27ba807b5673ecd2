"""The finance office's desk for reconciliation: statements, differences, settlements, bank credits, workbooks.

Statements and differences are the finance office's alone; what a channel owes a department, and what its bank has
credited, the department's own finance staff see as well. What is out of reach looks absent.
"""

from typing import Literal

from flask import Response
from pydantic import Field

from backend import people
from backend.kernel.problems import ImpossibleMove
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Day, Page, Query, Surface, Unit
from backend.store.unit import run_unit, unit
from payments import reconciliation as books
from payments.reconciliation import NotInBooks

FINANCE = "finance"
PAGE = 20
LINES = 100
Channel = Literal["wechat_pay", "alipay"]


class Paged(Query):
    cursor: str | None = Field(None, max_length=200)


class StatementsAsked(Paged):
    channel: Channel | None = None
    state: Literal["wanted", "fetched", "reconciled"] | None = None


class DifferencesAsked(Paged):
    statement_id: str | None = Field(None, max_length=40)
    state: Literal["open", "second", "solved"] | None = None


class SettlementsAsked(Paged):
    payee: str | None = Field(None, max_length=40)
    channel: Channel | None = None


class CreditsAsked(Paged):
    payee: str | None = Field(None, max_length=40)
    unmatched: bool = False


class Decision(Body):
    """`ask` the channel again, `book` it until it is explained, or `wait`: it is another day's."""

    decision: Literal["ask", "book", "wait"]
    reason: str = Field(min_length=2, max_length=200)


class SecondWord(Body):
    """Whether a colleague's decision stands."""

    agree: bool
    reason: str = Field(min_length=2, max_length=200)


class CreditTold(Body):
    """A line of a payee's bank account; `reference` is the bank's own."""

    payee: str = Field(min_length=1, max_length=40)
    channel: Channel
    reference: str = Field(pattern=r"^[0-9A-Za-z-]{1,64}$")
    credited_on: Day
    amount_fen: int = Field(ge=1, le=10**13)


def statements(call: Call[None]) -> Page[books.StatementView]:
    """List the channels' statements, the newest first, with what is still unsolved of each."""
    _require_office(call.principal)
    asked = call.query
    with unit() as u:
        found = books.statements(
            u, channel=asked.channel, state=asked.state, after=paging.key_of(asked.cursor), limit=PAGE + 1
        )
    return paging.page(found, PAGE, lambda one: one.id)


def statement(call: Call[None], statement_id: str) -> books.StatementView:
    """Show one statement."""
    _require_office(call.principal)
    with unit() as u:
        return books.statement_of(u, statement_id)


def statement_file(call: Call[None], statement_id: str) -> Response:
    """Download a statement with its differences and settlements as a workbook."""
    _require_office(call.principal)
    with unit() as u:
        return _workbook(f"statement-{statement_id}", books.statement_book(u, statement_id))


def differences(call: Call[None]) -> Page[books.DifferenceView]:
    """List differences, the newest first."""
    _require_office(call.principal)
    asked = call.query
    with unit() as u:
        found = books.differences(
            u, statement_id=asked.statement_id, state=asked.state, after=paging.key_of(asked.cursor),
            limit=PAGE + 1,
        )  # fmt: skip
    return paging.page(found, PAGE, lambda one: one.id)


def difference(call: Call[None], difference_id: str) -> books.DifferenceView:
    """Show one difference."""
    _require_office(call.principal)
    with unit() as u:
        return books.difference_of(u, difference_id)


def decide(call: Call[Decision], difference_id: str) -> books.DifferenceView:
    """Decide what becomes of a difference; above the threshold a colleague confirms it."""
    _require_office(call.principal)
    asked, by = call.body, call.principal.actor
    if asked.decision == books.ASK:
        books.ask_again(difference_id, asked.reason, by)
        return run_unit(lambda u: books.difference_of(u, difference_id))

    def work(u: Unit) -> books.DifferenceView:
        books.decide(u, difference_id, asked.decision, asked.reason, by)
        u.flush()
        return books.difference_of(u, difference_id)

    return run_unit(work)


def confirm(call: Call[SecondWord], u: Unit, difference_id: str) -> books.DifferenceView:
    """Confirm a colleague's decision about a large difference, or send it back."""
    _require_office(call.principal)
    books.confirm(u, difference_id, call.body.agree, call.body.reason, call.principal.actor)
    return books.difference_of(u, difference_id)


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
        found = books.lines_of(u, settlement_id, after=_line(after), limit=LINES + 1)
    return paging.page(found, LINES, lambda one: str(one.line))


def settlement_file(call: Call[None], settlement_id: str) -> Response:
    """Download a settlement with its payments and refunds as a workbook."""
    with unit() as u:
        _settlement_in_reach(u, call.principal, settlement_id)
        return _workbook(f"settlement-{settlement_id}", books.settlement_book(u, settlement_id))


def tell_credit(call: Call[CreditTold], u: Unit) -> books.CreditView:
    """Write down what the bank has credited; the settlements it pays are found by their sum."""
    told = call.body
    _require_reach(call.principal, told.payee)
    draft = books.CreditDraft(told.payee, told.channel, told.reference, told.credited_on, told.amount_fen)
    return books.credit_of(u, books.tell_credit(u, draft, call.principal.actor).id)


def bank_credits(call: Call[None]) -> Page[books.CreditView]:
    """List bank credits with the settlements they pay, or only those that nothing explains yet."""
    asked = call.query
    payee = _payee(call.principal, asked.payee)
    with unit() as u:
        found = books.credits_of(
            u, payee=payee, unmatched=asked.unmatched, after=paging.key_of(asked.cursor), limit=PAGE + 1
        )
    return paging.page(found, PAGE, lambda one: one.id)


def bank_credit(call: Call[None], credit_id: str) -> books.CreditView:
    """Show one bank credit with the settlements it pays."""
    with unit() as u:
        return _credit_in_reach(u, call.principal, credit_id)


def credit_file(call: Call[None], credit_id: str) -> Response:
    """Download which payments and refunds make up a bank credit."""
    with unit() as u:
        _credit_in_reach(u, call.principal, credit_id)
        return _workbook(f"credit-{credit_id}", books.credit_book(u, credit_id))


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    _register_statements(surface)
    seen, gone = (people.OutsideYourScope,), (people.OutsideYourScope, NotInBooks)
    at, credit = "/settlements/<settlement_id>", "/bank-credits/<credit_id>"
    surface.get("/settlements", answers=Page[books.SettlementView], query=SettlementsAsked, problems=seen)(
        settlements
    )
    surface.get(f"{at}/lines", answers=Page[books.SettledLine], query=Paged, problems=gone)(settlement_lines)
    surface.get(f"{at}/file", media=(books.MEDIA,), problems=gone)(settlement_file)
    surface.post(
        "/bank-credits", body=CreditTold, answers=books.CreditView, status=201,
        problems=(*seen, books.CreditReferenceTaken),
    )(tell_credit)  # fmt: skip
    surface.get("/bank-credits", answers=Page[books.CreditView], query=CreditsAsked, problems=seen)(
        bank_credits
    )
    surface.get(credit, answers=books.CreditView, problems=gone)(bank_credit)
    surface.get(f"{credit}/file", media=(books.MEDIA,), problems=gone)(credit_file)


def _register_statements(surface: Surface) -> None:
    seen, gone = (people.OutsideYourScope,), (people.OutsideYourScope, NotInBooks)
    at, one = "/statements/<statement_id>", "/differences/<difference_id>"
    surface.get("/statements", answers=Page[books.StatementView], query=StatementsAsked, problems=seen)(
        statements
    )
    surface.get(at, answers=books.StatementView, problems=gone)(statement)
    surface.get(f"{at}/file", media=(books.MEDIA,), problems=gone)(statement_file)
    surface.get("/differences", answers=Page[books.DifferenceView], query=DifferencesAsked, problems=seen)(
        differences
    )
    surface.get(one, answers=books.DifferenceView, problems=gone)(difference)
    surface.post(
        f"{one}/decision", body=Decision, answers=books.DifferenceView, steps=True,
        problems=(*gone, ImpossibleMove, books.NothingToAsk),
    )(decide)  # fmt: skip
    surface.post(
        f"{one}/confirmation", body=SecondWord, answers=books.DifferenceView,
        problems=(*gone, ImpossibleMove, books.SameHands),
    )(confirm)  # fmt: skip


def _require_office(principal: Principal) -> None:
    if not people.is_finance_office(principal):
        raise people.OutsideYourScope


def _reaches(principal: Principal, payee: str) -> bool:
    """Whether it is this department's finance or the finance office: a settlement is of all regions together."""
    return any(
        scope.role == FINANCE and scope.department_id in (None, payee)
        for scope in people.scopes_of(principal)
    )


def _require_reach(principal: Principal, payee: str) -> None:
    if not _reaches(principal, payee):
        raise people.OutsideYourScope


def _payee(principal: Principal, wanted: str | None) -> str | None:
    """Whose settlements are listed: everybody's only for the finance office."""
    if wanted is None and people.is_finance_office(principal):
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


def _line(keys: tuple[str | int, ...] | None) -> int:
    text = "0" if keys is None else str(keys[0])
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _workbook(name: str, packed: bytes) -> Response:
    heads = {"Content-Disposition": f'attachment; filename="{name}.xlsx"', "Cache-Control": "no-store"}
    return Response(packed, mimetype=books.MEDIA, headers=heads)
