"""Facts of appointments, and of what stands beside them."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class BookingEvent(Event):
    person_id: str
    booking_id: str


@dataclass(frozen=True, slots=True)
class BookingConfirmed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingCancelled(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingLapsed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingCheckedIn(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingServed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingMissed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingMoved(BookingEvent):
    """Another time, by the citizen's wish."""


@dataclass(frozen=True, slots=True)
class BookingDisplaced(BookingEvent):
    """The site closes at that time; another place is held, or (`found` false) none was found."""

    found: bool


@dataclass(frozen=True, slots=True)
class BookingRestored(BookingEvent):
    """The time that was closed is open again, and the appointment still stands there."""


@dataclass(frozen=True, slots=True)
class BookingReminderDue(BookingEvent):
    """`reminder` is its kind: "day_before" or "two_hours"."""

    reminder: str


@dataclass(frozen=True, slots=True)
class PlaceOffered(BookingEvent):
    """A place became free for somebody on the wait list: the held booking is the offer. The matter is the wait."""


@dataclass(frozen=True, slots=True)
class WaitEnded(Event):
    person_id: str


@dataclass(frozen=True, slots=True)
class DrawDelayed(Event):
    """A draw waits longer than was announced for its public value. The matter is the entry."""

    person_id: str


@dataclass(frozen=True, slots=True)
class EntryDrawn(Event):
    """The outcome of one entry in a draw; a winner has a confirmed booking. The matter is the entry."""

    person_id: str
    won: bool
    booking_id: str | None = None


@dataclass(frozen=True, slots=True)
class BookingBlocked(Event):
    """Missed too often: the person may not book for a while. The matter is the block."""

    person_id: str


@dataclass(frozen=True, slots=True)
class BlockDecided(Event):
    person_id: str
    lifted: bool
