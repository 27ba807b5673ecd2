"""The citizens' window before they book: where an item is handled, by which rules, which days have places,
and which times.
"""

from pydantic import Field

from backend import booking
from backend.booking import DayOfSlots, RulesTold, Site, Slot
from backend.kernel.problems import InvalidInput, NotYours
from backend.runtime import paging
from backend.runtime.surface import Call, Day, Page, Query, Surface
from backend.store.unit import unit

PAGE = 100


class SiteQuery(Query):
    item_id: str = Field(max_length=40)


class SlotQuery(Query):
    """`closed`: also the times that the site has closed, with the reason."""

    item_id: str = Field(max_length=40)
    site_id: str | None = Field(None, max_length=40)
    day: Day | None = None
    subject: str | None = Field(None, max_length=20)
    closed: bool = False
    cursor: str | None = Field(None, max_length=200)


class DaysQuery(Query):
    """Up to 62 days, from today and for a month where nothing else is said; without subject any of the item's."""

    item_id: str = Field(max_length=40)
    subject: str | None = Field(None, max_length=20)
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")


def sites(call: Call[None]) -> list[Site]:
    """List the sites where an item is handled."""
    with unit() as u:
        return booking.sites_for(u, call.query.item_id)


def days(call: Call[None], site_id: str) -> list[DayOfSlots]:
    """List the days of a site with the places left on each; of a closed day, why it is closed."""
    asked = call.query
    with unit() as u:
        return booking.days_at(u, site_id, asked.item_id, asked.first, asked.last, asked.subject)


def slots(call: Call[None]) -> Page[Slot]:
    """List the coming slots of an item, soonest first, with the places left.

    A slot may be full, not open yet (`opens_at`), given out by a release (`release_id`) or urgent; closed ones are
    told where asked for.
    """
    asked, after = call.query, paging.moment_and_id(call.query.cursor)
    with unit() as u:
        found = booking.free_slots(
            u, asked.item_id, site_id=asked.site_id, day=asked.day, subject=asked.subject, closed=asked.closed,
            after=after, limit=PAGE + 1,
        )  # fmt: skip
    shown, more = tuple(found[:PAGE]), len(found) > PAGE
    return Page(shown, paging.cursor(shown[-1].starts_at.isoformat(), shown[-1].id) if more else None)


def rules(call: Call[None], site_id: str) -> RulesTold:
    """Read the rules of booking an item at a site before booking, in words and as figures."""
    with unit() as u:
        return booking.rules_told(u, site_id, call.query.item_id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.get("/sites", answers=list[Site], query=SiteQuery, audience="public")(sites)
    surface.get("/slots", answers=Page[Slot], query=SlotQuery, audience="public")(slots)
    surface.get(
        "/sites/<site_id>/days",
        answers=list[DayOfSlots],
        query=DaysQuery,
        audience="public",
        problems=(NotYours, InvalidInput),
    )(days)
    surface.get(
        "/sites/<site_id>/rules",
        answers=RulesTold,
        query=SiteQuery,
        audience="public",
        problems=(NotYours, booking.NotBookable),
    )(rules)
