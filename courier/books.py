"""Nightly: do the parcels add up? No key guards what lies between houses, so orphans are looked for here."""

from datetime import timedelta

from sqlalchemy import func, select, text

from backend.kernel import clock
from backend.kernel.problems import NotFound
from backend.runtime.facts import facts_of
from backend.store.unit import Unit
from courier.models import OPEN_ORDER, OrderRow, ParcelRow, PieceRow

LONG_UNKNOWN = timedelta(hours=1)
_LAST_MOVE = text("""
    SELECT p.id, p.state, j.target FROM courier_parcel p
    LEFT JOIN LATERAL (SELECT target FROM store_journal WHERE matter = p.matter AND subject = p.id AND target <> ''
                       ORDER BY seq DESC LIMIT 1) j ON true
    WHERE j.target IS DISTINCT FROM p.state ORDER BY p.id LIMIT 100
""")


def check_books(u: Unit) -> list[str]:
    """One sentence for everything that does not add up; empty when the books hold."""
    return [*_unaccounted(u), *_not_as_told(u), *_orphans(u), *_open_orders(u), *_shared_orders(u)]


def _unaccounted(u: Unit) -> list[str]:
    """Pieces of parcels that have ended, of which nobody said where they are."""
    found = (
        select(ParcelRow.id, ParcelRow.state, PieceRow.name)
        .join(PieceRow, PieceRow.parcel_id == ParcelRow.id)
        .where(ParcelRow.closed_at.is_not(None), ParcelRow.state != "cancelled", PieceRow.state == "packed")
        .order_by(ParcelRow.id)
    )
    return [
        f"{parcel_id} is {state}, and its piece {name} is unaccounted for"
        for parcel_id, state, name in u.session.execute(found)
    ]


def _not_as_told(u: Unit) -> list[str]:
    return [
        f"{parcel_id} is {state}, but the journal says {target}"
        for parcel_id, state, target in u.session.execute(_LAST_MOVE)
    ]


def _orphans(u: Unit) -> list[str]:
    matters = u.session.scalars(select(ParcelRow.matter).where(ParcelRow.closed_at.is_(None)).distinct())
    return [f"open parcels of {matter}, which nobody knows" for matter in matters if not _is_known(u, matter)]


def _is_known(u: Unit, matter: str) -> bool:
    try:
        return bool(facts_of(u, matter))
    except NotFound:
        return False


def _open_orders(u: Unit) -> list[str]:
    before = clock.wire_now() - LONG_UNKNOWN
    found = select(OrderRow).where(OrderRow.state.in_(OPEN_ORDER), OrderRow.asked_at < before)
    return [
        f"order {order.code} of {order.parcel_id} has been {order.state} for an hour"
        for order in u.session.scalars(found)
    ]


def _shared_orders(u: Unit) -> list[str]:
    """A parcel for which two carriers are on their way."""
    found = (
        select(OrderRow.parcel_id)
        .where(OrderRow.state.in_(("placed", *OPEN_ORDER)))
        .group_by(OrderRow.parcel_id)
        .having(func.count() > 1)
    )
    return [f"{parcel_id} has more than one order open" for parcel_id in u.session.scalars(found)]
