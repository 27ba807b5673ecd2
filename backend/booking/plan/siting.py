"""What a site is: its name and address, where it lies, what it handles; the department says so, and opens new ones.

An item is dropped only when nobody is left behind: what is still planned or booked for it is named.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import or_, select

from backend import catalogue
from backend.booking.machine import LIVE
from backend.booking.models import BookingRow, PatternRow, SiteRow, SlotRow, WindowGroupRow
from backend.booking.plan.fitting import fit, take_away
from backend.booking.plan.problems import ItemsInUse
from backend.booking.plan.supply import site_locked
from backend.booking.plan.views import Fitted
from backend.booking.plan.wishes import require_hours
from backend.kernel import clock, ids
from backend.kernel.problems import FieldError, InvalidInput
from backend.store.unit import Actor, Unit

KINDS: Final = ("hall", "exam", "postal")
"""A hall with windows, an exam site, a postal point (邮政网点)."""
DIGITS: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class SiteWish:
    """A site as somebody wants it; coordinates both or neither."""

    name: str
    address: str
    phone: str
    latitude: Decimal | None
    longitude: Decimal | None
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedSite:
    """A site as its planners see it; `latitude` and `longitude` as exact figures."""

    id: str
    kind: str
    department_id: str
    region_code: str
    name: str
    address: str
    phone: str
    latitude: str | None
    longitude: str | None
    hours: list[list[str]]
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteChange:
    site: PlannedSite
    slots: Fitted


def put_site(u: Unit, site_id: str, wish: SiteWish, by: Actor, *, drop_slots: bool = False) -> SiteChange:
    """Set name, address, phone, coordinates and items of a site.

    `drop_slots`: coming slots of a dropped item that nobody has a place in go with it. Raises NotYours, InvalidInput,
    ItemsInUse (an item is dropped for which something is planned, open or booked).
    """
    site = site_locked(u, site_id)
    require_fit(site_faults(u, wish, known=site.item_ids))
    dropped = sorted(set(site.item_ids) - set(wish.item_ids))
    fresh = set(wish.item_ids) - set(site.item_ids)
    removed = Fitted()
    for item_id in dropped if drop_slots else ():
        removed += take_away(u, site, item_id)
    _require_unused(u, site, dropped)
    for name, value in asdict(wish).items():
        setattr(site, name, list(value) if name == "item_ids" else value)
    u.flush()
    u.note(site.id, site.id, "site_set", by=by, facts={"name": site.name, "items": site.item_ids})
    return SiteChange(planned_site(site), removed + fit(u, site, fresh))


def add_site(
    u: Unit, kind: str, department_id: str, region_code: str, wish: SiteWish, hours: Sequence[Sequence[str]],
    by: Actor,
) -> SiteChange:  # fmt: skip
    """Open a site of a department. Raises InvalidInput, DepartmentUnknown, RegionUnknown."""
    require_hours(hours, at_least=0)
    catalogue.department(u, department_id)
    catalogue.region(u, region_code)
    require_fit(site_faults(u, wish))
    site = SiteRow(
        id=ids.new_id("si"), kind=kind, department_id=department_id, region_code=region_code,
        hours=[list(span) for span in hours], **{**asdict(wish), "item_ids": list(wish.item_ids)},
    )  # fmt: skip
    u.add(site)
    u.flush()
    u.note(site.id, site.id, "site_opened", by=by, facts={"name": site.name, "items": site.item_ids})
    return SiteChange(planned_site(site), fit(u, site_locked(u, site.id)))


def degree(given: float | None) -> Decimal | None:
    """A coordinate as it is kept."""
    return None if given is None else Decimal(str(given)).quantize(DIGITS)


def site_faults(u: Unit, wish: SiteWish, known: Sequence[str] = ()) -> list[FieldError]:
    """Everything that is wrong with a wished site; `known` items need not be looked up."""
    wrong = dict[str, str]()
    if (wish.latitude is None) != (wish.longitude is None):
        wrong["latitude"] = "经度和纬度请一起填写"
    if not wish.item_ids or len(set(wish.item_ids)) < len(wish.item_ids):
        wrong["item_ids"] = "请选择办理的事项，不能重复"
    for place, item_id in enumerate(wish.item_ids):
        if item_id not in known and not _is_item(u, item_id):
            wrong[f"item_ids.{place}"] = "没有这个事项"
    return [FieldError(field=field, message=message) for field, message in wrong.items()]


def require_fit(faults: Sequence[FieldError]) -> None:
    """Raises InvalidInput when there are any."""
    if faults:
        raise InvalidInput(errors=list(faults))


def planned_site(row: SiteRow) -> PlannedSite:
    """The view of a row."""
    north, east = (None if one is None else f"{one:.6f}" for one in (row.latitude, row.longitude))
    return PlannedSite(
        row.id, row.kind, row.department_id, row.region_code, row.name, row.address, row.phone, north, east,
        row.hours, tuple(row.item_ids),
    )  # fmt: skip


def _is_item(u: Unit, item_id: str) -> bool:
    """Whether the register knows it; it may be published later."""
    try:
        catalogue.published_version(u, item_id)
    except catalogue.ItemNotPublished:
        return True
    except catalogue.ItemUnknown:
        return False
    return True


def _require_unused(u: Unit, site: SiteRow, dropped: Sequence[str]) -> None:
    """Raises ItemsInUse, which names the items with patterns, window groups, coming slots or appointments."""
    here = SlotRow.site_id == site.id, SlotRow.item_id.in_(dropped)
    live = BookingRow.state.in_(LIVE) & or_(
        BookingRow.slot_id == SlotRow.id, BookingRow.moving_to == SlotRow.id
    )
    planned = select(PatternRow.item_id).where(
        PatternRow.site_id == site.id, PatternRow.item_id.in_(dropped), PatternRow.withdrawn_at.is_(None),
        or_(PatternRow.valid_to.is_(None), PatternRow.valid_to >= clock.today()),
    )  # fmt: skip
    coming = select(SlotRow.item_id).where(*here, SlotRow.closed_at.is_(None), SlotRow.ends_at > clock.now())
    booked = select(SlotRow.item_id).where(*here, select(BookingRow.id).where(live).exists())
    groups = select(WindowGroupRow.item_ids).where(WindowGroupRow.site_id == site.id)
    in_use = {
        item_id for query in (planned, coming, booked) for item_id in u.session.scalars(query.distinct())
    }
    in_use |= {item_id for items in u.session.scalars(groups) for item_id in items if item_id in dropped}
    if in_use:
        raise ItemsInUse(f"还有安排的事项：{'、'.join(sorted(in_use))}。", items=sorted(in_use))
