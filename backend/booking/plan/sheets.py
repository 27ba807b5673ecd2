"""The whole plan of a site as a workbook that a planner can take out, change and bring back.

One sheet for each part of it. A sheet that is brought back is all of its part: what it does not name is withdrawn. A
sheet that is left out leaves its part as it is.
"""

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from backend.booking.plan import cells
from backend.booking.plan.rota import CLOSED, EXTRA, HOURS
from backend.booking.plan.views import Plan
from backend.booking.plan.workbook import Column
from backend.booking.rules import Rules

HOURS_SHEET, GROUPS, WINDOWS, PATTERNS, DAYS, RULES = (
    "开放时间", "窗口组", "窗口", "每周排班", "特殊日期", "预约规则",
)  # fmt: skip
_KINDS: Final = {CLOSED: "停办", HOURS: "调整时间", EXTRA: "另加时段"}
_RULES: Final = {
    "hold_minutes": "保留分钟",
    "per_day": "每天次数",
    "per_week": "每周次数",
    "per_month": "每月次数",
    "lapses_a_day": "每天放弃次数",
    "per_device": "每台设备每天次数",
    "per_network": "每个网络每天次数",
    "max_party": "每次人数",
    "missed": "未到场次数",
    "block_months": "暂停月数",
    "level": "实名等级",
    "elder_percent": "老年人名额%",
    "elder_age": "老年人年龄",
    "elder_until_hours": "老年人名额保留到前几小时",
    "walk_in_percent": "现场名额%",
    "walk_ins_beyond": "现场名额用完可排队",
    "early_minutes": "可提前签到分钟",
    "late_minutes": "可迟到签到分钟",
    "offer_minutes": "候补保留分钟",
    "gather_minutes": "候补凑齐分钟",
    "offers_a_day": "候补每天次数",
    "offer_until_minutes": "候补截止前分钟",
    "closure_hours": "停办保留小时",
    "open_days_ahead": "提前开放工作日",
    "lead_days": "至少提前天数",
    "cut_off_minutes": "预约截止前分钟",
    "cancel_before_minutes": "取消截止前分钟",
}
"""A rule that has no heading here is headed by its name."""
COLUMNS: Final[Mapping[str, Sequence[Column]]] = {
    PATTERNS: (
        Column("item_id", "事项编号", cells.item),
        Column("subject", "科目", cells.text(20)),
        Column("group_id", "窗口组", cells.text(1)),
        Column("weekdays", "星期", cells.weekdays),
        Column("opens", "开始时间", cells.time),
        Column("closes", "结束时间", cells.time),
        Column("slot_minutes", "每段分钟", cells.number),
        Column("capacity", "每段名额", cells.number),
        Column("urgent", "急办专用", cells.flag),
        Column("valid_from", "生效日期", cells.first_day),
        Column("valid_to", "截止日期", cells.last_day),
    ),
    HOURS_SHEET: (
        Column("opens", "开始时间", cells.time),
        Column("closes", "结束时间", cells.time),
    ),
    GROUPS: (
        Column("letter", "窗口组", cells.text(1, least=1, asks="请填写一个大写字母")),
        Column("name", "名称", cells.text(40, least=1, asks="请填写名称")),
        Column("item_ids", "办理事项", cells.items),
    ),
    WINDOWS: (
        Column("number", "窗口号", cells.number),
        Column("letter", "窗口组", cells.text(1, least=1, asks="请填写窗口组的字母")),
        Column("booked_first", "预约优先", cells.flag),
        Column("open", "开放", cells.flag),
    ),
    DAYS: (
        Column("day", "日期", cells.day),
        Column("kind", "安排", cells.choice(**_KINDS)),
        Column("hours", "时段", cells.spans),
        Column("reason", "原因", cells.text(60, least=2, asks="请填写原因，2 到 60 个字")),
    ),
    RULES: (
        Column("item_id", "事项编号", cells.item_or_all),
        *(Column(name, _RULES.get(name, name), cells.rule) for name in Rules.model_fields),
    ),
}


def write_sheet(plan: Plan) -> bytes:
    """The plan as a workbook; a part of it that is empty is a sheet with headings only."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, columns in COLUMNS.items():
        sheet = book.create_sheet(title)
        sheet.append([one.heading for one in columns])
        for number, row in enumerate(_ROWS[title](plan), start=2):
            for place, column in enumerate(columns, start=1):
                _write(sheet, number, place, row.get(column.field))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            sheet.column_dimensions[cell.column_letter].width = 14
        sheet.freeze_panes = "A2"
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _write(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    if value is None or value == "":
        return
    cell = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        # Text that begins with "=" is text and no formula, also when somebody edits the cell.
        cell.data_type = "s"
        cell.quotePrefix = value[0] in "=+-@"
    elif isinstance(value, dt.date):
        cell.number_format = "yyyy-mm-dd"


def _hours(plan: Plan) -> Iterator[dict[str, Any]]:
    return ({"opens": opens, "closes": closes} for opens, closes in plan.hours)


def _groups(plan: Plan) -> Iterator[dict[str, Any]]:
    return (
        {"letter": one.letter, "name": one.name, "item_ids": "、".join(one.item_ids)} for one in plan.groups
    )


def _windows(plan: Plan) -> Iterator[dict[str, Any]]:
    for group in plan.groups:
        for one in group.windows:
            flags = {"booked_first": _said(one.booked_first), "open": _said(one.open)}
            yield {"number": one.number, "letter": group.letter, **flags}


def _patterns(plan: Plan) -> Iterator[dict[str, Any]]:
    letters = {group.id: group.letter for group in plan.groups}
    for one in plan.patterns:
        yield {
            "item_id": one.item_id, "subject": one.subject, "group_id": letters.get(one.group_id, ""),
            "weekdays": "".join(cells.DAYS[day - 1] for day in one.weekdays), "opens": one.opens,
            "closes": one.closes, "slot_minutes": one.slot_minutes, "capacity": one.capacity,
            "urgent": _said(one.urgent), "valid_from": one.valid_from, "valid_to": one.valid_to,
        }  # fmt: skip


def _days(plan: Plan) -> Iterator[dict[str, Any]]:
    for one in plan.days:
        spans = "、".join(f"{opens}-{closes}" for opens, closes in one.hours)
        yield {"day": one.day, "kind": _KINDS[one.kind], "hours": spans, "reason": one.reason}


def _rules(plan: Plan) -> Iterator[dict[str, Any]]:
    for one in plan.rules:
        given = {name: _rule(value) for name, value in one.rules.items()}
        yield {"item_id": one.item_id or cells.EVERY_ITEM, **given}


def _rule(value: Any) -> Any:
    if isinstance(value, bool):
        return _said(value)
    if value is None:
        return cells.AS_ITEM
    return value if isinstance(value, int | str) else orjson.dumps(value).decode()


def _said(value: bool) -> str:
    return "是" if value else "否"


_ROWS: Final = {
    HOURS_SHEET: _hours, GROUPS: _groups, WINDOWS: _windows, PATTERNS: _patterns, DAYS: _days, RULES: _rules,
}  # fmt: skip
