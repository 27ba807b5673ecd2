"""What became of the places of a site, day by day and by window group; and how far displaced people have got."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from backend.booking.fitting import day_bounds
from backend.booking.models import PlaceRow, SlotRow
from backend.booking.plan_views import DayUse, Displaced, GroupUse, PlannedSlot, Use, Utilisation
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import lean
from backend.store.unit import Unit

MOST_DAYS: Final = 92
_COUNTS: Final = 7
_USE: Final = """
    WITH mine AS (
        SELECT s.id, s.item_id, s.group_id, s.closes_at, (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS day
        FROM booking_slot s WHERE s.site_id = %(site)s AND s.starts_at BETWEEN %(first)s AND %(last)s
            AND s.closed_at IS NULL
    ), given AS (
        SELECT p.slot_id, count(*) FILTER (WHERE p.kind <> 'walk_in') AS places,
            count(*) FILTER (WHERE p.kind = 'walk_in') AS walk_in, count(p.booking_id) AS taken FROM booking_place p
        WHERE p.slot_id IN (SELECT id FROM mine) GROUP BY p.slot_id
    ), ended AS (
        SELECT b.slot_id, sum(b.party) FILTER (WHERE b.state = 'served') AS served,
            sum(b.party) FILTER (WHERE b.state = 'missed') AS missed,
            sum(b.party) FILTER (WHERE b.state = 'left') AS left_hall,
            sum(b.party) FILTER (WHERE b.state = 'cancelled' AND EXISTS (
                SELECT 1 FROM store_journal j WHERE j.matter = coalesce(b.case_id, b.id) AND j.subject = b.id
                    AND j.target = 'cancelled' AND j.occurred_at >= mine.closes_at)) AS late
        FROM booking_booking b JOIN mine ON mine.id = b.slot_id
        WHERE b.state IN ('served', 'missed', 'left', 'cancelled') GROUP BY b.slot_id
    )
    SELECT m.day, m.item_id, m.group_id, sum(g.places), sum(g.walk_in), sum(g.taken),
        coalesce(sum(e.served), 0), coalesce(sum(e.missed), 0), coalesce(sum(e.left_hall), 0), coalesce(sum(e.late), 0)
    FROM mine m JOIN given g ON g.slot_id = m.id LEFT JOIN ended e ON e.slot_id = m.id
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_DISPLACED: Final = """
    WITH closed AS (
        SELECT id, closed_at FROM booking_slot
        WHERE site_id = %(site)s AND starts_at BETWEEN %(first)s AND %(last)s AND closed_at IS NOT NULL
    ), still AS (
        SELECT b.moving_to, b.displaced_to, b.displaced_from = c.id AND b.displaced_at = c.closed_at AS told
        FROM closed c JOIN booking_booking b ON b.slot_id = c.id AND b.state = 'confirmed'
    ), gone AS (
        SELECT b.slot_id = c.id AS here, b.state FROM closed c JOIN booking_booking b ON b.displaced_from = c.id
    )
    SELECT (SELECT count(*) FROM closed),
        count(*) FILTER (WHERE told IS NOT TRUE),
        count(*) FILTER (WHERE told AND moving_to IS NOT NULL),
        count(*) FILTER (WHERE told AND moving_to IS NULL AND displaced_to IS NULL),
        count(*) FILTER (WHERE told AND moving_to IS NULL AND displaced_to IS NOT NULL),
        (SELECT count(*) FROM gone WHERE NOT here),
        (SELECT count(*) FROM gone WHERE here AND state = 'cancelled')
    FROM still
"""


def utilisation(u: Unit, site_id: str, first: date, last: date) -> Utilisation:
    """How the places of a site were used from `first` to `last` (at most 92 days), closed slots left out.

    Raises InvalidInput for an impossible span.
    """
    if not first <= last < first + timedelta(days=MOST_DAYS):
        says = f"日期范围应为 1 到 {MOST_DAYS} 天，结束不早于开始"
        raise InvalidInput(errors=[FieldError(field="to", message=says)])
    asked = {"site": site_id, "first": day_bounds(first)[0], "last": day_bounds(last)[1]}
    rows = [(row[:3], [int(one) for one in row[3:]]) for row in lean.execute(u.session, _USE, asked)]
    by_day: dict[tuple[date, str], list[list[int]]] = {}
    by_group: dict[str, list[list[int]]] = {}
    for (day, item_id, group_id), counts in rows:
        by_day.setdefault((day, item_id), []).append(counts)
        by_group.setdefault(group_id, []).append(counts)
    return Utilisation(
        site_id, first, last, _use(counts for _, counts in rows),
        tuple(DayUse(day, item_id, _use(found)) for (day, item_id), found in by_day.items()),
        tuple(GroupUse(group_id, _use(found)) for group_id, found in sorted(by_group.items())),
    )  # fmt: skip


def displaced_on(u: Unit, site_id: str, day: date) -> Displaced:
    """How far the appointments of closed slots of a day have found another time."""
    first, last = day_bounds(day)
    asked = {"site": site_id, "first": first, "last": last}
    row = lean.execute(u.session, _DISPLACED, asked).fetchone()
    return Displaced(day, *(row or ()))


def slots_on(u: Unit, site_id: str, day: date) -> list[PlannedSlot]:
    """Every slot of a site on a day, closed or not, with the places that are taken."""
    taken = select(func.count(PlaceRow.booking_id)).where(PlaceRow.slot_id == SlotRow.id).scalar_subquery()
    query = select(SlotRow, taken).where(
        SlotRow.site_id == site_id, SlotRow.starts_at.between(*day_bounds(day))
    )
    return [
        _slot(row, count) for row, count in u.session.execute(query.order_by(SlotRow.starts_at, SlotRow.id))
    ]


def _use(counts: Iterable[Sequence[int]]) -> Use:
    sums = [sum(column) for column in zip(*counts, strict=True)] or [0] * _COUNTS
    places, walk_in, taken, served, missed, left, late = sums
    return Use(
        places,
        walk_in,
        taken,
        places - taken,
        served,
        missed,
        left,
        late,
        _percent(taken, places),
        _percent(served, places),
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _slot(row: SlotRow, taken: Any) -> PlannedSlot:
    return PlannedSlot(
        row.id, row.item_id, row.subject, row.group_id, row.starts_at, row.ends_at, row.capacity, int(taken),
        row.urgent, row.release_id, row.closed_at, row.closed_why,
    )  # fmt: skip
