"""Booking office: sites, slots and their places, appointments from hold to served."""

from backend.booking.machine import BOOKING
from backend.booking.problems import (
    AlreadyBooked,
    HoldLapsed,
    NotBookable,
    SlotClosed,
    SlotTaken,
    TooLateToCancel,
    WrongCheckInCode,
    WrongDayOrSite,
)
from backend.booking.questions import (
    booking_of,
    bookings_at,
    bookings_of,
    check_books,
    facts_for,
    free_slots,
    site_of,
    sites_for,
    slot_of,
)
from backend.booking.reactions import on_case_closed
from backend.booking.services import (
    cancel_booking,
    check_in,
    confirm_booking,
    hold_slot,
    mark_served,
)
from backend.booking.supply import load_sites, open_slots
from backend.booking.views import BookingView, Site, Slot, Wish
from backend.kernel.problems import ImpossibleMove

__all__ = [
    "BOOKING",
    "AlreadyBooked",
    "BookingView",
    "HoldLapsed",
    "ImpossibleMove",
    "NotBookable",
    "Site",
    "Slot",
    "SlotClosed",
    "SlotTaken",
    "TooLateToCancel",
    "Wish",
    "WrongCheckInCode",
    "WrongDayOrSite",
    "booking_of",
    "bookings_at",
    "bookings_of",
    "cancel_booking",
    "check_books",
    "check_in",
    "confirm_booking",
    "facts_for",
    "free_slots",
    "hold_slot",
    "load_sites",
    "mark_served",
    "on_case_closed",
    "open_slots",
    "site_of",
    "sites_for",
    "slot_of",
]
