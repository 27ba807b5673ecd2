"""The departments' window: who comes on a day, who phoned to cancel, check-in at the site, the end of a visit."""

from pydantic import Field

from backend import booking
from backend.booking import BookingView, halls
from backend.booking.hall.doors import CheckedIn, DeskBooking
from backend.department.reach import require_own_site
from backend.kernel import clock
from backend.kernel.problems import InvalidInput, NotYours, TooMany
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Day, Page, Query, Surface, Unit
from backend.store.unit import run_unit, unit

PAGE = 50


class DayQuery(Query):
    """Of a day (today when none is given) all, or those in a state.

    Whoever stands at the desk without an appointment of today is found by its `number`, on any day where none is
    given; or by the last four of the ID number.
    """

    day: Day | None = None
    state: str = Field("", max_length=20)
    number: str = Field("", max_length=20)
    id_tail: str = Field("", pattern=r"^(\d{3}[0-9Xx])?$")
    cursor: str | None = Field(None, max_length=200)


class CheckIn(Body):
    """The code that the citizen shows, or the last four characters of the ID card laid on the desk."""

    site_id: str = Field(max_length=40)
    code: str = Field("", pattern=r"^(\d{6})?$")
    id_tail: str = Field("", pattern=r"^(\d{3}[0-9Xx])?$")


class AtSite(Body):
    site_id: str = Field(max_length=40)


class Served(AtSite):
    """`identity_checked`: the clerk has compared ID cards and faces with the booking, its companions too.

    Not needed where the card was shown to the window at check-in.
    """

    identity_checked: bool = False


class CancelFor(Body):
    """Why the window cancels, as the caller said it."""

    site_id: str = Field(max_length=40)
    reason: str = Field(min_length=2, max_length=60)


def visits(call: Call[None], site_id: str) -> Page[DeskBooking]:
    """List the appointments at a site on a day in the order of time, whatever became of them, with what the window
    compares.
    """
    asked: DayQuery = call.query
    after = paging.moment_and_id(asked.cursor)
    day = asked.day or (None if asked.number else clock.today())
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        found = halls.bookings_at(
            u, site_id, day, state=asked.state, number=asked.number, id_tail=asked.id_tail, after=after, limit=PAGE + 1
        )  # fmt: skip
    shown = tuple(found[:PAGE])
    more = len(found) > PAGE
    return Page(shown, paging.cursor(shown[-1].starts_at.isoformat(), shown[-1].id) if more else None)


def one_visit(call: Call[None], booking_id: str) -> DeskBooking:
    """Show one appointment at my site, with the case behind it."""
    with unit() as u:
        require_own_site(u, halls.site_of_booking(u, booking_id), call.principal)
        return halls.booking_at_desk(u, booking_id)


def check_in(call: Call[CheckIn], booking_id: str) -> CheckedIn:
    """Check a citizen in by the code of the booking; the answer holds the queue number where there is one."""
    asked = call.body
    if bool(asked.code) == bool(asked.id_tail):
        raise InvalidInput(errors=[{"field": "code", "message": "请扫签到码，或输入身份证号后四位"}])

    def at_the_desk(u: Unit) -> CheckedIn | None:
        require_own_site(u, asked.site_id, call.principal)
        return halls.check_in(
            u, booking_id, asked.site_id, call.principal.actor, code=asked.code, id_tail=asked.id_tail
        )

    # A wrong code is counted by a unit that commits, and refused only then.
    seen = run_unit(at_the_desk)
    if seen is None:
        raise halls.WrongCheckInCode
    return seen


def served(call: Call[Served], u: Unit, booking_id: str) -> DeskBooking:
    """Say that the visit is over, and that the identity was checked."""
    asked = call.body
    require_own_site(u, asked.site_id, call.principal)
    return halls.mark_served(
        u, booking_id, asked.site_id, call.principal.actor, identity_checked=asked.identity_checked
    )


def cancel(call: Call[CancelFor], u: Unit, booking_id: str) -> BookingView:
    """Cancel for somebody who phoned, until the time itself."""
    asked = call.body
    require_own_site(u, asked.site_id, call.principal)
    return halls.cancel_for_caller(u, booking_id, asked.site_id, asked.reason, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.get("/sites/<site_id>/bookings", answers=Page[DeskBooking], query=DayQuery, problems=(NotYours,))(
        visits
    )
    surface.get("/bookings/<booking_id>", answers=DeskBooking, problems=(NotYours,))(one_visit)
    surface.post(
        "/bookings/<booking_id>/check-in",
        body=CheckIn,
        answers=CheckedIn,
        steps=True,
        problems=(
            NotYours,
            TooMany,
            halls.WrongDayOrSite,
            halls.WrongCheckInCode,
            halls.AlreadyCheckedIn,
            booking.ImpossibleMove,
        ),
    )(check_in)
    surface.post(
        "/bookings/<booking_id>/served",
        body=Served,
        answers=DeskBooking,
        problems=(
            NotYours,
            halls.WrongDayOrSite,
            halls.IdentityUnchecked,
            booking.ImpossibleMove,
        ),
    )(served)
    surface.post(
        "/bookings/<booking_id>/cancellation",
        body=CancelFor,
        answers=BookingView,
        problems=(NotYours, halls.WrongDayOrSite, booking.TooLateToCancel, booking.ImpossibleMove),
    )(cancel)
