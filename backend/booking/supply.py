"""Where places come from: sites, and slots opened ahead by the working-day calendar."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from backend import catalogue
from backend.booking.models import PlaceRow, SiteRow, SlotRow
from backend.kernel import clock, ids
from backend.kernel.workdays import YearNotLoaded
from backend.store.unit import Unit


def load_sites(u: Unit, sites: Sequence[Mapping[str, Any]]) -> int:
    """Register sites from data; returns how many are new or changed. Repeating it changes nothing."""
    changed = 0
    for wanted in sites:
        row = u.get(SiteRow, wanted["id"])
        if row is None:
            u.add(SiteRow(**wanted))
            changed += 1
        elif any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            changed += 1
    u.flush()
    return changed


def open_slots(u: Unit) -> int:
    """Open the slots of the coming working days at every site; returns how many were opened."""
    return sum(
        _open_at(u, site, item_id) for site in u.session.scalars(select(SiteRow)) for item_id in site.item_ids
    )


def _open_at(u: Unit, site: SiteRow, item_id: str) -> int:
    try:
        policy = catalogue.published_version(u, item_id).policy
    except (catalogue.ItemNotPublished, catalogue.ItemUnknown):
        return 0
    if not policy.bookable or policy.booking is None:
        return 0
    rule, opened = policy.booking, 0
    for day in _days_ahead(u, rule.open_days_ahead + rule.min_lead_days):
        for starts_at, ends_at in _spans(day, site.hours, rule.slot_minutes):
            for subject in policy.booking_subjects or ("",):
                slot = SlotRow(
                    id=ids.new_id("sl"),
                    site_id=site.id,
                    item_id=item_id,
                    subject=subject,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    closes_at=_closing(day, starts_at, rule.min_lead_days),
                    capacity=rule.capacity_per_slot,
                    cancel_before_hours=rule.cancel_before_hours,
                )
                opened += _open(u, slot)
    return opened


def _open(u: Unit, slot: SlotRow) -> int:
    """Insert the slot with its places, unless it is open already: re-opening never touches what exists."""
    given = {c.name: getattr(slot, c.name) for c in SlotRow.__table__.columns}
    columns = {name: value for name, value in given.items() if value is not None}
    made = u.session.execute(insert(SlotRow).values(columns).on_conflict_do_nothing().returning(SlotRow.id))
    if made.scalar_one_or_none() is None:
        return 0
    places = [{"slot_id": slot.id, "number": n} for n in range(1, slot.capacity + 1)]
    u.session.execute(insert(PlaceRow), places)
    return 1


def _days_ahead(u: Unit, count: int) -> list[date]:
    """The next `count` working days, today left out; stops where no calendar is loaded."""
    calendar, day, days = catalogue.calendar(u), clock.today(), list[date]()
    try:
        while len(days) < count:
            day += timedelta(days=1)
            if calendar.is_workday(day):
                days.append(day)
    except YearNotLoaded:
        pass
    return days


def _spans(day: date, hours: Sequence[Sequence[str]], minutes: int) -> list[tuple[datetime, datetime]]:
    """Slots inside the opening hours ([["09:00", "12:00"], ...]); a rest shorter than a slot is not used."""
    step, spans = timedelta(minutes=minutes), []
    for opens, closes in hours:
        start, end = (clock.at_local(day, int(t[:2]), int(t[3:])) for t in (opens, closes))
        while start + step <= end:
            spans.append((start, start + step))
            start += step
    return spans


def _closing(day: date, starts_at: datetime, lead_days: int) -> datetime:
    """Booked at the latest the evening before (lead of a day or more), or when it begins."""
    return clock.start_of_day(day - timedelta(days=lead_days - 1)) if lead_days else starts_at
