"""The clocks against the vectors of STANDARDS §7, pauses, extension, office hours and missing calendars."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cases import clocks
from backend.cases.clocks import NATURAL, Pause, Term, Terms
from backend.kernel import clock
from backend.kernel.workdays import Due, WorkCalendar


def _days(first: str, last: str) -> list[date]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [begin + timedelta(days=n) for n in range((end - begin).days + 1)]


OFF = [
    *_days("2026-01-01", "2026-01-03"), *_days("2026-02-15", "2026-02-23"), *_days("2026-04-04", "2026-04-06"),
    *_days("2026-05-01", "2026-05-05"), *_days("2026-06-19", "2026-06-21"), *_days("2026-09-25", "2026-09-27"),
    *_days("2026-10-01", "2026-10-07"),
]  # fmt: skip
WORK = [date.fromisoformat(f"2026-{day}") for day in ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")]
CALENDAR = WorkCalendar({**dict.fromkeys(OFF, "off"), **dict.fromkeys(WORK, "work")}, frozenset({2026}))


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-09-30", 5, "2026-10-13"),
        ("2026-02-13", 3, "2026-02-25"),
        ("2026-04-30", 1, "2026-05-06"),
        ("2026-09-18", 2, "2026-09-21"),
        ("2026-11-20", 5, "2026-11-27"),
    ],
)
def test_deemed_acceptance_follows_the_shifted_holidays(received: str, days: int, due: str) -> None:
    terms = Terms(deemed_acceptance=Term(days))
    found = clocks.deemed_acceptance_due(CALENDAR, terms, date.fromisoformat(received))
    assert found == Due(date.fromisoformat(due), provisional=False)


def test_a_date_into_an_unknown_year_is_provisional() -> None:
    found = clocks.decision_due(CALENDAR, Term(5), date(2026, 12, 28))
    assert found == Due(date(2027, 1, 4), provisional=True)


def test_an_item_without_the_rule_is_never_deemed_accepted() -> None:
    assert clocks.deemed_acceptance_due(CALENDAR, Terms(), date(2026, 11, 20)) is None


def test_days_of_a_special_procedure_are_not_counted() -> None:
    plain = clocks.decision_due(CALENDAR, Term(5), date(2026, 11, 16))
    paused = clocks.decision_due(
        CALENDAR, Term(5), date(2026, 11, 16), pauses=[Pause(date(2026, 11, 18), date(2026, 11, 24))]
    )
    assert plain.on == date(2026, 11, 23)
    assert paused.on == date(2026, 11, 27)


def test_a_procedure_ended_the_same_day_costs_nothing() -> None:
    pause = Pause(date(2026, 11, 18), date(2026, 11, 18))
    assert clocks.paused_days(CALENDAR, "WD", [pause]) == (0, False)


def test_a_running_procedure_is_not_counted_yet() -> None:
    assert clocks.paused_days(CALENDAR, "WD", [Pause(date(2026, 11, 18))]) == (0, False)


def test_a_pause_over_new_year_makes_the_date_provisional() -> None:
    due = clocks.decision_due(
        CALENDAR, Term(3), date(2026, 12, 1), pauses=[Pause(date(2026, 12, 3), date(2027, 1, 8))]
    )
    assert due.provisional


def test_the_extension_prolongs_the_term_once_more() -> None:
    assert clocks.decision_due(CALENDAR, Term(20), date(2026, 11, 2), extended_by=10).on == date(2026, 12, 14)


def test_natural_days_end_on_a_working_day() -> None:
    assert clocks.decision_due(CALENDAR, Term(7, NATURAL), date(2026, 9, 26)).on == date(2026, 10, 8)


def test_an_immediate_item_is_due_the_same_day() -> None:
    assert clocks.decision_due(CALENDAR, Term(0), date(2026, 11, 20)).on == date(2026, 11, 20)


def test_the_result_is_delivered_within_ten_days() -> None:
    assert clocks.delivery_due(CALENDAR, Terms(), date(2026, 11, 20)).on == date(2026, 12, 4)


def test_pre_review_takes_24_hours_by_the_clock() -> None:
    received = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    found = clocks.pre_review_due(CALENDAR, Terms(pre_review_hours=24), received)
    assert found is not None
    assert found.at == received + timedelta(hours=24)


def test_office_hours_pass_only_while_offices_are_open() -> None:
    received = clock.at_local(date(2026, 9, 30), 16, 0)
    found = clocks.add_office_minutes(CALENDAR, received, 120)
    assert (found.at, found.provisional) == (clock.at_local(date(2026, 10, 8), 9, 30), False)


def test_office_hours_begin_when_the_office_opens() -> None:
    received = clock.at_local(date(2026, 11, 22), 3, 0)
    assert clocks.add_office_minutes(CALENDAR, received, 60).at == clock.at_local(date(2026, 11, 23), 9, 30)


def test_office_hours_into_an_unknown_year_are_provisional() -> None:
    assert clocks.add_office_minutes(CALENDAR, clock.at_local(date(2026, 12, 31), 16, 0), 120).provisional


def test_early_and_late_are_told_in_the_unit_of_the_term() -> None:
    assert clocks.days_early(CALENDAR, "WD", date(2026, 10, 13), date(2026, 9, 30)) == 5
    assert clocks.days_early(CALENDAR, "WD", date(2026, 9, 30), date(2026, 10, 13)) == -5
    assert clocks.days_early(CALENDAR, NATURAL, date(2026, 9, 30), date(2026, 10, 13)) == -13


def test_the_loaded_calendar_says_the_same_as_these_vectors() -> None:
    said = json.loads(Path("data/calendars/2026.json").read_text("utf-8"))
    assert sum(CALENDAR.is_workday(day) for day in _days("2026-01-01", "2026-12-31")) == 248
    assert "2026" in json.dumps(said)


_dates = st.dates(date(2026, 1, 5), date(2026, 9, 30))


@given(_dates, st.integers(0, 30), st.integers(0, 30), _dates, st.integers(0, 20))
def test_a_pause_never_brings_the_date_nearer(
    accepted: date, days: int, extra: int, started: date, length: int
) -> None:
    pause = Pause(started, started + timedelta(days=length))
    plain = clocks.decision_due(CALENDAR, Term(days), accepted, extra)
    paused = clocks.decision_due(CALENDAR, Term(days), accepted, extra, [pause])
    assert paused.on >= plain.on
