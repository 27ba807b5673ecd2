"""What became of the places of a site, by day, item, window group and kind; and how far displaced people have got."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import func, select

from backend.booking.models import PlaceRow, SlotRow
from backend.booking.plan.fitting import day_bounds
from backend.booking.plan.use_views import (
    DateUse,
    DayUse,
    Displaced,
    GroupUse,
    KindUse,
    PlannedSlot,
    Use,
    Utilisation,
)
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import lean
from backend.store.unit import Unit

K = TypeVar("K", bound=Hashable)

MOST_DAYS: Final = 92
OPEN, ELDER, WALK_IN = "open", "elder", "walk_in"
KINDS: Final = (OPEN, ELDER, WALK_IN)
_MINE: Final = """
    mine AS (
        SELECT s.id, s.item_id, s.group_id, s.closes_at, (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS day
        FROM booking_slot s WHERE s.site_id = %(site)s AND s.starts_at BETWEEN %(first)s AND %(last)s
            AND s.closed_at IS NULL
    )
"""
_PLACES: Final = f"""
    WITH {_MINE}
    SELECT m.day, m.item_id, m.group_id, p.kind, count(*), count(coalesce(p.booking_id, p.ticket_id)),
        count(*) FILTER (WHERE b.state = 'served' OR t.state = 'finished'),
        count(*) FILTER (WHERE b.state = 'missed'),
        count(*) FILTER (WHERE b.state = 'left' OR t.state IN ('left', 'absent'))
    FROM mine m JOIN booking_place p ON p.slot_id = m.id LEFT JOIN booking_booking b ON b.id = p.booking_id
    LEFT JOIN booking_ticket t ON t.id = p.ticket_id
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_LATE: Final = f"""
    WITH {_MINE}
    SELECT m.day, m.item_id, m.group_id, sum(b.party) FROM mine m JOIN booking_booking b ON b.slot_id = m.id
    WHERE b.state = 'cancelled' AND EXISTS (
        SELECT 1 FROM store_journal j WHERE j.matter = coalesce(b.case_id, b.id) AND j.subject = b.id
            AND j.target = 'cancelled' AND j.occurred_at >= m.closes_at)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_WALK_INS: Final = """
    SELECT day, group_id, count(*) FROM booking_ticket
    WHERE site_id = %(site)s AND booking_id IS NULL AND day BETWEEN %(first_day)s AND %(last_day)s
    GROUP BY 1, 2 ORDER BY 1, 2
"""
# As many people as stand on the list of a day without a place: who has got one, or has left, is not among them.
_WAITING: Final = """
    SELECT day::date, w.item_id, w.id, w.party
    FROM booking_site s JOIN booking_wait w ON s.item_ids ? w.item_id AND coalesce(w.site_id, s.id) = s.id
        AND w.state IN ('waiting', 'offered', 'ended')
        AND w.from_day <= %(last_day)s AND w.to_day >= %(first_day)s
    CROSS JOIN LATERAL generate_series(greatest(w.from_day, %(first_day)s)::timestamp,
        least(w.to_day, %(last_day)s)::timestamp, '1 day') AS day
    WHERE s.id = %(site)s ORDER BY 1, 2, 3
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


@dataclass(frozen=True, slots=True)
class Line:
    """Places of a kind on a day, of an item and group; `late` is what was cancelled late, of any kind."""

    day: date
    item_id: str
    group_id: str
    kind: str
    places: int = 0
    taken: int = 0
    served: int = 0
    missed: int = 0
    left: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """What was counted: places, queue numbers of walk-ins (day, group, count), waits (day, item, wait, people)."""

    lines: Sequence[Line]
    walk_ins: Sequence[tuple[date, str, int]]
    waits: Sequence[tuple[date, str, str, int]]

    @property
    def dates(self) -> list[date]:
        """Days on which anything was counted."""
        beside = {day for day, *_ in self.walk_ins} | {day for day, *_ in self.waits}
        return sorted(beside | {one.day for one in self.lines})

    def lines_of(self, key: Callable[[Line], K]) -> dict[K, list[Line]]:
        found: dict[K, list[Line]] = {}
        for line in self.lines:
            found.setdefault(key(line), []).append(line)
        return found

    def came(self, day: date | None = None, group_id: str | None = None) -> int:
        """How many walk-ins there were, of this day and in this group where they are named."""
        return sum(
            count for on, group, count in self.walk_ins if day in (None, on) and group_id in (None, group)
        )

    def waited(self, day: date | None = None, item_id: str | None = None) -> int:
        """How many people are on the wait list, for this day and item where they are named; everybody once."""
        found = {
            wait: people
            for on, item, wait, people in self.waits
            if day in (None, on) and item_id in (None, item)
        }
        return sum(found.values())


def utilisation(u: Unit, site_id: str, first: date, last: date) -> Utilisation:
    """How the places of a site were used from `first` to `last` (at most 92 days), closed slots left out.

    Raises InvalidInput for an impossible span.
    """
    books = counted(u, site_id, first, last)
    by_date, by_group = books.lines_of(lambda one: one.day), books.lines_of(lambda one: one.group_id)
    groups = sorted(by_group.keys() | {group_id for _, group_id, _ in books.walk_ins})
    by_item = books.lines_of(lambda one: (one.day, one.item_id))
    by_kind = books.lines_of(lambda one: one.kind)
    return Utilisation(
        site_id, first, last, use_of(books.lines), books.came(), books.waited(),
        tuple(
            DateUse(day, use_of(by_date.get(day, ())), books.came(day), books.waited(day)) for day in books.dates
        ),
        tuple(
            DayUse(day, item_id, use_of(found), books.waited(day, item_id))
            for (day, item_id), found in by_item.items()
        ),
        tuple(GroupUse(one, use_of(by_group.get(one, ())), books.came(None, one)) for one in groups),
        tuple(kind_use(kind, by_kind[kind]) for kind in KINDS if kind in by_kind),
    )  # fmt: skip


def counted(u: Unit, site_id: str, first: date, last: date) -> Books:
    """Count. Raises InvalidInput for an impossible span."""
    if not first <= last < first + timedelta(days=MOST_DAYS):
        says = f"日期范围应为 1 到 {MOST_DAYS} 天，结束不早于开始"
        raise InvalidInput(errors=[FieldError(field="to", message=says)])
    asked = {
        "site": site_id, "first_day": first, "last_day": last,
        "first": day_bounds(first)[0], "last": day_bounds(last)[1],
    }  # fmt: skip
    places, late, walk_ins, waits = (
        lean.execute(u.session, query, asked).fetchall() for query in (_PLACES, _LATE, _WALK_INS, _WAITING)
    )
    # No place says of which kind a booking was that gave its places back: it is told of those for everybody.
    lines = [Line(*row) for row in places] + [
        Line(day, item_id, group_id, OPEN, late=int(people)) for day, item_id, group_id, people in late
    ]
    return Books(lines, walk_ins, waits)


def use_of(lines: Iterable[Line]) -> Use:
    """The sums of these lines."""
    sums = dict.fromkeys(("places", "walk_in", "taken", "served", "missed", "left", "late"), 0)
    for one in lines:
        if one.kind == WALK_IN:
            sums["walk_in"] += one.places
            continue
        for name in ("places", "taken", "served", "missed", "left", "late"):
            sums[name] += getattr(one, name)
    places, taken, served = sums["places"], sums["taken"], sums["served"]
    return Use(
        places, sums["walk_in"], taken, places - taken, served, sums["missed"], sums["left"], sums["late"],
        _percent(taken, places), _percent(served, places),
    )  # fmt: skip


def kind_use(kind: str, lines: Sequence[Line]) -> KindUse:
    """The sums of these lines, which are of one kind."""
    return KindUse(
        kind, *(sum(getattr(one, name) for one in lines) for name in ("places", "taken", "served", "missed", "left"))
    )  # fmt: skip


def displaced_on(u: Unit, site_id: str, day: date) -> Displaced:
    """How far the appointments of closed slots of a day have found another time."""
    first, last = day_bounds(day)
    asked = {"site": site_id, "first": first, "last": last}
    row = lean.execute(u.session, _DISPLACED, asked).fetchone()
    return Displaced(day, *(row or ()))


def slots_on(u: Unit, site_id: str, day: date) -> list[PlannedSlot]:
    """Every slot of a site on a day, closed or not, with the places that are taken."""
    held = func.coalesce(PlaceRow.booking_id, PlaceRow.ticket_id)
    taken = select(func.count(held)).where(PlaceRow.slot_id == SlotRow.id).scalar_subquery()
    query = select(SlotRow, taken).where(
        SlotRow.site_id == site_id, SlotRow.starts_at.between(*day_bounds(day))
    )
    return [
        _slot(row, count) for row, count in u.session.execute(query.order_by(SlotRow.starts_at, SlotRow.id))
    ]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _slot(row: SlotRow, taken: Any) -> PlannedSlot:
    return PlannedSlot(
        row.id, row.item_id, row.subject, row.group_id, row.starts_at, row.ends_at, row.capacity, int(taken),
        row.urgent, row.release_id, row.closed_at, row.closed_why,
    )  # fmt: skip
