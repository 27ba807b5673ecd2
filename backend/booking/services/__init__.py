"""What people do with places: hold, confirm, move, cancel, check in, be served."""

from backend.booking.services.arriving import take_number
from backend.booking.services.company import stand_still
from backend.booking.services.confirming import confirm_booking
from backend.booking.services.confirming import question as hold_question
from backend.booking.services.entering import enter, withdraw_entry
from backend.booking.services.hall import (
    call_next,
    finish_ticket,
    mark_absent,
    pass_ticket,
    recall_ticket,
    transfer_ticket,
)
from backend.booking.services.holding import URGENT_REASONS, hold_slot
from backend.booking.services.keeping import cancel_booking, cancel_for_caller
from backend.booking.services.looking import look
from backend.booking.services.looking import question as slot_question
from backend.booking.services.moving import confirm_move, drop_move, hold_move
from backend.booking.services.presence import check_in, check_in_by_number, mark_served
from backend.booking.services.releasing import announce, call_off, open_at
from backend.booking.services.revealing import confirm_value, draw, propose_value
from backend.booking.services.standing import appeal_block, decide_block, site_of_block
from backend.booking.services.waiting import decline_offer, join_wait, leave_wait

__all__ = [
    "URGENT_REASONS",
    "announce",
    "appeal_block",
    "call_next",
    "call_off",
    "cancel_booking",
    "cancel_for_caller",
    "check_in",
    "check_in_by_number",
    "confirm_booking",
    "confirm_move",
    "confirm_value",
    "decide_block",
    "decline_offer",
    "draw",
    "drop_move",
    "enter",
    "finish_ticket",
    "hold_move",
    "hold_question",
    "hold_slot",
    "join_wait",
    "leave_wait",
    "look",
    "mark_absent",
    "mark_served",
    "open_at",
    "pass_ticket",
    "propose_value",
    "recall_ticket",
    "site_of_block",
    "slot_question",
    "stand_still",
    "take_number",
    "transfer_ticket",
    "withdraw_entry",
]
