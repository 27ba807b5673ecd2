"""The whole plan in a workbook: it goes out, comes back, and whatever is wrong with it is said by its cell."""

import io
import random
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from backend.booking import plans
from backend.booking.plan import sheets as plan_sheet
from backend.booking.plan.sheets import COLUMNS, DAYS, GROUPS, HOURS_SHEET, PATTERNS, RULES, WINDOWS
from backend.booking.rules import Rules
from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.store.unit import run_unit, unit
from tests.booking.makers import EXAM, ITEM, book, set_rules
from tests.booking.planners import PLANNER, a_site, on_monday, plan, set_day, slots_at, times
from tests.booking.workbooks import PATTERN, book_of, mutated, packed, patterns, rewritten, rules, sheets

Cell = tuple[str, int, str]
A_MOMENT = datetime(2026, 12, 1, 9)  # noqa: DTZ001 - Excel knows no zones


@pytest.fixture(autouse=True)
def _monday() -> None:
    on_monday()


def bring(site: str, given: bytes) -> plans.PlanChange:
    return run_unit(lambda u: plans.import_plan(u, site, given, PLANNER))


def out(site: str) -> bytes:
    with unit() as u:
        return plans.export_plan(u, site)


def as_planned(site: str) -> plans.Plan:
    with unit() as u:
        return plans.plan_of(u, site)


def findings(site: str, given: bytes) -> dict[Cell, str]:
    """What is wrong with a workbook, by sheet, row and column; it must be refused, and leave all as it was."""
    before = as_planned(site)
    with pytest.raises(plans.PlanRefused) as refused:
        bring(site, given)
    assert as_planned(site) == before
    told: Any = refused.value.extra["findings"]
    assert all(one["message"] for one in told)
    return {(one["sheet"], one["row"], one["column"]): one["message"] for one in told}


def a_full_site() -> str:
    """A site with something in every part of its plan."""
    site = a_site(ITEM, EXAM, hours=[["09:00", "12:00"], ["14:00", "17:00"]])
    windows = tuple(plans.WindowWish(n, booked_first=n == 1, open=n < 3) for n in (1, 2, 3))
    groups = [plans.GroupWish("A", "=登记", (ITEM,), windows), plans.GroupWish("B", "考试", (EXAM,), ())]
    group_id = run_unit(lambda u: plans.put_groups(u, site, groups, PLANNER))[0].id
    plan(site, group_id=group_id)
    plan(site, item_id=EXAM, subject="科目二", weekdays=(6, 7), urgent=True, valid_to=date(2026, 12, 31))
    set_day(site, date(2026, 10, 8), reason="=1+1 停电")
    set_day(site, date(2026, 10, 9), [["09:00", "10:00"], ["14:00", "15:00"]], "错峰")
    day, by = date(2026, 10, 11), PLANNER
    run_unit(lambda u: plans.set_hours(u, site, day, [["09:00", "10:00"]], "高峰加开", by, "extra"))
    set_rules(site, ITEM, elder_percent=25, walk_ins_beyond=False, cut_off_minutes=None)
    set_rules(site, "", hold_minutes=5)
    return site


def test_a_full_plan_comes_back_unchanged() -> None:
    site = a_full_site()
    slots, planned, given = times(site), as_planned(site), out(site)
    change = bring(site, given)
    assert change == plans.PlanChange(0, 0, 2, plans.Fitted())
    assert (times(site), as_planned(site)) == (slots, planned)
    again = load_workbook(io.BytesIO(given))
    assert again.sheetnames == list(COLUMNS)
    assert [cell.data_type for cell in again[GROUPS][2]] == ["s"] * 3


def test_a_plan_carries_over_to_another_site() -> None:
    first, other = a_full_site(), a_site(ITEM, EXAM, hours=[])
    change = bring(other, out(first))
    assert (change.added, change.withdrawn, change.days, change.rules) == (2, 0, 3, 2)
    assert (change.hours, change.windows) == (True, True)
    one, two = as_planned(first), as_planned(other)
    assert (one.hours, one.days, one.rules) == (two.hours, two.days, two.rules)
    assert [group.windows[0].booked_first for group in two.groups if group.windows] == [True]
    assert times(first) == times(other)


def test_every_rule_has_its_own_heading() -> None:
    headings = [one.heading for one in COLUMNS[RULES]]
    assert len(set(headings)) == len(headings)
    assert not [name for name in Rules.model_fields if name in headings]


