"""What the planners of a department see: the plan of a site, and what a change of it did to slots."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PatternWish:
    """A weekly pattern as somebody wants it: ISO weekdays (1 Monday … 7 Sunday), times "HH:MM" in Shanghai.

    A working weekend (调休) is worked like a Monday; a weekend or an evening is worked only where it is listed.
    """

    item_id: str
    weekdays: tuple[int, ...]
    opens: str
    closes: str
    slot_minutes: int
    capacity: int
    valid_from: date
    valid_to: date | None = None
    subject: str = ""
    group_id: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class PatternView(PatternWish):
    """A pattern of the plan."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class WindowWish:
    """A window of a group; `booked_first`: people with an appointment are called before walk-ins (HN-05)."""

    number: int
    booked_first: bool = False
    open: bool = True


@dataclass(frozen=True, slots=True)
class GroupWish:
    """Windows that handle the same items and share one queue; its letter begins its queue numbers."""

    letter: str
    name: str
    item_ids: tuple[str, ...]
    windows: tuple[WindowWish, ...]


@dataclass(frozen=True, slots=True)
class WindowView:
    id: str
    number: int
    booked_first: bool
    open: bool


@dataclass(frozen=True, slots=True)
class GroupView:
    id: str
    letter: str
    name: str
    item_ids: tuple[str, ...]
    windows: tuple[WindowView, ...]


@dataclass(frozen=True, slots=True)
class DayView:
    """A day that departs from the patterns: `kind` is "closed", or "hours" with its own [["09:00", "12:00"]]."""

    day: date
    kind: str
    hours: list[list[str]]
    reason: str


@dataclass(frozen=True, slots=True)
class RulesView:
    """The rules given for an item, or for all of them (`item_id` empty); what is not named has its default."""

    item_id: str
    rules: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a site: what is not withdrawn, and exceptional days from today."""

    site_id: str
    name: str
    address: str
    phone: str
    latitude: str | None
    longitude: str | None
    hours: list[list[str]]
    item_ids: tuple[str, ...]
    groups: tuple[GroupView, ...]
    patterns: tuple[PatternView, ...]
    days: tuple[DayView, ...]
    rules: tuple[RulesView, ...]


@dataclass(frozen=True, slots=True)
class KeptSlot:
    """A slot that the changed plan leaves alone: `why` is "booked" or "release".

    `planned`: the plan still has a slot at this time, of another size.
    """

    id: str
    item_id: str
    subject: str
    starts_at: datetime
    taken: int
    planned: bool
    why: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a change of the plan did to the slots that were open already."""

    opened: int = 0
    resized: int = 0
    removed: int = 0
    kept: tuple[KeptSlot, ...] = ()

    def __add__(self, other: "Fitted") -> "Fitted":
        return Fitted(
            self.opened + other.opened,
            self.resized + other.resized,
            self.removed + other.removed,
            self.kept + other.kept,
        )


@dataclass(frozen=True, slots=True)
class PatternChange:
    pattern: PatternView
    slots: Fitted


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What a new plan from a sheet did: patterns added, withdrawn and left as they were."""

    added: int
    withdrawn: int
    unchanged: int
    slots: Fitted


@dataclass(frozen=True, slots=True)
class RulesChange:
    rules: RulesView
    slots: Fitted


@dataclass(frozen=True, slots=True)
class Closing:
    """Slots closed or opened again; `affected` appointments in closed ones are offered other times."""

    closed: int = 0
    reopened: int = 0
    affected: int = 0


@dataclass(frozen=True, slots=True)
class DayChange:
    day: DayView | None
    slots: Closing
    fitted: Fitted = field(default_factory=Fitted)


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

    `waiting` have not been told yet, `offered` hold another place, `unplaced` were told that there is none yet,
    `open` let their offer pass and may still choose, `moved` have another time, `cancelled` were ended.
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
class DayUse:
    day: date
    item_id: str
    use: Use


@dataclass(frozen=True, slots=True)
class GroupUse:
    """`group_id` is empty for slots that belong to no window group."""

    group_id: str
    use: Use


@dataclass(frozen=True, slots=True)
class Utilisation:
    site_id: str
    first: date
    last: date
    total: Use
    days: tuple[DayUse, ...]
    groups: tuple[GroupUse, ...]
