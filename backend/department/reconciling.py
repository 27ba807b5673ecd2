"""The desk for reconciliation: statements and differences, which are the city's finance office's alone."""

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from backend import people
from backend.kernel.problems import ImpossibleMove
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Page, Query, Surface, Unit
from backend.store.unit import run_unit, unit
from payments import reconciliation as books
from payments.reconciliation import NotInBooks

CITY = "341600"
"""A channel's statement is of all counties together: a county's finance office has no say in it."""
PAGE = 20
LINES = 100
MOST = 200
"""So many differences are decided at once at most."""
Channel = Literal["wechat_pay", "alipay"]


class Paged(Query):
    cursor: str | None = Field(None, max_length=200)


class StatementsAsked(Paged):
    channel: Channel | None = None
    state: Literal["wanted", "fetched", "reconciled"] | None = None


class DifferencesAsked(Paged):
    statement_id: str | None = Field(None, max_length=40)
    state: Literal["open", "second", "waiting", "booked", "explaining", "solved"] | None = None
    kind: (
        Literal[
            "missing_here", "missing_there", "amount_differs", "refund_differs", "state_differs", "told_twice"
        ]
        | None
    ) = None  # fmt: skip
    department_id: str | None = Field(None, max_length=40)


class Decision(Body):
    """`ask` the channel again, `book` it until it is explained, or `wait`: it is another day's."""

    decision: Literal["ask", "book", "wait"]
    reason: str = Field(min_length=2, max_length=200)


class ManyDecisions(Body):
    """One decision with one reason about many differences. Questions to the channel go on by themselves."""

    ids: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(min_length=1, max_length=MOST)
    decision: Literal["book", "wait"]
    reason: str = Field(min_length=2, max_length=200)


class Explanation(Body):
    """What a booked difference was.

    `channel`: the channel's mistake, which it takes back or has put right; `fee`: the channel kept it; `payee`: the
    money of `department_id`, which the channel pays out to it.
    """

    to: Literal["channel", "fee", "payee"] = "channel"
    department_id: str | None = Field(None, min_length=1, max_length=40)
    reason: str = Field(min_length=2, max_length=200)


class SecondWord(Body):
    """Whether a colleague's decision or explanation stands."""

    agree: bool
    reason: str = Field(min_length=2, max_length=200)


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


def statement_lines(call: Call[None], statement_id: str) -> Page[books.StatementLineView]:
    """Show the lines of a statement as the channel tells them."""
    _require_office(call.principal)
    after = line_of(paging.keys_of(call.query.cursor, 1))
    with unit() as u:
        found = books.statement_lines(u, statement_id, after=after, limit=LINES + 1)
    return paging.page(found, LINES, lambda one: str(one.line))


def statement_file(call: Call[None], statement_id: str) -> Response:
    """Download a statement with its differences and settlements as a workbook."""
    _require_office(call.principal)
    with unit() as u:
        return workbook(f"statement-{statement_id}", books.statement_book(u, statement_id))


def differences(call: Call[None]) -> Page[books.DifferenceView]:
    """List differences, the newest first."""
    _require_office(call.principal)
    asked = call.query
    with unit() as u:
        found = books.differences(
            u, statement_id=asked.statement_id, state=asked.state, kind=asked.kind,
            department_id=asked.department_id, after=paging.key_of(asked.cursor), limit=PAGE + 1,
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


def decide_many(call: Call[ManyDecisions], u: Unit) -> list[books.DecisionOutcome]:
    """Decide the same about up to two hundred differences; each has its own outcome."""
    _require_office(call.principal)
    asked = call.body
    return books.decide_many(u, asked.ids, asked.decision, asked.reason, call.principal.actor)


def explain(call: Call[Explanation], u: Unit, difference_id: str) -> books.DifferenceView:
    """Say what a booked difference was; above the threshold a colleague confirms it."""
    _require_office(call.principal)
    asked, by = call.body, call.principal.actor
    books.explain(u, difference_id, asked.to, asked.reason, by, department_id=asked.department_id)
    return books.difference_of(u, difference_id)


def confirm(call: Call[SecondWord], u: Unit, difference_id: str) -> books.DifferenceView:
    """Confirm a colleague's decision about a large difference or its explanation, or send it back."""
    _require_office(call.principal)
    books.confirm(u, difference_id, call.body.agree, call.body.reason, call.principal.actor)
    return books.difference_of(u, difference_id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    seen, gone = (people.OutsideYourScope,), (people.OutsideYourScope, NotInBooks)
    at, one = "/statements/<statement_id>", "/differences/<difference_id>"
    surface.get("/statements", answers=Page[books.StatementView], query=StatementsAsked, problems=seen)(
        statements
    )
    surface.get(at, answers=books.StatementView, problems=gone)(statement)
    surface.get(f"{at}/lines", answers=Page[books.StatementLineView], query=Paged, problems=gone)(
        statement_lines
    )
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
        "/differences/decisions", body=ManyDecisions, answers=list[books.DecisionOutcome], problems=seen
    )(decide_many)
    surface.post(
        f"{one}/explanation", body=Explanation, answers=books.DifferenceView,
        problems=(*gone, ImpossibleMove, books.NobodysPayout),
    )(explain)  # fmt: skip
    surface.post(
        f"{one}/confirmation", body=SecondWord, answers=books.DifferenceView,
        problems=(*gone, ImpossibleMove, books.SameHands, books.NobodysPayout),
    )(confirm)  # fmt: skip


def _require_office(principal: Principal) -> None:
    if not people.is_finance_office(principal, CITY):
        raise people.OutsideYourScope


def line_of(keys: tuple[str | int, ...] | None) -> int:
    text = "0" if keys is None else str(keys[0])
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def workbook(name: str, packed: bytes) -> Response:
    heads = {"Content-Disposition": f'attachment; filename="{name}.xlsx"', "Cache-Control": "no-store"}
    return Response(packed, mimetype=books.MEDIA, headers=heads)
