"""Opens a file of items, JSON or Excel, and yields raw records with the row each one stands in.

Nothing is believed: size, encoding, repeated keys, unknown columns and formulas are told with their row and
field, and a formula is never evaluated. openpyxl reads XML through defusedxml, which refuses document types and
entities, wherever that package is installed: it is one of ours.
"""

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook

from backend.catalogue.columns import COLUMNS, NESTED, as_column
from backend.catalogue.words import say
from backend.catalogue.workbook import LONGEST_CELL
from backend.runtime.sheets import BROKEN

MAX_BYTES: Final = 20_000_000
MAX_UNPACKED: Final = 10 * MAX_BYTES
MAX_ROWS: Final = 20_000
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it stands in the file. `row` counts from 1: place in the list, or line of the sheet."""

    row: int
    data: dict[str, Any]

    @property
    def item_id(self) -> str:
        return str(self.data.get("item_id") or "")


@dataclass(frozen=True, slots=True)
class RowError:
    """One structural error. Row 0 is the file itself."""

    row: int
    item_id: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    records: list[RawRecord] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


class Unreadable(ValueError):
    """The file as a whole cannot be read; the message is for the clerk."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(say("errors", reason, **facts))


def read_file(path: Path) -> Read:
    """All records of the file and every error met while reading them."""
    try:
        return _read(path)
    except Unreadable as error:
        return Read(errors=[RowError(0, "", "", str(error))])


def _read(path: Path) -> Read:
    if not path.is_file():
        raise Unreadable("not_there", name=path.name)
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable("too_big", limit=MAX_BYTES // 1_000_000)
    readers = {".json": _read_json, ".xlsx": _read_workbook}
    if path.suffix.lower() not in readers:
        raise Unreadable("bad_suffix")
    read = readers[path.suffix.lower()](path)
    if not read.records and not read.errors:
        raise Unreadable("empty_file")
    return read


def _read_json(path: Path) -> Read:
    records = _parse(path)
    if isinstance(records, dict) and set(records) == {"items"}:
        records = records["items"]
    if not isinstance(records, list):
        raise Unreadable("not_a_list")
    if len(records) > MAX_ROWS:
        raise Unreadable("too_many_rows", limit=MAX_ROWS)
    read = Read()
    for row, data in enumerate(records, start=1):
        if isinstance(data, dict):
            read.records.append(RawRecord(row, data))
        else:
            read.errors.append(RowError(row, "", "", say("errors", "not_a_record")))
    return read


def _parse(path: Path) -> object:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Unreadable("not_utf8") from error
    except json.JSONDecodeError as error:
        raise Unreadable("not_json", line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise Unreadable("not_json", line=1, column=1) from error


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        names = [name for name, _ in pairs]
        raise Unreadable("key_twice", name=next(name for name in names if names.count(name) > 1))
    return told


def _no_constant(name: str) -> object:
    raise Unreadable("not_json", line=1, column=1)


def _read_workbook(path: Path) -> Read:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED:
                raise Unreadable("too_big", limit=MAX_BYTES // 1_000_000)
        book = load_workbook(path, read_only=True, data_only=False)
    except BROKEN as error:
        raise error if isinstance(error, Unreadable) else Unreadable("not_xlsx") from error
    try:
        return _read_sheet(book.worksheets[0].iter_rows())
    except BROKEN as error:
        # Rows are read one by one: what is forbidden or broken in a sheet shows only now.
        raise error if isinstance(error, Unreadable) else Unreadable("not_xlsx") from error
    finally:
        book.close()


def _read_sheet(rows: Iterator[Sequence[Any]]) -> Read:
    read = Read()
    header = _header(next(rows, ()), read)
    for number, cells in enumerate(rows, start=2):
        if number > MAX_ROWS + 1:
            raise Unreadable("too_many_rows", limit=MAX_ROWS)
        data = _row(number, header, cells, read)
        if data:
            read.records.append(RawRecord(number, data))
    return read


def _header(cells: Sequence[Any], read: Read) -> list[str]:
    names = ["" if cell.value is None else str(cell.value)[:LONGEST_NAME].strip() for cell in cells]
    if not any(names):
        raise Unreadable("no_header")
    for place, name in enumerate(names):
        if name and name not in COLUMNS:
            read.errors.append(RowError(1, "", name, say("errors", "header_unknown")))
        elif name and name in names[:place]:
            read.errors.append(RowError(1, "", name, say("errors", "header_twice")))
    return names


def _row(number: int, header: list[str], cells: Sequence[Any], read: Read) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for place, cell in enumerate(cells):
        name = header[place] if place < len(header) else ""
        if cell.value is None or (not name and not str(cell.value).strip()):
            continue
        problem = _cell_problem(name, cell)
        if problem is not None:
            read.errors.append(RowError(number, str(data.get("item_id", "")), name, problem))
        else:
            data[name] = as_column(name, cell.value)
    return data


def _cell_problem(name: str, cell: Any) -> str | None:
    if not name:
        return say("errors", "header_unknown")
    if isinstance(cell.value, str) and len(cell.value) > LONGEST_CELL:
        return say("errors", "cell_too_long", limit=LONGEST_CELL)
    if cell.data_type == "f":
        return say("errors", "formula")
    if name in NESTED and not _is_json(cell.value):
        return say("errors", "cell_json")
    return None


def _is_json(value: object) -> bool:
    try:
        json.loads(
            value if isinstance(value, str) else "", object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        return False
    return True
