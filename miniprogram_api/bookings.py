"""The citizens' window: choose a time, hold it, confirm it, show the code at the site."""

from typing import Annotated

from pydantic import Field

from backend import booking, cases, people
from backend.booking import BookingView, OtherTime, Wish
from backend.kernel.problems import NotYours
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Page, Query, Question, Surface, Unit
from backend.store.unit import unit
from miniprogram_api import grounds
from miniprogram_api.companions import CompanionGiven, companions_of, count_named

PAGE = 20
_HOLDING = (
    NotYours,
    people.PhoneNeeded,
    people.RealNameNeeded,
    booking.SlotClosed,
    booking.SlotTaken,
    booking.NotYourTurn,
    booking.LimitReached,
    booking.TooManyHolds,
    booking.BookingSuspended,
    booking.UrgencyNeeded,
    booking.AlreadyBooked,
    booking.CompanionNotFree,
    cases.UploadUnusable,
)
_MOVING = (*_HOLDING, booking.SameSlot, booking.OtherItem, booking.TooLateToCancel, booking.ImpossibleMove)
_CONFIRMING = (NotYours, booking.HoldLapsed, booking.SlotClosed, booking.ImpossibleMove)


class HoldSlot(Body):
    """Hold a place; `case_id` is needed where the item is booked after filing.

    `urgent_reason` and `urgent_evidence` (ids of uploads) are needed for out-of-hours slots only; the reason is one
    of medical (就医), exam (升学、考试), travel (紧急出境、奔丧), work (招投标、签约), disability (行动不便).
    """

    slot_id: str = Field(max_length=40)
    case_id: str | None = Field(None, max_length=40)
    companions: list[CompanionGiven] = Field([], max_length=20)
    urgent_reason: str = Field("", max_length=40)
    urgent_evidence: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=5)


class MoveTo(Body):
    """Another slot of the same item; reason and evidence as for holding one, where it is out of hours."""

    slot_id: str = Field(max_length=40)
    urgent_reason: str = Field("", max_length=40)
    urgent_evidence: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=5)


class BookingsQuery(Query):
    cursor: str | None = Field(None, max_length=200)


def hold(call: Call[HoldSlot], u: Unit) -> BookingView:
    """Hold a place for some minutes; confirm it to make it sure."""
    asked, person_id = call.body, call.principal.id
    family = companions_of(u, asked.companions, person_id)
    if family:
        booking.stand_still(u, family, person_id)
    seen = booking.look(u, asked.slot_id, person_id, 1 + len(family))
    grounds.require_may_book(u, seen.item_id, asked.case_id, person_id, seen.version_id)
    wish = Wish(
        seen.id, person_id, asked.case_id, family, call.device, asked.urgent_reason,
        tuple(asked.urgent_evidence), call.ip_digest,
    )  # fmt: skip
    held = booking.hold_slot(u, wish, call.principal.actor, seen)
    if seen.urgent:
        grounds.keep_evidence(u, held.id, person_id, held.starts_at)
    return held


def confirm(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Make a held place sure."""
    booked = booking.confirm_booking(u, booking_id, call.principal.id, call.principal.actor)
    grounds.require_still_wanted(u, booked)
    return booked


def cancel(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Give a place back."""
    return booking.cancel_booking(u, booking_id, call.principal.id, call.principal.actor)


def move(call: Call[MoveTo], u: Unit, booking_id: str) -> BookingView:
    """Hold another time for a booking; its own time stands until the new one is confirmed."""
    asked, person_id = call.body, call.principal.id
    evidence = tuple(asked.urgent_evidence)
    wish = Wish(asked.slot_id, person_id, urgent_reason=asked.urgent_reason, urgent_evidence=evidence)
    moving = booking.hold_move(u, booking_id, wish, call.principal.actor)
    if moving.moving is not None:
        grounds.keep_evidence(u, booking_id, person_id, moving.moving.starts_at)
    return moving


def confirm_move(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Take the other time; the old one is free again."""
    return booking.confirm_move(u, booking_id, call.principal.id, call.principal.actor)


def drop_move(call: Call[None], u: Unit, booking_id: str) -> BookingView:
    """Stay with the old time."""
    return booking.drop_move(u, booking_id, call.principal.id, call.principal.actor)


def other_times(call: Call[None], booking_id: str) -> list[OtherTime]:
    """Show what I may choose by a move instead of a closed time, beside what is held for me."""
    with unit() as u:
        return booking.other_times(u, booking_id, call.principal.id)


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
    surface.post(
        "/bookings",
        body=HoldSlot,
        answers=BookingView,
        status=201,
        problems=(*_HOLDING, *grounds.PROBLEMS),
        asks=_slot_wanted,
        device=True,
        gate=count_named,
    )(hold)
    surface.post(
        "/bookings/<booking_id>/move",
        body=MoveTo,
        answers=BookingView,
        problems=_MOVING,
    )(move)
    surface.post(
        "/bookings/<booking_id>/move/confirmation",
        answers=BookingView,
        problems=_CONFIRMING,
    )(confirm_move)
    surface.post(
        "/bookings/<booking_id>/move/withdrawal",
        answers=BookingView,
        problems=(NotYours, booking.ImpossibleMove),
    )(drop_move)
    surface.post(
        "/bookings/<booking_id>/confirmation",
        answers=BookingView,
        problems=(*_CONFIRMING, booking.NotBookable),
        asks=_booking_meant,
    )(confirm)
    surface.post(
        "/bookings/<booking_id>/cancellation",
        answers=BookingView,
        problems=(NotYours, booking.TooLateToCancel, booking.ImpossibleMove),
    )(cancel)
    surface.get("/bookings/<booking_id>/other-times", answers=list[OtherTime], problems=(NotYours,))(
        other_times
    )
    surface.get("/bookings/<booking_id>", answers=BookingView, problems=(NotYours,))(one_booking)
    surface.get("/bookings", answers=Page[BookingView], query=BookingsQuery)(my_bookings)


def _slot_wanted(call: Call[HoldSlot]) -> Question | None:
    """Families are locked one by one before any slot is looked at."""
    if call.body.companions:
        return None
    return booking.slot_question(call.body.slot_id, call.principal.id)


def _booking_meant(call: Call[None], booking_id: str) -> Question:
    return booking.hold_question(booking_id, call.principal.id)
