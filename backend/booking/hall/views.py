"""What the hall shows: to the clerk, to the citizen on the phone, and to everybody on the screen."""

from dataclasses import dataclass
from datetime import datetime

from backend.booking.hall.desk_views import DeskBooking, Visit


@dataclass(frozen=True, slots=True)
class TicketView:
    """A queue number as the clerk sees it. `starts_at` is empty for who has no priority.

    `visit` is the appointment behind it; of a walk-in nothing is kept but what they came for (`item_id`, where they
    said so). `beyond`: the places for walk-ins were gone, so they may not be served today; `note` tells them.
    """

    id: str
    site_id: str
    group_id: str
    label: str
    state: str
    state_label: str
    booking_id: str | None
    starts_at: datetime | None
    queued_at: datetime
    window_id: str | None
    window: int | None
    calls: int
    item_id: str | None = None
    item_name: str = ""
    beyond: bool = False
    note: str = ""
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class CheckedIn(DeskBooking):
    """A booking just checked in, with its queue number where the site gives one."""

    ticket: TicketView | None = None


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue number as its holder sees it; `minutes` and `expected_at` are empty while no window is open.

    `why` says in words who goes first, how many are ahead and how the time was reckoned: by `pace_minutes` for each
    person, at the `open_windows`. `pace_from`: "today" (those served last), "plan" or "usual". At `first_windows`
    people with an appointment go first.
    """

    ticket_id: str
    label: str
    state: str
    state_label: str
    group: str
    window: int | None
    ahead: int | None
    minutes: int | None
    site: str
    starts_at: datetime | None
    expected_at: datetime | None
    pace_minutes: int | None
    pace_from: str
    open_windows: tuple[int, ...]
    first_windows: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window and whom it serves now; `open` is how it stands, `planned` how it was meant to be today."""

    id: str
    number: int
    booked_first: bool
    open: bool
    planned: bool
    ticket: TicketView | None


@dataclass(frozen=True, slots=True)
class QueueOfGroup:
    """A window group as the clerk sees it: its windows, and who waits, in the order of an unmarked window."""

    id: str
    name: str
    letter: str
    windows: tuple[WindowView, ...]
    waiting: tuple[TicketView, ...]


@dataclass(frozen=True, slots=True)
class ScreenCall:
    """A number called out at a window; `open` while it is still being served."""

    label: str
    window: int
    calls: int
    at: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class ScreenGroup:
    """How many wait, and which numbers were called and passed over."""

    name: str
    letter: str
    waiting: int
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """What hangs in the hall for everybody to see: numbers and windows, never a name."""

    site_id: str
    site: str
    calls: tuple[ScreenCall, ...]
    groups: tuple[ScreenGroup, ...]
