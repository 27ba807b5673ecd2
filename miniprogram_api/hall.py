"""The citizens' window in the hall: how many are ahead, how long it takes, and to which window to go."""

from backend import booking
from backend.booking import QueueView
from backend.kernel.problems import NotYours
from backend.runtime.surface import Call, Surface, Unit
from backend.store.unit import unit


def my_place(call: Call[None], booking_id: str) -> QueueView:
    """Show my place in the queue."""
    with unit() as u:
        return booking.queue_of_booking(u, booking_id, call.principal.id)


def place_of_ticket(call: Call[None], ticket_id: str) -> QueueView:
    """Show the place of a queue number taken without an appointment; its id is printed on it."""
    with unit() as u:
        return booking.queue_of_ticket(u, ticket_id)


def leave(call: Call[None], u: Unit, ticket_id: str) -> QueueView:
    """Give up a queue number taken without an appointment: whoever will not wait helps the next."""
    booking.give_up_number(u, ticket_id, call.principal.actor)
    return booking.queue_of_ticket(u, ticket_id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.post(
        "/tickets/<ticket_id>/leaving",
        answers=QueueView,
        problems=(NotYours, booking.ImpossibleMove),
        audience="public",
    )(leave)
    surface.get("/bookings/<booking_id>/queue", answers=QueueView, problems=(NotYours, booking.NotInQueue))(
        my_place
    )
    surface.get("/tickets/<ticket_id>", answers=QueueView, problems=(NotYours,), audience="public")(
        place_of_ticket
    )
