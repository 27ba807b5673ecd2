"""From the messages of kdniao to news in our words: pushes and answered questions give the same notices.

Track messages repeat the whole story each time; what we already have is recognised by its text and time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.contracts import Notice
from backend.kernel import clock
from backend.kernel.money import MalformedAmount, fen_from_yuan
from courier.carriers import kdniao_wire as wire
from courier.carriers.kdniao_tables import FEE_STATES, PICKUP, PICKUP_SAYS, RECEIPT, TRACK
from courier.carriers.port import News, RoadNews
from courier.merge import NOTE

PROVIDER = "kdniao"
PICKUP_PUSH = "103"
TRACK_KINDS = frozenset({"101", "102", "1002", "8001", "8002"})
_PICKER = ("StationName", "PersonName", "PersonTel", "PickupCode")
CALLED_OFF = frozenset({"99", "203"})


def notices_of(request_type: str, document: Mapping[str, Any]) -> Sequence[Notice]:
    """One notice per parcel in a push. A kind we do not know becomes a notice that says nothing."""
    pushed_at = wire.at_of(wire.text_of(document, "PushTime"))
    items = wire.items_of(document, "Data")
    if request_type == PICKUP_PUSH:
        return [pickup_notice(item, _raw(item)) for item in items]
    if request_type in TRACK_KINDS:
        return [track_notice(request_type, item, _raw(item)) for item in items]
    empty = News((), f"{PROVIDER}.{request_type[:8]}")
    return [
        Notice(
            provider=PROVIDER, key=f"{request_type[:8]}:{wire.digest(item)}", subject=_subject(item),
            trigger="unknown", occurred_at=pushed_at, facts={"news": empty}, raw=_raw(item),
        )
        for item in items
    ]  # fmt: skip


def pickup_notice(item: Mapping[str, Any], raw: bytes, kind: str = PICKUP_PUSH) -> Notice:
    """A message about the pick-up (103; answers to 1804): courier named, fetched, weighed, called off."""
    state = wire.text_of(item, "State")
    at = wire.at_of(wire.text_of(item, "CreateTime", "OperateTime"))
    says = _joined(PICKUP_SAYS.get(state, "取件状态更新"), _picker(item), wire.text_of(item, "Reason"))
    trace = RoadNews(PICKUP.get(state, NOTE), at or clock.now(), says)
    news = News(
        traces=(trace,),
        source="pickup",
        shipper=wire.text_of(item, "ShipperCode") or None,
        waybill_no=wire.text_of(item, "LogisticCode") or None,
        carrier_order_no=wire.text_of(item, "KDNOrderCode") or None,
        fee_fen=_fee(item) if state in FEE_STATES else None,
        order_is_dead=state in CALLED_OFF,
    )
    key = f"{kind}:{wire.digest(item)}"
    return Notice(PROVIDER, key, _subject(item), f"pickup.{state}", at, news.fee_fen, {"news": news}, raw)


def track_notice(kind: str, item: Mapping[str, Any], raw: bytes) -> Notice:
    """A message about the road (101, 102; answers to 1002, 8001), whole story included."""
    state = wire.text_of(item, "StateEx") or wire.text_of(item, "State")
    traces = _traces(item)
    if traces:
        traces[-1] = _with_state(traces[-1], state)
    news = News(
        traces=tuple(traces),
        source="track",
        shipper=wire.text_of(item, "ShipperCode") or None,
        waybill_no=wire.text_of(item, "LogisticCode") or None,
    )
    at = traces[-1].happened_at if traces else None
    key = f"{kind}:{wire.digest(item)}"
    return Notice(PROVIDER, key, _subject(item), f"track.{state}", at, None, {"news": news}, raw)


def is_called_off(order: Mapping[str, Any]) -> bool:
    """Whether an order, as 1804 tells it, was cancelled."""
    return wire.text_of(order, "State", "OrderState") in CALLED_OFF


def _traces(item: Mapping[str, Any]) -> list[RoadNews]:
    """The lines of the story; one without a readable time shares that of the line before it."""
    traces: list[RoadNews] = []
    for line in wire.items_of(item, "Traces"):
        at = wire.at_of(wire.text_of(line, "AcceptTime")) or (traces[-1].happened_at if traces else None)
        if at is not None:
            traces.append(_trace(line, at))
    return traces


def _trace(line: Mapping[str, Any], at: datetime) -> RoadNews:
    action = wire.text_of(line, "Action")
    text = _joined(wire.text_of(line, "AcceptStation"), wire.text_of(line, "Remark"))
    place, receipt = wire.text_of(line, "Location"), RECEIPT.get(action, "")
    return RoadNews(TRACK.get(action, NOTE), at, text, place, receipt)


def _with_state(trace: RoadNews, state: str) -> RoadNews:
    """The state of the whole message belongs to its last line, unless that line says more itself."""
    trigger = trace.trigger if trace.trigger != NOTE else TRACK.get(state, NOTE)
    return replace(trace, trigger=trigger, receipt=trace.receipt or RECEIPT.get(state, ""))


def _subject(item: Mapping[str, Any]) -> str:
    """Our order code; where it is missing, carrier and waybill."""
    code = wire.text_of(item, "OrderCode")
    return code or f"{wire.text_of(item, 'ShipperCode')}/{wire.text_of(item, 'LogisticCode')}"


def _picker(item: Mapping[str, Any]) -> str:
    """Name and telephone of whoever comes to fetch it: the citizen must be able to call."""
    for picker in wire.items_of(item, "PickerInfo"):
        return _joined(
            *(wire.text_of(picker, key) for key in ("StationName", "PersonName", "PersonTel", "PickupCode"))
        )
    return ""


def _fee(item: Mapping[str, Any]) -> int | None:
    found = item.get("TotalFee", item.get("Cost"))
    try:
        return fen_from_yuan(found if isinstance(found, Decimal) else str(found))
    except MalformedAmount:
        return None


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _raw(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item, ensure_ascii=False, default=str).encode()
