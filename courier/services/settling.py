"""What a carrier's notice does to a parcel: found, locked, numbers taken over, traces heard."""

import logging

from sqlalchemy import select

from backend.contracts import Notice
from backend.store.unit import Actor, Unit
from courier.carriers.port import News
from courier.models import OPEN_ORDER, OrderRow, ParcelRow
from courier.services import rows
from courier.services.hearing import hear_news
from courier.wording import say

log = logging.getLogger(__name__)
CARRIER = Actor("provider", "carrier", say("carrier"))


def settle(u: Unit, notice: Notice) -> None:
    """Use a notice, or keep it with a verdict when it fits nothing of ours."""
    found = _addressed(u, notice.subject)
    if found is None:
        _judge(u, notice, "unknown", "no order or waybill of ours")
        return
    row, order = found
    news = notice.facts["news"]
    if order is not None and order.number != row.attempt:
        _judge(u, notice, "mismatch", "news of an earlier order of the parcel")
        return
    _take_numbers(u, row, order, news)
    _take_fee(u, row, news)
    if not hear_news(u, row, news.traces, news.source, CARRIER):
        _judge(u, notice, "impossible", f"the parcel is {row.state}")
    if news.order_is_dead and order is not None and row.collected_at is None:
        order.state = "dropped"


def _addressed(u: Unit, subject: str) -> tuple[ParcelRow, OrderRow | None] | None:
    if "/" not in subject:
        try:
            order, row = rows.locked_order(u, subject)
        except LookupError:
            return None
        return row, order
    shipper, number = subject.split("/", 1)
    found = select(ParcelRow.id).where(ParcelRow.waybill_no == number, ParcelRow.shipper == shipper)
    parcel_id = u.session.scalar(found.order_by(ParcelRow.id.desc()).limit(1)) if number else None
    return (rows.locked(u, parcel_id), None) if parcel_id else None


def _take_numbers(u: Unit, row: ParcelRow, order: OrderRow | None, news: News) -> None:
    """The carrier may outrun its own answer, and change waybill or carrier on the way."""
    row.shipper = news.shipper or row.shipper
    row.waybill_no = news.waybill_no or row.waybill_no
    if order is None:
        return
    order.carrier_order_no = news.carrier_order_no or order.carrier_order_no
    if order.state in OPEN_ORDER and order.state != "cancelling":
        order.state = "placed"


def _take_fee(u: Unit, row: ParcelRow, news: News) -> None:
    """The fee, and every correction of it, is a fact in the journal."""
    if news.fee_fen is None or news.fee_fen == row.fee_fen:
        return
    facts = {"fee_fen": news.fee_fen, "before_fen": row.fee_fen}
    row.fee_fen = news.fee_fen
    u.note(row.matter, row.id, "fee_told", by=CARRIER, facts=facts)


def _judge(u: Unit, notice: Notice, verdict: str, why: str) -> None:
    u.verdict(notice, verdict, why)
    log.error("a carrier's notice could not be used", extra={"verdict": verdict, "trigger": notice.trigger})
