"""The planners' desk: windows, weekly patterns, rules, exceptional days, and how the places of a site are used.

Whoever works for the department may look; only its planners and its own systems change anything.
"""

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from backend import people
from backend.booking import plans
from backend.department.reach import require_own_site, require_planner
from backend.kernel import clock
from backend.kernel.problems import InvalidInput, NotYours
from backend.runtime.bodies import day_of_text
from backend.runtime.surface import Body, Call, Day, Query, RawBody, Surface, Unit
from backend.store.unit import Actor, unit

Span = Annotated[list[Annotated[str, Field(max_length=5)]], Field(min_length=2, max_length=2)]
SlotId = Annotated[str, Field(max_length=40)]
Reason = Annotated[str, Field(min_length=2, max_length=60)]


class PatternGiven(Body):
    """A weekly pattern: ISO weekdays, times "HH:MM"; from today where no first day is given.

    `urgent`: out of hours, for urgent matters with a listed reason and evidence only.
    """

    item_id: str = Field(max_length=40)
    subject: str = Field("", max_length=20)
    group_id: str = Field("", max_length=40)
    weekdays: list[int] = Field(max_length=7)
    opens: str = Field(max_length=5)
    closes: str = Field(max_length=5)
    slot_minutes: int
    capacity: int
    urgent: bool = False
    valid_from: Day | None = None
    valid_to: Day | None = None


class WindowGiven(Body):
    number: int
    booked_first: bool = False
    open: bool = True


class GroupGiven(Body):
    letter: str = Field(max_length=1)
    name: str = Field(max_length=40)
    item_ids: list[Annotated[str, Field(max_length=40)]] = Field(max_length=200)
    windows: list[WindowGiven] = Field(max_length=200)


class GroupsGiven(Body):
    """All groups of the site, and no others."""

    groups: list[GroupGiven] = Field(max_length=26)


class RulesGiven(Body):
    """Rules for an item, or for all (`item_id` empty); what is left out has its default again."""

    item_id: str = Field("", max_length=40)
    rules: plans.Rules


class HoursGiven(Body):
    """Opening hours of the site: [["09:00", "12:00"], ["14:00", "17:00"]]."""

    hours: list[Span] = Field(max_length=6)


class DayGiven(Body):
    """Closed, open at other hours, or for extra hours beside the usual ones; citizens read the reason."""

    kind: Literal["closed", "hours", "extra"]
    hours: list[Span] = Field([], max_length=6)
    reason: Reason


class SlotsGiven(Body):
    slot_ids: list[SlotId] = Field(min_length=1, max_length=500)


class SlotsToClose(SlotsGiven):
    reason: Reason


class DayAsked(Query):
    day: Day | None = None


class SpanAsked(Query):
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")


def plan(call: Call[None], site_id: str) -> plans.Plan:
    """Show the plan of a site: windows, weekly patterns, exceptional days and rules."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return plans.plan_of(u, site_id)


def put_groups(call: Call[GroupsGiven], u: Unit, site_id: str) -> list[plans.GroupView]:
    """Set the window groups of a site and their windows."""
    require_planner(u, site_id, call.principal)
    wishes = [
        plans.GroupWish(
            group.letter, group.name, tuple(group.item_ids),
            tuple(plans.WindowWish(one.number, one.booked_first, one.open) for one in group.windows),
        )
        for group in call.body.groups
    ]  # fmt: skip
    return list(plans.put_groups(u, site_id, wishes, call.principal.actor))


def put_hours(call: Call[HoursGiven], u: Unit, site_id: str) -> plans.HoursChange:
    """Set the opening hours of a site, by which items without patterns go."""
    require_planner(u, site_id, call.principal)
    return plans.put_hours(u, site_id, call.body.hours, call.principal.actor)


def add_pattern(call: Call[PatternGiven], u: Unit, site_id: str) -> plans.PatternChange:
    """Add a weekly pattern and open its slots."""
    require_planner(u, site_id, call.principal)
    return plans.add_pattern(u, site_id, pattern_wish(call.body), call.principal.actor)


def change_pattern(call: Call[PatternGiven], u: Unit, site_id: str, pattern_id: str) -> plans.PatternChange:
    """Put another pattern in its place; slots with appointments stay and are named."""
    require_planner(u, site_id, call.principal)
    return plans.change_pattern(u, site_id, pattern_id, pattern_wish(call.body), call.principal.actor)


def withdraw_pattern(call: Call[None], u: Unit, site_id: str, pattern_id: str) -> plans.Fitted:
    """Take a pattern out of the plan; slots with appointments stay and are named."""
    require_planner(u, site_id, call.principal)
    return plans.withdraw_pattern(u, site_id, pattern_id, call.principal.actor)


def put_rules(call: Call[RulesGiven], u: Unit, site_id: str) -> plans.RulesChange:
    """Set the rules of booking for an item, or for all items of the site."""
    require_planner(u, site_id, call.principal)
    rules = call.body.rules.model_dump(exclude_unset=True)
    return plans.put_rules(u, site_id, call.body.item_id, rules, call.principal.actor)


def sheet(call: Call[None], site_id: str) -> Response:
    """Download the whole plan as an Excel workbook."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        packed = plans.export_plan(u, site_id)
    heads = {"Content-Disposition": 'attachment; filename="plan.xlsx"', "Cache-Control": "no-store"}
    return Response(packed, mimetype=plans.MEDIA, headers=heads)


