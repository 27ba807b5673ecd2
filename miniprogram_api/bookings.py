"""The citizens' window: choose a time, hold it, confirm it, show the code at the site."""

from typing import Annotated

from pydantic import Field

from backend import booking, people
from backend.booking import BookingView, Companion, Site, Slot, Wish
from backend.kernel.identifiers import is_id_no, tidy_id_no
from backend.kernel.problems import FieldError, InvalidInput, NotYours
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Day, Page, Query, Surface, Unit
from backend.store.unit import unit
from miniprogram_api import grounds

PAGE = 20
_HOLDING = (
    NotYours,
    people.RealNameNeeded,
    booking.SlotClosed,
    booking.SlotTaken,
    booking.NotYourTurn,
    booking.LimitReached,
    booking.TooManyHolds,
    booking.BookingSuspended,
    booking.UrgencyNeeded,
)


class SiteQuery(Query):
    item_id: str = Field(max_length=40)


class SlotQuery(Query):
    item_id: str = Field(max_length=40)
    site_id: str | None = Field(None, max_length=40)
    day: Day | None = None
    subject: str | None = Field(None, max_length=20)


class CompanionGiven(Body):
    """Somebody who comes along and is handled together, such as the other owner of a flat."""

    name: str = Field(min_length=2, max_length=30)
    id_no: str = Field(min_length=18, max_length=18)


class HoldSlot(Body):
    """Hold a place; `case_id` is needed where the item is booked after filing.

    `urgent_reason` and `urgent_evidence` (ids of uploads) are needed for out-of-hours slots only.
    """

    slot_id: str = Field(max_length=40)
    case_id: str | None = Field(None, max_length=40)
    companions: list[CompanionGiven] = Field([], max_length=20)
    urgent_reason: str = Field("", max_length=40)
    urgent_evidence: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=5)


class MoveTo(Body):
    """Another slot of the same item."""

    slot_id: str = Field(max_length=40)


class BookingsQuery(Query):
    cursor: str | None = Field(None, max_length=200)


def sites(call: Call[None]) -> list[Site]:
    """List the sites where an item is handled."""
    with unit() as u:
        return booking.sites_for(u, call.query.item_id)


def slots(call: Call[None]) -> list[Slot]:
    """List the slots of an item that may be booked now, with the places left."""
    asked = call.query
    with unit() as u:
        return booking.free_slots(
            u, asked.item_id, site_id=asked.site_id, day=asked.day, subject=asked.subject
        )


def hold(call: Call[HoldSlot], u: Unit) -> BookingView:
    """Hold a place for some minutes; confirm it to make it sure."""
    asked, person_id = call.body, call.principal.id
    seen = booking.look(u, asked.slot_id, person_id, 1 + len(asked.companions))
    grounds.require_may_book(u, seen.item_id, asked.case_id, person_id)
    wish = Wish(
        seen.id, person_id, asked.case_id, _companions(u, asked, person_id), call.device, asked.urgent_reason,
        tuple(asked.urgent_evidence),
    )  # fmt: skip
    return booking.hold_slot(u, wish, call.principal.actor, seen)


def confirm(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Make a held place sure."""
    return booking.confirm_booking(u, booking_id, call.principal.id, call.principal.actor)


def cancel(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Give a place back."""
    return booking.cancel_booking(u, booking_id, call.principal.id, call.principal.actor)


def move(call: Call[MoveTo], u: Unit, booking_id: str) -> BookingView:
    """Hold another time for a booking; its own time stands until the new one is confirmed."""
    wish = Wish(call.body.slot_id, call.principal.id, device=call.device)
    return booking.hold_move(u, booking_id, wish, call.principal.actor)


def confirm_move(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Take the other time; the old one is free again."""
    return booking.confirm_move(u, booking_id, call.principal.id, call.principal.actor)


def drop_move(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Stay with the old time."""
    return booking.drop_move(u, booking_id, call.principal.id, call.principal.actor)


def one_booking(call: Call[None], booking_id: str) -> BookingView:
    """Show one of my bookings with its check-in code."""
    with unit() as u:
        return booking.booking_of(u, booking_id, call.principal.id)


def my_bookings(call: Call[None]) -> Page[BookingView]:
    """List my bookings, newest first."""
    keys = paging.keys_of(call.query.cursor, 1)
    with unit() as u:
        found = booking.bookings_of(
            u, call.principal.id, after=str(keys[0]) if keys else None, limit=PAGE + 1
        )
    shown = tuple(found[:PAGE])
    return Page(shown, paging.cursor(shown[-1].id) if len(found) > PAGE else None)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.get("/sites", answers=list[Site], query=SiteQuery, audience="public")(sites)
    surface.get("/slots", answers=list[Slot], query=SlotQuery, audience="public")(slots)
    surface.post(
        "/bookings",
        body=HoldSlot,
        answers=BookingView,
        status=201,
        problems=(*_HOLDING, *grounds.PROBLEMS, booking.AlreadyBooked),
    )(hold)
    surface.post(
        "/bookings/<booking_id>/move",
        body=MoveTo,
        answers=BookingView,
        problems=(
            *_HOLDING,
            booking.SameSlot,
            booking.OtherItem,
            booking.TooLateToCancel,
            booking.ImpossibleMove,
        ),
    )(move)
    surface.post(
        "/bookings/<booking_id>/move/confirmation",
        answers=BookingView,
        problems=(NotYours, booking.HoldLapsed, booking.SlotClosed, booking.ImpossibleMove),
    )(confirm_move)
    surface.post(
        "/bookings/<booking_id>/move/withdrawal",
        answers=BookingView,
        problems=(NotYours, booking.ImpossibleMove),
    )(drop_move)
    surface.post(
        "/bookings/<booking_id>/confirmation",
        answers=BookingView,
        problems=(NotYours, booking.HoldLapsed, booking.SlotClosed, booking.ImpossibleMove),
    )(confirm)
    surface.post(
        "/bookings/<booking_id>/cancellation",
        answers=BookingView,
        problems=(NotYours, booking.TooLateToCancel, booking.ImpossibleMove),
    )(cancel)
    surface.get("/bookings/<booking_id>", answers=BookingView, problems=(NotYours,))(one_booking)
    surface.get("/bookings", answers=Page[BookingView], query=BookingsQuery)(my_bookings)


def _companions(u: Unit, asked: HoldSlot, person_id: str) -> tuple[Companion, ...]:
    numbers = [tidy_id_no(one.id_no) for one in asked.companions]
    wrong: list[FieldError] = [
        {"field": f"companions.{n}.id_no", "message": says}
        for n, id_no in enumerate(numbers)
        if (says := _wrong_with(u, id_no, numbers[:n], person_id))
    ]
    if wrong:
        raise InvalidInput(errors=wrong)
    return tuple(Companion(one.name, id_no) for one, id_no in zip(asked.companions, numbers, strict=True))


def _wrong_with(u: Unit, id_no: str, before: list[str], person_id: str) -> str:
    if not is_id_no(id_no):
        return "身份证号码不正确"
    if id_no in before:
        return "同行人的身份证号码重复"
    return "同行人不用填写本人" if people.is_own_id_no(u, person_id, id_no) else ""
