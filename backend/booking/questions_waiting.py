"""What can be asked about waits for a place, and about blocks and appeals against them."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import select

from backend.booking.machine import BLOCK, WAIT
from backend.booking.models import APPEAL, BlockRow, BookingRow, SiteRow, WaitRow
from backend.booking.questions import site_view, slot_and_site
from backend.booking.views import Site
from backend.booking.views_waiting import BlockView, MissedVisit, Offer, WaitView
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.runtime import paging
from backend.store import lean, vault
from backend.store.unit import Unit

_COUNTS: Final = """
    SELECT (SELECT count(*) FROM booking_wait o
            WHERE o.item_id = w.item_id AND o.subject = w.subject AND o.state IN ('waiting', 'offered')
                AND (o.instead_of IS NULL, o.since, o.id) < (w.instead_of IS NULL, w.since, w.id)
                AND (o.site_id IS NULL OR w.site_id IS NULL OR o.site_id = w.site_id)
                AND o.from_day <= w.to_day AND o.to_day >= w.from_day),
        (SELECT count(*) FROM booking_booking b
            WHERE b.person_id = w.person_id AND b.item_id = w.item_id AND b.subject = w.subject
                AND b.origin = 'wait_list' AND b.made_at >= w.since)
    FROM booking_wait w WHERE w.id = %s
"""


def waits_of(u: Unit, person_id: str, *, after: str | None = None, limit: int = 20) -> list[WaitView]:
    """A person's waits, newest first; `after` is the id of the last one seen."""
    query = select(WaitRow).where(WaitRow.person_id == person_id)
    rows = u.session.scalars(paging.newest_first(query, WaitRow.id, after, limit)).all()
    return [wait_view(u, row) for row in rows]


def wait_of(u: Unit, wait_id: str, person_id: str) -> WaitView:
    """A person's own wait. Raises NotYours, also for one that does not exist."""
    row = u.get(WaitRow, wait_id)
    if row is None or row.person_id != person_id:
        raise NotYours
    return wait_view(u, row)


def own_wait(u: Unit, wait_id: str, person_id: str) -> str | None:
    """The booking offered in a person's own wait, if there is one. Raises NotYours."""
    query = select(WaitRow.person_id, WaitRow.state, WaitRow.booking_id).where(WaitRow.id == wait_id)
    found = u.session.execute(query).one_or_none()
    if found is None or found[0] != person_id:
        raise NotYours
    return found[2] if found[1] == "offered" else None


def wait_view(u: Unit, row: WaitRow) -> WaitView:
    """A wait as its owner sees it; everything pending must have been flushed."""
    counts = lean.execute(u.session, _COUNTS, (row.id,)).fetchone()
    assert counts is not None
    return WaitView(
        id=row.id,
        state=row.state,
        state_label=WAIT.label(row.state),
        item_id=row.item_id,
        subject=row.subject,
        site_id=row.site_id,
        case_id=row.case_id,
        party=row.party,
        from_day=row.from_day,
        to_day=row.to_day,
        since=row.since,
        ahead=counts[0] if row.state in ("waiting", "offered") else 0,
        offers=counts[1],
        offers_today=row.offers if row.offers_on == clock.today() else 0,
        offer=_offer(u, row.booking_id) if row.state == "offered" and row.booking_id else None,
        booking_id=row.booking_id,
        instead_of=row.instead_of,
    )


def blocks_of(u: Unit, person_id: str) -> list[BlockView]:
    """A person's blocks, newest first, with what they wrote and what was answered."""
    query = select(BlockRow).where(BlockRow.person_id == person_id).order_by(BlockRow.id.desc()).limit(100)
    return [block_view(u, row) for row in u.session.scalars(query)]


def block_of(u: Unit, block_id: str, person_id: str) -> BlockView:
    """A person's own block. Raises NotYours, also for one that does not exist."""
    row = u.get(BlockRow, block_id)
    if row is None or row.person_id != person_id:
        raise NotYours
    return block_view(u, row)


def appeals(
    u: Unit, mine: Callable[[Site], bool], *, after: str | None = None, limit: int = 20
) -> list[BlockView]:
    """Appeals that wait for an answer at the sites that are `mine`, oldest block first."""
    sites = [row.id for row in u.session.scalars(select(SiteRow)) if mine(site_view(row))]
    query = select(BlockRow).where(BlockRow.state == "appealed", BlockRow.site_id.in_(sites))
    if after is not None:
        query = query.where(BlockRow.id > after)
    return [block_view(u, row) for row in u.session.scalars(query.order_by(BlockRow.id).limit(limit))]


def block_view(u: Unit, row: BlockRow) -> BlockView:
    over = row.until <= clock.now() or row.state == "lifted"
    return BlockView(
        id=row.id,
        state=row.state,
        state_label=BLOCK.label(row.state),
        person_id=row.person_id,
        item_id=row.item_id,
        site_id=row.site_id,
        until=row.until,
        over=over,
        may_appeal=row.state == "active" and not over,
        missed=_missed(u, row),
        appeal=vault.open_sealed(APPEAL.place, row.id, row.appeal) if row.appeal else "",
        appealed_at=row.appealed_at,
        decided_at=row.decided_at,
        decided_why=row.decided_why,
    )


def _offer(u: Unit, booking_id: str) -> Offer:
    row = u.session.get_one(BookingRow, booking_id)
    slot, site = slot_and_site(u.session, row.slot_id)
    return Offer(row.id, slot.id, site.id, site.name, slot.starts_at, slot.ends_at, row.held_until)


def _missed(u: Unit, block: BlockRow) -> tuple[MissedVisit, ...]:
    rows = (u.get(BookingRow, booking_id) for booking_id in block.counted)
    visits = ((row, *slot_and_site(u.session, row.slot_id)) for row in rows if row is not None)
    return tuple(
        MissedVisit(row.number if own else "", site.name, slot.starts_at, came_along=not own)
        for row, slot, site in visits
        for own in (row.person_id == block.person_id,)
    )
