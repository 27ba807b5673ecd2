"""Two logins were one human being: bookings, waits, entries and blocks of the one become the other's.

Only a login that was never verified is joined to another, so there is something to carry only where a site asks for
no more than a phone. What both had of the same kind cannot both live on: what is further along stays.
"""

from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from backend.booking.machine import CALLED, CHECKED_IN, CONFIRMED, ENTRY, HELD, LIVE, WAIT
from backend.booking.models import BlockRow, BookingRow, EntryRow, TicketRow, WaitRow
from backend.booking.services.keeping import release
from backend.booking.services.looking import hold_still
from backend.store.unit import SYSTEM, Unit

_FAR: Final = (HELD, CONFIRMED, CHECKED_IN, CALLED)
"""The further along, the later; only the first two can be ended for somebody."""
_WAITING: Final = ("waiting", "offered")
_LEFT: Final = "left"


def carry_over(u: Unit, joined_id: str, person_id: str) -> None:
    """Give the person what the joined login has. Repeated, nothing is left to carry."""
    hold_still(u, (joined_id, person_id))
    _bookings(u, joined_id, person_id)
    _waits(u, joined_id, person_id)
    _entries(u, joined_id, person_id)
    for model in (BlockRow, TicketRow):
        u.session.execute(update(model).where(model.person_id == joined_id).values(person_id=person_id))


def _bookings(u: Unit, joined_id: str, person_id: str) -> None:
    query = select(BookingRow).where(BookingRow.person_id.in_((joined_id, person_id)))
    rows = u.session.scalars(query.order_by(BookingRow.id).with_for_update()).all()
    own = {
        (row.item_id, row.subject): row for row in rows if row.person_id == person_id and row.state in LIVE
    }
    for row in rows:
        if row.person_id == joined_id and _may_live(u, row, own.get((row.item_id, row.subject))):
            row.person_id = person_id
            u.note(row.matter, row.id, "carried_over", by=SYSTEM, says="预约并入本人的登记")
            u.session.flush()


def _may_live(u: Unit, row: BookingRow, other: BookingRow | None) -> bool:
    """One live booking per person and item: the other gives way, or this one does. Nobody is blamed for it."""
    if row.state not in LIVE or other is None:
        return True
    weaker = row if _FAR.index(row.state) <= _FAR.index(other.state) else other
    if weaker.state not in (HELD, CONFIRMED):
        return False
    weaker.excused = True
    release(u, weaker, "cancelled", SYSTEM, because="joined")
    u.flush()
    return True


def _waits(u: Unit, joined_id: str, person_id: str) -> None:
    """Who waits twice for the same keeps the place in line that is further ahead."""
    query = select(WaitRow).where(WaitRow.person_id.in_((joined_id, person_id)))
    rows = u.session.scalars(query.order_by(WaitRow.id).with_for_update()).all()
    own = {
        (row.item_id, row.subject): row
        for row in rows
        if row.person_id == person_id and row.state in _WAITING
    }
    for row in (one for one in rows if one.person_id == joined_id):
        other = own.get((row.item_id, row.subject)) if row.state in _WAITING else None
        if other is not None:
            _leave(u, row if row.state == "waiting" else other, kept=other if row.state == "waiting" else row)
        row.person_id = person_id
        u.flush()


def _leave(u: Unit, row: WaitRow, kept: WaitRow) -> None:
    if row.state == "offered" and (offer := u.get(BookingRow, row.booking_id, lock=True)) is not None:
        u.step(WAIT, row, _LEFT, by=SYSTEM, facts={"because": "joined"})
        row.booking_id = None
        release(u, offer, "cancelled", SYSTEM, because="joined")
    else:
        u.step(WAIT, row, _LEFT, by=SYSTEM, facts={"because": "joined"})
    kept.since = min(kept.since, row.since)
    u.flush()


def _entries(u: Unit, joined_id: str, person_id: str) -> None:
    """One human being has one lot: where both entered the same release, the later entry leaves or stays behind."""
    own = aliased(EntryRow)
    twice = exists().where(own.release_id == EntryRow.release_id, own.person_id == person_id)
    query = select(EntryRow).where(EntryRow.person_id == joined_id).order_by(EntryRow.id).with_for_update()
    for row in u.session.scalars(query.where(twice)).all():
        if ENTRY.can(row.state, "withdrawn"):
            u.step(ENTRY, row, "withdrawn", by=SYSTEM, facts={"because": "joined"})
    u.flush()
    mine = update(EntryRow).where(EntryRow.person_id == joined_id, ~twice)
    u.session.execute(mine.values(person_id=person_id), execution_options={"synchronize_session": False})
