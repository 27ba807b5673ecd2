"""What is worked on a day: weekly patterns read by the working-day calendar with 调休, and the days that differ.

- A working weekend is worked like a Monday: no notice says which weekday it makes up for.
- A plain weekend is worked by the patterns that list 6 or 7, a weekday by those that list it; urgent or not.
- A public holiday is worked by nobody, unless the site has set other hours for it.
- On a day with other hours the regular patterns of its weekday (else of Monday) say how long and how large slots
  are, the day says when; urgent patterns keep their own times. A closed day has no slots at all.
- Extra hours of a day are worked beside the usual ones, in the same way; where they overlap, the usual ones stand.
- Days before the first regular pattern of an item came into force, and items that never had one, go by the hours
  of the site and the item's own booking rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from backend.booking.models import DayRow, PatternRow
from backend.kernel import clock
from backend.kernel.workdays import WorkCalendar

MONDAY: Final = 1
FIRST_WEEKEND_DAY: Final = 6
CLOSED: Final = "closed"
HOURS: Final = "hours"
EXTRA: Final = "extra"
Hours = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of a day that is cut into slots; `pattern_id` is empty where the site's own hours apply."""

    opens: str
    closes: str
    slot_minutes: int
    capacity: int
    subject: str
    group_id: str
    urgent: bool
    pattern_id: str | None


def turns_on(
    day: date, calendar: WorkCalendar, patterns: Sequence[PatternRow], special: DayRow | None
) -> list[Turn]:
    """What the patterns make of a day. Raises YearNotLoaded."""
    if special is not None and special.kind == CLOSED:
        return []
    weekday = weekday_worked(calendar, day)
    valid = [one for one in patterns if is_valid(one, day)]
    usual = [one for one in valid if weekday in one.weekdays]
    if special is None:
        return [_turn(one, one.opens, one.closes) for one in usual]
    stays = [one for one in usual if one.urgent or special.kind == EXTRA]
    regular = [one for one in valid if not one.urgent]
    return [_turn(one, one.opens, one.closes) for one in stays] + [
        _turn(one, opens, closes)
        for one in _samples(regular, weekday or day.isoweekday())
        for opens, closes in special.hours
        if not any(_key(one) == _key(other) and _meet(other, opens, closes) for other in stays)
    ]


def weekday_worked(calendar: WorkCalendar, day: date) -> int | None:
    """The ISO weekday whose patterns apply; None on a public holiday. Raises YearNotLoaded."""
    works, kind = calendar.is_workday(day), calendar.kinds.get(day)
    if kind == "off":
        return None
    weekday = day.isoweekday()
    return MONDAY if works and weekday >= FIRST_WEEKEND_DAY else weekday


def hours_on(day: date, calendar: WorkCalendar, usual: Hours, special: DayRow | None) -> Hours:
    """When a site without patterns works on a day. Raises YearNotLoaded."""
    if special is not None and special.kind != EXTRA:
        return special.hours if special.kind == HOURS else []
    own = list(usual) if calendar.is_workday(day) else []
    extra = special.hours if special is not None else []
    return own + [span for span in extra if not any(_overlap(*span, *other) for other in own)]


def is_valid(pattern: PatternRow, day: date) -> bool:
    """Whether a pattern is in force on a day."""
    ended = pattern.valid_to is not None and pattern.valid_to < day
    return pattern.withdrawn_at is None and pattern.valid_from <= day and not ended


def planned_from(patterns: Sequence[PatternRow]) -> date | None:
    """From which day an item goes by patterns; one withdrawn by its first day was a mistake and does not count."""
    begun = [
        one.valid_from
        for one in patterns
        if not one.urgent and (one.withdrawn_at is None or clock.day_of(one.withdrawn_at) > one.valid_from)
    ]
    return min(begun, default=None)


def spans(day: date, turn: Turn) -> Iterator[tuple[datetime, datetime]]:
    """The slots of a turn; a rest shorter than a slot is not used."""
    step, start = timedelta(minutes=turn.slot_minutes), moment(day, turn.opens)
    end = moment(day, turn.closes)
    while start + step <= end:
        yield start, start + step
        start += step


def moment(day: date, time: str) -> datetime:
    """A time "HH:MM" of a Shanghai day."""
    return clock.at_local(day, int(time[:2]), int(time[3:]))


def overlap(one: PatternRow, other: PatternRow) -> bool:
    """Whether two patterns would open slots for the same windows and item at the same time."""
    return (
        _key(one) == _key(other)
        and bool(set(one.weekdays) & set(other.weekdays))
        and _meet(one, other.opens, other.closes)
        and (one.valid_to is None or other.valid_from <= one.valid_to)
        and (other.valid_to is None or one.valid_from <= other.valid_to)
    )


def by_day(days: Sequence[DayRow]) -> Mapping[date, DayRow]:
    return {one.day: one for one in days}


def _samples(patterns: Sequence[PatternRow], weekday: int) -> list[PatternRow]:
    """One pattern per item, subject and group: the earliest of the weekday, else of Monday."""
    chosen: dict[object, PatternRow] = {}
    for wanted in (weekday, MONDAY):
        for one in sorted(patterns, key=lambda one: (one.opens, one.id)):
            if wanted in one.weekdays:
                chosen.setdefault(_key(one), one)
    return list(chosen.values())


def _meet(one: PatternRow, opens: str, closes: str) -> bool:
    return _overlap(one.opens, one.closes, opens, closes)


def _overlap(opens: str, closes: str, other_opens: str, other_closes: str) -> bool:
    return opens < other_closes and other_opens < closes


def _key(one: PatternRow) -> tuple[str, str, str, str, bool]:
    return one.site_id, one.group_id, one.item_id, one.subject, one.urgent


def _turn(one: PatternRow, opens: str, closes: str) -> Turn:
    return Turn(opens, closes, one.slot_minutes, one.capacity, one.subject, one.group_id, one.urgent, one.id)
