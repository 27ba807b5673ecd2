"""A workbook as somebody brings it: opened with care, and turned into tables of values.

Nothing is believed: what unpacks to more than a plan can be, macros, hidden sheets, merged cells, formulas and unknown
columns are findings, each with its place; whatever else is wrong with a file, it is one that cannot be read.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from defusedxml.ElementTree import DefusedXMLParser
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries

from backend.booking.plan.cells import Reader, Wrong
from backend.booking.plan.problems import PlanRefused
from backend.kernel.problems import FieldError
from backend.runtime.sheets import BROKEN

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BYTES: Final = 1_000_000
_MAX_UNPACKED: Final = 4 * MAX_BYTES
_MAX_PARTS: Final = 200
_MAX_ROWS: Final = 1000
_MAX_TOLD: Final = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a workbook. Row 1 is the headings; row 0 is the sheet itself, without sheet the file."""

    sheet: str
    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its heading, and what its cells must hold."""

    field: str
    heading: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was read, with its number in the sheet."""

    number: int
    values: Mapping[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.values[field]


@dataclass(frozen=True, slots=True)
class Table:
    """What a sheet says, and in which column each field stands."""

    title: str
    places: Mapping[str, int]
    rows: list[Row]

    def finding(self, row: int, field: str, message: str) -> Finding:
        """Something that is wrong with a field of a row."""
        return Finding(self.title, row, get_column_letter(self.places[field] + 1), message)


@dataclass(slots=True)
class _MergeFinder:
    """Hears the tags of a sheet go by and keeps where cells are merged; no tree is built."""

    found: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag.rpartition("}")[2] == "mergeCell":
            self.found.append(attributes.get("ref", ""))

    def close(self) -> list[str]:
        return self.found


@dataclass(slots=True)
class _Reading:
    """One workbook being read: what was found, and what is wrong."""

    columns: Mapping[str, Sequence[Column]]
    tables: dict[str, Table] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def read(self, packed: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(packed)) as parts:
            _require_harmless(parts)
            book = load_workbook(io.BytesIO(packed), read_only=True, data_only=False)
            for sheet in book.worksheets:
                title = str(sheet.title).strip()
                if sheet.sheet_state != "visible":
                    self.findings.append(Finding(title, 0, "", "工作表是隐藏的，请取消隐藏或删除后再上传"))
                elif title not in self.columns:
                    known = "、".join(self.columns)
                    self.findings.append(Finding(title, 0, "", f"没有这张工作表，可用的有：{known}"))
                elif title in self.tables:
                    self.findings.append(Finding(title, 0, "", "工作表重复"))
                else:
                    self._merged(title, parts.read(sheet._worksheet_path.lstrip("/")))
                    self._table(title, sheet, book.epoch)

    def _merged(self, title: str, part: bytes) -> None:
        for column, row, *_ in map(range_boundaries, _merges(part)):
            where = Finding(
                title,
                row or 0,
                get_column_letter(column) if column else "",
                "单元格合并了，请取消合并，每行都填写",
            )
            self.findings.append(where)

    def _table(self, title: str, sheet: Any, epoch: dt.datetime) -> None:
        columns = self.columns[title]
        rows = sheet.iter_rows(max_col=len(columns) + 20)
        headings = next(rows, ())
        places = self._places(title, headings)
        if places is None:
            return
        table = Table(title, places, [])
        self.tables[title] = table
        for number, cells in enumerate(rows, start=2):
            if number > _MAX_ROWS:
                self.findings.append(Finding(title, number, "A", f"最多 {_MAX_ROWS} 行"))
                return
            if any(cell.value is not None for cell in cells):
                self._row(table, number, cells, epoch)

    def _places(self, title: str, cells: Sequence[Any]) -> dict[str, int] | None:
        """Where each field stands, by its heading; None when that cannot be told."""
        known = {one.heading: one.field for one in self.columns[title]}
        found, before = dict[str, int](), len(self.findings)
        for place, cell in enumerate(cells):
            heading = "" if cell.value is None else str(cell.value).strip()
            if heading and (heading not in known or known[heading] in found):
                self.findings.append(Finding(title, 1, get_column_letter(place + 1), "没有这一列，或重复"))
            elif heading:
                found[known[heading]] = place
        if missing := [heading for heading, name in known.items() if name not in found]:
            self.findings.append(Finding(title, 1, "", f"缺少列：{'、'.join(missing)}"))
        return found if len(self.findings) == before else None

    def _row(self, table: Table, number: int, cells: Sequence[Any], epoch: dt.datetime) -> None:
        values, before = dict[str, Any](), len(self.findings)
        for column in self.columns[table.title]:
            place = table.places[column.field]
            try:
                values[column.field] = column.read(_value(cells, place), epoch)
            except Wrong as wrong:
                self.findings.append(table.finding(number, column.field, str(wrong)))
        if len(self.findings) == before:
            table.rows.append(Row(number, values))


def read_book(
    packed: bytes, columns: Mapping[str, Sequence[Column]]
) -> tuple[dict[str, Table], list[Finding]]:
    """The tables of a workbook by title, with the rows that can be read, and all that cannot.

    Raises PlanRefused for a file of which nothing can be read.
    """
    reading = _Reading(columns)
    try:
        reading.read(packed)
    except BROKEN as error:
        raise refusal(
            [Finding("", 0, "", "不是可以读取的 .xlsx 文件，请用 Excel 或 WPS 另存后再上传")]
        ) from error
    if not reading.tables:
        raise refusal(reading.findings or [Finding("", 0, "", "没有可以导入的工作表")])
    return reading.tables, reading.findings


def refusal(findings: Sequence[Finding]) -> PlanRefused:
    """The findings as a problem; `errors` name the cells, such as "每周排班!D7"."""
    errors = [FieldError(field=_cell(one), message=one.message) for one in findings]
    told = [
        {"sheet": one.sheet, "row": one.row, "column": one.column, "message": one.message} for one in findings
    ]
    return PlanRefused(f"共 {len(findings)} 处。", errors=errors[:_MAX_TOLD], findings=told[:_MAX_TOLD])


def _cell(one: Finding) -> str:
    place = f"{one.column}{one.row or ''}"
    return f"{one.sheet}!{place}" if one.sheet and place else one.sheet or place


def _merges(part: bytes) -> list[str]:
    """The ranges of merged cells, such as "A2:A3"; a part is read once, from its first byte to its last."""
    parser = DefusedXMLParser(target=_MergeFinder(), forbid_dtd=True)
    parser.feed(part)
    found: list[str] = parser.close()
    return found


def _value(cells: Sequence[Any], place: int) -> Any:
    """What a cell holds. Raises Wrong for a formula and for an error of Excel."""
    cell = cells[place] if place < len(cells) else None
    if cell is None or cell.value is None:
        return None
    if cell.data_type == "f":
        raise Wrong("不能使用公式，请填写数值")
    if cell.data_type == "e":
        raise Wrong("单元格里是错误值，请重新填写")
    return cell.value


def _require_harmless(parts: zipfile.ZipFile) -> None:
    """Raises PlanRefused for what unpacks to more than any plan, and for macros."""
    told = parts.infolist()
    if len(told) > _MAX_PARTS or sum(part.file_size for part in told) > _MAX_UNPACKED:
        raise refusal([Finding("", 0, "", "文件解开后太大，请只保留排班用的工作表")])
    if any(part.filename.lower().endswith("vbaproject.bin") for part in told):
        raise refusal([Finding("", 0, "", "文件里有宏，请另存为不带宏的 .xlsx 再上传")])
