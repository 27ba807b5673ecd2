from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from backend.catalogue import commands
from backend.catalogue.columns import COLUMNS
from backend.catalogue.importing import import_catalogue
from backend.catalogue.reading import read_file
from backend.catalogue.workbook import CellTooLong, write_workbook
from tests.catalogue.makers import CLERK, as_file, given_record, numbered


def _content(record: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in record.items() if value is not None}


def test_a_record_survives_the_round_trip(tmp_path: Path) -> None:
    records = [numbered("TW0001"), given_record("SI053")]
    path = tmp_path / "items.xlsx"
    assert write_workbook(path, records) == 2
    read = read_file(path)
    assert read.errors == []
    assert [_content(raw.data) for raw in read.records] == [_content(record) for record in records]


def test_a_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "items.xlsx"
    write_workbook(path, [numbered("TW0002", name="=1+1")])
    read = read_file(path)
    assert read.errors == []
    assert read.records[0].data["name"] == "=1+1"


def test_a_template_has_the_header_and_explains_it(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    assert write_workbook(path, []) == 0
    items, columns = load_workbook(path).worksheets
    assert [cell.value for cell in items[1]] == list(COLUMNS)
    assert items.max_row == 1
    assert columns.max_row == len(COLUMNS) + 1


def test_a_part_too_long_for_a_cell_is_told(tmp_path: Path) -> None:
    with pytest.raises(CellTooLong, match="JSON"):
        write_workbook(tmp_path / "items.xlsx", [numbered("TW0003", notices=["长" * 200] * 200)])


def test_an_exported_register_imports_unchanged(register: None, tmp_path: Path) -> None:
    records = [numbered("TW0004"), numbered("TW0005", faq=[], contacts=None)]
    import_catalogue(as_file(tmp_path, records), CLERK)
    path = tmp_path / "items.xlsx"
    assert commands.export_workbook(path, print) == 0
    outcome = import_catalogue(path, CLERK)
    assert (outcome.new, outcome.changed) == ((), ())
    assert {"TW0004", "TW0005"} <= set(outcome.unchanged)


def test_a_bad_row_of_a_sheet_is_named(
    register: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "items.xlsx"
    write_workbook(path, [numbered("TW0006"), numbered("TW0007", visits=-1)])
    said: list[str] = []
    assert commands.import_file(path, said.append) == 1
    assert any("第 3 行 TW0007 到现场次数（visits）" in line for line in said)