def put_sheet(call: Call[bytes], u: Unit, site_id: str) -> plans.PlanChange:
    """Take the whole plan from an Excel workbook, all or nothing."""
    require_planner(u, site_id, call.principal)
    return plans.import_plan(u, site_id, call.body, call.principal.actor)


def set_day(call: Call[DayGiven], u: Unit, site_id: str, day: str) -> plans.DayChange:
    """Close a day or give it other hours; everybody affected is offered another time."""
    require_planner(u, site_id, call.principal)
    return day_set(u, site_id, _day(day), call.body, call.principal.actor)


def unset_day(call: Call[None], u: Unit, site_id: str, day: str) -> plans.DayChange:
    """Let a day be as planned again."""
    require_planner(u, site_id, call.principal)
    return plans.unset_day(u, site_id, _day(day), call.principal.actor)


def slots(call: Call[None], site_id: str) -> list[plans.PlannedSlot]:
    """List the slots of a day (today when none is given), closed ones too."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return plans.slots_on(u, site_id, call.query.day or clock.today())


def close_slots(call: Call[SlotsToClose], u: Unit, site_id: str) -> plans.Closing:
    """Close single slots; everybody affected is offered another time."""
    require_planner(u, site_id, call.principal)
    return plans.close_slots(u, site_id, call.body.slot_ids, call.body.reason, call.principal.actor)


def reopen_slots(call: Call[SlotsGiven], u: Unit, site_id: str) -> plans.Closing:
    """Open closed slots again."""
    require_planner(u, site_id, call.principal)
    return plans.reopen_slots(u, site_id, call.body.slot_ids, call.principal.actor)


def displaced(call: Call[None], site_id: str) -> plans.Displaced:
    """Show how far the appointments of a closed day have found another time."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return plans.displaced_on(u, site_id, call.query.day or clock.today())


def utilisation(call: Call[None], site_id: str) -> plans.Utilisation:
    """Show how the places of a site were used, by day and item and by window group."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return plans.utilisation(u, site_id, call.query.first, call.query.last)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    at, seen = "/sites/<site_id>", (NotYours,)
    put: tuple[Any, ...] = (NotYours, people.OutsideYourScope, InvalidInput)
    surface.get(f"{at}/plan", answers=plans.Plan, problems=seen)(plan)
    surface.put(
        f"{at}/plan/groups",
        body=GroupsGiven,
        answers=list[plans.GroupView],
        problems=(*put, plans.WindowInUse, plans.LetterInUse),
    )(put_groups)
    surface.put(f"{at}/plan/hours", body=HoursGiven, answers=plans.HoursChange, problems=put)(put_hours)
    pattern = {
        "body": PatternGiven,
        "answers": plans.PatternChange,
        "problems": (*put, plans.PatternOverlaps),
    }
    surface.post(f"{at}/plan/patterns", status=201, **pattern)(add_pattern)
    surface.put(f"{at}/plan/patterns/<pattern_id>", **pattern)(change_pattern)
    surface.delete(f"{at}/plan/patterns/<pattern_id>", answers=plans.Fitted, problems=put)(withdraw_pattern)
    surface.put(
        f"{at}/plan/rules", body=RulesGiven, answers=plans.RulesChange, problems=(*put, plans.DrawUnderWay)
    )(put_rules)
    surface.get(f"{at}/plan/sheet", media=(plans.MEDIA,), problems=seen)(sheet)
    surface.put(
        f"{at}/plan/sheet", body=RawBody(plans.MAX_BYTES, (plans.MEDIA,)), answers=plans.PlanChange,
        problems=(*put, plans.PlanRefused),
    )(put_sheet)  # fmt: skip
    _register_days(surface, at, (*put, plans.NotThisDay))


def _register_days(surface: Surface, at: str, put: tuple[Any, ...]) -> None:
    seen = (NotYours,)
    surface.put(f"{at}/plan/days/<day>", body=DayGiven, answers=plans.DayChange, problems=put)(set_day)
    surface.delete(f"{at}/plan/days/<day>", answers=plans.DayChange, problems=put)(unset_day)
    surface.get(f"{at}/slots", query=DayAsked, answers=list[plans.PlannedSlot], problems=seen)(slots)
    surface.post(f"{at}/slots/closing", body=SlotsToClose, answers=plans.Closing, problems=put)(close_slots)
    surface.post(f"{at}/slots/reopening", body=SlotsGiven, answers=plans.Closing, problems=put)(reopen_slots)
    surface.get(f"{at}/displaced", query=DayAsked, answers=plans.Displaced, problems=seen)(displaced)
    surface.get(
        f"{at}/utilisation", query=SpanAsked, answers=plans.Utilisation, problems=(*seen, InvalidInput)
    )(utilisation)


def pattern_wish(given: PatternGiven) -> plans.PatternWish:
    return plans.PatternWish(
        given.item_id, tuple(given.weekdays), given.opens, given.closes, given.slot_minutes, given.capacity,
        given.valid_from or clock.today(), given.valid_to, given.subject, given.group_id, given.urgent,
    )  # fmt: skip


def day_set(u: Unit, site_id: str, day: dt.date, asked: DayGiven, by: Actor) -> plans.DayChange:
    if asked.kind == "closed":
        return plans.close_day(u, site_id, day, asked.reason, by)
    return plans.set_hours(u, site_id, day, asked.hours, asked.reason, by, asked.kind)


def _day(text: str) -> dt.date:
    try:
        return day_of_text(text)
    except ValueError:
        raise NotYours from None
