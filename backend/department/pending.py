"""The departments' first question in the morning: what waits for us at our sites?"""

from backend import booking, people
from backend.booking import Pending
from backend.runtime.surface import Call, Surface
from backend.store.unit import unit


def pending(call: Call[None]) -> Pending:
    """Show what waits for us: draws that want hands, sites that run out of slots, appeals without an answer."""
    who = call.principal
    with unit() as u:
        return booking.pending(u, lambda site: people.may_handle(who, site.department_id, site.region_code))


def register(surface: Surface) -> None:
    """Open this endpoint on a surface."""
    surface.get("/booking-pending", answers=Pending)(pending)
