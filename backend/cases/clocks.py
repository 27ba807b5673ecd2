"""Every date of a case as a pure function of calendar, terms and events (STANDARDS §2.1, §7).

The day on which something happens is never counted. A date that reaches into a year without a calendar is
provisional: shown as 约, computed again when the calendar comes, and without legal effect until then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.kernel import clock
from backend.kernel.workdays import Due, WorkCalendar, YearNotLoaded

WORKING, NATURAL = "WD", "ND"
SATURDAY = 5

OfficeHours = tuple[tuple[int, int], ...]
"""Opening times of a working day in minutes from midnight, in order."""

OFFICE_HOURS: OfficeHours = ((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60))


@dataclass(frozen=True, slots=True)
class Term:
    """So many days, working (WD) or natural (ND)."""

    days: int
    unit: str = WORKING


@dataclass(frozen=True, slots=True)
class Terms:
    """What the item's guide promises and the law demands; None where neither says anything."""

    pre_review_hours: int | None = None
    pre_review_in_office_hours: bool = False
    deemed_acceptance: Term | None = None
    correction: Term = Term(15)
    reopening: Term = Term(30, NATURAL)
    promise: Term | None = None
    legal: Term | None = None
    extension_days: int = 10
    delivery: Term = Term(10)


@dataclass(frozen=True, slots=True)
class DueMoment:
    """A deadline to the minute (aware UTC)."""

    at: datetime
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A special procedure; `ended_on` is None while it lasts. Its first day counts, its last does not."""

    started_on: date
    ended_on: date | None = None


def add_term(calendar: WorkCalendar, day: date, term: Term) -> Due:
    """The last day of a term that begins on the day after `day`."""
    add = calendar.add_days if term.unit == NATURAL else calendar.add_workdays
    return add(day, term.days)


def pre_review_due(calendar: WorkCalendar, terms: Terms, received_at: datetime) -> DueMoment | None:
    """24 hours by the clock, or so many office hours where the item says so (CY-03)."""
    if terms.pre_review_hours is None:
        return None
    if terms.pre_review_in_office_hours:
        return add_office_minutes(calendar, received_at, terms.pre_review_hours * 60)
    return DueMoment(received_at + timedelta(hours=terms.pre_review_hours))


def deemed_acceptance_due(calendar: WorkCalendar, terms: Terms, received_on: date) -> Due | None:
    """The last day on which silence is still only silence (行政许可法 art. 32)."""
    term = terms.deemed_acceptance
    return None if term is None else add_term(calendar, received_on, term)


def correction_due(calendar: WorkCalendar, terms: Terms, asked_on: date) -> Due:
    return add_term(calendar, asked_on, terms.correction)


def decision_due(
    calendar: WorkCalendar, term: Term, accepted_on: date, extended_by: int = 0, pauses: Iterable[Pause] = ()
) -> Due:
    """Last day for the decision: the term from the day after acceptance, extension, ended pauses."""
    stood_still, guessed = paused_days(calendar, term.unit, pauses)
    due = add_term(calendar, accepted_on, Term(term.days + extended_by + stood_still, term.unit))
    return Due(due.on, due.provisional or guessed)


def delivery_due(calendar: WorkCalendar, terms: Terms, decided_on: date) -> Due:
    """行政许可法 art. 44: within ten days of the decision."""
    return add_term(calendar, decided_on, terms.delivery)


def paused_days(calendar: WorkCalendar, unit: str, pauses: Iterable[Pause]) -> tuple[int, bool]:
    """Days of ended special procedures in the given unit, and whether a missing calendar made it a guess."""
    total, guessed = 0, False
    for pause in pauses:
        if pause.ended_on is not None:
            days, guess = days_between(calendar, unit, pause.started_on, pause.ended_on)
            total, guessed = total + days, guessed or guess
    return total, guessed


def days_between(calendar: WorkCalendar, unit: str, first: date, last: date) -> tuple[int, bool]:
    """Days after `first` up to and with `last` (negative if `last` is earlier); whether it is a guess."""
    if unit == NATURAL:
        return (last - first).days, False
    try:
        return calendar.workdays_between(first, last), False
    except YearNotLoaded:
        return calendar.workdays_between(first, last, guess=True), True


def add_office_minutes(
    calendar: WorkCalendar, start: datetime, minutes: int, hours: OfficeHours = OFFICE_HOURS
) -> DueMoment:
    """Walk through opening times until so many minutes have passed."""
    local = clock.local(start)
    day, from_minute, guessed = local.date(), local.hour * 60 + local.minute, False
    while True:
        works, guess = _is_workday(calendar, day)
        guessed = guessed or guess
        if works:
            for opens, closes in hours:
                begin = max(opens, from_minute)
                if minutes <= closes - begin:
                    end = begin + minutes
                    return DueMoment(clock.at_local(day, end // 60, end % 60), guessed)
                minutes -= max(0, closes - begin)
        day, from_minute = day + timedelta(days=1), 0


def days_early(calendar: WorkCalendar, unit: str, due_on: date, done_on: date) -> int:
    """How many days before (positive) or after (negative) its date something was done."""
    return days_between(calendar, unit, done_on, due_on)[0]


def _is_workday(calendar: WorkCalendar, day: date) -> tuple[bool, bool]:
    try:
        return calendar.is_workday(day), False
    except YearNotLoaded:
        return day.weekday() < SATURDAY, True