def test_a_sheet_left_out_leaves_its_part() -> None:
    site = a_full_site()
    change = bring(
        site, rules({"item_id": "全部", "hold_minutes": 8}, {"item_id": ITEM, "elder_percent": 25})
    )
    assert (change.rules, change.withdrawn, change.days, change.windows) == (2, 0, 0, False)
    assert {one.item_id: one.rules for one in as_planned(site).rules} == {
        "": {"hold_minutes": 8},
        ITEM: {"elder_percent": 25},
    }
    assert bring(site, rules()).rules == 2
    assert as_planned(site).rules == ()


def test_days_in_a_workbook_close_and_open() -> None:
    site = a_site()
    plan(site)
    booked = book(slots_at(site)[6].id)
    assert clock.day_of(booked.starts_at) == date(2026, 10, 8)
    given: list[dict[str, Any]] = [
        {"day": date(2026, 10, 8), "kind": "停办", "reason": "停电"},
        {"day": "2026年10月9日", "kind": "调整时间", "hours": "１０：００－１２：００", "reason": "错峰"},
        {"day": 46306, "kind": "另加时段", "hours": "09:00-10:00、14:00-15:00", "reason": "高峰"},
        {"day": "2026-09-20", "kind": "停办", "reason": "已经过去"},
    ]  # fmt: skip
    change = bring(site, sheets(**{DAYS: given}))
    assert (change.days, change.closing.closed, change.closing.affected) == (3, 3, 1)
    assert [one for one in times(site) if one[:5] in ("10-08", "10-09", "10-11")] == [
        "10-09 10:00", "10-09 11:00", "10-11 09:00", "10-11 14:00",
    ]  # fmt: skip
    change = bring(site, sheets(**{DAYS: []}))
    assert (change.days, change.closing.reopened) == (3, 3)
    assert len(times(site)) == 18


def test_windows_move_and_groups_go() -> None:
    site = a_full_site()
    pattern = PATTERN | {"group_id": "C"}
    given: dict[str, list[dict[str, Any]]] = {
        GROUPS: [{"letter": "C", "name": "综合", "item_ids": f"{ITEM}，{EXAM}"}],
        WINDOWS: [{"number": 1, "letter": "C", "booked_first": "是", "open": "是"}],
        PATTERNS: [pattern],
    }
    change = bring(site, sheets(**given))
    assert (change.windows, change.added, change.withdrawn) == (True, 1, 2)
    (group,) = as_planned(site).groups
    assert [(one.number, one.booked_first) for one in group.windows] == [(1, True)]
    of_groups = {one.group_id for one in slots_at(site) if one.closed_at is None and one.item_id == ITEM}
    assert of_groups == {group.id}


def test_a_group_with_appointments_is_not_taken_away() -> None:
    site = a_full_site()
    book(next(one.id for one in slots_at(site) if one.closed_at is None and one.item_id == ITEM))
    given = sheets(**{GROUPS: [{"letter": "B", "name": "考试", "item_ids": EXAM}], WINDOWS: [], PATTERNS: []})
    assert list(findings(site, given)) == [(WINDOWS, 0, "A")]
    orphaned = sheets(**{GROUPS: [{"letter": "A", "name": "登记", "item_ids": EXAM}]})
    assert list(findings(site, orphaned)) == [(GROUPS, 2, "C")]


@pytest.mark.parametrize(
    ("given", "planned"),
    [
        ("8：30", "08:30"),
        ("０８：３０", "08:30"),
        (0.3541666667, "08:30"),
        (time(8, 30), "08:30"),
        ("8:30:00", "08:30"),
        (0, "00:00"),
    ],
)
def test_a_time_is_read_as_it_was_meant(given: Any, planned: str) -> None:
    site = a_site()
    bring(site, patterns({"opens": given}))
    assert [one.opens for one in as_planned(site).patterns] == [planned]


@pytest.mark.parametrize(
    "given", ["25:00", "24:00", 1.0, 1.375, -0.5, "9:60", "上午九点", "9.30", time(8, 30, 30), A_MOMENT, True]
)
def test_an_impossible_time_is_told_by_its_cell(given: Any) -> None:
    assert list(findings(a_site(), patterns({}, {"opens": given, "weekdays": "六"}))) == [(PATTERNS, 3, "E")]


