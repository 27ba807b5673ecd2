"""What becomes of a wait when the booking that was its offer is confirmed, given back, or runs out."""

from sqlalchemy import func, select

from backend.booking.machine import WAIT
from backend.booking.models import BookingRow, SlotRow, WaitRow
from backend.booking.services.nights import first_offer
from backend.booking.services.site_rules import rules_of
from backend.kernel import clock
from backend.store.unit import Actor, Unit


def offers_left(u: Unit, offer: BookingRow) -> int | None:
    """How many more places somebody may be offered on the day of the next offer; None when they wait no more."""
    waits = select(WaitRow.id).where(
        WaitRow.person_id == offer.person_id,
        WaitRow.item_id == offer.item_id,
        WaitRow.subject == offer.subject,
        WaitRow.state.in_(("waiting", "offered")),
    )
    if u.session.scalar(waits) is None:
        return None
    had = select(func.sum(WaitRow.offers)).where(
        WaitRow.person_id == offer.person_id, WaitRow.offers_on == clock.day_of(first_offer())
    )
    rules = rules_of(u, u.session.get_one(SlotRow, offer.slot_id).site_id, offer.item_id)
    return max(0, rules.offers_a_day - (u.session.scalar(had) or 0))


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
