"""The windows of a site: which groups there are, what they handle, and where booked people come first (HN-05)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from backend.booking.hall.problems import LetterInUse
from backend.booking.machine import LIVE
from backend.booking.models import (
    BookingRow,
    PatternRow,
    SiteRow,
    SlotRow,
    TicketCount,
    TicketRow,
    WindowGroupRow,
    WindowRow,
)
from backend.booking.plan.patterns import groups_of
from backend.booking.plan.problems import WindowInUse
from backend.booking.plan.supply import site_locked
from backend.booking.plan.views import GroupView, GroupWish, WindowWish
from backend.booking.plan.wishes import require_groups
from backend.kernel import clock, ids
from backend.store.unit import Actor, Unit


def put_groups(u: Unit, site_id: str, groups: Sequence[GroupWish], by: Actor) -> tuple[GroupView, ...]:
    """Make these the window groups of a site, known by their letters, and their windows, known by number.

    What is left out is taken away, unless it is needed. Raises NotYours, InvalidInput, LetterInUse, WindowInUse.
    """
    site = site_locked(u, site_id)
    require_groups(site, groups)
    there = _by_letter(u, site)
    for group in groups:
        if (row := there.get(group.letter)) is not None:
            _require_items(u, row, group)
    take_away_groups(u, set_groups(u, site, groups, by))
    return groups_of(u, site_id)


def set_groups(u: Unit, site: SiteRow, groups: Sequence[GroupWish], by: Actor) -> list[WindowGroupRow]:
    """The same without taking any group away: returns those that are left out, for the caller to do so.

    The site's row is locked, and the groups have no faults. Raises LetterInUse, WindowInUse.
    """
    there = _by_letter(u, site)
    _require_letters(u, there, groups)
    _take_away_windows(u, site, {window.number for group in groups for window in group.windows})
    for row in there.values():
        row.name = row.id  # names are unique: nobody may stand in the way of a new one
    u.flush()
    for group in groups:
        _put(u, site, there.pop(group.letter, None), group)
    u.flush()
    u.note(site.id, site.id, "windows_set", by=by, facts={"letters": [group.letter for group in groups]})
    return [row for _letter, row in sorted(there.items())]


def take_away_groups(u: Unit, groups: Sequence[WindowGroupRow]) -> None:
    """Delete groups that nothing names. Raises WindowInUse."""
    for row in groups:
        _take_away(u, row)


def _by_letter(u: Unit, site: SiteRow) -> dict[str, WindowGroupRow]:
    query = select(WindowGroupRow).where(WindowGroupRow.site_id == site.id)
    return {row.letter: row for row in u.session.scalars(query)}


def _require_letters(u: Unit, there: Mapping[str, WindowGroupRow], groups: Sequence[GroupWish]) -> None:
    """Numbers of today keep their meaning: a group has its letter until tomorrow, also beside another that wants it.

    The groups are locked, so that nobody is given the first number of the day meanwhile. Raises LetterInUse.
    """
    letters = {row.name: row.letter for row in there.values()}
    moved = [
        there[letter]
        for group in groups
        if (was := letters.get(group.name, group.letter)) != group.letter
        for letter in (was, group.letter)
        if letter in there
    ]
    for row in sorted(moved, key=lambda row: row.id):
        u.session.refresh(row, with_for_update=True)
        if u.get(TicketCount, (row.id, clock.today())) is not None:
            raise LetterInUse(letter=row.letter, group=row.name)


def _put(u: Unit, site: SiteRow, row: WindowGroupRow | None, group: GroupWish) -> None:
    if row is None:
        row = WindowGroupRow(id=ids.new_id("wg"), site_id=site.id, letter=group.letter, name="", item_ids=[])
        u.add(row)
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
    if row.open is not None and row.open != wish.open:
        row.today_on = row.today_open = None  # the planner's word is the newer one
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
    """Delete a group that no pattern, coming slot or queue number names; closed slots count while anybody is in them.

    Raises WindowInUse.
    """
    anybody = (
        select(BookingRow.id).where(BookingRow.slot_id == SlotRow.id, BookingRow.state.in_(LIVE)).exists()
    )
    coming = select(SlotRow.id).where(SlotRow.group_id == group.id, SlotRow.ends_at > clock.now())
    needed = (
        select(PatternRow.id).where(PatternRow.group_id == group.id, PatternRow.withdrawn_at.is_(None)),
        coming.where(SlotRow.closed_at.is_(None) | anybody),
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
