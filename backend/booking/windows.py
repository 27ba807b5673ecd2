"""The windows of a site: which groups there are, what they handle, and where booked people come first (HN-05)."""

from collections.abc import Sequence

from sqlalchemy import func, select

from backend.booking.models import PatternRow, SiteRow, SlotRow, TicketRow, WindowGroupRow, WindowRow
from backend.booking.plan_views import GroupView, GroupWish, WindowWish
from backend.booking.planning import groups_of
from backend.booking.problems import WindowInUse
from backend.booking.supply import site_locked
from backend.booking.wishes import require_groups
from backend.kernel import clock, ids
from backend.store.unit import Actor, Unit


def put_groups(u: Unit, site_id: str, groups: Sequence[GroupWish], by: Actor) -> tuple[GroupView, ...]:
    """Make these the window groups of a site, known by their letters, and their windows, known by number.

    What is left out is taken away, unless it is needed. Raises NotYours, InvalidInput, WindowInUse.
    """
    site = site_locked(u, site_id)
    require_groups(site, groups)
    there = {
        row.letter: row
        for row in u.session.scalars(select(WindowGroupRow).where(WindowGroupRow.site_id == site_id))
    }
    _take_away_windows(u, site, {window.number for group in groups for window in group.windows})
    for row in there.values():
        row.name = row.id  # names are unique: nobody may stand in the way of a new one
    u.flush()
    for group in groups:
        _put(u, site, there.pop(group.letter, None), group)
    for _letter, row in sorted(there.items()):
        _take_away(u, row)
    u.flush()
    u.note(site.id, site.id, "windows_set", by=by, facts={"letters": [group.letter for group in groups]})
    return groups_of(u, site_id)


def _put(u: Unit, site: SiteRow, row: WindowGroupRow | None, group: GroupWish) -> None:
    if row is None:
        row = WindowGroupRow(id=ids.new_id("wg"), site_id=site.id, letter=group.letter, name="", item_ids=[])
        u.add(row)
    else:
        _require_items(u, row, group)
    row.name, row.item_ids = group.name, list(group.item_ids)
    u.flush()
    for window in group.windows:
        _put_window(u, row, window)


def _put_window(u: Unit, group: WindowGroupRow, wish: WindowWish) -> None:
    query = select(WindowRow).where(WindowRow.site_id == group.site_id, WindowRow.number == wish.number)
    row = u.session.scalars(query).one_or_none()
    if row is None:
        row = WindowRow(id=ids.new_id("wi"), site_id=group.site_id, number=wish.number)
        u.add(row)
    elif row.group_id != group.id and _is_serving(u, row):
        raise WindowInUse(f"{row.number} 号窗口正在叫号，请先办结再调整。", window=row.number)
    row.group_id, row.booked_first, row.open = group.id, wish.booked_first, wish.open
    u.flush()


def _take_away_windows(u: Unit, site: SiteRow, numbers: set[int]) -> None:
    query = select(WindowRow).where(WindowRow.site_id == site.id, WindowRow.number.not_in(numbers))
    for row in u.session.scalars(query).all():
        if _is_serving(u, row):
            raise WindowInUse(f"{row.number} 号窗口正在叫号，请先办结再撤销。", window=row.number)
        u.session.delete(row)
    u.flush()


def _take_away(u: Unit, group: WindowGroupRow) -> None:
    """Delete a group that no pattern, coming slot or queue number names. Raises WindowInUse."""
    needed = (
        select(PatternRow.id).where(PatternRow.group_id == group.id, PatternRow.withdrawn_at.is_(None)),
        select(SlotRow.id).where(SlotRow.group_id == group.id, SlotRow.ends_at > clock.now()),
        select(TicketRow.id).where(TicketRow.group_id == group.id),
    )
    if any(u.session.scalars(query.limit(1)).first() is not None for query in needed):
        raise WindowInUse(f"窗口组 {group.letter} 还有排班、时段或排队号，不能撤销。", letter=group.letter)
    u.session.delete(group)
    u.flush()


def _require_items(u: Unit, row: WindowGroupRow, group: GroupWish) -> None:
    """Patterns of the group keep their items. Raises WindowInUse."""
    query = select(PatternRow.item_id).where(
        PatternRow.group_id == row.id, PatternRow.withdrawn_at.is_(None),
        func.coalesce(PatternRow.valid_to, clock.today()) >= clock.today(),
    )  # fmt: skip
    if lost := set(u.session.scalars(query)) - set(group.item_ids):
        raise WindowInUse(
            f"窗口组 {row.letter} 对 {'、'.join(sorted(lost))} 还有排班，请先撤回。", letter=row.letter
        )


def _is_serving(u: Unit, row: WindowRow) -> bool:
    query = select(TicketRow.id).where(TicketRow.window_id == row.id, TicketRow.state == "called")
    return u.session.scalars(query.limit(1)).first() is not None
