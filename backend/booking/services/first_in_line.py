"""Who comes first on the wait list: people whose time was closed, while no other is found for them.

Their wait names the appointment it stands for (`instead_of`). Until the closed time has come they keep that
appointment, and whatever becomes free is held for it (`rehousing`); afterwards they wait on like others, before them.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from backend.booking.companions import opened, sealed
from backend.booking.machine import CANCELLED, CONFIRMED, LIVE, WAIT
from backend.booking.models import COMPANIONS, WAITING_COMPANIONS, BookingRow, SlotRow, WaitRow
from backend.booking.services.wanted import FITS
from backend.kernel import clock, ids
from backend.store import lean
from backend.store.unit import SYSTEM, Unit

LONGEST: Final = timedelta(days=92)
BATCH: Final = 100
_IN_LINE: Final = f"""
    SELECT w.instead_of FROM booking_slot s JOIN booking_wait w ON {FITS}
    JOIN booking_booking b ON b.id = w.instead_of AND b.state = 'confirmed' AND b.moving_to IS NULL
    WHERE s.id = %(slot)s AND w.instead_of IS NOT NULL ORDER BY w.since, w.id
"""


def stand_first(u: Unit, row: BookingRow) -> None:
    """Put somebody first on the wait list, at every site; whoever stands there already comes forward."""
    wait = _wait_of(u, row)
    if wait is not None:
        wait.instead_of = row.id
        return
    today = clock.today()
    wait = WaitRow(
        id=ids.new_id("wt"), person_id=row.person_id, case_id=row.case_id, item_id=row.item_id, subject=row.subject,
        site_id=None, from_day=today + timedelta(days=1), to_day=today + LONGEST, since=clock.now(), offers=0,
        party=row.party, instead_of=row.id,
    )  # fmt: skip
    named = opened(COMPANIONS, row.id, row.companions)
    wait.companions = sealed(WAITING_COMPANIONS, wait.id, named)
    u.begin(WAIT, wait, by=SYSTEM, says="原时段停办，已排在候补最前")
    u.add(wait)
    u.flush()


def leave_line(u: Unit, row: BookingRow) -> None:
    """Another time is held for somebody who stood there."""
    wait = _wait_of(u, row)
    if wait is not None and wait.instead_of == row.id:
        u.step(WAIT, wait, "rehoused", by=SYSTEM, facts={"booking": row.id})


def in_line_for(u: Unit, slot_id: str) -> list[str]:
    """Appointments that wait for a place such as the slot has, in their order."""
    return [booking_id for (booking_id,) in lean.execute(u.session, _IN_LINE, {"slot": slot_id})]


def end_spent(u: Unit) -> int:
    """End the waits of those who moved, cancelled, or may keep their old time after all."""
    stands = (
        select(BookingRow.id)
        .join(SlotRow, SlotRow.id == BookingRow.slot_id)
        .where(
            BookingRow.id == WaitRow.instead_of,
            BookingRow.displaced_from == BookingRow.slot_id,
            BookingRow.displaced_to.is_(None),
            BookingRow.moving_to.is_(None),
            SlotRow.closed_at.is_not(None),
            (BookingRow.state == CONFIRMED)
            # Its time came and we ended it: who cancels before that gives up.
            | ((BookingRow.state == CANCELLED) & (SlotRow.starts_at <= clock.now())),
        )
    )
    query = select(WaitRow).where(
        WaitRow.state == "waiting", WaitRow.instead_of.is_not(None), ~stands.exists() | _has_another()
    )
    rows = u.session.scalars(query.order_by(WaitRow.id).limit(BATCH).with_for_update(skip_locked=True)).all()
    for wait in rows:
        u.step(WAIT, wait, "left", by=SYSTEM, facts={"because": wait.instead_of})
    return len(rows)


def _has_another() -> Any:
    other = select(BookingRow.id).where(
        BookingRow.person_id == WaitRow.person_id,
        BookingRow.item_id == WaitRow.item_id,
        BookingRow.subject == WaitRow.subject,
        BookingRow.id != WaitRow.instead_of,
        BookingRow.state.in_([state for state in LIVE if state != "held"]),
    )
    return other.exists()


def _wait_of(u: Unit, row: BookingRow) -> WaitRow | None:
    query = select(WaitRow).where(
        WaitRow.person_id == row.person_id, WaitRow.item_id == row.item_id, WaitRow.subject == row.subject,
        WaitRow.state == "waiting",
    )  # fmt: skip
    return u.session.scalars(query.with_for_update()).one_or_none()
