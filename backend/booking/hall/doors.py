"""The clerks' door of the booking office: who comes, whose card belongs to which number, windows, queues, and answers.

What citizens do themselves is in `backend.booking`; what planners do, in `backend.booking.plan.doors`.
"""

from backend.booking.hall.desk_questions import booking_at_desk, bookings_at, site_of_booking
from backend.booking.hall.desk_views import DeskBooking, DeskPerson, Visit
from backend.booking.hall.problems import (
    CalledEnough,
    CalledTooLittle,
    IdentityUnchecked,
    NobodyWaiting,
    NoQueueHere,
    SameGroup,
    WalkInsFull,
    WindowBusy,
    WindowShut,
)
from backend.booking.hall.questions import queues_at, ticket_of, window_site
from backend.booking.hall.views import CheckedIn, QueueOfGroup, TicketView, WindowView
from backend.booking.problems import AlreadyCheckedIn, WrongCheckInCode, WrongDayOrSite
from backend.booking.questions_waiting import appeals
from backend.booking.services.arriving import take_number
from backend.booking.services.desks import open_window, shut_window
from backend.booking.services.hall import (
    call_next,
    finish_ticket,
    leave_ticket,
    mark_absent,
    pass_ticket,
    recall_ticket,
    transfer_ticket,
)
from backend.booking.services.keeping import cancel_for_caller
from backend.booking.services.presence import check_in, check_in_by_number, mark_served
from backend.booking.services.standing import decide_block, site_of_block
from backend.booking.services.urgency import decide_urgency
from backend.booking.urgency import UrgentVisit, urgent_visit, urgent_visits_at

__all__ = [
    "AlreadyCheckedIn",
    "CalledEnough",
    "CalledTooLittle",
    "CheckedIn",
    "DeskBooking",
    "DeskPerson",
    "IdentityUnchecked",
    "NoQueueHere",
    "NobodyWaiting",
    "QueueOfGroup",
    "SameGroup",
    "TicketView",
    "UrgentVisit",
    "Visit",
    "WalkInsFull",
    "WindowBusy",
    "WindowShut",
    "WindowView",
    "WrongCheckInCode",
    "WrongDayOrSite",
    "appeals",
    "booking_at_desk",
    "bookings_at",
    "call_next",
    "cancel_for_caller",
    "check_in",
    "check_in_by_number",
    "decide_block",
    "decide_urgency",
    "finish_ticket",
    "leave_ticket",
    "mark_absent",
    "mark_served",
    "open_window",
    "pass_ticket",
    "queues_at",
    "recall_ticket",
    "shut_window",
    "site_of_block",
    "site_of_booking",
    "take_number",
    "ticket_of",
    "transfer_ticket",
    "urgent_visit",
    "urgent_visits_at",
    "window_site",
]
