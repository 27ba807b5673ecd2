"""Makes a held place sure: with holding the town's busiest pair of writes, so it goes straight to the database."""

from datetime import datetime, timedelta
from typing import Any, Final

from backend.booking import codes
from backend.booking.machine import BOOKING, CANCELLED, CONFIRMED, HELD, LAPSED
from backend.booking.models import BookingRow
from backend.booking.naming import item_name
from backend.booking.parties import Party
from backend.booking.questions import booking_view
from backend.booking.services.answering import offer_taken
from backend.booking.services.holding import Fresh
from backend.booking.services.looking import GROUP, SITE
from backend.booking.services.refusing import hold_lapsed, slot_closed
from backend.booking.services.wanted import ORIGIN
from backend.booking.views import BookingView, Site
from backend.contracts import BookingConfirmed
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store import book
from backend.store.unit import Actor, Question, Unit

# The row and the head of its matter are locked together; nobody locks them in another order.
_SEE: Final = f"""
    SELECT head.seq, head.link, b.state, b.held_until, b.origin, b.number, b.item_id, b.subject, b.case_id, b.party,
        s.id, s.starts_at, s.ends_at, s.cancel_before_hours, s.closed_at,
        {SITE}, {GROUP}
    FROM booking_booking b JOIN booking_slot s ON s.id = b.slot_id JOIN booking_site site ON site.id = s.site_id
    {book.HEAD.format(matter="coalesce(b.case_id, b.id)")}
    WHERE b.id = %(booking)s AND b.person_id = %(person)s FOR UPDATE OF b, head
"""
_SURE: Final = "UPDATE booking_booking SET state = %(sure)s WHERE id = %(sure_id)s"


def question(booking_id: str, person_id: str) -> Question:
    """What `confirm_booking` asks first: a window may let it travel with the claim of the request's key."""
    return _SEE, {"booking": booking_id, "person": person_id}


def confirm_booking(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """Make a held place sure; one that is sure already stays so.

    Raises NotYours, HoldLapsed, SlotClosed, ImpossibleMove.
    """
    found = u.ask(question(booking_id, person_id))
    if found is None:
        raise NotYours
    seq, link, state, held_until, origin, *about = found
    case_id, is_closed = about[3], about[9] is not None
    if state == CONFIRMED:  # the answer was lost on the way, or a finger was quick
        return booking_view(u, u.session.get_one(BookingRow, booking_id), owner=True)
    if state != HELD or is_closed or held_until <= clock.now():
        _refuse(u, booking_id, state, is_closed=is_closed)
    row = Fresh(booking_id, case_id or booking_id, state)
    u.know_head(row.matter, seq, bytes(link))
    u.step(BOOKING, row, "confirmed", by=by)
    u.record(BookingConfirmed(row.matter, person_id, booking_id))
    u.at_the_end(_SURE, {"sure": row.state, "sure_id": booking_id})
    if origin == ORIGIN:
        offer_taken(u, booking_id, by)
    return _view(u, booking_id, person_id, row.state, origin, about)


def _refuse(u: Unit, booking_id: str, state: str, *, is_closed: bool) -> None:
    """What was held is not any more, also where a chore has noted it already. Raises SlotClosed, HoldLapsed."""
    row = u.session.get_one(BookingRow, booking_id)
    given_up = state == CANCELLED and row.displaced_from == row.slot_id
    if is_closed and (state == HELD or given_up):
        raise slot_closed(u, row.slot_id, Party.of_booking(row))
    if state in (HELD, LAPSED):
        raise hold_lapsed(u, row.slot_id, Party.of_booking(row))


def _view(u: Unit, booking_id: str, person_id: str, state: str, origin: str, about: list[Any]) -> BookingView:
    number, item_id, subject, case_id, party, slot_id, starts_at, ends_at, cancel_before = about[:9]
    begins: datetime = starts_at
    code = codes.code_of(booking_id)
    return BookingView(
        id=booking_id, number=number, state=state, state_label=BOOKING.label(state), item_id=item_id,
        subject=subject, case_id=case_id, person_id=person_id, party=party, origin=origin, site=Site(*about[10:20]),
        slot_id=slot_id, starts_at=begins, ends_at=ends_at, held_until=None,
        check_in_code=code, cancel_until=begins - timedelta(hours=cancel_before),
        closed=False, closed_why="", moving=None, item_name=item_name(u, item_id),
        check_in_text=codes.text_of(number, code), code_until=codes.changes_at(), group_id=about[20],
        group_name=about[21],
    )  # fmt: skip
