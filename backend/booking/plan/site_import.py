"""Takes sites from a city's own file, all or nothing, in the form of data/sites.json.

New sites come with their first plan. Of a site that is there the file sets what its planners may set, as they do;
its plan, hours and kind are theirs and are not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from backend import catalogue
from backend.booking.models import PatternRow, SiteRow, WindowGroupRow, WindowRow
from backend.booking.plan.problems import ItemsInUse
from backend.booking.plan.rota import overlap
from backend.booking.plan.sites import load_sites
from backend.booking.plan.siting import SiteWish, degree, put_site, site_faults
from backend.booking.plan.views import GroupWish, PatternWish, WindowWish
from backend.booking.plan.wishes import Ground, faults_of, group_faults, hours_faults
from backend.kernel import ids
from backend.kernel.problems import FieldError, InvalidInput
from backend.runtime import bodies
from backend.runtime.bodies import Body
from backend.store.unit import Actor, Unit

Faults = Iterator[tuple[str, str]]
FileId = Annotated[str, Field(pattern=r"^[a-z]{2,3}-[a-z0-9-]{1,36}$")]
ItemId = Annotated[str, Field(min_length=1, max_length=40)]
Span = Annotated[list[Annotated[str, Field(max_length=5)]], Field(min_length=2, max_length=2)]


class _Window(Body):
    id: FileId | None = None
    number: int
    booked_first: bool = False
    open: bool = True


class _Group(Body):
    id: FileId
    letter: str = Field(max_length=1)
    name: str = Field(max_length=40)
    item_ids: list[ItemId] = Field(max_length=200)
    windows: list[_Window] = Field(max_length=200)


class _Pattern(Body):
    id: FileId | None = None
    group_id: str = Field("", max_length=40)
    item_id: ItemId
    subject: str = Field("", max_length=20)
    weekdays: list[int] = Field(max_length=7)
    opens: str = Field(max_length=5)
    closes: str = Field(max_length=5)
    slot_minutes: int
    capacity: int
    urgent: bool = False
    valid_from: bodies.Day
    valid_to: bodies.Day | None = None


class SiteGiven(Body):
    """One site of a file; groups and patterns name each other by the ids of the file."""

    id: FileId
    name: str = Field(min_length=2, max_length=80)
    kind: Literal["hall", "exam", "postal"]
    department_id: str = Field(max_length=40)
    region_code: str = Field(max_length=40)
    address: str = Field(min_length=2, max_length=200)
    phone: str = Field("", max_length=30, pattern=r"^[0-9-]*$")
    latitude: float | None = Field(None, ge=3, le=54)
    longitude: float | None = Field(None, ge=73, le=136)
    hours: list[Span] = Field([], max_length=6)
    item_ids: list[ItemId] = Field(max_length=200)
    groups: list[_Group] = Field([], max_length=26)
    patterns: list[_Pattern] = Field([], max_length=500)

    @property
    def wish(self) -> SiteWish:
        """What planners may set as well."""
        north, east = degree(self.latitude), degree(self.longitude)
        return SiteWish(self.name, self.address, self.phone, north, east, tuple(self.item_ids))


@dataclass(frozen=True, slots=True)
class SitesTaken:
    """Ids of sites by what became of them."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


def import_sites(u: Unit, packed: bytes, by: Actor) -> SitesTaken:
    """Take the sites of a JSON file. Raises MalformedRequest, InvalidInput (every fault by its position)."""
    given = bodies.read_list(packed, SiteGiven)
    faults = [
        FieldError(field=f"{place}.{field}", message=says)
        for place, site in enumerate(given)
        for field, says in _faults(u, site, given[:place])
    ]
    if faults:
        raise InvalidInput(errors=faults)
    rows = {site.id: u.get(SiteRow, site.id) for site in given}
    changed = [
        (n, one) for n, one in enumerate(given) if (row := rows[one.id]) and not _is_same(row, one.wish)
    ]
    fresh = [one for one in given if rows[one.id] is None]
    for place, site in sorted(changed, key=lambda one: one[1].id):
        _change(u, place, site, by)
    load_sites(u, [_plain(site) for site in fresh])
    for site in fresh:
        u.note(site.id, site.id, "site_opened", by=by, facts={"name": site.name, "items": site.item_ids})
    touched = {one.id for _, one in changed} | {one.id for one in fresh}
    return SitesTaken(
        tuple(one.id for one in fresh), tuple(one.id for _, one in changed),
        tuple(one.id for one in given if one.id not in touched),
    )  # fmt: skip


