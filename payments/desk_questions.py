"""What finance sees of payments: a list to look through, what waits for somebody, and what has waited too long."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select

from backend import people
from backend.kernel import clock
from backend.runtime import paging
from backend.store.unit import Unit
from payments import news
from payments.bills.models import Bill
from payments.desk_reach import beside_bills, numbered, payers_of, within
from payments.machine import (
    ASKED,
    DISPUTED,
    FAILED,
    LISTED,
    PAID,
    PARTLY_REFUNDED,
    PAYMENT,
    SECOND,
    STUCK,
    SUBMITTED,
)
from payments.models import Payment, Refund
from payments.receipts.models import Receipt
from payments.receipts.receipts import in_trouble
from payments.reconciliation.machine import UNSOLVED
from payments.reconciliation.models import Difference
from payments.refunds.questions import may_retry
from payments.views import MoneyPending, PaymentFilter, PaymentListed, Waiting

PATIENCE = timedelta(hours=24)
"""Longer nobody's money is held without somebody looking at it."""
WARNED = 20
_NOTHING = Waiting(0, None)


class _Found(NamedTuple):
    payment: Payment
    notice_no: str | None


def payments_at_desk(
    u: Unit, reach: Iterable[people.Scope], wanted: PaymentFilter, before: str | None = None, limit: int = 20
) -> list[PaymentListed]:
    """Payments within these departments and regions, newest first; `before` is the id of the last one shown."""
    narrowed = beside_bills(select(Payment, Bill.notice_no)).where(within(reach), *_narrowed(u, wanted))
    rows = u.session.execute(paging.newest_first(narrowed, Payment.id, before, limit))
    found = [_Found(*row) for row in rows]
    names = payers_of(u, [one.payment.person_id for one in found])
    return [_listed(one.payment, one.notice_no, names[one.payment.person_id]) for one in found]


def money_pending(u: Unit, reach: Sequence[people.Scope], *, is_office: bool) -> MoneyPending:
    """What waits for whoever reaches so far; differences and news of unknown money are the finance office's alone."""
    held = select(func.count(), func.min(Payment.paid_at)).select_from(Payment)
    return MoneyPending(
        disputed=_waiting(u, beside_bills(held).where(Payment.state == DISPUTED, within(reach))),
        asked=_refunds(u, reach, Refund.state == ASKED),
        second=_refunds(u, reach, Refund.state == SECOND),
        listed=_refunds(u, reach, Refund.state == LISTED),
        submitted=_refunds(u, reach, Refund.state == SUBMITTED),
        stuck=_refunds(u, reach, Refund.state == STUCK),
        failed=_refunds(u, reach, Refund.state == FAILED, may_retry()),
        differences=_differences(u) if is_office else _NOTHING,
        receipts=_receipts(u, reach),
        news=_waiting(u, news.open_news(reach, is_office=is_office)),
    )


def warnings(u: Unit) -> list[str]:
    """What somebody must see to though nobody broke anything, for `flask town check`: money that is held too long, and
    news that was set aside, at once.
    """
    disputed = Payment.state == DISPUTED
    stays = and_(Payment.unwanted, Payment.state.in_((PAID, PARTLY_REFUNDED)))
    held = _held_long(u, disputed, "disputed")
    held += _held_long(u, stays, "no longer wanted, but could not go back,")
    return held + _stuck_long(u) + news.warnings(u, WARNED)


def _held_long(u: Unit, which: ColumnElement[bool], says: str) -> list[str]:
    held = select(Payment).where(which).order_by(Payment.id)
    since = [(payment, _in_state_since(u, payment)) for payment in u.session.scalars(held)]
    late = [(payment, at) for payment, at in since if at < clock.now() - PATIENCE]
    return [
        f"payments: {payment.id} of {payment.payee} is {says} since {at.isoformat()}"
        for payment, at in late[:WARNED]
    ]


def _stuck_long(u: Unit) -> list[str]:
    stuck = select(Refund).where(Refund.state == STUCK, Refund.requested_at < clock.now() - PATIENCE)
    return [
        f"payments: {refund.id} is stuck at its channel, asked for at {refund.requested_at.isoformat()}"
        for refund in u.session.scalars(stuck.order_by(Refund.id).limit(WARNED))
    ]


def _in_state_since(u: Unit, payment: Payment) -> datetime:
    moves = (line for line in u.journal_of(payment.matter) if line.subject == payment.id)
    came = (line.occurred_at for line in moves if line.target == payment.state)
    return max(came, default=payment.opened_at)


def _narrowed(u: Unit, wanted: PaymentFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.state is not None:
        yield Payment.state == wanted.state
    if wanted.number is not None:
        yield numbered(u, wanted.number)
    if wanted.paid_from is not None:
        yield Payment.paid_at >= clock.at_local(wanted.paid_from, 0)
    if wanted.paid_to is not None:
        yield Payment.paid_at < clock.at_local(wanted.paid_to + timedelta(days=1), 0)


def _refunds(u: Unit, reach: Sequence[people.Scope], *which: ColumnElement[bool]) -> Waiting:
    counted = select(func.count(), func.min(Refund.requested_at)).select_from(Refund)
    beside = beside_bills(counted.join(Payment, Payment.id == Refund.payment_id))
    return _waiting(u, beside.where(within(reach), *which))


def _differences(u: Unit) -> Waiting:
    counted = select(func.count(), func.min(Difference.found_at))
    return _waiting(u, counted.where(Difference.state.in_(UNSOLVED)))


def _receipts(u: Unit, reach: Sequence[people.Scope]) -> Waiting:
    counted = select(func.count(), func.min(Receipt.wanted_at)).select_from(Receipt)
    beside = beside_bills(counted.join(Payment, Payment.id == Receipt.payment_id))
    return _waiting(u, beside.where(in_trouble(), within(reach)))


def _waiting(u: Unit, counted: Select[int, datetime | None]) -> Waiting:
    u.flush_rows()
    count, oldest = u.session.execute(counted).one()
    return Waiting(count, oldest)


def _listed(payment: Payment, notice_no: str | None, payer: str) -> PaymentListed:
    return PaymentListed(
        id=payment.id,
        number=payment.number,
        reference=payment.reference,
        notice_no=notice_no,
        subject=payment.subject,
        title=payment.title,
        payee=payment.payee,
        payer=payer,
        channel=payment.channel,
        amount_fen=payment.amount_fen,
        received_fen=payment.received_fen,
        state=payment.state,
        says=PAYMENT.label(payment.state),
        settles=payment.settles,
        opened_at=payment.opened_at,
        paid_at=payment.paid_at,
        settled_at=payment.settled_at,
    )
