"""Legal time: working days with their shifted holidays (调休), as data announced year by year.

A year whose notice has not been loaded is never counted in silence: the answer is marked provisional, or
refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Kind = Literal["off", "work"]
_DAY = timedelta(days=1)
_FIRST_WEEKEND_DAY = 5


class YearNotLoaded(LookupError):
    """The holiday notice of this year is not in the calendar."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the holiday notice of {year} is not loaded")
        self.year = year


@dataclass(frozen=True, slots=True)
class Due:
    """Last day of a limit; provisional if days had to be guessed because their year is not loaded."""

    on: date
    provisional: bool


@dataclass(frozen=True)
class WorkCalendar:
    """Announced exceptions from the plain week, and the years for which they are complete."""

    kinds: Mapping[date, Kind]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        """Whether offices work on the day. Raises YearNotLoaded."""
        if not self._is_known(day):
            raise YearNotLoaded(day.year)
        return self._works(day)

    def add_workdays(self, day: date, count: int) -> Due:
        """Last day of a limit of working days; the day of receipt is not counted (Civil Code 201).

        A limit of zero ends on the day itself or, if that is off, on the next working day.
        """
        if count < 0:
            raise ValueError("a limit cannot be negative")
        start = day - _DAY if count == 0 else day
        left = max(count, 1)
        provisional = False
        for on in _days_after(start):
            provisional = provisional or not self._is_known(on)
            left -= self._works(on)
            if left == 0:
                return Due(on, provisional)
        raise OverflowError("the calendar has no more days")

    def add_days(self, day: date, count: int) -> Due:
        """Last day of a limit of calendar days; if that is off, the next working day (Civil Code 203)."""
        if count < 0:
            raise ValueError("a limit cannot be negative")
        return self.add_workdays(day + count * _DAY, 0)

    def workdays_between(self, first: date, last: date, *, guess: bool = False) -> int:
        """Working days after `first` up to and including `last`; negative if `last` is earlier.

        Raises YearNotLoaded, unless `guess` allows plain weeks where no notice is loaded.
        """
        if last < first:
            return -self.workdays_between(last, first, guess=guess)
        if not guess:
            self._refuse_unknown(first + _DAY, last)
        exceptions = sum(
            (kind == "work") - (day.weekday() < _FIRST_WEEKEND_DAY)
            for day, kind in self.kinds.items()
            if first < day <= last
        )
        return _weekdays_until(last) - _weekdays_until(first) + exceptions

    def _refuse_unknown(self, first: date, last: date) -> None:
        for year in range(first.year, last.year + 1):
            day, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
            while year not in self.years and day <= end:
                if day not in self.kinds:
                    raise YearNotLoaded(year)
                day += _DAY

    def _is_known(self, day: date) -> bool:
        return day.year in self.years or day in self.kinds

    def _works(self, day: date) -> bool:
        kind = self.kinds.get(day)
        return day.weekday() < _FIRST_WEEKEND_DAY if kind is None else kind == "work"


def _weekdays_until(day: date) -> int:
    """Days from Monday to Friday up to and with `day`, counted from Monday 1 January of the year 1."""
    weeks, rest = divmod(day.toordinal(), 7)
    return weeks * _FIRST_WEEKEND_DAY + min(rest, _FIRST_WEEKEND_DAY)


def _days_after(day: date) -> Iterator[date]:
    while True:
        day += _DAY
        yield day
