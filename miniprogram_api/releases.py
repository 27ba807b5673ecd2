"""The citizens' releases: enter in one's own time, see where one stands, check that nobody bent anything."""

from typing import Annotated, Any

from pydantic import Field

from backend import booking, catalogue, people
from backend.booking import EntryView, ReleaseView
from backend.kernel.problems import NotYours
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Page, Query, Surface, Unit
from backend.store.unit import unit
from miniprogram_api.companions import CompanionGiven, companions_of, count_named
from miniprogram_api.grounds import require_may_book

PAGE = 20
_ENTERING = (
    NotYours,
    catalogue.ItemNotPublished,
    catalogue.ItemUnknown,
    people.PhoneNeeded,
    people.RealNameNeeded,
    booking.AlreadyBooked,
    booking.AlreadyEntered,
    booking.BookingSuspended,
    booking.CompanionNotFree,
    booking.EntriesClosed,
    booking.NotBookable,
    booking.OneLotEach,
    booking.OtherItem,
)


class ReleasesQuery(Query):
    item_id: str = Field(max_length=40)
    cursor: str | None = Field(None, max_length=200)


class Enter(Body):
    """Enter a release; `wishes` are slots of it in the order of preference, none means any of them.

    A family enters once, with its `companions`: one lot or one turn, and places for all of them in one slot.
    `case_id` is needed where the item is booked after filing.
    """

    wishes: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=50)
    case_id: str | None = Field(None, max_length=40)
    companions: list[CompanionGiven] = Field([], max_length=20)


def releases(call: Call[None]) -> Page[ReleaseView]:
    """List the releases of an item, newest first: when to enter, when they open, what they commit to."""
    after = paging.key_of(call.query.cursor)
    with unit() as u:
        found = booking.releases_for(u, call.query.item_id, after=after, limit=PAGE + 1)
    return paging.page(found, PAGE, lambda one: one.id)


def release(call: Call[None], release_id: str) -> ReleaseView:
    """Show one release."""
    with unit() as u:
        return booking.release_of(u, release_id)


def record(call: Call[None], release_id: str) -> dict[str, Any]:
    """Show what was frozen, revealed and drawn; anybody may do the draw again with it."""
    with unit() as u:
        return booking.record_of(u, release_id)


def enter(call: Call[Enter], u: Unit, release_id: str) -> EntryView:
    """Enter a release; within the time for entries it does not matter when."""
    asked, person_id = call.body, call.principal.id
    wanted = booking.release_of(u, release_id)
    require_may_book(u, wanted.item_id, asked.case_id, person_id)
    family = companions_of(u, asked.companions, person_id)
    booking.enter(u, release_id, person_id, asked.wishes, asked.case_id, call.principal.actor, family)
    return booking.entry_of(u, release_id, person_id)


def withdraw(call: Call[None], u: Unit, release_id: str) -> EntryView:
    """Leave a release."""
    booking.withdraw_entry(u, release_id, call.principal.id, call.principal.actor)
    return booking.entry_of(u, release_id, call.principal.id)


def my_entry(call: Call[None], release_id: str) -> EntryView:
    """Show my entry in a release: where I stand, how many are ahead, from when I may book."""
    with unit() as u:
        return booking.entry_of(u, release_id, call.principal.id)


def one_entry(call: Call[None], entry_id: str) -> EntryView:
    """Show one of my entries."""
    with unit() as u:
        return booking.entry_by_id(u, entry_id, call.principal.id)


def my_entries(call: Call[None]) -> list[EntryView]:
    """List my latest entries, newest first."""
    with unit() as u:
        return booking.entries_of(u, call.principal.id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    at = "/releases/<release_id>"
    surface.get("/releases", answers=Page[ReleaseView], query=ReleasesQuery, audience="public")(releases)
    surface.get(at, answers=ReleaseView, audience="public", problems=(booking.ReleaseUnknown,))(release)
    surface.get(
        f"{at}/record",
        answers=booking.DrawRecord,
        audience="public",
        problems=(booking.ReleaseUnknown, booking.ReleaseNotReady),
    )(record)
    surface.post(
        f"{at}/entries", body=Enter, answers=EntryView, status=201, problems=_ENTERING, gate=count_named
    )(enter)
    surface.get(f"{at}/entry", answers=EntryView, problems=(NotYours,))(my_entry)
    surface.post(f"{at}/entry/withdrawal", answers=EntryView, problems=(NotYours, booking.ImpossibleMove))(
        withdraw
    )
    surface.get("/entries", answers=list[EntryView])(my_entries)
    surface.get("/entries/<entry_id>", answers=EntryView, problems=(NotYours,))(one_entry)
