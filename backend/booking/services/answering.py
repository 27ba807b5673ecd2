"""What becomes of a wait when the booking that was its offer is confirmed, given back, or runs out."""

from sqlalchemy import select

from backend.booking.machine import WAIT
from backend.booking.models import WaitRow
from backend.store.unit import Actor, Unit


def offer_taken(u: Unit, booking_id: str, by: Actor) -> None:
    """The place offered was confirmed: the wait is over."""
    if (wait := _offered(u, booking_id)) is not None:
        u.step(WAIT, wait, "taken", by=by, facts={"booking": booking_id})


def offer_passed(u: Unit, booking_id: str, by: Actor) -> None:
    """The place offered goes to the next; the person waits on, with an offer less for the day."""
    if (wait := _offered(u, booking_id)) is not None:
        u.step(WAIT, wait, "passed", by=by, facts={"booking": booking_id})
        wait.booking_id = None


def _offered(u: Unit, booking_id: str) -> WaitRow | None:
    """The wait whose offer this is, locked; none when it has just been left."""
    wait = u.session.scalar(select(WaitRow).where(WaitRow.booking_id == booking_id).with_for_update())
    return wait if wait is not None and wait.state == "offered" else None
