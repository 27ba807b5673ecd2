"""What the booking office shows."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str
    kind: str
    department_id: str
    region_code: str
    address: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of time with `free` places left of `capacity`."""

    id: str
    site_id: str
    item_id: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    free: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What a citizen asks for: a place in a slot, for a case where the visit belongs to one."""

    slot_id: str
    person_id: str
    case_id: str | None = None


@dataclass(frozen=True, slots=True)
class BookingView:
    """An appointment; `check_in_code` is shown to its owner only."""

    id: str
    state: str
    state_label: str
    item_id: str
    subject: str
    case_id: str | None
    person_id: str
    site: Site
    starts_at: datetime
    ends_at: datetime
    held_until: datetime | None
    check_in_code: str | None
    cancel_until: datetime
