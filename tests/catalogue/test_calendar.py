import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete

from backend import catalogue
from backend.catalogue import Term, given
from backend.catalogue.calendars import forget as forget_calendar
from backend.catalogue.models import CalendarDayRow, CalendarYearRow
from backend.kernel.workdays import Due
from backend.store.unit import run_unit, unit

NOTICE = given.CALENDARS / "2026.json"


@pytest.fixture(autouse=True)
def _register(register: None) -> Iterator[None]:
    """Other years are forgotten after each test."""
    yield
    with unit() as u:
        for table in (CalendarDayRow, CalendarYearRow):
            u.session.execute(delete(table).where(table.year != 2026))
    run_unit(lambda u: catalogue.load_calendar(u, NOTICE, replace=True))
    forget_calendar()


def _year(folder: Path, year: int, days: list[tuple[str, str]]) -> Path:
    path = folder / f"{year}.json"
    told = [{"date": day, "kind": kind, "name": "测试"} for day, kind in days]
    path.write_text(json.dumps({"year": year, "source": {"notice": "test"}, "days": told}), "utf-8")
    return path


def _load(path: Path, *, replace: bool = False) -> bool:
    return run_unit(lambda u: catalogue.load_calendar(u, path, replace=replace))


def _due(day: date, days: int) -> Due:
    with unit() as u:
        return catalogue.due_on(u, day, Term(days, "WD"))


def test_the_year_has_the_announced_working_days() -> None:
    with unit() as u:
        days = catalogue.calendar(u)
        assert catalogue.calendar_years(u) == {2026}
    assert days.workdays_between(date(2025, 12, 31), date(2026, 12, 31)) == 248


def test_loading_the_same_year_again_changes_nothing() -> None:
    assert _load(NOTICE) is False


def test_a_limit_beyond_the_loaded_years_is_provisional_until_they_come(tmp_path: Path) -> None:
    assert _due(date(2026, 12, 28), 5).provisional
    assert _load(_year(tmp_path, 2027, [("2027-01-01", "off"), ("2027-01-02", "work")])) is True
    due = _due(date(2026, 12, 28), 5)
    assert (due.on, due.provisional) == (date(2027, 1, 4), False)


def test_a_changed_day_of_a_loaded_year_is_refused(tmp_path: Path) -> None:
    _load(_year(tmp_path, 2027, [("2027-01-01", "off")]))
    changed = _year(tmp_path, 2027, [("2027-01-04", "off")])
    with pytest.raises(catalogue.CalendarDiffers) as caught:
        _load(changed)
    assert caught.value.extra["days"] == ["2027-01-01", "2027-01-04"]
    assert _load(changed, replace=True) is True
    with unit() as u:
        assert not catalogue.calendar(u).is_workday(date(2027, 1, 4))


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2027, [("2026-01-01", "off")]),
        (2027, [("2027-01-01", "off"), ("2027-01-01", "work")]),
        (2027, [("2027-02-30", "off")]),
        (2027, [("2027-01-01", "holiday")]),
        (2027, []),
        (1027, [("1027-01-01", "off")]),
    ],
)
def test_a_bad_calendar_is_refused(tmp_path: Path, year: int, days: list[tuple[str, str]]) -> None:
    with pytest.raises(catalogue.CatalogueFileRefused) as caught:
        _load(_year(tmp_path, year, days))
    assert caught.value.rows[0]["message"].endswith("。")
    with unit() as u:
        assert catalogue.calendar_years(u) == {2026}


def test_a_calendar_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "2027.json"
    path.write_text("{")
    with pytest.raises(catalogue.CatalogueFileRefused):
        _load(path)
