"""What people do with places: hold, confirm, move, cancel, wait, enter a release. What clerks do: `booking.halls`."""

from backend.booking.services.company import stand_still
from backend.booking.services.confirming import confirm_booking
from backend.booking.services.confirming import question as hold_question
from backend.booking.services.entering import enter, withdraw_entry
from backend.booking.services.hall import give_up_number
from backend.booking.services.holding import hold_slot
from backend.booking.services.keeping import cancel_booking
from backend.booking.services.looking import look
from backend.booking.services.looking import question as slot_question
from backend.booking.services.moving import confirm_move, drop_move, hold_move
from backend.booking.services.releasing import announce, call_off, open_at
from backend.booking.services.revealing import confirm_value, draw, propose_value
from backend.booking.services.standing import appeal_block
from backend.booking.services.waiting import decline_offer, join_wait, leave_wait

__all__ = [
    "announce",
    "appeal_block",
    "call_off",
    "cancel_booking",
    "confirm_booking",
    "confirm_move",
    "confirm_value",
    "decline_offer",
    "draw",
    "drop_move",
    "enter",
    "give_up_number",
    "hold_move",
    "hold_question",
    "hold_slot",
    "join_wait",
    "leave_wait",
    "look",
    "open_at",
    "propose_value",
    "slot_question",
    "stand_still",
    "withdraw_entry",
]
