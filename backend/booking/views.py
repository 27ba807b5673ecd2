"""What the booking office shows."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Site:
    """Where people go; `hours` are spans of local time, such as [["09:00", "12:00"]]."""

    id: str
    name: str
    kind: str
    department_id: str
    region_code: str
    address: str
    phone: str
    hours: list[list[str]]
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of time with `free` places for everybody left of `capacity`, and `elder_free` kept for the elderly.

    `release_id`: its places are given out in order. `closes_at`: until when a place can be held. `closed`: the site
    has closed it, and says why. `group_id` and `group_name` say which windows serve it, where the site names them:
    two groups may serve the same item at the same time. `state` is as that of a day.
    """

    id: str
    site_id: str
    item_id: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    free: int
    urgent: bool = False
    opens_at: datetime | None = None
    release_id: str | None = None
    elder_free: int = 0
    closes_at: datetime | None = None
    closed: bool = False
    closed_why: str = ""
    group_id: str = ""
    group_name: str = ""
    state: str = ""
    state_label: str = ""


@dataclass(frozen=True, slots=True)
class DayOfSlots:
    """A day of a site for those who look for a place: `free` for everybody, `elder_free` kept for the elderly.

    `state`: open, elder (nothing is left but for the elderly), full, soon (from `opens_at` on), release (given out in
    order), closed, over (too late to book), rest (nobody works), none (no places are planned). `reason` is why it is
    closed, or a part of it.
    """

    day: date
    state: str
    state_label: str
    free: int
    elder_free: int
    opens_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Companion:
    """Somebody who comes along: name, and the ID number the window will look at."""

    name: str
    id_no: str

    def as_payload(self) -> dict[str, Any]:
        return {"name": self.name, "id_no": self.id_no}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a citizen asks for: a place in a slot, for a case where the visit belongs to one.

    `device` is what the phone calls itself, `network` a digest of its address, which counts where it does not;
    `urgent_reason` and `urgent_evidence` (ids of uploads) are for out-of-hours slots.
    """

    slot_id: str
    person_id: str
    case_id: str | None = None
    companions: tuple[Companion, ...] = ()
    device: str = ""
    urgent_reason: str = ""
    urgent_evidence: tuple[str, ...] = ()
    network: str = ""

    @property
    def party(self) -> int:
        """How many places are asked for."""
        return 1 + len(self.companions)


@dataclass(frozen=True, slots=True)
class OtherTime:
    """A time, and perhaps a site, that may be chosen instead of one that was closed."""

    slot_id: str
    site: Site
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Moving(OtherTime):
    """Another time, and perhaps another site, held for a booking until `until`, while its own still stands."""

    until: datetime


@dataclass(frozen=True, slots=True)
class BookingView:
    """An appointment; `check_in_code` is shown to its owner only, and changes at `code_until`.

    `check_in_text` is what the QR code on the phone says. `closed`: the site has closed its time, and says why; there
    is nothing to check in to. `displaced_why`: why the time was closed that it had before. `cancelled_why`: why we
    ended it. `group_name` says at which windows, where the site names them.
    """

    id: str
    number: str
    state: str
    state_label: str
    item_id: str
    subject: str
    case_id: str | None
    person_id: str
    party: int
    origin: str
    site: Site
    slot_id: str
    starts_at: datetime
    ends_at: datetime
    held_until: datetime | None
    check_in_code: str | None
    cancel_until: datetime
    closed: bool
    closed_why: str
    moving: Moving | None
    item_name: str = ""
    check_in_text: str | None = None
    code_until: datetime | None = None
    displaced_why: str = ""
    cancelled_why: str = ""
    group_id: str = ""
    group_name: str = ""
