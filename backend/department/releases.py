"""The planners' releases: announce, write the public value down in two hands, draw, call off."""

from typing import Any, Literal

from pydantic import Field

from backend import booking, people
from backend.booking import Opening, ReleasePlan, ReleaseView, SlotRange
from backend.department.reach import require_own_site, require_planner
from backend.kernel.problems import NotYours
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Day, Moment, Page, Query, Surface, Unit
from backend.store.unit import unit

PAGE = 20
HANDS = ("planner",)
"""What decides a draw is written and set off by people, never by a system."""


class RangeGiven(Body):
    """Slots of an item (and subject) from one day to another, both included."""

    item_id: str = Field(max_length=40)
    subject: str = Field("", max_length=20)
    from_day: Day
    to_day: Day


class ReleaseGiven(RangeGiven):
    """A release to announce; `batch` is for a queue, `public_source` and `public_value_at` for a draw.

    `public_value_at`: when the source will have stated the value, after entries have closed.
    """

    mode: Literal["queue", "draw"]
    entries_from: Moment
    entries_until: Moment
    opens_at: Moment
    batch: int = Field(10, ge=1, le=10_000)
    public_source: str = Field("", max_length=200)
    public_value_at: Moment | None = None


class OpeningGiven(RangeGiven):
    """Slots that open for everybody at a published moment."""

    opens_at: Moment


class ValueGiven(Body):
    """The public value, exactly as its source states it."""

    value: str = Field(min_length=1, max_length=99)


class Reason(Body):
    reason: str = Field(min_length=2, max_length=200)


class ReleasesQuery(Query):
    cursor: str | None = Field(None, max_length=200)


def releases(call: Call[None], site_id: str) -> Page[ReleaseView]:
    """List the releases of a site, newest first."""
    after = paging.key_of(call.query.cursor)
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        found = booking.releases_at(u, site_id, after=after, limit=PAGE + 1)
    return paging.page(found, PAGE, lambda one: one.id)


def release(call: Call[None], release_id: str) -> ReleaseView:
    """Show one release."""
    with unit() as u:
        found = booking.release_of(u, release_id)
        require_own_site(u, found.site.id, call.principal)
        return found


def announce(call: Call[ReleaseGiven], u: Unit, site_id: str) -> ReleaseView:
    """Announce a release of slots that nobody has yet; its seed is committed to at once."""
    require_planner(u, site_id, call.principal)
    asked = call.body
    plan = ReleasePlan(
        _range(site_id, asked), asked.mode, asked.entries_from, asked.entries_until, asked.opens_at, asked.batch,
        asked.public_source, asked.public_value_at,
    )  # fmt: skip
    return booking.release_of(u, booking.announce(u, plan, call.principal.actor))


def open_at(call: Call[OpeningGiven], u: Unit, site_id: str) -> Opening:
    """Let slots that nobody has yet open for everybody at a published moment."""
    require_planner(u, site_id, call.principal)
    return booking.open_at(u, _range(site_id, call.body), call.body.opens_at, call.principal.actor)


def call_off(call: Call[Reason], u: Unit, release_id: str) -> ReleaseView:
    """Give a release up: its slots are everybody's, and whoever entered is told."""
    _require_hands(u, release_id, call)
    booking.call_off(u, release_id, call.body.reason, call.principal.actor)
    return booking.release_of(u, release_id)


def propose_value(call: Call[ValueGiven], u: Unit, release_id: str) -> ReleaseView:
    """Write the public value of a draw down, once entries have closed."""
    _require_hands(u, release_id, call)
    booking.propose_value(u, release_id, call.body.value, call.principal.actor)
    return booking.release_of(u, release_id)


def confirm_value(call: Call[ValueGiven], u: Unit, release_id: str) -> ReleaseView:
    """Write the same value down as a colleague did; from here on nothing can be changed."""
    _require_hands(u, release_id, call)
    booking.confirm_value(u, release_id, call.body.value, call.principal.actor)
    return booking.release_of(u, release_id)


def draw(call: Call[None], u: Unit, release_id: str) -> ReleaseView:
    """Reveal the seed and publish the order; the places are handed out at once."""
    _require_hands(u, release_id, call)
    booking.draw(u, release_id, call.principal.actor)
    return booking.release_of(u, release_id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    at, planned = "/releases/<release_id>", (NotYours, people.OutsideYourScope)
    surface.get(
        "/sites/<site_id>/releases", answers=Page[ReleaseView], query=ReleasesQuery, problems=(NotYours,)
    )(releases)
    surface.post(
        "/sites/<site_id>/releases",
        body=ReleaseGiven,
        answers=ReleaseView,
        status=201,
        problems=(*planned, booking.SlotsInUse),
    )(announce)
    surface.post(
        "/sites/<site_id>/slots/opening",
        body=OpeningGiven,
        answers=Opening,
        problems=(*planned, booking.SlotsInUse),
    )(open_at)
    surface.get(at, answers=ReleaseView, problems=(NotYours,))(release)
    stages = (*planned, booking.ReleaseNotReady)
    surface.post(
        f"{at}/call-off", body=Reason, answers=ReleaseView, problems=(*stages, booking.ImpossibleMove)
    )(call_off)
    surface.post(f"{at}/public-value", body=ValueGiven, answers=ReleaseView, problems=stages)(propose_value)
    surface.post(
        f"{at}/public-value/confirmation",
        body=ValueGiven,
        answers=ReleaseView,
        problems=(*stages, booking.PublicValueMissing, booking.SameHands, booking.ValuesDiffer),
    )(confirm_value)
    surface.post(f"{at}/draw", answers=ReleaseView, problems=(*stages, booking.PublicValueMissing))(draw)


def _range(site_id: str, asked: RangeGiven) -> SlotRange:
    return SlotRange(site_id, asked.item_id, asked.subject, asked.from_day, asked.to_day)


def _require_hands(u: Unit, release_id: str, call: Call[Any]) -> None:
    """Raises NotYours for a foreign release, OutsideYourScope for a colleague who does not plan."""
    require_planner(u, booking.release_of(u, release_id).site.id, call.principal, HANDS)
