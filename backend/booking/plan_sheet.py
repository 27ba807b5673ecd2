"""The weekly plan as an Excel sheet that a planner can take out, change and bring back: one pattern per row.

Nothing is believed: size, unknown columns, formulas and impossible times are told by row and column, all at once.
A sheet that is brought back is the whole plan: patterns it does not name are withdrawn.
"""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from backend.booking.plan_views import GroupView, PatternView, PatternWish
from backend.booking.problems import PlanRefused
from backend.kernel import clock
from backend.kernel.problems import FieldError
from backend.runtime.bodies import within_reach
from backend.runtime.sheets import BROKEN

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BYTES: Final = 1_000_000
_MAX_UNPACKED: Final = 20 * MAX_BYTES
_MAX_ROWS: Final = 2000
_TITLE: Final = "每周排班"
HEADINGS: Final = {
    "item_id": "事项编号",
    "subject": "科目",
    "group_id": "窗口组",
    "weekdays": "星期",
    "opens": "开始时间",
    "closes": "结束时间",
    "slot_minutes": "每段分钟",
    "capacity": "每段名额",
    "urgent": "急办专用",
    "valid_from": "生效日期",
    "valid_to": "截止日期",
}
_FIELDS: Final = tuple(HEADINGS)
_DAYS: Final = "一二三四五六日"
_DAY: Final = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?: 00:00:00)?")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a sheet. Row 1 is the headings; row 0 is the file itself."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet says: its patterns, each with its row, and in which column each field stands."""

    rows: Sequence[tuple[int, PatternWish]]
    columns: Mapping[str, int]

    def finding(self, row: int, field: str, message: str) -> Finding:
        """Something that is wrong with a field of a row."""
        return Finding(row, get_column_letter(self.columns[field] + 1), message)


class _Wrong(ValueError):
    """A cell does not hold what its column asks for; the message is for the planner."""


def write_sheet(patterns: Iterable[PatternView], groups: Sequence[GroupView]) -> bytes:
    """The plan as a workbook; without patterns an empty form."""
    book, letters = Workbook(), {group.id: group.letter for group in groups}
    sheet = book.worksheets[0]
    sheet.title = _TITLE
    sheet.append(list(HEADINGS.values()))
    for one in patterns:
        sheet.append([_shown(field, getattr(one, field), letters) for field in _FIELDS])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = 14
    sheet.freeze_panes = "A2"
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def read_sheet(packed: bytes, groups: Sequence[GroupView]) -> Sheet:
    """The patterns of a sheet. Raises PlanRefused with everything that cannot be read."""
    table, letters = _rows(packed), {group.letter: group.id for group in groups}
    sheet, findings = Sheet([], _columns(next(table, (1, ()))[1])), list[Finding]()
    wishes = list[tuple[int, PatternWish]]()
    for number, cells in table:
        values: dict[str, Any] = {}
        for field, place in sheet.columns.items():
            try:
                values[field] = _read(field, cells[place] if place < len(cells) else None, letters)
            except _Wrong as wrong:
                findings.append(sheet.finding(number, field, str(wrong)))
        if len(values) == len(_FIELDS):
            wishes.append((number, PatternWish(**values)))
    if findings:
        raise refusal(findings)
    return Sheet(wishes, sheet.columns)


def refusal(findings: Sequence[Finding]) -> PlanRefused:
    """The findings as a problem; `errors` name the cells, such as "D7"."""
    errors = [FieldError(field=f"{one.column}{one.row or ''}", message=one.message) for one in findings]
    told = [{"row": one.row, "column": one.column, "message": one.message} for one in findings]
    return PlanRefused(f"共 {len(findings)} 处。", errors=errors[:200], findings=told[:200])


def _rows(packed: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows that are not empty. Raises PlanRefused for what is no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as parts:
            if sum(part.file_size for part in parts.infolist()) > _MAX_UNPACKED:
                raise refusal([Finding(0, "", "文件太大")])
        book = load_workbook(io.BytesIO(packed), read_only=True, data_only=False)
        for number, cells in enumerate(book.worksheets[0].iter_rows(max_col=len(_FIELDS) + 20), start=1):
            if number > _MAX_ROWS:
                raise refusal([Finding(number, "A", f"最多 {_MAX_ROWS} 行")])
            if number == 1 or any(cell.value is not None for cell in cells):
                yield number, cells
    except BROKEN as error:
        raise refusal([Finding(0, "", "不是可以读取的 .xlsx 文件")]) from error


def _columns(cells: Sequence[Any]) -> dict[str, int]:
    """Where each field stands, by its heading. Raises PlanRefused."""
    known = {heading: field for field, heading in HEADINGS.items()}
    found, findings = dict[str, int](), list[Finding]()
    for place, cell in enumerate(cells):
        heading = "" if cell.value is None else str(cell.value).strip()
        if heading and (heading not in known or known[heading] in found):
            findings.append(Finding(1, get_column_letter(place + 1), "没有这一列，或重复"))
        elif heading:
            found[known[heading]] = place
    missing = [HEADINGS[field] for field in _FIELDS if field not in found]
    if missing:
        findings.append(Finding(1, "", f"缺少列：{'、'.join(missing)}"))
    if findings:
        raise refusal(findings)
    return found


def _read(field: str, cell: Any, letters: dict[str, str]) -> Any:
    value = None if cell is None else cell.value
    if cell is not None and cell.data_type == "f":
        raise _Wrong("不能使用公式")
    if isinstance(value, str):
        value = value.strip() or None
    if field in _READERS:
        return _READERS[field](value)
    text = "" if value is None else str(value)
    if len(text) > 40:
        raise _Wrong("内容太长")
    if field == "item_id" and not text:
        raise _Wrong("请填写事项编号")
    if field == "group_id" and text:
        return letters[text] if text in letters else _refuse("没有这个窗口组")
    return text


def _weekdays(value: Any) -> tuple[int, ...]:
    """ "一二三", "1,2,3" or the number 123."""
    text = re.sub(r"[\s,，、周星期]", "", "" if value is None else str(value)).replace("天", "日")
    days = tuple(
        _DAYS.index(one) + 1 if one in _DAYS else int(one) if one in "1234567" else 0 for one in text
    )
    return tuple(sorted(days)) if days and all(days) else _refuse("请填写星期，例如 一二三四五")


def _time(value: Any) -> str:
    """ "9:30" as text, or a time as Excel keeps it; an impossible one is refused."""
    if isinstance(value, dt.datetime | dt.time):
        return f"{value.hour:02}:{value.minute:02}" if not value.second else _refuse("时间只到分钟")
    found = _CLOCK.fullmatch(value.replace("：", ":")) if isinstance(value, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise _Wrong("应为 00:00 到 23:59 的时间，例如 09:00")
    return f"{int(found[1]):02}:{found[2]}"


def _number(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None or isinstance(value, bool) else str(value)
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) else _refuse("应为整数")


def _flag(value: Any) -> bool:
    flags = {None: False, False: False, "否": False, True: True, "是": True}
    return flags[value] if value in flags else _refuse("应为 是 或 否")


def _day(value: Any) -> dt.date:
    return _last_day(value) or clock.today()


def _last_day(value: Any) -> dt.date | None:
    if value is None:
        return None
    found = _DAY.fullmatch(str(value))
    if found is None:
        raise _Wrong("应为日期，例如 2026-12-01")
    try:
        return within_reach(dt.date(*map(int, found.groups())))
    except ValueError:
        raise _Wrong("没有这一天") from None


def _refuse(says: str) -> NoReturn:
    raise _Wrong(says)


_READERS: Final[dict[str, Any]] = {
    "weekdays": _weekdays,
    "opens": _time,
    "closes": _time,
    "slot_minutes": _number,
    "capacity": _number,
    "urgent": _flag,
    "valid_from": _day,
    "valid_to": _last_day,
}


def _shown(field: str, value: Any, letters: dict[str, str]) -> Any:
    if field == "weekdays":
        return "".join(_DAYS[day - 1] for day in value)
    if field == "group_id":
        return letters.get(value, "")
    if field == "urgent":
        return "是" if value else "否"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
