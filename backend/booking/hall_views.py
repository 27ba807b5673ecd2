"""What the hall shows: to the clerk, to the citizen on the phone, and to everybody on the screen."""

from dataclasses import dataclass
from datetime import datetime

from backend.booking.views import BookingView


@dataclass(frozen=True, slots=True)
class TicketView:
    """A queue number as the clerk sees it: no name is in it. `starts_at` is empty for who has no priority."""

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


@dataclass(frozen=True, slots=True)
class CheckedIn(BookingView):
    """A booking just checked in, with its queue number where the site gives one."""

    ticket: TicketView | None = None


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue number as its holder sees it; `minutes` is empty while no window is open."""

    ticket_id: str
    label: str
    state: str
    state_label: str
    group: str
    window: int | None
    ahead: int | None
    minutes: int | None


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window and whom it serves now."""

    id: str
    number: int
    booked_first: bool
    open: bool
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
