"""Takes a whole weekly plan from a sheet, all or nothing: what is named stays or is added, the rest is withdrawn."""

from dataclasses import fields

from backend.booking.fitting import fit
from backend.booking.models import PatternRow, SiteRow
from backend.booking.plan_sheet import Finding, Sheet, read_sheet, refusal, write_sheet
from backend.booking.plan_views import PatternWish, PlanChange
from backend.booking.planning import added, groups_of, pattern_view, patterns_of, withdrawn
from backend.booking.rota import overlap
from backend.booking.supply import site_locked
from backend.booking.wishes import faults_of
from backend.store.unit import Actor, Unit

_NAMES = tuple(one.name for one in fields(PatternWish))


def export_plan(u: Unit, site_id: str) -> bytes:
    """The weekly plan of a site as an Excel workbook."""
    return write_sheet([pattern_view(row) for row in patterns_of(u, site_id)], groups_of(u, site_id))


def import_plan(u: Unit, site_id: str, packed: bytes, by: Actor) -> PlanChange:
    """Make the patterns of a sheet the plan of a site. Raises NotYours, PlanRefused (every fault by row and column)."""
    site = site_locked(u, site_id)
    sheet = read_sheet(packed, groups_of(u, site_id))
    if findings := [*_faults(u, site, sheet), *_overlaps(site, sheet)]:
        raise refusal(findings)
    there = {_of(row): row for row in patterns_of(u, site_id)}
    wanted = {_key(wish): wish for _, wish in sheet.rows}
    gone = [row for key, row in there.items() if key not in wanted]
    fresh = [wish for key, wish in wanted.items() if key not in there]
    # What goes makes room before anything new comes.
    items = {withdrawn(u, site, row.id, by).item_id for row in gone}
    items |= {added(u, site, wish, by).item_id for wish in fresh}
    return PlanChange(len(fresh), len(gone), len(wanted) - len(fresh), fit(u, site, items))


def _faults(u: Unit, site: SiteRow, sheet: Sheet) -> list[Finding]:
    return [
        sheet.finding(row, fault["field"], fault["message"])
        for row, wish in sheet.rows
        for fault in faults_of(u, site, wish)
    ]


def _overlaps(site: SiteRow, sheet: Sheet) -> list[Finding]:
    """Each row against those above it; the same pattern twice overlaps itself."""
    made = [(row, PatternRow(site_id=site.id, **_values(wish))) for row, wish in sheet.rows]
    return [
        sheet.finding(row, "opens", f"与第 {other_row} 行的时间重叠")
        for place, (row, one) in enumerate(made)
        for other_row, other in made[:place]
        if overlap(one, other)
    ]


def _values(wish: PatternWish) -> dict[str, object]:
    return {name: getattr(wish, name) for name in _NAMES}


def _key(wish: PatternWish) -> tuple[object, ...]:
    return tuple(_values(wish).values())


def _of(row: PatternRow) -> tuple[object, ...]:
    return tuple(tuple(row.weekdays) if name == "weekdays" else getattr(row, name) for name in _NAMES)
