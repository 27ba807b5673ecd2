"""The calendar of legal days: one official notice per year, loaded as data (STANDARDS §7).

A year that is not loaded is never guessed in silence: `WorkCalendar` marks such dates as provisional.
"""

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError
from sqlalchemy import delete, select

from backend.catalogue.faults import faults_of
from backend.catalogue.form_record import Line, Strict
from backend.catalogue.models import CalendarDayRow, CalendarYearRow
from backend.catalogue.policy import Term
from backend.catalogue.problems import CalendarDiffers, CatalogueFileRefused, RowProblem
from backend.catalogue.words import say
from backend.kernel import clock
from backend.kernel.crypto import canonical
from backend.kernel.workdays import Due, Kind, WorkCalendar
from backend.store.unit import Unit

FRESH_SECONDS: Final = 1.0
"""How long another process may go on with the calendar it has after a year was loaded elsewhere."""


class _DayRecord(Strict):
    date: date
    kind: Kind
    name: Line


class _YearRecord(Strict):
    year: Annotated[int, Field(ge=2000, le=2100)]
    source: dict[str, Line]
    days: Annotated[list[_DayRecord], Field(min_length=1)]


@dataclass(slots=True)
class _Seen:
    """The calendar as this process last read it."""

    calendar: WorkCalendar | None = None
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_seen = _Seen()


def calendar(u: Unit) -> WorkCalendar:
    """The calendar of all loaded years; read again after a second, so that every process hears of a new year."""
    with _seen.lock:
        if _seen.calendar is None or clock.monotonic() >= _seen.until:
            _seen.calendar, _seen.until = _read(u), clock.monotonic() + FRESH_SECONDS
        return _seen.calendar


def calendar_years(u: Unit) -> frozenset[int]:
    """Years whose notice has been loaded."""
    return frozenset(u.session.scalars(select(CalendarYearRow.year)))


def due_on(u: Unit, day: date, term: Term) -> Due:
    """Last day of a limit counted from the day after `day`; provisional when it needs a year not loaded."""
    days = calendar(u)
    return days.add_workdays(day, term.days) if term.unit == "WD" else days.add_days(day, term.days)


def load_calendar(u: Unit, path: Path, *, replace: bool = False) -> bool:
    """Load the year in the file; whether anything changed. The same year again changes nothing.

    Raises CatalogueFileRefused, or CalendarDiffers (409) if a day of a loaded year would change without `replace`.
    """
    record = _parse(path)
    digest = hashlib.sha256(canonical(record.model_dump(mode="json"))).digest()
    row = u.get(CalendarYearRow, record.year, lock=True)
    if row is not None and row.digest == digest:
        return False
    if row is not None:
        _refuse_silent_change(u, record, replace=replace)
        u.session.execute(delete(CalendarDayRow).where(CalendarDayRow.year == record.year))
        row.source, row.digest, row.loaded_at = dict(record.source), digest, clock.now()
    else:
        source = dict(record.source)
        u.add(CalendarYearRow(year=record.year, source=source, digest=digest, loaded_at=clock.now()))
    u.flush()
    for day in record.days:
        u.add(CalendarDayRow(on=day.date, year=record.year, kind=day.kind, name=day.name))
    u.flush()
    forget()
    u.after_commit(forget)
    return True


def _read(u: Unit) -> WorkCalendar:
    years = calendar_years(u)
    rows = u.session.execute(select(CalendarDayRow.on, CalendarDayRow.kind))
    kinds: dict[date, Kind] = {row.on: "work" if row.kind == "work" else "off" for row in rows}
    return WorkCalendar(kinds, years)


def forget() -> None:
    """Read the calendar anew at the next question."""
    _seen.calendar = None


def _parse(path: Path) -> _YearRecord:
    try:
        record = _YearRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise _refusal(*faults_of(error)) from None
    counted = Counter(day.date for day in record.days)
    wrong = [day for day, times in counted.items() if times > 1 or day.year != record.year]
    if wrong:
        message = say("errors", "calendar_days", days="、".join(sorted(day.isoformat() for day in wrong)))
        raise _refusal(("days", message))
    return record


def _refusal(*faults: tuple[str, str]) -> CatalogueFileRefused:
    rows = [RowProblem(row=0, item="", field=field, message=message) for field, message in faults]
    return CatalogueFileRefused(
        say("errors", "refused", count=len(rows), **rows[0]), rows=rows, total=len(rows)
    )


def _refuse_silent_change(u: Unit, record: _YearRecord, *, replace: bool) -> None:
    query = select(CalendarDayRow.on, CalendarDayRow.kind).where(CalendarDayRow.year == record.year)
    loaded = {(row.on, row.kind) for row in u.session.execute(query)}
    announced = {(day.date, day.kind) for day in record.days}
    if (differing := loaded ^ announced) and not replace:
        days = sorted({day.isoformat() for day, _ in differing})
        raise CalendarDiffers(
            say("errors", "calendar_differs", year=record.year, days="、".join(days)), days=days
        )
