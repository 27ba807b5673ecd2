"""The departments' desk for appeals of those who missed appointments at their sites."""

from dataclasses import dataclass

from pydantic import Field

from backend import booking, people
from backend.booking import BlockView, halls
from backend.department.reach import require_planner
from backend.kernel.problems import NotYours
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Page, Query, Surface, Unit
from backend.store.unit import unit

PAGE = 20
JUDGES = ("planner", "handler")
"""Who answers: neither a machine, nor the window at which somebody was not seen."""


class AppealsQuery(Query):
    cursor: str | None = Field(None, max_length=200)


class Answer(Body):
    """Lift the block, or uphold it; the citizen reads the reason."""

    lift: bool
    reason: str = Field(min_length=2, max_length=200)


@dataclass(frozen=True, slots=True)
class AppealLine:
    """An appeal with the person who wrote it, masked."""

    person: people.PersonView
    block: BlockView


def appeals(call: Call[None]) -> Page[AppealLine]:
    """List the appeals at my sites that wait for my answer, oldest block first."""
    after, who = paging.key_of(call.query.cursor), call.principal
    with unit() as u:
        found = halls.appeals(
            u,
            lambda site: any(
                people.may_handle(who, site.department_id, site.region_code, role) for role in JUDGES
            ),
            after=after,
            limit=PAGE + 1,
        )
        lines = [AppealLine(people.person_of(u, one.person_id), one) for one in found]
    return paging.page(lines, PAGE, lambda one: one.block.id)


def decide(call: Call[Answer], u: Unit, block_id: str) -> BlockView:
    """Answer an appeal; lifted, the person may book at once."""
    require_planner(u, halls.site_of_block(u, block_id).id, call.principal, JUDGES)
    return halls.decide_block(u, block_id, call.principal.actor, lift=call.body.lift, why=call.body.reason)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.get("/booking-appeals", answers=Page[AppealLine], query=AppealsQuery)(appeals)
    surface.post(
        "/booking-blocks/<block_id>/decision",
        body=Answer,
        answers=BlockView,
        problems=(NotYours, people.OutsideYourScope, booking.ImpossibleMove),
    )(decide)
