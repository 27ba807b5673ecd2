"""Rows of the booking office, by room: places and bookings, the plan they come from, releases, waiting, the hall."""

from backend.booking.models.company import COMPANION, CompanionRow
from backend.booking.models.hall import TicketCount, TicketRow
from backend.booking.models.places import COMPANIONS, BookingRow, PlaceRow, SiteRow, SlotRow
from backend.booking.models.plan import DayRow, PatternRow, RuleRow, WindowGroupRow, WindowRow
from backend.booking.models.releases import (
    ENTRY_COMPANION,
    ENTRY_COMPANIONS,
    SEED,
    EntryCompanionRow,
    EntryRow,
    ReleaseRow,
)
from backend.booking.models.standing import APPEAL, BlockRow
from backend.booking.models.waiting import WAITING_COMPANIONS, GatheringRow, ReminderRow, WaitRow

__all__ = [
    "APPEAL",
    "COMPANION",
    "COMPANIONS",
    "ENTRY_COMPANION",
    "ENTRY_COMPANIONS",
    "SEED",
    "WAITING_COMPANIONS",
    "BlockRow",
    "BookingRow",
    "CompanionRow",
    "DayRow",
    "EntryCompanionRow",
    "EntryRow",
    "GatheringRow",
    "PatternRow",
    "PlaceRow",
    "ReleaseRow",
    "ReminderRow",
    "RuleRow",
    "SiteRow",
    "SlotRow",
    "TicketCount",
    "TicketRow",
    "WaitRow",
    "WindowGroupRow",
    "WindowRow",
]
