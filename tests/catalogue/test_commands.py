import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.catalogue import commands, given
from tests.catalogue.makers import as_file, numbered


@pytest.fixture(autouse=True)
def _register(register: None) -> None:
    """Every test here needs the register."""


def _run(command: Callable[..., int], *arguments: Any, **how: Any) -> tuple[int, list[str]]:
    said: list[str] = []
    return command(*arguments, said.append, **how), said


def test_an_import_shows_its_progress_and_its_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = as_file(tmp_path, [numbered("TK0001", faq=None)])
    code, said = _run(commands.import_file, path)
    assert code == 0
    assert "检查事项" in capsys.readouterr().out
    assert said == [
        "  第 1 行 TK0001 常见问题（faq）：还没有填写常见问题。",
        "新增 1 项，更新 0 项，未变 0 项；1 项还有 1 处待补齐，补齐后才能发布。",
    ]


def test_a_refused_import_lists_every_error(tmp_path: Path) -> None:
    code, said = _run(commands.import_file, as_file(tmp_path, [numbered("TK0002", visits=-1, colour="red")]))
    assert code == 1
    assert "2 处错误，没有导入任何内容" in said[0]
    assert len(said) == 3


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, said = _run(commands.import_file, tmp_path / "none.json")
    assert code == 1
    assert "找不到文件" in said[1]


def test_publishing_by_hand_tells_what_is_missing(tmp_path: Path) -> None:
    _run(commands.import_file, as_file(tmp_path, [numbered("TK0003", faq=None), numbered("TK0004")]))
    code, said = _run(commands.publish_item, "TK0003")
    assert (code, said[1]) == (1, "  常见问题（faq）：还没有填写常见问题。")
    code, said = _run(commands.publish_item, "TK0004")
    assert (code, said) == (0, ["已发布 TK0004 不动产首次登记预受理，第 1 版。"])
    assert _run(commands.publish_item, "ZZ9999")[0] == 1


def test_a_template_is_written(tmp_path: Path) -> None:
    code, said = _run(commands.export_workbook, tmp_path / "template.xlsx", template=True)
    assert code == 0
    assert "0 项" in said[0]


def test_a_calendar_is_loaded_once(tmp_path: Path) -> None:
    code, said = _run(commands.load_calendar_file, given.CALENDARS / "2026.json")
    assert (code, said) == (0, ["该年度工作日历已经载入，没有变化。"])
    changed = given.read_json(given.CALENDARS / "2026.json")
    changed["days"].pop()
    path = tmp_path / "2026.json"
    path.write_text(json.dumps(changed), "utf-8")
    code, said = _run(commands.load_calendar_file, path)
    assert code == 1
    assert "2026-10-10" in said[0]
    path.write_text("{}")
    assert _run(commands.load_calendar_file, path)[0] == 1
