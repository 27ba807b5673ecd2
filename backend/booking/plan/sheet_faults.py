"""What is wrong with the plan that a workbook asks for: every fault by its cell, found before anything is written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from backend.booking.models import PatternRow, SiteRow
from backend.booking.plan import sheets
from backend.booking.plan.cells import USUAL
from backend.booking.plan.rota import CLOSED, overlap
from backend.booking.plan.views import DayView, GroupWish, PatternWish, Plan, WindowWish
from backend.booking.plan.wishes import Ground, faults_of, group_faults, hours_faults
from backend.booking.plan.workbook import Finding, Table
from backend.booking.rules import Rules, rules_from
from backend.kernel import clock
from backend.store.unit import Unit

NAMES = tuple(one.name for one in fields(PatternWish))


@dataclass(frozen=True, slots=True)
class Asked:
    """The plan a workbook asks for; what it does not speak of is as it stands. Patterns name groups by letter."""

    hours: list[list[str]]
    groups: tuple[GroupWish, ...]
    patterns: Sequence[PatternWish]
    days: Mapping[date, DayView]
    rules: Mapping[str, dict[str, Any]]


def asked_of(plan: Plan, tables: Mapping[str, Table]) -> Asked:
    """What the tables ask for, over the plan as it stands."""
    standing = as_it_stands(plan)
    asked = replace(standing, groups=_groups(standing.groups, tables))
    if (table := tables.get(sheets.HOURS_SHEET)) is not None:
        asked = replace(asked, hours=sorted([row["opens"], row["closes"]] for row in table.rows))
    if (table := tables.get(sheets.PATTERNS)) is not None:
        asked = replace(asked, patterns=[PatternWish(**row.values) for row in table.rows])
    if (table := tables.get(sheets.DAYS)) is not None:
        asked = replace(asked, days={row["day"]: DayView(**row.values) for row in table.rows})
    if (table := tables.get(sheets.RULES)) is not None:
        asked = replace(asked, rules={row["item_id"]: rules_in(row.values) for row in table.rows})
    return asked


def as_it_stands(plan: Plan) -> Asked:
    """The plan in the same words."""
    letters = {group.id: group.letter for group in plan.groups}
    groups = tuple(
        GroupWish(
            one.letter, one.name, one.item_ids,
            tuple(WindowWish(window.number, window.booked_first, window.open) for window in one.windows),
        )
        for one in plan.groups
    )  # fmt: skip
    patterns = [
        PatternWish(
            **{name: getattr(one, name) for name in NAMES} | {"group_id": letters.get(one.group_id, "")}
        )
        for one in plan.patterns
    ]
    return Asked(
        plan.hours, groups, patterns, {one.day: one for one in plan.days},
        {one.item_id: one.rules for one in plan.rules},
    )  # fmt: skip


def rules_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """The rules that a row gives; an empty cell gives none."""
    given = {name: value for name, value in values.items() if name != "item_id" and value is not None}
    return {name: None if value is USUAL else value for name, value in given.items()}


def faults_in(u: Unit, site: SiteRow, plan: Plan, tables: Mapping[str, Table], asked: Asked) -> list[Finding]:
    """Everything that is wrong with what the tables ask for."""
    ground = Ground(site, {group.letter: group.item_ids for group in asked.groups})
    found = list[Finding]()
    for title, look in _LOOKS.items():
        if (table := tables.get(title)) is not None:
            found += look(table, asked)
    if (table := tables.get(sheets.GROUPS)) is not None:
        found += [
            table.finding(table.rows[place].number, field, says)
            for place, field, says in group_faults(site, asked.groups)
            if field in table.places and place < len(table.rows)
        ]
    if (table := tables.get(sheets.PATTERNS)) is not None:
        found += _patterns(u, ground, table, as_it_stands(plan).patterns)
    else:
        found += _orphans(tables, asked)
    return found + list(_items(site, tables))


def _groups(standing: Sequence[GroupWish], tables: Mapping[str, Table]) -> tuple[GroupWish, ...]:
    groups, windows = list(standing), tables.get(sheets.WINDOWS)
    if (table := tables.get(sheets.GROUPS)) is not None:
        there = {one.letter: one.windows for one in standing}
        groups = [
            GroupWish(row["letter"], row["name"], row["item_ids"], there.get(row["letter"], ()))
            for row in table.rows
        ]
    if windows is None:
        return tuple(groups)
    wishes = [
        (row["letter"], WindowWish(row["number"], row["booked_first"], row["open"])) for row in windows.rows
    ]
    return tuple(
        replace(
            group,
            windows=tuple(sorted((one for letter, one in wishes if letter == group.letter), key=_number)),
        )
        for group in groups
    )


def _number(window: WindowWish) -> int:
    return window.number


def _of_hours(table: Table, asked: Asked) -> Iterator[Finding]:
    in_order = sorted(table.rows, key=lambda row: (row["opens"], row["closes"]))
    for place, says in hours_faults(asked.hours).items():
        yield table.finding(in_order[place].number, "closes", says)


def _of_windows(table: Table, asked: Asked) -> Iterator[Finding]:
    known, counts = {group.letter for group in asked.groups}, Counter(row["number"] for row in table.rows)
    for row in table.rows:
        if row["letter"] not in known:
            yield table.finding(row.number, "letter", "没有这个窗口组")
        if not 1 <= row["number"] <= 999 or counts[row["number"]] > 1:
            yield table.finding(row.number, "number", "窗口号应为 1 到 999，且在办事点内不能重复")


def _of_days(table: Table, _asked: Asked) -> Iterator[Finding]:
    counts, today = Counter(row["day"] for row in table.rows), clock.today()
    for row in table.rows:
        if row["day"] < today:
            continue  # a workbook taken out some days ago: what is over is over
        if counts[row["day"]] > 1:
            yield table.finding(row.number, "day", "这一天写了不止一行")
        if row["kind"] == CLOSED and row["hours"]:
            yield table.finding(row.number, "hours", "停办的日期不填时段")
        if row["kind"] != CLOSED and not row["hours"]:
            yield table.finding(row.number, "hours", "请填写当天的开放时间，例如 09:00-12:00")
        for says in hours_faults(row["hours"]).values():
            yield table.finding(row.number, "hours", says)


def _of_rules(table: Table, asked: Asked) -> Iterator[Finding]:
    counts = Counter(row["item_id"] for row in table.rows)
    for row in table.rows:
        if counts[row["item_id"]] > 1:
            yield table.finding(row.number, "item_id", "这个事项写了不止一行")
        try:
            Rules(**rules_in(row.values))
            rules = rules_from(asked.rules.get(""), rules_in(row.values))
        except ValidationError as error:
            for one in error.errors():
                field = str(one["loc"][0]) if one["loc"] else "item_id"
                yield table.finding(row.number, field if field in table.places else "item_id", _says(one))
            continue
        if rules.elder_percent + rules.walk_in_percent > 100:
            yield table.finding(row.number, "elder_percent", "老年人名额与现场名额合计不能超过 100%")


def _says(error: Any) -> str:
    """A fault of a rule in plain words."""
    limits: Mapping[str, Any] = error.get("ctx") or {}
    if "ge" in limits:
        return f"应不小于 {limits['ge']}"
    if "le" in limits:
        return f"应不大于 {limits['le']}"
    return "内容不对，应为整数，或 是、否"


def _patterns(u: Unit, ground: Ground, table: Table, standing: Sequence[PatternWish]) -> Iterator[Finding]:
    known = set(map(key_of, standing))
    rows = [(row.number, PatternWish(**row.values)) for row in table.rows]
    for number, wish in rows:
        if is_over(wish):
            continue
        for fault in faults_of(u, ground, wish):
            if key_of(wish) not in known or fault["field"] == "group_id":
                yield table.finding(number, fault["field"], fault["message"])
    yield from _overlaps(table, rows)


def is_over(wish: PatternWish) -> bool:
    """Whether a pattern asks for nothing any more: the workbook was taken out before it ended."""
    return wish.valid_to is not None and wish.valid_from <= wish.valid_to < clock.today()


def _overlaps(table: Table, rows: Sequence[tuple[int, PatternWish]]) -> Iterator[Finding]:
    """Each row against those above it that are for the same; the same pattern twice overlaps itself."""
    above: dict[tuple[object, ...], list[tuple[int, PatternRow]]] = {}
    for number, wish in rows:
        one = PatternRow(site_id="", **{name: getattr(wish, name) for name in NAMES})
        same = above.setdefault((wish.item_id, wish.subject, wish.group_id, wish.urgent), [])
        clash = next((other_number for other_number, other in same if overlap(one, other)), None)
        if clash is not None:
            yield table.finding(number, "opens", f"与第 {clash} 行的时间重叠")
        same.append((number, one))


def _orphans(tables: Mapping[str, Table], asked: Asked) -> Iterator[Finding]:
    """Patterns that stay, and whose group goes or gives up their item."""
    table, items = tables.get(sheets.GROUPS), {one.letter: one.item_ids for one in asked.groups}
    if table is None:
        return
    numbers = {row["letter"]: row.number for row in table.rows}
    lost = {
        (one.group_id, one.item_id)
        for one in asked.patterns
        if one.group_id and one.item_id not in items.get(one.group_id, ())
    }
    for letter, item_id in sorted(lost):
        says = f"窗口组 {letter} 对 {item_id} 还有排班，请先撤回"
        yield table.finding(numbers.get(letter, 0), "item_ids", says)


def _items(site: SiteRow, tables: Mapping[str, Table]) -> Iterator[Finding]:
    """Rules are for items that the site handles."""
    if (table := tables.get(sheets.RULES)) is not None:
        for row in table.rows:
            if row["item_id"] and row["item_id"] not in site.item_ids:
                yield table.finding(row.number, "item_id", "本办事点不办理这个事项")


def key_of(wish: PatternWish) -> tuple[object, ...]:
    """Two patterns with the same values are the same pattern."""
    return tuple(getattr(wish, name) for name in NAMES)


_LOOKS = {
    sheets.HOURS_SHEET: _of_hours,
    sheets.WINDOWS: _of_windows,
    sheets.DAYS: _of_days,
    sheets.RULES: _of_rules,
}
