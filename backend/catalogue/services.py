"""What happens to versions after an import: publication, which needs a record without findings, and withdrawal."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from backend.catalogue import given
from backend.catalogue.calendars import load_calendar
from backend.catalogue.faults import faults_of
from backend.catalogue.importing import ImportOutcome, Watch, import_catalogue, unwatched
from backend.catalogue.machine import DRAFT, PUBLISHED, SUPERSEDED, VERSION
from backend.catalogue.models import CalendarYearRow, DepartmentRow, ItemRow, RegionRow, VersionRow
from backend.catalogue.problems import HasFindings, ItemNotPublished, ItemUnknown
from backend.catalogue.questions import version
from backend.catalogue.record import ItemRecord
from backend.catalogue.rules import gaps_of
from backend.catalogue.views import ItemVersion
from backend.contracts import ItemPublished
from backend.kernel import clock
from backend.kernel.problems import FieldError
from backend.store.unit import Actor, Unit, run_unit


def publish(u: Unit, item_id: str, by: Actor) -> ItemVersion:
    """Put the newest version of the item in force; the former one is superseded. Again: nothing happens.

    Raises ItemUnknown, or HasFindings (409, `findings`) while the record lacks anything (BZ-33).
    """
    item = u.get(ItemRow, item_id, lock=True)
    if item is None:
        raise ItemUnknown
    rows = _locked_versions(u, item)
    newest = rows[-1]
    if newest.state == PUBLISHED:
        return version(u, newest.id)
    _refuse_gaps(newest)
    for row in rows[:-1]:
        u.step(VERSION, row, "superseded", by=by)
    u.flush()
    u.step(VERSION, newest, "published", by=by)
    newest.published_at = clock.now()
    u.record(ItemPublished(item_id, newest.id))
    u.flush()
    return version(u, newest.id)


def withdraw(u: Unit, item_id: str, by: Actor, reason: str) -> None:
    """Take no new cases on the item; those filed go on. Raises ItemUnknown, ItemNotPublished."""
    item = u.get(ItemRow, item_id, lock=True)
    if item is None:
        raise ItemUnknown
    row = next((row for row in _locked_versions(u, item) if row.state == PUBLISHED), None)
    if row is None:
        raise ItemNotPublished
    u.step(VERSION, row, "withdrawn", by=by, facts={"reason": reason})


def load_base_data(u: Unit) -> None:
    """Departments, regions and calendars as they lie in `data/`. May be repeated at every start."""
    u.session.scalars(select(DepartmentRow)).all()  # known rows are compared in memory, not one by one
    for told in given.read_json(given.DATA / "departments.json"):
        u.session.merge(_department(told))
    for told in given.read_json(given.DATA / "districts.json"):
        region_id = told["region_code"] or told["local_code"]
        row = RegionRow(id=region_id, name=told["name"], level=told["level"], parent_id=told["parent"])
        u.session.merge(row)
    u.flush()
    for path in sorted(given.CALENDARS.glob("*.json")):
        if u.get(CalendarYearRow, int(path.stem)) is None:
            load_calendar(u, path)


def open_catalogue(by: Actor, report: Watch = unwatched) -> ImportOutcome:
    """Import given items that the register lacks, publish those we completed. Opens its own units.

    May be repeated at every start: what a clerk has imported, published or withdrawn since then is left alone.
    """
    outcome = import_catalogue(given.ITEMS, by, report, only_missing=True)
    run_unit(lambda u: _publish_completed(u, by))
    return outcome


def _publish_completed(u: Unit, by: Actor) -> None:
    query = select(VersionRow.item_id).where(
        VersionRow.item_id.in_(given.completed_ids()), VersionRow.state == DRAFT, VersionRow.number == 1
    )
    for item_id in sorted(u.session.scalars(query)):
        publish(u, item_id, by)


def _locked_versions(u: Unit, item: ItemRow) -> list[VersionRow]:
    """Versions that still live, the newest last: it is never superseded."""
    query = (
        select(VersionRow)
        .where(VersionRow.item_id == item.id, VersionRow.state != SUPERSEDED)
        .order_by(VersionRow.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(u.session.scalars(query))


def _refuse_gaps(row: VersionRow) -> None:
    try:
        gaps = gaps_of(ItemRecord.model_validate(row.content), given.audiences())
        found = [(gap.field, gap.message) for gap in gaps]
    except ValidationError as error:
        found = list(faults_of(error))
    if found:
        raise HasFindings(findings=[FieldError(field=field, message=message) for field, message in found])


def _department(told: Mapping[str, Any]) -> DepartmentRow:
    return DepartmentRow(
        id=told["dept_id"],
        name=told["name"],
        successor_name=told["successor_name"],
        aliases=told["aliases"],
        category=told["category"],
        level=told["level"],
        region_id=told["region_code"],
        uscc_test=told["uscc_test"],
        roles=told["roles"],
    )
