"""The desk for visits out of hours: who comes, for which listed reason, and the evidence, before the doors open."""

from dataclasses import dataclass

from flask import Response, request
from pydantic import Field

from backend import booking, cases, people
from backend.booking import halls
from backend.booking.hall.doors import DeskBooking, UrgentVisit
from backend.department.reach import require_planner
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Day, Query, Surface, Unit
from backend.store.unit import run_unit, unit

AT_THE_DESK = ("handler", "window_clerk", "system")
"""Who needs to know why somebody is in a hurry: illness and mourning are nobody else's business."""


DECIDING = ("handler", "window_clerk")
"""Who says whether it is good enough: people, and no machine."""


class Urgency(Body):
    """Whether the evidence is good enough for an hour outside the usual ones; the citizen reads why it is not."""

    accepted: bool
    reason: str = Field(min_length=2, max_length=60)


class DayAsked(Query):
    day: Day | None = None


@dataclass(frozen=True, slots=True)
class UrgentLine:
    """Who comes out of hours, masked, and why; the evidence is opened file by file."""

    person: people.PersonView
    visit: UrgentVisit


def visits(call: Call[None], site_id: str) -> list[UrgentLine]:
    """List who comes to a site out of hours on a day (today when none is given), and why."""
    with unit() as u:
        require_planner(u, site_id, call.principal, AT_THE_DESK)
        found = halls.urgent_visits_at(u, site_id, call.query.day or clock.today())
        return [UrgentLine(people.person_of(u, one.person_id), one) for one in found]


def link_evidence(call: Call[None], booking_id: str, upload_id: str) -> cases.SignedLink:
    """A link to evidence for an urgent visit to my site, for five minutes and for me alone."""
    with unit() as u:
        visit = _with_evidence(u, booking_id, upload_id, call.principal)
        path = request.path.removesuffix("/link")
        return cases.link_to_evidence(u, upload_id, visit.person_id, call.principal, path)


def show_evidence(call: Call[None], booking_id: str, upload_id: str) -> Response:
    """The evidence behind a signed link; that I looked is written down, and the citizen can read it."""
    parts: cases.LinkParts = call.query

    def looked_at(u: Unit) -> cases.UploadFile:
        visit = _with_evidence(u, booking_id, upload_id, call.principal)
        link = parts.expires, parts.sig
        return cases.open_evidence(u, upload_id, visit.person_id, call.principal, link, visit.matter)

    return cases.as_response(run_unit(looked_at))


def decide(call: Call[Urgency], u: Unit, booking_id: str) -> DeskBooking:
    """Accept the urgency of a visit after seeing the evidence, or refuse it: then the visit is cancelled, without
    blame.
    """
    asked = call.body
    require_planner(u, halls.site_of_booking(u, booking_id), call.principal, DECIDING)
    halls.decide_urgency(u, booking_id, call.principal.actor, accepted=asked.accepted, reason=asked.reason)
    return halls.booking_at_desk(u, booking_id)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    closed = (NotYours, people.OutsideYourScope)
    gone = (*closed, cases.UploadNotFound)
    surface.get("/sites/<site_id>/urgent-visits", query=DayAsked, answers=list[UrgentLine], problems=closed)(
        visits
    )
    at = "/bookings/<booking_id>/evidence/<upload_id>"
    surface.get(f"{at}/link", answers=cases.SignedLink, problems=gone)(link_evidence)
    surface.post(
        "/bookings/<booking_id>/urgency",
        body=Urgency,
        answers=DeskBooking,
        problems=(*closed, booking.TooLateToCancel, booking.ImpossibleMove),
    )(decide)
    surface.get(at, query=cases.LinkParts, media=cases.MEDIA_TYPES, problems=(*gone, cases.LinkExpired))(
        show_evidence
    )


def _with_evidence(u: Unit, booking_id: str, upload_id: str, who: Principal) -> UrgentVisit:
    """An urgent visit to the officer's site, and this file belongs to it. Raises NotYours, OutsideYourScope."""
    visit = halls.urgent_visit(u, booking_id)
    require_planner(u, visit.site_id, who, AT_THE_DESK)
    if upload_id not in visit.evidence:
        raise NotYours
    return visit
