"""What the booking office shows of those who wait for a place, and of those who may not book for a while."""

from dataclasses import dataclass
from datetime import date, datetime

from backend.booking.views import Companion


@dataclass(frozen=True, slots=True)
class WaitWish:
    """What somebody waits for: a place of an item (and subject), between two days, at one site or at any.

    With `companions`: as many places in one slot.
    """

    person_id: str
    item_id: str
    from_day: date
    to_day: date
    subject: str = ""
    site_id: str | None = None
    case_id: str | None = None
    companions: tuple[Companion, ...] = ()

    @property
    def party(self) -> int:
        """How many places are waited for."""
        return 1 + len(self.companions)


@dataclass(frozen=True, slots=True)
class Offer:
    """A place held for somebody who waited, until `held_until`; it is confirmed like any other booking."""

    booking_id: str
    slot_id: str
    site_id: str
    site_name: str
    starts_at: datetime
    ends_at: datetime
    held_until: datetime


@dataclass(frozen=True, slots=True)
class WaitView:
    """A wait as its owner sees it, for `party` places in one slot.

    `ahead` counts those who wait for the same and came before; `offers` all places offered so far, of which
    `offers_today` today. `booking_id` is the booking it ended in.
    `instead_of` is an appointment of theirs whose time was closed: then they come before all others.
    """

    id: str
    state: str
    state_label: str
    item_id: str
    subject: str
    site_id: str | None
    case_id: str | None
    party: int
    from_day: date
    to_day: date
    since: datetime
    ahead: int
    offers: int
    offers_today: int
    offer: Offer | None
    booking_id: str | None
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class MissedVisit:
    """An appointment that nobody came to.

    `came_along`: somebody else had booked for the person too; then the number is that other's own and left out.
    """

    number: str
    site_name: str
    starts_at: datetime
    came_along: bool = False


@dataclass(frozen=True, slots=True)
class BlockView:
    """Why somebody may not book an item until a moment, and what became of their appeal.

    `may_appeal`: once, while it lasts.
    """

    id: str
    state: str
    state_label: str
    person_id: str
    item_id: str
    site_id: str
    until: datetime
    over: bool
    may_appeal: bool
    missed: tuple[MissedVisit, ...]
    appeal: str
    appealed_at: datetime | None
    decided_at: datetime | None
    decided_why: str
