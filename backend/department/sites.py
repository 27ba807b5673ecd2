"""The planners' desk for sites themselves: what one is called, where it lies, what it handles, and new ones."""

from typing import Annotated, Literal

from pydantic import Field

from backend import catalogue, people
from backend.booking import plans
from backend.department.reach import PLANNING, require_planner
from backend.kernel.problems import FieldError, InvalidInput, NotYours
from backend.runtime.surface import Body, Call, Surface, Unit

Span = Annotated[list[Annotated[str, Field(max_length=5)]], Field(min_length=2, max_length=2)]
ItemId = Annotated[str, Field(min_length=1, max_length=40)]


class SiteGiven(Body):
    """What citizens read of a site, its coordinates (six digits are kept) and the items it handles.

    `drop_slots`: coming slots of an item that is left out now go with it where nobody has a place in them.
    """

    name: str = Field(min_length=2, max_length=80)
    address: str = Field(min_length=2, max_length=200)
    phone: str = Field("", max_length=30, pattern=r"^[0-9-]*$")
    latitude: float | None = Field(None, ge=3, le=54)
    longitude: float | None = Field(None, ge=73, le=136)
    item_ids: list[ItemId] = Field(max_length=200)
    drop_slots: bool = False


class NewSite(Body):
    """A hall, an exam site or a postal point; of the caller's own department and region where none is named.

    Windows, weekly patterns and rules are planned afterwards; until then its items go by its hours.
    """

    kind: Literal["hall", "exam", "postal"]
    department_id: str | None = Field(None, max_length=40)
    region_code: str | None = Field(None, max_length=40)
    name: str = Field(min_length=2, max_length=80)
    address: str = Field(min_length=2, max_length=200)
    phone: str = Field("", max_length=30, pattern=r"^[0-9-]*$")
    latitude: float | None = Field(None, ge=3, le=54)
    longitude: float | None = Field(None, ge=73, le=136)
    hours: list[Span] = Field([], max_length=6)
    item_ids: list[ItemId] = Field(max_length=200)


def put_site(call: Call[SiteGiven], u: Unit, site_id: str) -> plans.SiteChange:
    """Set name, address, phone, coordinates and items of a site."""
    require_planner(u, site_id, call.principal)
    asked = call.body
    return plans.put_site(u, site_id, _wish(asked), call.principal.actor, drop_slots=asked.drop_slots)


def add_site(call: Call[NewSite], u: Unit) -> plans.SiteChange:
    """Open a new site of the planner's department and region."""
    asked, who = call.body, call.principal
    department_id = asked.department_id or who.department_id
    region_code = asked.region_code or who.region_code
    if not department_id or not region_code:
        missing = "region_code" if department_id else "department_id"
        raise InvalidInput(errors=[FieldError(field=missing, message="请填写办事点所属的部门和地区")])
    if not any(people.may_handle(who, department_id, region_code, role) for role in PLANNING):
        raise people.OutsideYourScope
    return plans.add_site(u, asked.kind, department_id, region_code, _wish(asked), asked.hours, who.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.put(
        "/sites/<site_id>",
        body=SiteGiven,
        answers=plans.SiteChange,
        problems=(NotYours, people.OutsideYourScope, plans.ItemsInUse),
    )(put_site)
    surface.post(
        "/sites",
        body=NewSite,
        answers=plans.SiteChange,
        status=201,
        problems=(people.OutsideYourScope, catalogue.DepartmentUnknown, catalogue.RegionUnknown),
    )(add_site)


def _wish(asked: SiteGiven | NewSite) -> plans.SiteWish:
    north, east = plans.degree(asked.latitude), plans.degree(asked.longitude)
    return plans.SiteWish(asked.name, asked.address, asked.phone, north, east, tuple(asked.item_ids))
