"""News of the road, from whoever tells it: carriers' pushes, our questions, riders, clerks.

All of it takes this one way: kept once, merged with what was heard before, and the parcel follows.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import select

from backend.contracts import (
    Event,
    ParcelCollected,
    ParcelDelivered,
    ParcelEvent,
    ParcelOrdered,
    ParcelTroubled,
)
from backend.kernel import clock
from backend.store import vault
from backend.store.unit import Actor, Unit
from courier.carriers.port import RoadNews
from courier.machine import PARCEL, ROAD, STATE_OF
from courier.merge import Heard, furthest, stronger
from courier.models import TRACE_PLACE, ParcelRow, PieceRow, TraceRow
from courier.services.rows import pieces_of, touched
from courier.wording import say

_RANK = {trigger: rank for rank, (trigger, *_) in enumerate(ROAD, start=1)}
_MILESTONES: tuple[tuple[str, str, type[ParcelEvent]], ...] = (
    ("ordered", "ordered_at", ParcelOrdered),
    ("collected", "collected_at", ParcelCollected),
    ("delivered", "delivered_at", ParcelDelivered),
)
_DOUBTFUL = frozenset({"other", "locker", "exception"})


def hear_news(u: Unit, row: ParcelRow, news: Sequence[RoadNews], source: str, by: Actor) -> bool:
    """Keep the traces of a locked parcel and let it follow them. False when they ask for an impossible move."""
    traces = _keep(u, row, news, source)
    row.heard_at = clock.now()
    decided = furthest(Heard(trace.trigger, trace.happened_at) for trace in traces)
    followed = decided is None or _follow(u, row, decided, by)
    _doubt_receipt(u, row, traces, by)
    return followed


def tell(
    u: Unit, row: ParcelRow, trigger: str, text: str, by: Actor, *, source: str, place: str = ""
) -> bool:
    """One piece of news of our own people, happening now."""
    return hear_news(u, row, (RoadNews(trigger, clock.now(), text, place),), source, by)


def record_for(u: Unit, row: ParcelRow, event: type[ParcelEvent]) -> None:
    """Tell the town something about this parcel."""
    u.record(event(row.matter, row.person_id, row.id, row.direction, row.purpose))


def _keep(u: Unit, row: ParcelRow, news: Sequence[RoadNews], source: str) -> list[TraceRow]:
    """Add what is new; the same text at the same time is the same trace, told again or told better."""
    found = select(TraceRow).where(TraceRow.parcel_id == row.id, TraceRow.attempt == row.attempt)
    kept = {trace.id: trace for trace in u.session.scalars(found)}
    for told in news:
        trace = _trace(row, told, source)
        if (known := kept.get(trace.id)) is None:
            kept[trace.id] = trace
            u.add(trace)
        else:
            known.trigger = stronger(known.trigger, told.trigger)
            known.receipt = known.receipt or told.receipt
    u.flush()
    return list(kept.values())


def _trace(row: ParcelRow, told: RoadNews, source: str) -> TraceRow:
    text = f"{row.attempt}|{told.happened_at.astimezone(UTC).isoformat()}|{told.text}"
    trace_id = f"{row.id}.{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    return TraceRow(
        id=trace_id, parcel_id=row.id, attempt=row.attempt, trigger=told.trigger, source=source,
        happened_at=told.happened_at, heard_at=clock.now(), place=told.place[:60], receipt=told.receipt,
        text=vault.seal(TRACE_PLACE, trace_id, told.text),
    )  # fmt: skip


def _follow(u: Unit, row: ParcelRow, decided: Heard, by: Actor) -> bool:
    if STATE_OF[decided.trigger] == row.state or (row.state, decided.trigger) == ("checked", "delivered"):
        return True
    if not PARCEL.can(row.state, decided.trigger):
        return False
    move = u.step(PARCEL, row, decided.trigger, by=by, at=decided.happened_at, facts={"carrier": row.carrier})
    touched(row)
    _pass_milestones(u, row, decided, move.event)
    _move_pieces(u, row)
    return True


def _pass_milestones(u: Unit, row: ParcelRow, decided: Heard, told: type[Event] | None) -> None:
    """Carriers skip steps; the town hears of each milestone all the same, and of each only once."""
    events = [told] if told and issubclass(told, ParcelEvent) else []
    for trigger, stamp, event in _MILESTONES:
        if _RANK.get(decided.trigger, 0) >= _RANK[trigger] and getattr(row, stamp) is None:
            setattr(row, stamp, decided.happened_at)
            if event is not told:
                events.insert(-1 if told else len(events), event)
    for event in events:
        record_for(u, row, event)


def _move_pieces(u: Unit, row: ParcelRow) -> None:
    """Results are with the citizen once signed for; what came back is back. Inbound pieces wait for the check."""
    if row.state == "returned":
        _mark(u, row, pieces="returned", originals="received")
    elif row.state == "delivered" and row.direction == "outbound":
        _mark(u, row, pieces="received", originals="returned")


def _mark(u: Unit, row: ParcelRow, *, pieces: str, originals: str) -> None:
    """State of what is in the parcel, and of the originals among it as the parcel they came in knows them."""
    packed = pieces_of(u, row.id)
    origins = [piece.origin_id for piece in packed if piece.origin_id]
    for piece in packed:
        piece.state = pieces
    for origin in u.session.scalars(select(PieceRow).where(PieceRow.id.in_(origins))):
        origin.state = originals


def _doubt_receipt(u: Unit, row: ParcelRow, traces: Sequence[TraceRow], by: Actor) -> None:
    """Signed for by another hand or a locker: somebody asks the holder, when it must be theirs (STANDARDS §15)."""
    if not row.needs_holder or row.state != "delivered" or row.receipt_doubt is not None:
        return
    ways = {trace.receipt for trace in traces if trace.trigger == "delivered"} & _DOUBTFUL
    if ways:
        row.receipt_doubt = min(ways)
        u.note(row.matter, row.id, "receipt_doubted", by=by, says=say("receipt.doubted"),
               facts={"how": row.receipt_doubt})  # fmt: skip
        record_for(u, row, ParcelTroubled)
