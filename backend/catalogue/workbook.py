"""The register as an Excel workbook that a clerk can fill in and bring back: one item per row, nested parts as JSON."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from backend.catalogue.columns import COLUMNS, NESTED, as_cell
from backend.catalogue.words import label, say

LONGEST_CELL: Final = 32_767
_WIDTH: Final = 18


class CellTooLong(ValueError):
    """A nested part does not fit into a cell of a sheet; JSON carries it."""


def write_workbook(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write the records (contents of versions, or none for an empty template); returns how many."""
    book = Workbook()
    items = book.create_sheet(say("workbook", "items"), 0)
    _fill_row(items, 1, COLUMNS)
    written = 0
    for written, record in enumerate(records, start=1):
        _fill_row(items, written + 1, [as_cell(name, record.get(name)) for name in COLUMNS])
    _finish(items)
    _explain(book)
    book.save(path)
    return written


def _explain(book: Workbook) -> None:
    """A second sheet that says what the columns mean."""
    notes = book.worksheets[1]
    notes.title = say("workbook", "columns")
    _fill_row(notes, 1, [say("workbook", key) for key in ("field", "label", "kind")])
    for row, name in enumerate(COLUMNS, start=2):
        kind = say("workbook", "nested" if name in NESTED else "plain")
        _fill_row(notes, row, [name, label(name), kind])
    _finish(notes)


def _fill_row(sheet: Worksheet, row: int, values: Iterable[Any]) -> None:
    for column, value in enumerate(values, start=1):
        if isinstance(value, str) and len(value) > LONGEST_CELL:
            raise CellTooLong(say("workbook", "too_long", row=row, label=label(COLUMNS[column - 1])))
        cell = sheet.cell(row, column, value)
        if isinstance(cell, Cell) and cell.data_type == "f":
            cell.data_type = (
                "s"  # a text that begins with "=" is a text, and must stay one in the clerk's hands
            )


def _finish(sheet: Worksheet) -> None:
    sheet.freeze_panes = "A2"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = _WIDTH
