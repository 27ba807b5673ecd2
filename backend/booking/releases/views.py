"""What the booking office shows of releases, and what it is told to release."""

from dataclasses import dataclass
from datetime import date, datetime

from backend.booking.views import Site


@dataclass(frozen=True, slots=True)
class SlotRange:
    """Slots of a site for an item (and subject) from one day to another, both included."""

    site_id: str
    item_id: str
    subject: str
    from_day: date
    to_day: date


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """A release to be announced.

    `mode` "queue": from `opens_at` on, `batch` people more each minute. `mode` "draw": `public_source` says which
    public value will be mixed in, `public_value_at` when that will be fixed (after entries have closed); what
    nobody won is everybody's from `opens_at` on.
    """

    slots: SlotRange
    mode: str
    entries_from: datetime
    entries_until: datetime
    opens_at: datetime
    batch: int = 1
    public_source: str = ""
    public_value_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """How many slots were told to open, and when."""

    slots: int
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release as everybody may see it; `seed` stays empty until it can bend nothing any more.

    `public_value_at`: when the source states the value of a draw. `late`: it is that late that whoever entered has
    been told. `value_proposed`: one of the staff has written the public value down, another must confirm it.
    `drawing`: the seed is revealed and the places are being handed out.
    """

    id: str
    site: Site
    item_id: str
    subject: str
    mode: str
    state: str
    state_label: str
    entries_from: datetime
    entries_until: datetime
    opens_at: datetime
    batch: int
    commitment: str
    seed: str | None
    public_source: str
    public_value_at: datetime | None
    public_value: str | None
    called_off_why: str
    late: bool
    value_proposed: bool
    drawing: bool
    slots: int
    places: int
    entries: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """Somebody's own entry: where it stands in the order, how many are ahead, from when they may book.

    `party`: how many places are wanted, in one slot. `rank`, `ahead` and `may_book_from` are known once entries have
    closed (a queue), `booking_id` once there is one. `why` is the kind of problem for which it took no part or was
    passed over, `why_label` the same in words; of a release that was called off, the reason.
    """

    id: str
    release_id: str
    item_id: str
    subject: str
    mode: str
    state: str
    state_label: str
    case_id: str | None
    wishes: tuple[str, ...]
    party: int
    entered_at: datetime
    opens_at: datetime
    rank: int | None
    ahead: int | None
    may_book_from: datetime | None
    may_book_now: bool
    booking_id: str | None
    why: str
    why_label: str
