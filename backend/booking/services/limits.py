"""How many appointments a human being may have: counted per person, whether they booked or come along.

The fragments ask for the values of `spans`, and for %(person)s, %(item)s, %(subject)s and %(booking)s.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from backend import people
from backend.booking.problems import LimitReached
from backend.booking.rules import Rules, month_of, week_of
from backend.kernel import clock

COUNTED: Final = "state IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left')"
LIVE: Final = "state IN ('held', 'confirmed', 'checked_in', 'called')"
_WITHIN: Final = "(day BETWEEN {0} AND {1} OR moving_day BETWEEN {0} AND {1})"
_COLUMNS: Final = """
    b.id, b.item_id, b.subject, b.state, b.day, b.moving_day, b.origin, b.displaced_from, b.excused, b.made_at
"""
TIMES: Final = f"""
    count(*) FILTER (WHERE {COUNTED} AND {_WITHIN.format("%(day)s", "%(day)s")}) AS in_day,
    count(*) FILTER (WHERE {COUNTED} AND {_WITHIN.format("%(monday)s", "%(sunday)s")}) AS in_week,
    count(*) FILTER (WHERE {COUNTED} AND {_WITHIN.format("%(month_first)s", "%(month_last)s")}) AS in_month
"""
COMES_ALONG: Final = f"""
    SELECT {_COLUMNS}, false AS own FROM booking_companion c JOIN booking_booking b ON b.id = c.booking_id
    WHERE c.number_blind = {{blind}}
"""
BOOKED: Final = f"SELECT {_COLUMNS}, true AS own FROM booking_booking b WHERE b.person_id = {{person}}"
MINE: Final = f"""
    SELECT {TIMES},
        count(*) FILTER (WHERE own AND state IN ('lapsed', 'cancelled') AND origin = 'direct'
            AND displaced_from IS NULL AND NOT excused AND made_at >= %(midnight)s) AS thrown_away,
        count(*) FILTER (WHERE NOT own AND {LIVE} AND subject = %(subject)s) AS beside
    FROM ({BOOKED.format(person="%(person)s")} UNION ALL {COMES_ALONG.format(blind=people.folded.NUMBER)}) AS mine
    WHERE item_id = %(item)s AND id <> %(booking)s
"""
"""What a person has booked and where they come along; `beside`: live ones of the same item and subject with others."""
THEIRS: Final = f"""
    SELECT asked.place, {TIMES}, count(*) FILTER (WHERE {LIVE} AND subject = %(subject)s) AS beside
    FROM unnest(%(places)s::integer[], %(blinds)s::bytea[]) AS asked (place, blind)
    CROSS JOIN LATERAL ({BOOKED.format(person=people.folded.HOLDER.format(blind="asked.blind"))}
        UNION ALL {COMES_ALONG.format(blind="asked.blind")}) AS theirs
    WHERE item_id = %(item)s AND id <> %(booking)s GROUP BY asked.place
"""
"""The same for each of those who come along."""


def spans(day: date) -> dict[str, Any]:
    """The day, its week and month, and where today begins."""
    (monday, sunday), (month_first, month_last) = week_of(day), month_of(day)
    return {
        "day": day, "monday": monday, "sunday": sunday, "month_first": month_first, "month_last": month_last,
        "midnight": clock.start_of_day(clock.today()),
    }  # fmt: skip


def require_times(rules: Rules, counts: Sequence[Any]) -> None:
    """Counts in the day, the week and the month, without the booking wanted. Raises LimitReached."""
    most = (rules.per_day, "当天"), (rules.per_week, "当周"), (rules.per_month, "当月")
    for count, (limit, span) in zip(counts, most, strict=False):
        if count >= limit:
            raise LimitReached(f"同一事项{span}最多预约 {limit} 次，请选择其他日期。")
