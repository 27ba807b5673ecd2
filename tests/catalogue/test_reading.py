import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from backend.catalogue import reading
from backend.catalogue.reading import RowError, read_file


def _only_error(path: Path) -> RowError:
    read = read_file(path)
    assert read.records == []
    (error,) = read.errors
    return error


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"a": 1}', "第 1 行"),
        ('[{"a": 1, "a": 2}]', "字段 a 重复"),
        ('[{"a": NaN}]', "JSON"),
        ('{"a": []}', "事项数组"),
        ("3", "事项数组"),
        ("[]", "没有事项"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_a_broken_json_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "items.json"
    path.write_text(text)
    error = _only_error(path)
    assert (error.row, error.field) == (0, "")
    assert told in error.message


def test_a_file_of_other_bytes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_bytes("[{}]".encode("utf-16"))
    assert "UTF-8" in _only_error(path).message


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'[{"item_id": "TA0001"}]')
    (record,) = read_file(path).records
    assert (record.row, record.item_id) == (1, "TA0001")


def test_other_kinds_of_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("a,b")
    (tmp_path / "items.xlsx").write_text("no workbook")
    assert ".json" in _only_error(tmp_path / "items.csv").message
    assert "Excel" in _only_error(tmp_path / "items.xlsx").message
    assert "items.json" in _only_error(tmp_path / "items.json").message


def test_an_archive_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "items.xlsx", "w") as packed:
        packed.writestr("a.txt", "hello")
    assert "Excel" in _only_error(tmp_path / "items.xlsx").message


def test_a_file_beyond_the_limit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "items.json"
    path.write_text('[{"a": 1}, {"a": 2}]')
    monkeypatch.setattr(reading, "MAX_ROWS", 1)
    assert "超过 1 行" in _only_error(path).message
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    assert "MB" in _only_error(path).message


def test_a_bomb_in_a_workbook_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _workbook(tmp_path, [["item_id"], ["TA0001"]])
    monkeypatch.setattr(reading, "MAX_UNPACKED", 100)
    assert "MB" in _only_error(path).message


def test_a_document_type_in_a_workbook_is_refused(tmp_path: Path) -> None:
    whole = _workbook(tmp_path, [["item_id"], ["TA0001"]])
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        spoilt = tmp_path / "spoilt.xlsx"
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(spoilt, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                target.writestr(name, bomb + content if name == part else content)
        assert "Excel" in _only_error(spoilt).message


def test_a_sheet_that_breaks_off_is_refused(tmp_path: Path) -> None:
    whole, spoilt = _workbook(tmp_path, [["item_id"], ["TA0001"]]), tmp_path / "spoilt.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(spoilt, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    assert "Excel" in _only_error(spoilt).message


def test_a_part_that_cannot_be_unpacked_is_told(tmp_path: Path) -> None:
    whole, spoilt = _workbook(tmp_path, [["item_id"], ["TA0001"]]), tmp_path / "spoilt.xlsx"
    packed, sheet = bytearray(whole.read_bytes()), "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(whole) as source:
        part = source.getinfo(sheet)
    begin = part.header_offset + 30 + len(sheet)
    packed[begin : begin + part.compress_size] = b"\xff" * part.compress_size
    spoilt.write_bytes(packed)
    assert "Excel" in _only_error(spoilt).message


def test_styles_that_are_none_are_told(tmp_path: Path) -> None:
    whole, spoilt = _workbook(tmp_path, [["item_id"], ["TA0001"]]), tmp_path / "spoilt.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(spoilt, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"<a/>" if name == "xl/styles.xml" else source.read(name))
    assert "Excel" in _only_error(spoilt).message


def test_an_endless_cell_is_told(tmp_path: Path) -> None:
    whole, spoilt = _workbook(tmp_path, [["item_id", "name"], ["TA0001", "甲"]]), tmp_path / "spoilt.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(spoilt, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace("甲".encode(), b"x" * 40_000_000))
    assert "32767" in _told(spoilt)[(2, "name")]


def _workbook(folder: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(folder / "items.xlsx")
    return folder / "items.xlsx"


def _told(path: Path) -> dict[tuple[int, str], str]:
    return {(error.row, error.field): error.message for error in read_file(path).errors}


def test_cells_become_what_was_meant(tmp_path: Path) -> None:
    header = ["item_id", "visits", "is_fee", "item_type_code", "compress_ratio", "channels"]
    path = _workbook(tmp_path, [header, ["TA0001", 1.0, True, 20, 1, '["app"]'], [], ["TA0002"]])
    first, second = read_file(path).records
    assert first.data == {
        "item_id": "TA0001", "visits": 1, "is_fee": True, "item_type_code": "20", "compress_ratio": 1,
        "channels": ["app"],
    }  # fmt: skip
    assert (second.row, second.data) == (4, {"item_id": "TA0002"})


def test_a_formula_is_never_evaluated(tmp_path: Path) -> None:
    path = _workbook(tmp_path, [["item_id", "visits"], ["TA0001", "=1+1"]])
    assert "公式" in _told(path)[(2, "visits")]


def test_wrong_columns_and_cells_are_told(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["item_id", "colour", "name", "name", "fees"],
        ["TA0001", "red", "甲", "乙", "[1"],
        [None] * 5 + ["x"],
    ]
    assert set(_told(_workbook(tmp_path, rows))) == {(1, "colour"), (1, "name"), (2, "fees"), (3, "")}


def test_a_sheet_without_a_header_is_told(tmp_path: Path) -> None:
    assert "字段名" in _only_error(_workbook(tmp_path, [[]])).message
