"""Somebody stands at the site: check-in by the code on the phone, or by number and ID card."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from backend import people
from backend.booking import codes
from backend.booking.hall.desk_questions import desk_booking, told_of
from backend.booking.hall.desk_views import DeskBooking
from backend.booking.hall.questions import ticket_view
from backend.booking.hall.views import CheckedIn
from backend.booking.machine import BOOKING
from backend.booking.models import BookingRow
from backend.booking.questions import slot_and_site
from backend.booking.services import hall
from backend.booking.services.arriving import queue_up
from backend.booking.services.here import not_at_this_site, require_here
from backend.booking.services.identity import card_seen, checked_now
from backend.booking.services.keeping import locked, step
from backend.booking.services.moving import stay
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours, TooMany
from backend.store.unit import Actor, Unit

TRIES: Final = 5
TRIES_WITHIN: Final = timedelta(minutes=10)


def check_in(
    u: Unit, booking_id: str, site_id: str, by: Actor, *, code: str = "", id_tail: str = "",
    at_machine: bool = False,
) -> CheckedIn | None:  # fmt: skip
    """Somebody stands at the site with the code of the booking, or with an ID card; None when neither fits.

    Where the site's windows have a queue, a number in it is given. A card seen by a window settles who it is (one
    read by a machine, `at_machine`, does not). A wrong code is counted, so the caller must let the unit commit before
    it refuses; what is said of the appointment is said to whoever proved to be its owner. Raises NotYours,
    WrongDayOrSite, AlreadyCheckedIn, ImpossibleMove, and TooMany for ten minutes after five wrong codes, or five
    wrong cards: whoever guesses one does not lock the other.
    """
    row = locked(u, booking_id)
    slot, site = slot_and_site(u.session, row.slot_id)
    if not (_code_fits(row, code) if code else _card_fits(u, row, id_tail)):
        return None
    require_here(u, row, slot, site, site_id)
    stay(u, row, by)
    step(u, row, "checked_in", by, shown="code" if code else "card")
    row.checked_in_at = clock.now()
    if not code and not at_machine:
        card_seen(row)
    ticket = queue_up(u, row, slot, by)
    told = told_of(desk_booking(u, row))
    return CheckedIn(**{**told, "ticket": ticket_view(u, ticket) if ticket else None})  # type: ignore[arg-type]


def _code_fits(row: BookingRow, code: str) -> bool:
    tries = _tries_so_far(
        row.check_in_tries, row.check_in_tried_at, "签到码错误次数过多，请在窗口出示身份证签到。"
    )
    if fits := codes.is_code_of(row.id, code):
        return fits
    row.check_in_tries, row.check_in_tried_at = _one_more(tries, row.check_in_tried_at)
    return False


def _card_fits(u: Unit, row: BookingRow, id_tail: str) -> bool:
    tries = _tries_so_far(row.tail_tries, row.tail_tried_at, "身份证号核对错误次数过多，请出示签到码。")
    if fits := people.id_tail_matches(u, row.person_id, id_tail):
        return fits
    row.tail_tries, row.tail_tried_at = _one_more(tries, row.tail_tried_at)
    return False


def _tries_so_far(tries: int, since: datetime | None, says: str) -> int:
    """Wrong tries that still count. Raises TooMany while there are too many."""
    over_in = since + TRIES_WITHIN - clock.now() if since else timedelta(0)
    if over_in <= timedelta(0):
        return 0
    if tries >= TRIES:
        raise TooMany(says, retry_after=int(over_in.total_seconds()) + 1)
    return tries


def _one_more(tries: int, since: datetime | None) -> tuple[int, datetime | None]:
    """The first wrong try opens the ten minutes in which they are counted, the last those without any."""
    return tries + 1, clock.now() if tries + 1 in (1, TRIES) else since


def check_in_by_number(
    u: Unit, number: str, site_id: str, by: Actor, *, code: str = "", id_tail: str = ""
) -> CheckedIn | None:
    """As check_in, at a machine that reads the booking's number. Raises NotYours for a number that is none."""
    booking_id = u.session.scalar(
        select(BookingRow.id).where(BookingRow.number == ids.tidy_case_number(number))
    )
    if booking_id is None:
        raise NotYours
    return check_in(u, booking_id, site_id, by, code=code, id_tail=id_tail, at_machine=True)


def mark_served(
    u: Unit, booking_id: str, site_id: str, by: Actor, *, identity_checked: bool = False
) -> DeskBooking:
    """The visit is over, and so is the queue number; `identity_checked`: the window compared card and booking.

    Raises NotYours, WrongDayOrSite, IdentityUnchecked, ImpossibleMove.
    """
    row = locked(u, booking_id)
    _slot, site = slot_and_site(u.session, row.slot_id)
    if site.id != site_id:
        raise not_at_this_site()
    BOOKING.move(row.state, "served")
    step(u, row, "served", by, identity=checked_now(row, said=identity_checked))
    hall.finish_of(u, row, by)
    return desk_booking(u, row)
