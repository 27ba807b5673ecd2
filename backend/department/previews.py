"""What planners look at before they change a plan, and after it: its effect on slots, and slots that do not fit."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from backend import people
from backend.booking import plans
from backend.department.planning import (
    DayGiven,
    HoursGiven,
    PatternGiven,
    RulesGiven,
    SlotsToClose,
    SpanAsked,
    day_set,
    pattern_wish,
)
from backend.department.reach import require_own_site, require_planner
from backend.kernel.problems import InvalidInput, NotYours
from backend.runtime.surface import Body, Call, Day, RawBody, Surface, Unit
from backend.store.unit import Actor, unit


class PatternChanged(Body):
    pattern_id: str = Field(max_length=40)
    pattern: PatternGiven


class DayChanged(Body):
    """Other hours for a day, or (`set` left out) the day as planned again."""

    day: Day
    set: DayGiven | None = None


class ChangesAsked(Body):
    """Changes of a plan, one after the other in the order of these fields."""

    hours: HoursGiven | None = None
    withdraw: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=100)
    change: list[PatternChanged] = Field([], max_length=100)
    add: list[PatternGiven] = Field([], max_length=100)
    rules: list[RulesGiven] = Field([], max_length=100)
    days: list[DayChanged] = Field([], max_length=100)
    close: SlotsToClose | None = None


class UseAsked(SpanAsked):
    """`by`: which of the sheets of the workbook is wanted as CSV."""

    format: Literal["xlsx", "csv"] = "xlsx"
    by: Literal["day", "item", "group", "kind"] = "day"


def preview(call: Call[ChangesAsked], site_id: str) -> plans.Preview:
    """Show what changes of the plan would do to slots and appointments, without making them."""

    def act(u: Unit) -> plans.Preview:
        require_planner(u, site_id, call.principal)
        done = list(_changes(u, site_id, call.body, call.principal.actor))
        slots = sum((one for one in done if isinstance(one, plans.Fitted)), plans.Fitted())
        return plans.Preview(
            slots, sum((one for one in done if isinstance(one, plans.Closing)), plans.Closing())
        )

    return plans.previewed(act)


def preview_sheet(call: Call[bytes], site_id: str) -> plans.PlanChange:
    """Show what a workbook would change, without changing it; every fault is told."""

    def act(u: Unit) -> plans.PlanChange:
        require_planner(u, site_id, call.principal)
        return plans.import_plan(u, site_id, call.body, call.principal.actor)

    return plans.previewed(act)


def mismatches(call: Call[None], site_id: str) -> list[plans.KeptSlot]:
    """List the coming slots that stay though the plan wants them otherwise: booked ones, and those under a release."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return list(plans.mismatches(u, site_id))


def utilisation_file(call: Call[None], site_id: str) -> Response:
    """Download how the places of a site were used, day by day, as an Excel workbook or as CSV."""
    asked = call.query
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        if asked.format == "csv":
            packed, media = plans.utilisation_csv(u, site_id, asked.first, asked.last, asked.by), "text/csv"
        else:
            packed, media = plans.utilisation_book(u, site_id, asked.first, asked.last), plans.MEDIA
    name = f"utilisation-{asked.first}-{asked.last}.{asked.format}"
    heads = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(packed, mimetype=media, headers=heads)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    at, put = "/sites/<site_id>", (NotYours, people.OutsideYourScope, InvalidInput)
    surface.post(
        f"{at}/plan/preview", body=ChangesAsked, answers=plans.Preview, steps=True,
        problems=(*put, plans.PatternOverlaps, plans.DrawUnderWay, plans.NotThisDay),
    )(preview)  # fmt: skip
    surface.post(
        f"{at}/plan/sheet/preview", body=RawBody(plans.MAX_BYTES, (plans.MEDIA,)), answers=plans.PlanChange,
        steps=True, problems=(*put, plans.PlanRefused),
    )(preview_sheet)  # fmt: skip
    surface.get(f"{at}/plan/mismatches", answers=list[plans.KeptSlot], problems=(NotYours,))(mismatches)
    surface.get(
        f"{at}/utilisation/file",
        query=UseAsked,
        media=(plans.MEDIA, "text/csv"),
        problems=(NotYours, InvalidInput),
    )(utilisation_file)


def _changes(u: Unit, site_id: str, asked: ChangesAsked, by: Actor) -> Iterator[plans.Fitted | plans.Closing]:
    if asked.hours is not None:
        yield plans.put_hours(u, site_id, asked.hours.hours, by).slots
    for pattern_id in asked.withdraw:
        yield plans.withdraw_pattern(u, site_id, pattern_id, by)
    for one in asked.change:
        yield plans.change_pattern(u, site_id, one.pattern_id, pattern_wish(one.pattern), by).slots
    for given in asked.add:
        yield plans.add_pattern(u, site_id, pattern_wish(given), by).slots
    for rules in asked.rules:
        given_rules: dict[str, Any] = rules.rules.model_dump(exclude_unset=True)
        yield plans.put_rules(u, site_id, rules.item_id, given_rules, by).slots
    for day in asked.days:
        yield from _day(u, site_id, day.day, day.set, by)
    if asked.close is not None:
        yield plans.close_slots(u, site_id, asked.close.slot_ids, asked.close.reason, by)


def _day(
    u: Unit, site_id: str, day: dt.date, asked: DayGiven | None, by: Actor
) -> Iterator[plans.Fitted | plans.Closing]:
    change = plans.unset_day(u, site_id, day, by) if asked is None else day_set(u, site_id, day, asked, by)
    yield change.slots
    yield change.fitted
