"""News of money that was set aside: a list for finance, and somebody's word that it was looked into.

News of a payment of ours concerns its payee; of money that we do not know at all only the finance office learns.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from backend import people
from backend.kernel import clock
from backend.kernel.privacy import scrub
from backend.kernel.problems import NotFound
from backend.runtime import paging
from backend.store.unit import Actor, Unit
from payments import wording
from payments.desk_reach import beside_bills, within
from payments.machine import PAYMENT
from payments.models import Payment, SetAside
from payments.problems import NewsAlreadySeen
from payments.views import MoneyNews

Columns = TypeVarTuple("Columns")
OPEN, SEEN = "open", "seen"


def news_at_desk(
    u: Unit, reach: Iterable[people.Scope], *, is_office: bool, state: str | None = None,
    before: str | None = None, limit: int = 20,
) -> list[MoneyNews]:  # fmt: skip
    """News within reach, newest first; `before` is the id of the last one shown, `state` open, seen or None (all)."""
    beside = _beside_payments(select(SetAside, Payment)).where(_concerns(reach, is_office=is_office))
    wanted = paging.newest_first(beside.where(*_in_state(state)), SetAside.id, before, limit)
    return [_view(news, payment) for news, payment in u.session.execute(wanted)]


def news_of(u: Unit, news_id: str) -> MoneyNews:
    """One piece of news. Raises NotFound."""
    return _shown(u, _found(u, news_id))


def see_news(u: Unit, news_id: str, reason: str, by: Actor) -> MoneyNews:
    """Somebody has looked into it: they say what it was, and it waits no longer. Raises NotFound, NewsAlreadySeen."""
    news = _found(u, news_id, lock=True)
    if news.seen_at is not None:
        raise NewsAlreadySeen(seen_at=news.seen_at.isoformat())
    news.seen_at, news.seen_by, news.reason = clock.now(), by.id, scrub(reason)[:80]
    payment = u.get(Payment, news.payment_id) if news.payment_id else None
    matter = news.id if payment is None else payment.matter
    u.note(matter, news.id, "news_seen", by=by, facts={"notice": news.notice_id, "reason": news.reason})
    return _view(news, payment)


def open_news(reach: Iterable[people.Scope], *, is_office: bool) -> Select[int, datetime | None]:
    """Counts what nobody has looked at yet, and since when the oldest waits."""
    counted = select(func.count(), func.min(SetAside.heard_at)).select_from(SetAside)
    return _beside_payments(counted).where(*_in_state(OPEN), _concerns(reach, is_office=is_office))


def warnings(u: Unit, most: int) -> list[str]:
    """What nobody has looked at yet, for `flask town check`: the newest, and how many there are beside."""
    u.flush_rows()
    waiting = u.session.scalar(select(func.count()).select_from(SetAside).where(*_in_state(OPEN))) or 0
    newest = paging.newest_first(select(SetAside).where(*_in_state(OPEN)), SetAside.id, None, most)
    told = [
        f"payments: news {one.id} of {one.channel} about {one.payment_id or 'no payment of ours'} was set aside"
        f" ({one.verdict}, {one.kind}) at {one.heard_at.isoformat()} and nobody has looked at it"
        for one in u.session.scalars(newest)
    ]
    rest = waiting - len(told)
    return told + (
        [f"payments: {rest} more news were set aside and nobody has looked at them"] if rest > 0 else []
    )


def _beside_payments(wanted: Select[*Columns]) -> Select[*Columns]:
    return beside_bills(wanted.join(Payment, Payment.id == SetAside.payment_id, isouter=True))


def _concerns(reach: Iterable[people.Scope], *, is_office: bool) -> ColumnElement[bool]:
    ours = and_(SetAside.payment_id.is_not(None), within(reach))
    return or_(SetAside.payment_id.is_(None), ours) if is_office else ours


def _in_state(state: str | None) -> Iterator[ColumnElement[bool]]:
    if state is not None:
        yield SetAside.seen_at.is_(None) if state == OPEN else SetAside.seen_at.is_not(None)


def _found(u: Unit, news_id: str, *, lock: bool = False) -> SetAside:
    news = u.get(SetAside, news_id, lock=lock)
    if news is None:
        raise NotFound
    return news


def _shown(u: Unit, news: SetAside) -> MoneyNews:
    return _view(news, u.get(Payment, news.payment_id) if news.payment_id else None)


def _view(news: SetAside, payment: Payment | None) -> MoneyNews:
    return MoneyNews(
        id=news.id,
        heard_at=news.heard_at,
        state=OPEN if news.seen_at is None else SEEN,
        channel=news.channel,
        verdict=news.verdict,
        says=wording.NEWS_SAYS[news.verdict],
        kind=news.kind,
        why=wording.NEWS_WHY[news.kind],
        number=news.number,
        reference=news.reference,
        amount_fen=news.amount_fen,
        payment_id=news.payment_id,
        payment_says=None if payment is None else PAYMENT.label(payment.state),
        payee=None if payment is None else payment.payee,
        subject=None if payment is None else payment.subject,
        seen_at=news.seen_at,
        seen_by=news.seen_by,
        reason=news.reason,
    )
