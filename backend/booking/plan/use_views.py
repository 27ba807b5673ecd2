"""What the planners of a department see of a site's slots: how they are used, and who has to leave a closed one."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """A slot as planners see it, closed or not."""

    id: str
    item_id: str
    subject: str
    group_id: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    urgent: bool
    release_id: str | None
    closed_at: datetime | None
    closed_why: str


@dataclass(frozen=True, slots=True)
class Displaced:
    """How far the appointments of a closed day have found another time.

    `waiting` have not been told yet, `offered` hold another place, `unplaced` were told that there is none yet and
    stand first on the wait list, `open` let their offer pass and may still choose, `moved` have another time,
    `cancelled` were ended.
    """

    day: date
    slots: int
    waiting: int
    offered: int
    unplaced: int
    open: int
    moved: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Use:
    """What became of places: people, not appointments, are counted, since a party takes several places.

    `cancelled_late`: given back when nobody could book the place online any more. Percentages are of `places`, which
    can be booked; what is left for people who come without booking (`walk_in`) is not among them.
    """

    places: int
    walk_in: int
    taken: int
    free: int
    served: int
    missed: int
    left: int
    cancelled_late: int
    taken_percent: float
    served_percent: float


@dataclass(frozen=True, slots=True)
class DateUse:
    """A day of the whole site; `walk_ins` and `waiting` as in Utilisation."""

    day: date
    use: Use
    walk_ins: int
    waiting: int


@dataclass(frozen=True, slots=True)
class DayUse:
    """A day of an item."""

    day: date
    item_id: str
    use: Use
    waiting: int


@dataclass(frozen=True, slots=True)
class GroupUse:
    """`group_id` is empty for slots that belong to no window group."""

    group_id: str
    use: Use
    walk_ins: int


@dataclass(frozen=True, slots=True)
class KindUse:
    """Places of a kind, for `open` everybody, the `elder`, or `walk_in`; people with a queue number have the last."""

    kind: str
    places: int
    taken: int
    served: int
    missed: int
    left: int


@dataclass(frozen=True, slots=True)
class Utilisation:
    """How the places of a site were used.

    `walk_ins` took a queue number without an appointment. `waiting` stand on the wait list for such a day, or waited
    for it in vain; who waits for any site of the item is counted at each.
    """

    site_id: str
    first: date
    last: date
    total: Use
    walk_ins: int
    waiting: int
    dates: tuple[DateUse, ...]
    days: tuple[DayUse, ...]
    groups: tuple[GroupUse, ...]
    kinds: tuple[KindUse, ...]