@pytest.mark.parametrize(
    ("given", "planned"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        ("2026/12/1", date(2026, 12, 1)),
        ("2026年12月1日", date(2026, 12, 1)),
        (20261201, date(2026, 12, 1)),
        ("20261201", date(2026, 12, 1)),
        (46357, date(2026, 12, 1)),
        (date(2026, 12, 1), date(2026, 12, 1)),
    ],
)
def test_a_date_is_read_as_it_was_meant(given: Any, planned: date) -> None:
    site = a_site()
    bring(site, patterns({"valid_from": given}))
    assert [one.valid_from for one in as_planned(site).patterns] == [planned]


@pytest.mark.parametrize("given", ["2026-02-30", 46357.5, 3, 10**12, "十二月", A_MOMENT, "1899-12-31", True])
def test_an_impossible_date_is_told_by_its_cell(given: Any) -> None:
    assert list(findings(a_site(), patterns({"valid_from": given}))) == [(PATTERNS, 2, "J")]


def test_days_counted_from_1904_are_the_same_days() -> None:
    site = a_site()
    made = book_of(**{PATTERNS: [PATTERN | {"valid_from": 46357 - 1462, "valid_to": date(2026, 12, 31)}]})
    made.epoch = CALENDAR_MAC_1904
    bring(site, packed(made))
    (only,) = as_planned(site).patterns
    assert (only.valid_from, only.valid_to) == (date(2026, 12, 1), date(2026, 12, 31))


def test_a_whole_day_and_a_turned_around_one_are_refused() -> None:
    rows = ({"opens": "00:00", "closes": "24:00"}, {"opens": "12:00", "closes": "12:00"}, {"opens": "13:00"})
    assert set(findings(a_site(), patterns(*rows))) == {
        (PATTERNS, 2, "F"),
        (PATTERNS, 3, "F"),
        (PATTERNS, 4, "F"),
    }


def test_overlapping_rows_name_each_other() -> None:
    rows: Any = (
        {},
        {"opens": "11:00", "closes": "13:00"},
        {"weekdays": "六日"},
        {"weekdays": "5", "opens": "08:00"},
    )
    told = findings(a_site(), patterns(*rows))
    assert told == {(PATTERNS, 3, "E"): "与第 2 行的时间重叠", (PATTERNS, 5, "E"): "与第 2 行的时间重叠"}


def test_formulas_errors_and_merged_cells_are_told() -> None:
    made = book_of(**{PATTERNS: [PATTERN | {"opens": "=A1", "capacity": "#REF!"}, PATTERN], DAYS: []})
    made[PATTERNS]["H2"].data_type = "e"
    made[PATTERNS].merge_cells("A2:A3")
    told = findings(a_site(), packed(made))
    assert {(PATTERNS, 2, "A"), (PATTERNS, 2, "E"), (PATTERNS, 2, "H")} <= set(told)
    assert "公式" in told[PATTERNS, 2, "E"]
    assert "合并" in told[PATTERNS, 2, "A"]


def test_hidden_strange_and_empty_sheets_are_told() -> None:
    made = book_of(**{PATTERNS: [PATTERN], RULES: []})
    made[RULES].sheet_state = "hidden"
    made.create_sheet("备注")
    assert set(findings(a_site(), packed(made))) == {(RULES, 0, ""), ("备注", 0, "")}
    bare = book_of(**{PATTERNS: []})
    bare[PATTERNS].delete_rows(1)
    assert set(findings(a_site(), packed(bare))) == {(PATTERNS, 1, "")}


def test_too_many_rows_are_told_once() -> None:
    assert list(findings(a_site(), patterns(*[{}] * 1001)))[0] == (PATTERNS, 1001, "A")  # noqa: RUF015


def test_macros_and_bombs_are_not_opened() -> None:
    site, given = a_site(), patterns({})
    with_macro = rewritten(given, lambda _, part: part, **{"xl/vbaProject.bin": b"macro"})
    assert "宏" in findings(site, with_macro)["", 0, ""]
    bomb = rewritten(given, lambda _, part: part, **{"xl/media/a.bin": bytes(4_000_000)})
    assert len(bomb) < plans.MAX_BYTES
    assert "太大" in findings(site, bomb)["", 0, ""]
    crowd = rewritten(given, lambda _, part: part, **{f"a{n}": b"" for n in range(300)})
    assert "太大" in findings(site, crowd)["", 0, ""]
    laughs = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'
    assert findings(site, rewritten(given, lambda name, part: laughs if "sheet1" in name else part))


