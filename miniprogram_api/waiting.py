"""The citizens' wait list: nothing free on the days I want, so tell me when something is, and hold it for me."""

from pydantic import Field

from backend import booking, catalogue, people
from backend.booking import WaitView, WaitWish
from backend.kernel.problems import NotYours
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Day, Page, Query, Surface, Unit
from backend.store.unit import unit
from miniprogram_api.companions import CompanionGiven, companions_of, count_named
from miniprogram_api.grounds import require_may_book

PAGE = 20


class JoinWait(Body):
    """Wait for a place of an item between two days; at one site, or (none named) wherever one becomes free.

    A family waits once, with its `companions`, and is offered places for all of them in one slot.
    `case_id` is needed where the item is booked after filing, `subject` where it has several.
    """

    item_id: str = Field(max_length=40)
    subject: str = Field("", max_length=20)
    site_id: str | None = Field(None, max_length=40)
    from_day: Day
    to_day: Day
    case_id: str | None = Field(None, max_length=40)
    companions: list[CompanionGiven] = Field([], max_length=20)


class WaitsQuery(Query):
    cursor: str | None = Field(None, max_length=200)


def join(call: Call[JoinWait], u: Unit) -> WaitView:
    """Wait for a place; it is offered when it is my turn, held for a while, and confirmed like any booking."""
    asked, person_id = call.body, call.principal.id
    require_may_book(u, asked.item_id, asked.case_id, person_id)
    wish = WaitWish(
        person_id, asked.item_id, asked.from_day, asked.to_day, asked.subject, asked.site_id, asked.case_id,
        companions_of(u, asked.companions, person_id),
    )  # fmt: skip
    return booking.join_wait(u, wish, call.principal.actor)


def my_waits(call: Call[None]) -> Page[WaitView]:
    """List my waits, newest first: how many are ahead, and what is offered to me."""
    after = paging.key_of(call.query.cursor)
    with unit() as u:
        found = booking.waits_of(u, call.principal.id, after=after, limit=PAGE + 1)
    return paging.page(found, PAGE, lambda one: one.id)


def one_wait(call: Call[None], wait_id: str) -> WaitView:
    """Show one of my waits: a message about it leads here."""
    with unit() as u:
        return booking.wait_of(u, wait_id, call.principal.id)


def leave(call: Call[None], u: Unit, wait_id: str) -> WaitView:
    """Wait no more; a place that is offered goes to the next."""
    return booking.leave_wait(u, wait_id, call.principal.id, call.principal.actor)


def decline(call: Call[None], u: Unit, wait_id: str) -> WaitView:
    """Pass the place offered on to the next at once, and wait for another."""
    return booking.decline_offer(u, wait_id, call.principal.id, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.post(
        "/waits",
        body=JoinWait,
        gate=count_named,
        answers=WaitView,
        status=201,
        problems=(
            NotYours,
            catalogue.ItemNotPublished,
            catalogue.ItemUnknown,
            people.PhoneNeeded,
            people.RealNameNeeded,
            booking.NotBookable,
            booking.AlreadyBooked,
            booking.AlreadyWaiting,
            booking.BookingSuspended,
            booking.CompanionNotFree,
            booking.OtherItem,
        ),
    )(join)
    surface.get("/waits", answers=Page[WaitView], query=WaitsQuery)(my_waits)
    surface.get("/waits/<wait_id>", answers=WaitView, problems=(NotYours,))(one_wait)
    surface.post(
        "/waits/<wait_id>/withdrawal", answers=WaitView, problems=(NotYours, booking.ImpossibleMove)
    )(leave)
    surface.post("/waits/<wait_id>/refusal", answers=WaitView, problems=(NotYours, booking.ImpossibleMove))(
        decline
    )
