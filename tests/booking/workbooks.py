"""Workbooks as planners, and other people, may bring them."""

import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Any

from openpyxl import Workbook, load_workbook

from backend.booking.plan.sheets import COLUMNS, PATTERNS, RULES
from tests.booking.makers import ITEM

PATTERN: dict[str, Any] = {
    "item_id": ITEM, "weekdays": "一二三四五", "opens": "09:00", "closes": "12:00", "slot_minutes": 60, "capacity": 4,
    "urgent": "否", "valid_from": "2026-09-01",
}  # fmt: skip


def book_of(**sheets: Sequence[Mapping[str, Any]]) -> Workbook:
    """A workbook with these sheets: rows by field."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        sheet.append([one.heading for one in COLUMNS[title]])
        for row in rows:
            sheet.append([row.get(one.field) for one in COLUMNS[title]])
    return made


def packed(book: Workbook) -> bytes:
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def sheets(**given: Sequence[Mapping[str, Any]]) -> bytes:
    return packed(book_of(**given))


def patterns(*rows: Mapping[str, Any]) -> bytes:
    """The weekly plan alone; each row is the usual pattern but for what it says."""
    return sheets(**{PATTERNS: [PATTERN | dict(row) for row in rows]})


def rules(*rows: Mapping[str, Any]) -> bytes:
    return sheets(**{RULES: rows})


def rewritten(given: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """The same package with its parts changed, and more of them."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(given)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, part in more.items():
            new.writestr(name, part)
    return written.getvalue()


def mutated(given: bytes, chance: random.Random) -> bytes:
    """A workbook that somebody, or something, has spoilt."""
    return chance.choice(_SPOILERS)(given, chance)


def _odd_cells(given: bytes, chance: random.Random) -> bytes:
    book = load_workbook(io.BytesIO(given))
    for _ in range(chance.randint(1, 6)):
        sheet = chance.choice(book.worksheets)
        cell = sheet.cell(chance.randint(1, sheet.max_row + 1), chance.randint(1, sheet.max_column + 1))
        cell.value = chance.choice(_ODD)
    return packed(book)


def _odd_shape(given: bytes, chance: random.Random) -> bytes:
    book = load_workbook(io.BytesIO(given))
    sheet = chance.choice(book.worksheets)
    act = chance.randint(0, 5)
    if act == 0:
        sheet.merge_cells(start_row=1, start_column=1, end_row=3, end_column=chance.randint(1, 3))
    elif act == 1 and len(book.worksheets) > 1:
        sheet.sheet_state = chance.choice(["hidden", "veryHidden"])
    elif act == 2:
        sheet.title = chance.choice(["每周排班2", "Sheet1", "x" * 31])
    elif act == 3:
        sheet.delete_cols(chance.randint(1, sheet.max_column))
    elif act == 4:
        sheet.insert_rows(1, chance.randint(1, 3))
    else:
        sheet.append([chance.choice(_ODD) for _ in range(chance.randint(1, 30))])
    return packed(book)


def _odd_xml(given: bytes, chance: random.Random) -> bytes:
    """Parts whose text was changed here and there."""
    target = chance.choice(zipfile.ZipFile(io.BytesIO(given)).namelist())
    old, new = chance.choice(_IN_XML)

    def change(name: str, part: bytes) -> bytes:
        if name != target and chance.random() < 0.5:
            return part
        if old in part and chance.random() < 0.7:
            return part.replace(old, new, chance.randint(1, 5))
        place = chance.randrange(len(part) + 1)
        return part[:place] + new + part[place + chance.randint(0, 8) :]

    return rewritten(given, change)


def _lost_part(given: bytes, chance: random.Random) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(written, "w") as new:
        lost = chance.choice(old.namelist())
        for name in old.namelist():
            if name != lost:
                new.writestr(name, old.read(name))
    return written.getvalue()


def _odd_bytes(given: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(given)
    for _ in range(chance.randint(1, 20)):
        spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt[: chance.choice([len(spoilt), len(spoilt), chance.randrange(len(spoilt))])])


_SPOILERS = (_odd_cells, _odd_cells, _odd_shape, _odd_xml, _odd_xml, _lost_part, _odd_bytes)
_MOMENTS = [datetime(*when) for when in ((2026, 12, 1), (2026, 12, 1, 9), (1900, 1, 1), (9999, 12, 31))]  # noqa: DTZ001
_ODD: Sequence[Any] = (
    None, "", " ", "25:00", "24:00", "8：30", "０９：００", "9:00", "-1", -1, 0, 0.375, 1.0, 1.5, 46357, 46357.5,
    20261201, 10**18, 1e300, -1e300, True, False, "=1+1", "=HYPERLINK(\"x\")", "+1", "@x", "#REF!", "是", "否",
    "默认", "全部", "一二", "八", "1,8", time(9, 0), time(9, 0, 30), time(23, 59, 59), *_MOMENTS,
    "2026-02-30", "2026/12/1", "2026年12月1日", "１２", "½", "²", "٣", "x" * 500,
    "09:00-12:00", "09:00-12:00、11:00-13:00", "12:00-09:00", "-", "--", "A", "Z", "AA", "SI025", "SI999", "停办", "{",
    "[1]", "null", '{"a": 1}', "'", "\u202e", "😀", "0x10", "1e5", "1_0", "NaN",
)  # fmt: skip
_IN_XML: Sequence[tuple[bytes, bytes]] = (
    (b'r="A1"', b'r="ZZZZ99999999"'), (b'r="2"', b'r="1048577"'), (b'r="2"', b'r="-5"'), (b'r="2"', b'r="x"'),
    (b"<v>", b"<v>9"), (b"<v>0</v>", b"<v>999999</v>"), (b"<v>", b"<v>\xff"), (b't="s"', b't="e"'),
    (b't="n"', b't="d"'), (b't="s"', b't="b"'), (b"</row>", b""), (b"<sheetData>", b"<sheetData><row/><row/>"),
    (b"</c>", b"<f>A1</f></c>"), (b"utf-8", b"utf-16"), (b"<?xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><?xml"),
    (b"worksheets/sheet1.xml", b"../../etc/passwd"), (b"sheetId", b"sheetIx"), (b'state="visible"', b'state="odd"'),
    (b"<sheets>", b"<sheets><sheet/>"), (b"numFmtId", b"numFmtIx"), (b'numFmtId="0"', b'numFmtId="22"'),
    (b"<t>", b"<t>\x00"), (b"<si>", b""), (b'count="', b'count="9'), (b"dimension", b"dimensiom"),
    (b"<workbookPr", b'<workbookPr date1904="1"'), (b"xfId", b"xfIx"), (b'cellXfs count="', b'cellXfz count="'),
)  # fmt: skip
