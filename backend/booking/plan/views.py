"""What the planners of a department wish and see: the plan of a site, and what a change of it does to slots."""

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
class WindowView(WindowWish):
    id: str = ""


@dataclass(frozen=True, slots=True)
class GroupWish:
    """Windows that handle the same items and share one queue; its letter begins its queue numbers."""

    letter: str
    name: str
    item_ids: tuple[str, ...]
    windows: tuple[WindowWish, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    id: str
    letter: str
    name: str
    item_ids: tuple[str, ...]
    windows: tuple[WindowView, ...]


@dataclass(frozen=True, slots=True)
class DayView:
    """A day that departs from the patterns.

    `kind` is "closed", "hours" (open at its own [["09:00", "12:00"]] instead) or "extra" (open then as well).
    """

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
    """A slot that is not as the plan says: `why` it stays is "booked" or "release".

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
    """What a change of the plan does to the slots that are open already."""

    opened: int = 0
    resized: int = 0
    removed: int = 0
    kept: tuple[KeptSlot, ...] = ()

    def __add__(self, other: "Fitted") -> "Fitted":
        """Both; what is as it is in either, is named as the second found it."""
        kept = {one.id: one for one in (*self.kept, *other.kept)}
        return Fitted(
            self.opened + other.opened, self.resized + other.resized, self.removed + other.removed,
            tuple(kept.values()),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Closing:
    """Slots closed or opened again; `affected` appointments in closed ones are offered other times."""

    closed: int = 0
    reopened: int = 0
    affected: int = 0

    def __add__(self, other: "Closing") -> "Closing":
        return Closing(
            self.closed + other.closed, self.reopened + other.reopened, self.affected + other.affected
        )


@dataclass(frozen=True, slots=True)
class PatternChange:
    pattern: PatternView
    slots: Fitted


@dataclass(frozen=True, slots=True)
class HoursChange:
    hours: list[list[str]]
    slots: Fitted


@dataclass(frozen=True, slots=True)
class RulesChange:
    rules: RulesView
    slots: Fitted


@dataclass(frozen=True, slots=True)
class DayChange:
    day: DayView | None
    slots: Closing
    fitted: Fitted = field(default_factory=Fitted)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What a new plan from a workbook does: patterns added, withdrawn and left as they were, and all the rest.

    `days` and `rules` count those that change; `hours` and `windows` say whether they do.
    """

    added: int
    withdrawn: int
    unchanged: int
    slots: Fitted
    days: int = 0
    rules: int = 0
    hours: bool = False
    windows: bool = False
    closing: Closing = field(default_factory=Closing)


@dataclass(frozen=True, slots=True)
class Preview:
    """What changes of a plan would do; none of it has been done."""

    slots: Fitted
    closing: Closing
