from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.workdays import Due, Kind, WorkCalendar, YearNotLoaded

OFF = ["0101-0103", "0215-0223", "0404-0406", "0501-0505", "0619-0621", "0925-0927", "1001-1007"]
WORK = ["0104", "0214", "0228", "0509", "0920", "1010"]
few = settings(max_examples=60, deadline=None)


def day_2026(text: str) -> date:
    return date(2026, int(text[:2]), int(text[2:]))


def notice_of_2026() -> dict[date, Kind]:
    """The State Council's holiday notice for 2026."""
    kinds: dict[date, Kind] = {day_2026(text): "work" for text in WORK}
    for first, last in (span.split("-") for span in OFF):
        length = (day_2026(last) - day_2026(first)).days + 1
        kinds.update({day_2026(first) + timedelta(days=n): "off" for n in range(length)})
    return kinds


CALENDAR = WorkCalendar(notice_of_2026(), frozenset({2026}))
days_of_2026 = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def test_2026_has_248_working_days() -> None:
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(CALENDAR.is_workday(day) for day in year) == 248


@pytest.mark.parametrize(
    ("received", "count", "due"),
    [("2026-09-30", 5, "2026-10-13"), ("2026-02-13", 3, "2026-02-25"), ("2026-04-30", 1, "2026-05-06"),
     ("2026-09-18", 2, "2026-09-21"), ("2026-11-20", 5, "2026-11-27")],
)  # fmt: skip
def test_limits_of_the_standard_are_met(received: str, count: int, due: str) -> None:
    assert CALENDAR.add_workdays(date.fromisoformat(received), count) == Due(date.fromisoformat(due), False)


@pytest.mark.parametrize(
    ("received", "count", "due"), [("2026-12-31", 1, "2027-01-01"), ("2026-12-28", 5, "2027-01-04")]
)
def test_a_limit_into_an_unknown_year_is_provisional(received: str, count: int, due: str) -> None:
    assert CALENDAR.add_workdays(date.fromisoformat(received), count) == Due(date.fromisoformat(due), True)


def test_a_limit_within_december_is_certain() -> None:
    assert CALENDAR.add_workdays(date(2026, 12, 28), 3) == Due(date(2026, 12, 31), False)


def test_a_day_known_from_next_years_notice_is_certain() -> None:
    kinds: dict[date, Kind] = {**notice_of_2026(), date(2027, 1, 1): "off"}
    calendar = WorkCalendar(kinds, frozenset({2026}))
    assert not calendar.is_workday(date(2027, 1, 1))
    assert calendar.add_workdays(date(2026, 12, 31), 1) == Due(date(2027, 1, 4), True)


def test_an_unknown_year_is_never_guessed_in_silence() -> None:
    with pytest.raises(YearNotLoaded) as refused:
        CALENDAR.is_workday(date(2027, 1, 4))
    assert refused.value.year == 2027
    with pytest.raises(YearNotLoaded):
        CALENDAR.workdays_between(date(2026, 12, 30), date(2027, 1, 4))
    assert CALENDAR.workdays_between(date(2026, 12, 30), date(2027, 1, 4), guess=True) == 3


@pytest.mark.parametrize(
    ("day", "works"),
    [("2026-02-14", True), ("2026-02-16", False), ("2026-11-20", True), ("2026-11-21", False)],
)
def test_shifted_days_override_the_week(day: str, works: bool) -> None:
    assert CALENDAR.is_workday(date.fromisoformat(day)) is works


@pytest.mark.parametrize(("day", "due"), [("2026-11-20", "2026-11-20"), ("2026-11-21", "2026-11-23")])
def test_a_limit_of_zero_ends_at_once(day: str, due: str) -> None:
    assert CALENDAR.add_workdays(date.fromisoformat(day), 0) == Due(date.fromisoformat(due), False)


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [("2026-11-10", 10, "2026-11-20"), ("2026-11-11", 10, "2026-11-23"), ("2026-09-21", 10, "2026-10-08")],
)
def test_calendar_days_end_on_a_working_day(day: str, count: int, due: str) -> None:
    assert CALENDAR.add_days(date.fromisoformat(day), count) == Due(date.fromisoformat(due), False)


def test_calendar_days_into_an_unknown_year_are_provisional() -> None:
    assert CALENDAR.add_days(date(2026, 12, 20), 13) == Due(date(2027, 1, 4), True)


def test_a_negative_limit_is_refused() -> None:
    for verb in (CALENDAR.add_workdays, CALENDAR.add_days):
        with pytest.raises(ValueError, match="negative"):
            verb(date(2026, 11, 20), -1)


@few
@given(day=days_of_2026, count=st.integers(1, 60))
def test_counting_back_gives_the_same_limit(day: date, count: int) -> None:
    due = CALENDAR.add_workdays(day, count)
    assert due.provisional == (due.on.year == 2027)
    assert CALENDAR.workdays_between(day, due.on, guess=True) == count
    assert CALENDAR.workdays_between(due.on, day, guess=True) == -count


@few
@given(day=days_of_2026, count=st.integers(0, 60))
def test_one_more_day_never_ends_earlier(day: date, count: int) -> None:
    assert CALENDAR.add_workdays(day, count).on <= CALENDAR.add_workdays(day, count + 1).on
    assert CALENDAR.add_days(day, count).on <= CALENDAR.add_days(day, count + 1).on


@few
@given(first=st.dates(date(2025, 11, 1), date(2027, 3, 1)), length=st.integers(0, 200))
def test_a_span_holds_as_many_working_days_as_counting_finds(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    days = [first + timedelta(days=n) for n in range(1, length + 1)]
    works = [CALENDAR.kinds.get(day, "work" if day.weekday() < 5 else "off") == "work" for day in days]
    assert CALENDAR.workdays_between(first, last, guess=True) == sum(works)
    if all(day.year == 2026 for day in days):
        assert CALENDAR.workdays_between(first, last) == sum(works)
    else:
        with pytest.raises(YearNotLoaded):
            CALENDAR.workdays_between(first, last)


def test_a_span_of_announced_days_needs_no_year() -> None:
    kinds: dict[date, Kind] = {**notice_of_2026(), date(2027, 1, 1): "off"}
    calendar = WorkCalendar(kinds, frozenset({2026}))
    assert calendar.workdays_between(date(2026, 12, 30), date(2027, 1, 1)) == 1
    with pytest.raises(YearNotLoaded):
        calendar.workdays_between(date(2026, 12, 30), date(2027, 1, 2))
