"""What waits for the staff of a site: draws that want hands, appeals, and places that will run out.

A plan stops where no working-day calendar is loaded. Without a word that would show only when the last slot is gone.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from backend import catalogue
from backend.booking.models import BlockRow, EntryRow, PatternRow, ReleaseRow, SiteRow, SlotRow
from backend.booking.naming import item_name
from backend.booking.pending_views import DrawPending, Pending, SupplyPending
from backend.booking.plan.supply import policy_of
from backend.booking.questions import site_view, spoken
from backend.booking.services.lateness import are_late, due_at, is_late, waits_for_hands
from backend.booking.views import Site
from backend.kernel import clock
from backend.store.unit import Unit

NOTICE: Final = timedelta(days=60)
"""How long before the first day without a calendar staff are warned: the year's notice comes out in November."""
_WAITS_FOR: Final = {
    "value": "请填写公开数值",
    "second": "公开数值已由一人填写，请另一人确认",
    "draw": "公开数值已确认，请开始摇号",
}


def pending(u: Unit, mine: Callable[[Site], bool]) -> Pending:
    """What waits for staff at the sites that are `mine`."""
    sites = [row for row in u.session.scalars(select(SiteRow).order_by(SiteRow.id)) if mine(site_view(row))]
    site_ids = [row.id for row in sites]
    appeals = select(func.count()).where(BlockRow.state == "appealed", BlockRow.site_id.in_(site_ids))
    ends_on = supply_ends_on(u)
    supplies = () if ends_on is None else _supplies(u, sites, ends_on)
    return Pending(_draws(u, site_ids), supplies, u.session.scalar(appeals) or 0)


def warnings(u: Unit) -> list[str]:
    """What nobody has broken and somebody must see to, for `flask town check`: late draws, a calendar that ends."""
    found = select(ReleaseRow).where(are_late()).order_by(ReleaseRow.id)
    said = [
        f"booking: draw {row.id} at {row.site_id} waits for its {_hands(row)} since {due_at(row).isoformat()}"
        for row in u.session.scalars(found)
    ]
    is_planned = u.session.scalar(select(select(PatternRow.id).exists()))
    if is_planned and (ends_on := supply_ends_on(u)) is not None:
        said.append(
            f"booking: no slots open after {ends_on.isoformat()}: the working days of {ends_on.year + 1} are not loaded"
        )
    return said


def supply_ends_on(u: Unit) -> date | None:
    """The last day for which places can be opened, when that is near; None when there is time enough."""
    today, years = clock.today(), catalogue.calendar_years(u)
    year = today.year
    while year in years:
        year += 1
    ends_on = date(year, 1, 1) - timedelta(days=1)
    return ends_on if ends_on < today + NOTICE else None


def _draws(u: Unit, site_ids: list[str]) -> tuple[DrawPending, ...]:
    due = func.coalesce(ReleaseRow.public_value_at, ReleaseRow.opens_at)
    entries = (
        select(func.count())
        .where(EntryRow.release_id == ReleaseRow.id, EntryRow.state == "entered")
        .scalar_subquery()
    )
    query = select(ReleaseRow, SiteRow.name, entries).join(SiteRow, SiteRow.id == ReleaseRow.site_id)
    query = query.where(waits_for_hands(), due <= clock.now(), ReleaseRow.site_id.in_(site_ids))
    found = u.session.execute(query.order_by(due, ReleaseRow.id))
    return tuple(_draw(u, row, name, count) for row, name, count in found)


def _draw(u: Unit, row: ReleaseRow, site_name: str, entries: int) -> DrawPending:
    hands, late = _hands(row), is_late(row)
    delay = f"，原定{spoken(due_at(row))}，已推迟并通知报名人" if late else ""
    return DrawPending(
        release_id=row.id,
        site_id=row.site_id,
        site_name=site_name,
        item_id=row.item_id,
        item_name=item_name(u, row.item_id),
        subject=row.subject,
        entries=entries,
        waits_for=hands,
        due_at=due_at(row),
        late=late,
        says=f"{_WAITS_FOR[hands]}{delay}。",
    )


def _hands(row: ReleaseRow) -> str:
    if row.public_value is not None:
        return "draw"
    return "value" if row.proposed_value is None else "second"


def _supplies(u: Unit, sites: list[SiteRow], ends_on: date) -> tuple[SupplyPending, ...]:
    booked = {
        item for item in {item for row in sites for item in row.item_ids} if policy_of(u, item) is not None
    }
    wanted = [row for row in sites if booked.intersection(row.item_ids)]
    ends = select(SlotRow.site_id, func.max(SlotRow.starts_at)).group_by(SlotRow.site_id)
    last = dict(u.session.execute(ends.where(SlotRow.site_id.in_([row.id for row in wanted]))).all())
    return tuple(_supply(row, ends_on, last.get(row.id)) for row in wanted)


def _supply(site: SiteRow, ends_on: date, last: datetime | None) -> SupplyPending:
    return SupplyPending(
        site_id=site.id,
        site_name=site.name,
        ends_on=ends_on,
        last_slot_on=clock.day_of(last) if last is not None else None,
        says=f"{ends_on.year + 1}年工作日安排还没有载入，{_short(ends_on)}之后放不出号，请联系管理员载入。",
    )


def _short(day: date) -> str:
    return f"{day.month}月{day.day}日"