def _change(u: Unit, place: int, site: SiteGiven, by: Actor) -> None:
    try:
        put_site(u, site.id, site.wish, by)
    except ItemsInUse as problem:
        says = f"{problem.title}{problem.detail}"
        raise InvalidInput(errors=[FieldError(field=f"{place}.item_ids", message=says)]) from problem


def _is_same(row: SiteRow, wish: SiteWish) -> bool:
    there = SiteWish(row.name, row.address, row.phone, row.latitude, row.longitude, tuple(row.item_ids))
    return there == wish


def _faults(u: Unit, given: SiteGiven, before: Sequence[SiteGiven]) -> Faults:
    row = u.get(SiteRow, given.id)
    if given.id in [one.id for one in before]:
        yield "id", "编号重复"
    if row is not None and (row.kind, row.department_id, row.region_code) != (
        given.kind, given.department_id, given.region_code
    ):  # fmt: skip
        yield "id", "已有这个办事点，类型、部门或地区不同，不能更改"
    yield from _of_owner(u, given)
    for fault in site_faults(u, given.wish, known=row.item_ids if row else ()):
        yield fault["field"], fault["message"]
    for place, says in hours_faults(given.hours).items():
        yield f"hours.{place}", says
    if row is None:
        yield from _of_plan(u, given, before)


def _of_owner(u: Unit, given: SiteGiven) -> Faults:
    try:
        catalogue.department(u, given.department_id)
    except catalogue.DepartmentUnknown:
        yield "department_id", "没有这个部门"
    try:
        catalogue.region(u, given.region_code)
    except catalogue.RegionUnknown:
        yield "region_code", "没有这个地区"


def _of_plan(u: Unit, given: SiteGiven, before: Sequence[SiteGiven]) -> Faults:
    site = SiteRow(id=given.id, item_ids=given.item_ids)
    wishes = [
        GroupWish(
            one.letter, one.name, tuple(one.item_ids),
            tuple(WindowWish(window.number, window.booked_first, window.open) for window in one.windows),
        )
        for one in given.groups
    ]  # fmt: skip
    for place, field, says in group_faults(site, wishes):
        yield f"groups.{place}.{field}", says
    yield from _of_ids(u, given, before)
    ground = Ground(site, {one.id: one.item_ids for one in given.groups})
    for place, pattern in enumerate(given.patterns):
        for fault in faults_of(u, ground, PatternWish(**_fields(pattern))):
            yield f"patterns.{place}.{fault['field']}", fault["message"]
        row = PatternRow(**_fields(pattern))
        if any(overlap(row, PatternRow(**_fields(other))) for other in given.patterns[:place]):
            yield f"patterns.{place}", "与前面的排班计划时间重叠"


def _of_ids(u: Unit, given: SiteGiven, before: Sequence[SiteGiven]) -> Faults:
    """What the file calls its groups, windows and patterns must not be anybody else's name."""
    taken = {one_id for site in before for _, _, one_id in _ids_of(site)}
    for path, kind, one_id in _ids_of(given):
        if one_id in taken or u.get(kind, one_id) is not None:
            yield path, "编号已被使用"
        taken.add(one_id)


def _ids_of(given: SiteGiven) -> Iterator[tuple[str, type[Any], str]]:
    for n, group in enumerate(given.groups):
        yield f"groups.{n}.id", WindowGroupRow, group.id
        for m, window in enumerate(group.windows):
            if window.id is not None:
                yield f"groups.{n}.windows.{m}.id", WindowRow, window.id
    for n, pattern in enumerate(given.patterns):
        if pattern.id is not None:
            yield f"patterns.{n}.id", PatternRow, pattern.id


def _fields(pattern: _Pattern) -> dict[str, Any]:
    found = pattern.model_dump(exclude={"id"})
    return {**found, "weekdays": tuple(pattern.weekdays)}


def _plain(given: SiteGiven) -> dict[str, Any]:
    """A site as load_sites takes it: everything has an id, and what is left out is not there."""
    plain = given.model_dump(mode="json")
    for group in plain["groups"]:
        for window in group["windows"]:
            window["id"] = window["id"] or ids.new_id("wi")
    for pattern in plain["patterns"]:
        pattern["id"] = pattern["id"] or ids.new_id("pt")
        if pattern["valid_to"] is None:
            del pattern["valid_to"]
    return plain
