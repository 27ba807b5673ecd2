"""Reminders: born when an appointment is sure, made anew when it is moved, dead as soon as it does not stand.

They are rows of their own, so that each is told once; they are made by an ear, so that confirming costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from backend.booking.machine import CONFIRMED
from backend.booking.models import BookingRow, ReminderRow, SlotRow
from backend.contracts import BookingReminderDue
from backend.kernel import clock
from backend.store.unit import Unit

BATCH: Final = 100
WAITING, TOLD, DEAD = "waiting", "told", "dead"
EVENING: Final = 18
EARLIEST: Final = (6, 30)
"""Nobody is woken before half past six, however early the appointment. Our choice."""


@dataclass(frozen=True, slots=True)
class Kind:
    """When a reminder of an appointment is due, and how long before the appointment it is too late for it."""

    name: str
    due: Callable[[datetime], datetime]
    too_late: timedelta

    def times(self, starts_at: datetime) -> tuple[datetime, datetime]:
        """From when, and until when, it is worth telling."""
        return self.due(starts_at), starts_at - self.too_late


def _evening_before(starts_at: datetime) -> datetime:
    return clock.at_local(clock.day_of(starts_at) - timedelta(days=1), EVENING)


def _two_hours_before(starts_at: datetime) -> datetime:
    return max(starts_at - timedelta(hours=2), clock.at_local(clock.day_of(starts_at), *EARLIEST))


KINDS: Final = (
    # Until two hours before one may still cancel or move; then the other reminder speaks.
    Kind("day_before", _evening_before, timedelta(hours=2)),
    Kind("two_hours", _two_hours_before, timedelta(minutes=30)),
)


def plan(u: Unit, booking_id: str) -> None:
    """Make the reminders of a booking what they must be as it stands now; doing it again changes nothing."""
    row = u.get(BookingRow, booking_id, lock=True)
    if row is None:
        return
    slot = u.session.get_one(SlotRow, row.slot_id)
    kept = _reminders_of(u, booking_id, lock=True)
    for kind in KINDS:
        reminder = kept.get(kind.name)
        if _stands(row, slot):
            _plan_one(u, row, slot, kind, reminder)
        elif reminder is not None and reminder.state == WAITING:
            reminder.state = DEAD


def remind_batch(u: Unit) -> int:
    """Tell the town of reminders that are due, and bury those that have become pointless; returns how many."""
    now = clock.now()
    due = (
        select(ReminderRow, BookingRow, SlotRow)
        .join(BookingRow, BookingRow.id == ReminderRow.booking_id)
        .join(SlotRow, SlotRow.id == BookingRow.slot_id)
        .where(ReminderRow.state == WAITING, ReminderRow.due_at <= now)
        .order_by(ReminderRow.due_at, ReminderRow.booking_id)
        .limit(BATCH)
        .with_for_update(of=(ReminderRow, BookingRow), skip_locked=True)
    )
    rows = u.session.execute(due).all()
    for reminder, booking, slot in rows:
        if _stands(booking, slot) and reminder.slot_id == slot.id and now < reminder.not_after:
            reminder.state, reminder.told_at = TOLD, now
            u.record(BookingReminderDue(booking.matter, booking.person_id, booking.id, reminder.kind))
        else:
            reminder.state = DEAD
    return len(rows)


def standing(u: Unit, row: BookingRow, slot: SlotRow) -> Mapping[str, str]:
    """Until when each reminder that was told is worth hearing: `day_before_not_after`, `two_hours_not_after`.

    One that was overtaken (cancelled, moved, closed, checked in) is not named: it must not be heard at all.
    """
    if not _stands(row, slot):
        return {}
    return {
        f"{kind}_not_after": reminder.not_after.isoformat()
        for kind, reminder in _reminders_of(u, row.id).items()
        if reminder.state == TOLD and reminder.slot_id == slot.id
    }


def _plan_one(u: Unit, row: BookingRow, slot: SlotRow, kind: Kind, reminder: ReminderRow | None) -> None:
    """A dead one lives again while it is in time: its slot was closed, and is open again."""
    if reminder is not None and reminder.slot_id == slot.id and reminder.state != DEAD:
        return
    due_at, not_after = kind.times(slot.starts_at)
    wanted = due_at < not_after and _is_in_time(u, row, due_at, not_after)
    if reminder is None and not wanted:
        return
    if reminder is None:
        reminder = ReminderRow(booking_id=row.id, kind=kind.name)
        u.add(reminder)
    reminder.slot_id, reminder.due_at, reminder.not_after = slot.id, due_at, not_after
    reminder.state, reminder.told_at = WAITING if wanted else DEAD, None


def _is_in_time(u: Unit, row: BookingRow, due_at: datetime, not_after: datetime) -> bool:
    """Whether the appointment was made before its reminder is due; when we only hear of it later, the journal knows."""
    now = clock.now()
    if now < due_at:
        return True
    return now < not_after and _sure_since(u, row) < due_at


def _sure_since(u: Unit, row: BookingRow) -> datetime:
    steps = [entry for entry in u.journal_of(row.matter) if entry.subject == row.id]
    return max((e.occurred_at for e in steps if e.trigger in ("confirmed", "moved")), default=clock.now())


def _stands(row: BookingRow, slot: SlotRow) -> bool:
    return row.state == CONFIRMED and slot.closed_at is None


def _reminders_of(u: Unit, booking_id: str, *, lock: bool = False) -> dict[str, ReminderRow]:
    query = select(ReminderRow).where(ReminderRow.booking_id == booking_id).order_by(ReminderRow.kind)
    rows = u.session.scalars(query.with_for_update() if lock else query).all()
    return {row.kind: row for row in rows}
