"""Closes days and slots of a site, opens them again, and gives a day other hours.

Here slots are closed and nothing else: the appointments in them are a matter between us and each citizen, see
`rehousing`. What a day has closed bears the time at which the day was set, and that day alone opens it again.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select, update

from backend.booking.machine import CONFIRMED
from backend.booking.models import BookingRow, DayRow, SiteRow, SlotRow
from backend.booking.plan.fitting import day_bounds, fit
from backend.booking.plan.patterns import day_view
from backend.booking.plan.problems import NotThisDay
from backend.booking.plan.rota import CLOSED, HOURS
from backend.booking.plan.supply import site_locked
from backend.booking.plan.views import Closing, DayChange
from backend.booking.plan.wishes import require_hours
from backend.booking.services.taking import keep_new
from backend.contracts import BookingRestored
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.runtime.worker import wake
from backend.store.unit import Actor, Unit

REHOUSE: Final = "booking.rehouse"
"""The chore that finds other times for those who had an appointment."""


def close_day(u: Unit, site_id: str, day: date, reason: str, by: Actor) -> DayChange:
    """Close a site on a day; appointments that are not over are offered other times. Raises NotYours, NotThisDay."""
    site = site_locked(u, site_id)
    row = _day(u, site, day)
    if row is not None and row.kind == CLOSED:
        row.reason = reason
        return DayChange(day_view(row), Closing())
    row, reopened = _set(u, site, row, day, (CLOSED, []), reason, by)
    closing = _close(u, site, _of_day(day), row.set_at, reason)
    return DayChange(day_view(row), Closing(closing.closed, reopened, closing.affected))


def set_hours(
    u: Unit, site_id: str, day: date, hours: Sequence[Sequence[str]], reason: str, by: Actor, kind: str = HOURS,
) -> DayChange:  # fmt: skip
    """Give a day its own hours, or (`kind` "extra") more than the usual ones.

    Slots outside them are removed, or closed where somebody has an appointment. Raises NotYours, NotThisDay,
    InvalidInput.
    """
    site, wanted = site_locked(u, site_id), [list(span) for span in hours]
    require_hours(wanted)
    row = _day(u, site, day)
    if row is not None and (row.kind, row.hours) == (kind, wanted):
        row.reason = reason
        return DayChange(day_view(row), Closing())
    row, reopened = _set(u, site, row, day, (kind, wanted), reason, by)
    fitted = fit(u, site, on=day)
    outside = [one.id for one in fitted.kept if not one.planned]
    closing = _close(u, site, SlotRow.id.in_(outside), row.set_at, reason)
    return DayChange(day_view(row), Closing(closing.closed, reopened, closing.affected), fitted)


def unset_day(u: Unit, site_id: str, day: date, by: Actor) -> DayChange:
    """Let a day be as planned again: what it had closed and is not over is open, with whoever is still booked.

    Raises NotYours, NotThisDay.
    """
    site = site_locked(u, site_id)
    row = _day(u, site, day)
    if row is None:
        raise NotYours
    reopened = _reopen(u, site, _closed_by(row), by)
    u.session.delete(row)
    u.flush()
    u.note(site.id, site.id, "day_unset", by=by, facts={"day": day.isoformat()})
    return DayChange(None, Closing(reopened=reopened), fit(u, site, on=day))


def close_slots(u: Unit, site_id: str, slot_ids: Sequence[str], reason: str, by: Actor) -> Closing:
    """Close single slots. Raises NotYours (not of this site), NotThisDay (over)."""
    site = site_locked(u, site_id)
    _require_slots(u, site, slot_ids)
    u.note(site.id, site.id, "slots_closed", by=by, facts={"slots": sorted(slot_ids)})
    return _close(u, site, SlotRow.id.in_(slot_ids), clock.now(), reason)


def reopen_slots(u: Unit, site_id: str, slot_ids: Sequence[str], by: Actor) -> Closing:
    """Open single slots again, whatever closed them. Raises NotYours, NotThisDay (over, or the day is closed)."""
    site = site_locked(u, site_id)
    _require_slots(u, site, slot_ids)
    days = {
        clock.day_of(one)
        for one in u.session.scalars(select(SlotRow.starts_at).where(SlotRow.id.in_(slot_ids)))
    }
    closed = select(DayRow.day).where(DayRow.site_id == site_id, DayRow.day.in_(days), DayRow.kind == CLOSED)
    if (day := u.session.scalars(closed).first()) is not None:
        raise NotThisDay(f"{day:%m月%d日}已设为停办，请先恢复这一天。")
    u.note(site.id, site.id, "slots_reopened", by=by, facts={"slots": sorted(slot_ids)})
    return Closing(reopened=_reopen(u, site, SlotRow.id.in_(slot_ids), by))


def _day(u: Unit, site: SiteRow, day: date) -> DayRow | None:
    if day < clock.today():
        raise NotThisDay
    return u.get(DayRow, (site.id, day), lock=True)


def _set(
    u: Unit, site: SiteRow, row: DayRow | None, day: date, wanted: tuple[str, list[list[str]]], reason: str, by: Actor
) -> tuple[DayRow, int]:  # fmt: skip
    """Write what the day is from now on, and open what it had closed until now; returns the row and how many."""
    reopened = 0
    if row is None:
        row = DayRow(site_id=site.id, day=day)
        u.add(row)
    else:
        reopened = _reopen(u, site, _closed_by(row), by)
    row.kind, row.hours = wanted
    row.reason, row.set_by, row.set_at = reason, by.id, clock.now()
    u.flush()
    u.note(site.id, site.id, f"day_{row.kind}", by=by, facts={"day": day.isoformat(), "hours": row.hours})
    return row, reopened


def _close(u: Unit, site: SiteRow, which: ColumnElement[bool], at: datetime, reason: str) -> Closing:
    """Close what is open and not over. Rows are locked in the order of their ids."""
    query = (
        select(SlotRow.id)
        .where(SlotRow.site_id == site.id, which, SlotRow.closed_at.is_(None), SlotRow.ends_at > clock.now())
        .order_by(SlotRow.id)
        .with_for_update(key_share=True)
    )
    slot_ids = u.session.scalars(query).all()
    if not slot_ids:
        return Closing()
    u.session.execute(update(SlotRow).where(SlotRow.id.in_(slot_ids)).values(closed_at=at, closed_why=reason))
    affected = select(func.count()).where(BookingRow.slot_id.in_(slot_ids), BookingRow.state == CONFIRMED)
    u.after_commit(_wake)
    return Closing(closed=len(slot_ids), affected=u.session.scalar(affected) or 0)


def _reopen(u: Unit, site: SiteRow, which: ColumnElement[bool], by: Actor) -> int:
    """Open what is closed and not over; whoever was told of the closing hears that the appointment stands."""
    query = (
        select(SlotRow.id)
        .where(
            SlotRow.site_id == site.id, which, SlotRow.closed_at.is_not(None), SlotRow.ends_at > clock.now()
        )
        .order_by(SlotRow.id)
        .with_for_update(key_share=True)
    )
    slot_ids = u.session.scalars(query).all()
    u.session.execute(update(SlotRow).where(SlotRow.id.in_(slot_ids)).values(closed_at=None, closed_why=""))
    told = select(BookingRow).where(
        BookingRow.slot_id.in_(slot_ids),
        BookingRow.state == CONFIRMED,
        BookingRow.displaced_from == BookingRow.slot_id,
    )
    for row in u.session.scalars(told.order_by(BookingRow.id)).all():
        u.note(row.matter, row.id, "restored", by=by, says="原时段恢复开放，预约仍然有效")
        u.record(BookingRestored(row.matter, row.person_id, row.id))
    for slot_id in slot_ids:
        keep_new(u, slot_id)
    return len(slot_ids)


def _of_day(day: date) -> ColumnElement[bool]:
    return SlotRow.starts_at.between(*day_bounds(day))


def _closed_by(row: DayRow) -> ColumnElement[bool]:
    return _of_day(row.day) & (SlotRow.closed_at == row.set_at)


def _require_slots(u: Unit, site: SiteRow, slot_ids: Sequence[str]) -> None:
    query = select(SlotRow.ends_at).where(SlotRow.id.in_(slot_ids), SlotRow.site_id == site.id)
    ends = u.session.scalars(query).all()
    if len(ends) != len(set(slot_ids)):
        raise NotYours
    if min(ends) <= clock.now():
        raise NotThisDay


def _wake() -> None:
    wake(REHOUSE)
