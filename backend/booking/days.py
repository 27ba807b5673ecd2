"""Which days have free places: the first thing a citizen asks, so it is one statement whatever the span."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from backend import catalogue
from backend.booking import wording
from backend.booking.rules import DEFAULT, kept_rule
from backend.booking.views import DayOfSlots
from backend.kernel import clock
from backend.kernel.problems import FieldError, InvalidInput, NotYours
from backend.kernel.workdays import WorkCalendar, YearNotLoaded
from backend.store import lean
from backend.store.unit import Unit

MOST_DAYS: Final = 62
USUAL_DAYS: Final = 31
_DAYS: Final = f"""
    WITH rule AS MATERIALIZED (
        SELECT coalesce({kept_rule("elder_percent")}, {DEFAULT.elder_percent}) AS percent,
            make_interval(hours => coalesce({kept_rule("elder_until_hours")}, {DEFAULT.elder_until_hours})) AS until
        FROM (SELECT %(site)s::text AS site_id, %(item)s::text AS item_id) s
    ), mine AS (
        SELECT s.id, rule.percent = 0 OR s.starts_at <= %(now)s + rule.until AS for_all,
            (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS day, s.opens_at, s.closed_why,
            CASE WHEN s.closed_at IS NOT NULL THEN 'closed' WHEN s.closes_at <= %(now)s THEN 'over'
                WHEN s.release_id IS NOT NULL THEN 'release' WHEN s.opens_at > %(now)s THEN 'soon'
                ELSE 'open' END AS state
        FROM booking_slot s CROSS JOIN rule
        WHERE s.site_id = %(site)s AND s.item_id = %(item)s AND NOT s.urgent
            AND (%(subject)s::text IS NULL OR s.subject = %(subject)s)
            AND s.starts_at >= %(begins)s AND s.starts_at < %(ends)s
    ), told AS (
        SELECT m.day, array_agg(DISTINCT m.state) AS states, sum(p.free) AS free, sum(p.elder) AS elder,
            min(m.opens_at) FILTER (WHERE m.state = 'soon') AS opens_at,
            min(m.closed_why) FILTER (WHERE m.state = 'closed') AS why
        FROM mine m LEFT JOIN LATERAL (
            SELECT count(*) FILTER (WHERE kind = 'open' OR kind = 'elder' AND m.for_all) AS free,
                count(*) FILTER (WHERE kind = 'elder' AND NOT m.for_all) AS elder
            FROM booking_place WHERE slot_id = m.id AND booking_id IS NULL AND NOT kept AND m.state = 'open') p ON true
        GROUP BY m.day
    )
    SELECT d.day::date, t.states, coalesce(t.free, 0), coalesce(t.elder, 0), t.opens_at, t.why, shut.reason
    FROM booking_site site CROSS JOIN generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d (day)
    LEFT JOIN told t ON t.day = d.day::date
    LEFT JOIN booking_day shut ON shut.site_id = site.id AND shut.day = d.day::date AND shut.kind = 'closed'
    WHERE site.id = %(site)s ORDER BY 1
"""


def days_at(
    u: Unit, site_id: str, item_id: str, first: date | None, last: date | None, subject: str | None = None
) -> list[DayOfSlots]:
    """Each day from `first` (today) to `last` (a month on), at most 62 of them; `subject` None: any of the item's.

    Raises NotYours (no such site), InvalidInput (an impossible span).
    """
    first = first or clock.today()
    last = last or first + timedelta(days=USUAL_DAYS - 1)
    if not first <= last < first + timedelta(days=MOST_DAYS):
        says = f"日期范围应为 1 到 {MOST_DAYS} 天，结束不早于开始"
        raise InvalidInput(errors=[FieldError(field="to", message=says)])
    asked = {
        "site": site_id, "item": item_id, "subject": subject, "first": first, "last": last, "now": clock.now(),
        "begins": clock.start_of_day(first), "ends": clock.start_of_day(last + timedelta(days=1)),
    }  # fmt: skip
    rows = lean.execute(u.session, _DAYS, asked).fetchall()
    if not rows:
        raise NotYours
    calendar = catalogue.calendar(u)
    return [_day(calendar, *row) for row in rows]


def _day(
    calendar: WorkCalendar, day: date, states: list[str] | None, free: Any, elder: Any, opens_at: datetime | None,
    why: str | None, shut: str | None,
) -> DayOfSlots:  # fmt: skip
    state = _state(calendar, day, set(states or ()), int(free), int(elder), is_shut=shut is not None)
    return DayOfSlots(
        day, state, wording.say("day", state), int(free), int(elder), opens_at, shut or why or ""
    )


def _state(
    calendar: WorkCalendar, day: date, states: set[str], free: int, elder: int, *, is_shut: bool
) -> str:
    """What a day is, seen from the best of its slots."""
    if "open" in states:
        return "open" if free else "elder" if elder else "full"
    if is_shut:
        return "closed"
    for one in ("soon", "release", "closed", "over"):
        if one in states:
            return one
    if day < clock.today():
        return "over"
    return "none" if _is_worked(calendar, day) else "rest"


def _is_worked(calendar: WorkCalendar, day: date) -> bool:
    try:
        return calendar.is_workday(day)
    except YearNotLoaded:
        return True
