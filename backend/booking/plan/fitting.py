"""Fits the slots that are open already to a changed plan, without touching one in which somebody has a place.

A slot is changed only when all its places can be locked and are free; whoever wants one of them meanwhile is told
that it is taken. A slot that was ever booked is closed rather than deleted: its old appointments point to it. Of a
slot with appointments only the end of booking is changed, and cancelling made easier: what people were promised stays.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, or_, select

from backend.booking.models import BookingRow, PlaceRow, SiteRow, SlotRow
from backend.booking.plan.supply import Key, Supply, Wanted, open_missing, places_of, supply_of
from backend.booking.plan.views import Fitted, KeptSlot
from backend.booking.problems import SlotClosed
from backend.booking.services.taking import keep_new
from backend.kernel import clock
from backend.store.unit import Unit, map_constraint

# Somebody takes a place in a slot that is deleted at this moment.
map_constraint("fk_booking_booking_slot_id", SlotClosed)

WITHDRAWN: Final = "计划调整，时段取消"


@dataclass(slots=True)
class _Open:
    """A slot that is there, and what its places are."""

    row: SlotRow
    kinds: Counter[str]
    free: int = 0

    @property
    def key(self) -> Key:
        return self.row.subject, self.row.group_id, self.row.starts_at, self.row.urgent

    @property
    def day(self) -> date:
        return clock.day_of(self.row.starts_at)

    @property
    def is_free(self) -> bool:
        """Whether every place was locked while nobody had it."""
        return self.free == self.kinds.total()

    def fits(self, wanted: Wanted, supply: Supply) -> bool:
        row = self.row
        is_same = (row.ends_at, row.closes_at, row.capacity, row.cancel_before_hours) == (
            wanted.ends_at, wanted.closes_at, wanted.capacity, wanted.cancel_before_hours
        )  # fmt: skip
        return is_same and row.closed_at is None and self.kinds == Counter(supply.kinds(wanted.capacity))


def fit(u: Unit, site: SiteRow, items: Iterable[str] | None = None, *, on: date | None = None) -> Fitted:
    """Make the coming slots of a site (of these items, on this day) what the plan says; the site's row is locked.

    Slots with appointments, and those under a release, stay as they are and are named.
    """
    result = Fitted()
    for item_id in sorted(set(site.item_ids if items is None else items)):
        if (supply := supply_of(u, site, item_id)) is not None:
            result += _fit_item(u, supply, on)
    return result


def _fit_item(u: Unit, supply: Supply, on: date | None) -> Fitted:
    there = _coming(u, supply, on)
    ahead = [day for day in supply.days_ahead() if on in (None, day)]
    days = {clock.day_of(one.row.starts_at) for one in there}
    wanted = supply.wanted(days | set(ahead))
    changing = [one for one in there if (found := wanted.get(one.key)) is None or not one.fits(found, supply)]
    _lock_free(u, [one for one in changing if one.row.release_id is None])
    _give_terms(changing, wanted)
    left = [one for one in changing if not _may_change(one) and not _fits(one, wanted, supply)]
    kept = tuple(_kept(one, planned=one.key in wanted) for one in left)
    resized = removed = 0
    for one in filter(_may_change, changing):
        if (found := wanted.get(one.key)) is not None:
            _resize(u, supply, one.row, found)
            resized += 1
        elif one.row.closed_at is None:
            _remove(u, one.row)
            removed += 1
    u.flush()
    coming = {key: one for key, one in wanted.items() if clock.day_of(one.starts_at) in ahead}
    return Fitted(open_missing(u, supply, coming), resized, removed, kept)


def out_of_plan(u: Unit, site: SiteRow) -> tuple[KeptSlot, ...]:
    """Coming slots that the plan wants otherwise, or no more, and that stay: booked, or under a release. By time."""
    found = list[KeptSlot]()
    for item_id in site.item_ids:
        if (supply := supply_of(u, site, item_id)) is not None:
            there = _coming(u, supply, None)
            wanted = supply.wanted({one.day for one in there})
            _count_free(u, there)
            found += [
                _kept(one, planned=one.key in wanted)
                for one in there
                if one.row.closed_at is None and not _fits(one, wanted, supply) and not _may_change(one)
            ]
    return tuple(sorted(found, key=lambda one: (one.starts_at, one.id)))


def horizons(u: Unit, site: SiteRow, items: Iterable[str]) -> dict[str, date]:
    """The last day that is open for booking, of each item that is booked at the site."""
    supplies = filter(None, (supply_of(u, site, item_id) for item_id in items))
    return {one.item_id: days[-1] for one in supplies if (days := one.days_ahead())}


def trim(u: Unit, site: SiteRow, before: Mapping[str, date]) -> Fitted:
    """Take back the slots that opened too early now: beyond the last day, and within what it was `before`.

    What lies further ahead was given out by a release and stays; so do slots with appointments, which are named.
    """
    result = Fitted()
    for item_id, last in horizons(u, site, sorted(before)).items():
        supply = supply_of(u, site, item_id)
        if supply is None or last >= before[item_id]:
            continue
        early = [one for one in _coming(u, supply, None) if last < one.day <= before[item_id]]
        _lock_free(u, [one for one in early if one.row.release_id is None])
        going = [one for one in early if _may_change(one) and one.row.closed_at is None]
        kept = tuple(_kept(one, planned=False) for one in early if not _may_change(one))
        for one in going:
            _remove(u, one.row)
        result += Fitted(removed=len(going), kept=kept)
    u.flush()
    return result


def take_away(u: Unit, site: SiteRow, item_id: str) -> Fitted:
    """Take back the coming slots of an item in which nobody has a place; the others stay and are named."""
    if (supply := supply_of(u, site, item_id)) is None:
        return Fitted()
    there = [one for one in _coming(u, supply, None) if one.row.closed_at is None]
    _lock_free(u, [one for one in there if one.row.release_id is None])
    going = [one for one in there if _may_change(one)]
    kept = tuple(_kept(one, planned=False) for one in there if not _may_change(one))
    for one in going:
        _remove(u, one.row)
    u.flush()
    return Fitted(removed=len(going), kept=kept)


def _give_terms(changing: Iterable[_Open], wanted: Mapping[Key, Wanted]) -> None:
    """Slots with appointments: booking ends as the rules say now, nobody loses time in which they may cancel."""
    for one in changing:
        found = wanted.get(one.key)
        if found is None or _may_change(one) or one.row.release_id is not None:
            continue
        one.row.closes_at = found.closes_at
        one.row.cancel_before_hours = min(one.row.cancel_before_hours, found.cancel_before_hours)


def _fits(one: _Open, wanted: Mapping[Key, Wanted], supply: Supply) -> bool:
    return one.key in wanted and one.fits(wanted[one.key], supply)


def _coming(u: Unit, supply: Supply, on: date | None) -> list[_Open]:
    """Coming slots that come from the plan, or from the site's hours where a plan has taken their place.

    Slots that were closed for another reason than the plan are not looked at.
    """
    from_hours = SlotRow.pattern_id.is_(None) & (SlotRow.group_id == "")
    query = select(SlotRow).where(
        SlotRow.site_id == supply.site.id, SlotRow.item_id == supply.item_id, SlotRow.starts_at > clock.now(),
        or_(SlotRow.closed_at.is_(None), SlotRow.closed_why == WITHDRAWN),
        or_(SlotRow.pattern_id.is_not(None), from_hours),
    )  # fmt: skip
    if on is not None:
        query = query.where(SlotRow.starts_at.between(*day_bounds(on)))
    rows = u.session.scalars(query.order_by(SlotRow.id), execution_options={"populate_existing": True}).all()
    kinds: dict[str, Counter[str]] = {row.id: Counter() for row in rows}
    counted = select(PlaceRow.slot_id, PlaceRow.kind, func.count()).where(PlaceRow.slot_id.in_(kinds))
    for slot_id, kind, count in u.session.execute(counted.group_by(PlaceRow.slot_id, PlaceRow.kind)):
        kinds[slot_id][kind] = count
    return [_Open(row, kinds[row.id]) for row in rows]


def _lock_free(u: Unit, slots: Sequence[_Open]) -> None:
    """Lock the free places of these slots; a place that somebody is taking at this moment counts as taken."""
    _count_free(u, slots, lock=True)


def _count_free(u: Unit, slots: Sequence[_Open], *, lock: bool = False) -> None:
    by_id = {one.row.id: one for one in slots}
    query = (
        select(PlaceRow.slot_id)
        .where(PlaceRow.slot_id.in_(by_id), PlaceRow.booking_id.is_(None))
        .where(PlaceRow.ticket_id.is_(None))
        .order_by(PlaceRow.slot_id, PlaceRow.number)
    )
    for slot_id in u.session.scalars(query.with_for_update(skip_locked=True) if lock else query):
        by_id[slot_id].free += 1


def _may_change(one: _Open) -> bool:
    return one.row.release_id is None and one.is_free


def _kept(one: _Open, *, planned: bool) -> KeptSlot:
    row, taken = one.row, one.kinds.total() - one.free
    if row.release_id is not None:
        return KeptSlot(row.id, row.item_id, row.subject, row.starts_at, 0, planned, "release")
    return KeptSlot(row.id, row.item_id, row.subject, row.starts_at, taken, planned, "booked")


def _resize(u: Unit, supply: Supply, row: SlotRow, wanted: Wanted) -> None:
    row.ends_at, row.closes_at, row.capacity = wanted.ends_at, wanted.closes_at, wanted.capacity
    row.cancel_before_hours, row.pattern_id = wanted.cancel_before_hours, wanted.pattern_id
    row.closed_at, row.closed_why = None, ""
    u.session.flush()
    u.session.execute(delete(PlaceRow).where(PlaceRow.slot_id == row.id))
    u.session.execute(insert(PlaceRow), places_of(supply, row.id, wanted.capacity))
    keep_new(u, row.id)


def _remove(u: Unit, row: SlotRow) -> None:
    slot_id, ever = row.id, select(BookingRow.id).where(BookingRow.slot_id == row.id).limit(1)
    if u.session.scalars(ever).first() is not None:
        row.closed_at, row.closed_why = clock.now(), WITHDRAWN
        return
    u.session.execute(delete(PlaceRow).where(PlaceRow.slot_id == slot_id))
    u.session.execute(
        delete(SlotRow).where(SlotRow.id == slot_id), execution_options={"synchronize_session": False}
    )
    u.session.expunge(row)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first and the last moment of a Shanghai day."""
    first = clock.start_of_day(day)
    return first, first + timedelta(days=1, microseconds=-1)
