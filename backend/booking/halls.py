"""The clerks' door of the booking office: their windows, whose card belongs to which number, and who left."""

from backend.booking.desk_views import DeskBooking, DeskPerson, Visit
from backend.booking.hall_problems import IdentityUnchecked, WalkInsFull
from backend.booking.hall_views import WindowView
from backend.booking.services.desks import open_window, shut_window
from backend.booking.services.hall import give_up_number, leave_ticket

__all__ = [
    "DeskBooking",
    "DeskPerson",
    "IdentityUnchecked",
    "Visit",
    "WalkInsFull",
    "WindowView",
    "give_up_number",
    "leave_ticket",
    "open_window",
    "shut_window",
]
