"""The departments' window: who is expected today, who phoned to cancel, check-in at the site, the end of a visit."""

from pydantic import Field

from backend import booking
from backend.booking import BookingView, CheckedIn
from backend.booking.halls import DeskBooking
from backend.department.reach import require_own_site
from backend.kernel import clock
from backend.kernel.problems import InvalidInput, NotYours, TooMany
from backend.runtime.surface import Body, Call, Day, Query, Surface, Unit
from backend.store.unit import run_unit, unit


class DayQuery(Query):
    day: Day | None = None


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


def expected(call: Call[None], site_id: str) -> list[DeskBooking]:
    """List who is expected at a site on a day (today when none is given), with what the window compares."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return booking.bookings_at(u, site_id, call.query.day or clock.today())


def check_in(call: Call[CheckIn], booking_id: str) -> CheckedIn:
    """Check a citizen in by the code of the booking; the answer holds the queue number where there is one."""
    asked = call.body
    if bool(asked.code) == bool(asked.id_tail):
        raise InvalidInput(errors=[{"field": "code", "message": "请扫签到码，或输入身份证号后四位"}])

    def at_the_desk(u: Unit) -> CheckedIn | None:
        require_own_site(u, asked.site_id, call.principal)
        return booking.check_in(
            u, booking_id, asked.site_id, call.principal.actor, code=asked.code, id_tail=asked.id_tail
        )

    # A wrong code is counted by a unit that commits, and refused only then.
    seen = run_unit(at_the_desk)
    if seen is None:
        raise booking.WrongCheckInCode
    return seen


def served(call: Call[Served], u: Unit, booking_id: str) -> DeskBooking:
    """Say that the visit is over, and that the identity was checked."""
    asked = call.body
    require_own_site(u, asked.site_id, call.principal)
    return booking.mark_served(
        u, booking_id, asked.site_id, call.principal.actor, identity_checked=asked.identity_checked
    )


def cancel(call: Call[CancelFor], u: Unit, booking_id: str) -> BookingView:
    """Cancel for somebody who phoned, until the time itself."""
    asked = call.body
    require_own_site(u, asked.site_id, call.principal)
    return booking.cancel_for_caller(u, booking_id, asked.site_id, asked.reason, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.get("/sites/<site_id>/bookings", answers=list[DeskBooking], query=DayQuery, problems=(NotYours,))(
        expected
    )
    surface.post(
        "/bookings/<booking_id>/check-in",
        body=CheckIn,
        answers=CheckedIn,
        steps=True,
        problems=(
            NotYours,
            TooMany,
            booking.WrongDayOrSite,
            booking.WrongCheckInCode,
            booking.ImpossibleMove,
        ),
    )(check_in)
    surface.post(
        "/bookings/<booking_id>/served",
        body=Served,
        answers=DeskBooking,
        problems=(
            NotYours,
            booking.WrongDayOrSite,
            booking.halls.IdentityUnchecked,
            booking.ImpossibleMove,
        ),
    )(served)
    surface.post(
        "/bookings/<booking_id>/cancellation",
        body=CancelFor,
        answers=BookingView,
        problems=(NotYours, booking.WrongDayOrSite, booking.TooLateToCancel, booking.ImpossibleMove),
    )(cancel)