def test_a_sheet_of_endless_merges_is_read_once() -> None:
    site, given = a_site(), patterns({})
    crowd = b"<mergeCell " * 27_000

    def hidden(name: str, part: bytes) -> bytes:
        return (
            part.replace(b"</worksheet>", b"<!--" + crowd + b"--></worksheet>") if "sheet1" in name else part
        )

    def bare(name: str, part: bytes) -> bytes:
        return b"<worksheet>" + crowd if "sheet1" in name else part

    assert bring(site, rewritten(given, hidden)) is not None
    assert list(findings(site, rewritten(given, bare))) == [("", 0, "")]
    many = b"<mergeCells>" + b'<mergeCell ref="$A$2:B3"/>' * 10_000 + b"</mergeCells></worksheet>"
    merged = rewritten(given, lambda name, part: part.replace(b"</worksheet>", many))
    assert list(findings(site, merged)) == [(PATTERNS, 2, "A")]


def test_wrong_days_windows_and_rules_are_told() -> None:
    given: dict[str, list[dict[str, Any]]] = {
        DAYS: [
            {"day": date(2026, 10, 8), "kind": "停办", "hours": "09:00-10:00", "reason": "停电"},
            {"day": date(2026, 10, 8), "kind": "调整时间", "reason": "停"},
            {"day": date(2026, 10, 9), "kind": "调整时间", "hours": "12:00-09:00", "reason": "停电"},
            {"day": date(2026, 10, 10), "kind": "关门", "hours": "9", "reason": "停电"},
        ],
        WINDOWS: [{"number": 1, "letter": "Q"}, {"number": 0, "letter": "A"}],
        GROUPS: [
            {"letter": "A", "name": "登记", "item_ids": "SI001"},
            {"letter": "b", "name": "登记", "item_ids": ITEM},
        ],
        HOURS_SHEET: [{"opens": "09:00", "closes": "12:00"}, {"opens": "11:00", "closes": "13:00"}],
        RULES: [
            {"item_id": ITEM, "per_day": 0, "hold_minutes": "很久"},
            {"item_id": "SI001"},
            {"item_id": "全部", "elder_percent": 60, "walk_in_percent": 60},
        ],
    }  # fmt: skip
    elder = chr(ord("A") + 1 + list(Rules.model_fields).index("elder_percent"))
    expected = {
        (DAYS, 2, "C"), (DAYS, 3, "D"), (DAYS, 4, "C"), (DAYS, 5, "B"), (DAYS, 5, "C"),
        (WINDOWS, 2, "B"), (WINDOWS, 3, "A"), (GROUPS, 2, "C"), (GROUPS, 3, "A"), (GROUPS, 3, "B"),
        (HOURS_SHEET, 3, "B"), (RULES, 2, "C"), (RULES, 2, "B"), (RULES, 3, "A"), (RULES, 3, elder), (RULES, 4, elder),
    }  # fmt: skip
    assert set(findings(a_site(), sheets(**given))) == expected


def test_a_workbook_of_last_month_still_comes_back() -> None:
    site = a_site()
    plan(site, valid_to=date(2026, 10, 9))
    set_day(site, date(2026, 10, 8))
    given = out(site)
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    change = bring(site, given)
    assert (change.added, change.withdrawn, change.days) == (0, 0, 0)


def test_no_spoilt_workbook_is_more_than_refused() -> None:
    site, chance = a_full_site(), random.Random(20261123)
    good, refused = out(site), 0
    for _ in range(300):
        given = mutated(good, chance)
        with suppress(Problem):
            refused += 1
            plans.previewed(lambda u, given=given: plans.import_plan(u, site, given, PLANNER))  # type: ignore[misc]
            refused -= 1
    assert 200 < refused < 300


def test_opening_hours_are_planned_by_the_department() -> None:
    site = a_site(hours=[["09:00", "10:00"]])
    change = run_unit(lambda u: plans.put_hours(u, site, [["14:00", "15:00"]], PLANNER))
    assert (change.hours, change.slots.opened) == ([["14:00", "15:00"]], 12)
    assert {one[6:] for one in times(site)} == {"14:00", "14:30"}
    with pytest.raises(Problem):
        run_unit(lambda u: plans.put_hours(u, site, [["15:00", "14:00"]], PLANNER))
    assert plan_sheet.write_sheet(as_planned(site))
