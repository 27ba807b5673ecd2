"""What a clerk sees of an appointment: enough to compare with the ID card on the desk, and no more."""

from dataclasses import dataclass
from datetime import datetime

from backend.booking.views import BookingView


@dataclass(frozen=True, slots=True)
class DeskPerson:
    """Somebody whose card the window compares, masked: surname, and both ends of the ID number."""

    name_masked: str
    id_no_masked: str


@dataclass(frozen=True, slots=True)
class Visit:
    """The appointment behind a queue number, and the case that it belongs to.

    `identity_checked_at`: when a window compared the card with it; until then nobody is served on it.
    `urgency_accepted_at`: when the site found the evidence for an urgent visit good. `case_id` opens the case's file;
    its number and state are empty where the visit belongs to no case.
    """

    booking_id: str
    number: str
    state: str
    state_label: str
    item_id: str
    item_name: str
    subject: str
    party: int
    booker: DeskPerson
    companions: tuple[DeskPerson, ...]
    urgent: bool
    urgent_reason: str
    urgent_label: str
    starts_at: datetime
    ends_at: datetime
    checked_in_at: datetime | None
    identity_checked_at: datetime | None
    urgency_accepted_at: datetime | None
    case_id: str | None
    case_number: str
    case_state: str
    case_state_label: str


@dataclass(frozen=True, slots=True)
class DeskBooking(BookingView):
    """A line in the clerk's list of a day: the appointment, and the `visit` it will be."""

    visit: Visit | None = None
