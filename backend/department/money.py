"""The desk where finance looks for payments, sees what waits for it, and reads the ledger.

Payments: finance of the payee, or the finance office. The ledger's accounts and news of
money that nobody knows are the finance office's alone.
"""

from typing import Literal

from pydantic import Field

import payments
from backend import people
from backend.department.bills import FINANCE
from backend.department.reconciling import CITY
from backend.department.refunds import finance_reach, is_in_reach
from backend.kernel.problems import MalformedRequest, NotFound
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Day, Page, Query, Surface, Unit
from backend.store.unit import unit

PaymentState = Literal[
    "created", "awaiting", "paid", "closing", "closed", "disputed", "refunding", "partly_refunded", "refunded"
]
AccountKind = Literal["clearing", "bank", "fee", "payee", "citizen", "refund", "difference"]


class PaymentsAsked(Query):
    """Which payments: `number` is ours, the channel's reference, or a bill's notice number; days in Shanghai."""

    state: PaymentState | None = None
    number: str | None = Field(default=None, min_length=1, max_length=64)
    paid_from: Day | None = None
    paid_to: Day | None = None
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


class NewsAsked(Query):
    """A page of news of channels that could not be used: what nobody has looked at yet, what was seen, or all."""

    state: Literal["open", "seen"] | None = None
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


class WhatItWas(Body):
    """What the news turned out to be, or what was done about it; kept with it."""

    reason: str = Field(min_length=2, max_length=80)


class AccountsAsked(Query):
    """A page of accounts, of one kind or of all."""

    kind: AccountKind | None = None
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.MAX_LIMIT, ge=1, le=paging.MAX_LIMIT)


class LinesAsked(Query):
    """A page of an account's entries."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


def list_payments(call: Call[None]) -> Page[payments.PaymentListed]:
    """Payments to my department, newest first; the finance office sees those to all departments."""
    people.require_role(call.principal, FINANCE)
    asked: PaymentsAsked = call.query
    wanted = payments.PaymentFilter(asked.state, asked.number, asked.paid_from, asked.paid_to)
    with unit() as u:
        found = payments.payments_at_desk(
            u, finance_reach(call.principal), wanted, paging.key_of(asked.cursor), asked.limit + 1
        )
        shown = paging.page(found, asked.limit, lambda one: one.id)
        seen = (one for one in shown.items if is_in_reach(u, call.principal, one.payee, one.subject))
        return Page(tuple(seen), shown.next)


def show_pending(call: Call[None]) -> payments.MoneyPending:
    """What waits for us: held money, refunds, differences, receipts and news; how many, and since when the oldest."""
    people.require_role(call.principal, FINANCE)
    with unit() as u:
        return payments.money_pending(
            u, finance_reach(call.principal), is_office=_is_city_office(call.principal)
        )


def list_news(call: Call[None]) -> Page[payments.MoneyNews]:
    """What channels told and could not be used, newest first; what no payment of ours explains only the office sees."""
    people.require_role(call.principal, FINANCE)
    asked: NewsAsked = call.query
    with unit() as u:
        found = payments.news_at_desk(
            u, finance_reach(call.principal), is_office=_is_city_office(call.principal), state=asked.state,
            before=paging.key_of(asked.cursor), limit=asked.limit + 1,
        )  # fmt: skip
        shown = paging.page(found, asked.limit, lambda one: one.id)
        return Page(tuple(one for one in shown.items if _concerns(u, call.principal, one)), shown.next)


def see_news(call: Call[WhatItWas], u: Unit, news_id: str) -> payments.MoneyNews:
    """Say that I have looked into it, and what it was; it waits no longer."""
    people.require_role(call.principal, FINANCE)
    if not _concerns(u, call.principal, payments.news_of(u, news_id)):
        raise NotFound
    return payments.see_news(u, news_id, call.body.reason, call.principal.actor)


def list_accounts(call: Call[None]) -> Page[payments.AccountBalance]:
    """Accounts of the ledger with their balances: debit positive, credit negative."""
    _require_office(call.principal)
    asked: AccountsAsked = call.query
    after = paging.key_of(asked.cursor) or ""
    with unit() as u:
        found = payments.accounts_of(u, kind=asked.kind or "", after=after, limit=asked.limit + 1)
    return paging.page(found, asked.limit, lambda one: one.account)


def list_lines(call: Call[None], account: str) -> Page[payments.LedgerLine]:
    """The entries on one account, newest first."""
    _require_office(call.principal)
    asked: LinesAsked = call.query
    with unit() as u:
        found = payments.lines_of(u, account, before=_line(asked.cursor), limit=asked.limit + 1)
    return paging.page(found, asked.limit, lambda one: str(one.id))


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    told = (people.OutsideYourScope,)
    surface.get("/payments", query=PaymentsAsked, answers=Page[payments.PaymentListed], problems=told)(
        list_payments
    )
    surface.get("/money-pending", answers=payments.MoneyPending, problems=told)(show_pending)
    surface.get("/money-news", query=NewsAsked, answers=Page[payments.MoneyNews], problems=told)(list_news)
    surface.post(
        "/money-news/<news_id>/seen",
        body=WhatItWas,
        answers=payments.MoneyNews,
        problems=(*told, NotFound, payments.NewsAlreadySeen),
    )(see_news)
    surface.get(
        "/ledger/accounts", query=AccountsAsked, answers=Page[payments.AccountBalance], problems=told
    )(list_accounts)
    surface.get(
        "/ledger/accounts/<account>/lines", query=LinesAsked, answers=Page[payments.LedgerLine], problems=told
    )(list_lines)


def _concerns(u: Unit, principal: Principal, news: payments.MoneyNews) -> bool:
    """Whether finance of the payee asks; news of money that we do not know is the city's finance office's."""
    if news.payee is None or news.subject is None:
        return _is_city_office(principal)
    return is_in_reach(u, principal, news.payee, news.subject)


def _is_city_office(principal: Principal) -> bool:
    return people.is_finance_office(principal, CITY)


def _require_office(principal: Principal) -> None:
    if not people.is_finance_office(principal):
        raise people.OutsideYourScope


def _line(cursor: str | None) -> int | None:
    """The line a cursor names. Raises MalformedRequest when it is not ours."""
    key = paging.key_of(cursor)
    if key is None:
        return None
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise MalformedRequest("翻页标记不正确，请从第一页重新查看。")
    return int(key)
