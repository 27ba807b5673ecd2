"""What people do with places: hold, confirm, move, cancel, check in, be served."""

from backend.booking.services.holding import URGENT_REASONS, hold_slot
from backend.booking.services.keeping import cancel_booking, confirm_booking
from backend.booking.services.moving import confirm_move, drop_move, hold_move
from backend.booking.services.presence import check_in, mark_served

__all__ = [
    "URGENT_REASONS",
    "cancel_booking",
    "check_in",
    "confirm_booking",
    "confirm_move",
    "drop_move",
    "hold_move",
    "hold_slot",
    "mark_served",
]
