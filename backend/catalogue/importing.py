"""Imports a file of items: all of it or nothing, every error named, what is merely incomplete kept as findings.

A record whose content has not changed changes nothing. A changed one becomes a new draft version; the published
version stays in force until the draft is published, and cases keep the version they were filed under.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from pydantic import ValidationError
from sqlalchemy import select, text

from backend.catalogue import given
from backend.catalogue.codes import HANDLE, Known, code_errors
from backend.catalogue.completion import complete
from backend.catalogue.faults import faults_of
from backend.catalogue.machine import DRAFT, VERSION
from backend.catalogue.models import DepartmentRow, ItemRow, RegionRow, VersionRow
from backend.catalogue.problems import CatalogueFileRefused, RowProblem
from backend.catalogue.reading import RawRecord, RowError, read_file
from backend.catalogue.record import ItemRecord
from backend.catalogue.rules import Gap, gaps_of
from backend.catalogue.words import say
from backend.kernel import clock, ids
from backend.kernel.crypto import canonical
from backend.store.unit import Actor, Unit, run_unit, unit

T = TypeVar("T")
MAX_ERRORS_TOLD: Final = 1000
_MAKE = text(
    "INSERT INTO catalogue_item (id, latest_number) SELECT unnest(CAST(:ids AS text[])), 0 ON CONFLICT DO NOTHING"
)
_IS_NEWEST: Final = (ItemRow.id == VersionRow.item_id) & (ItemRow.latest_number == VersionRow.number)
UNCHANGED, NEW, CHANGED = "unchanged", "new", "changed"


class Watch(Protocol):
    """Shows how far a walk over many things has come, as `click.progressbar` does."""

    def __call__(self, things: Sequence[T], label: str) -> AbstractContextManager[Iterable[T]]: ...


def unwatched(things: Sequence[T], label: str) -> AbstractContextManager[Iterable[T]]:
    """Nobody looks on."""
    return nullcontext(things)


@dataclass(frozen=True, slots=True)
class Finding:
    """A gap of a record, and the row in which the record stood."""

    row: int
    item_id: str
    gap: Gap


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What an import did, by item id, and what the drafts still lack."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    row: int
    record: ItemRecord
    gaps: tuple[Gap, ...]
    content: dict[str, Any]
    digest: bytes


def import_catalogue(
    path: Path, actor: Actor, report: Watch = unwatched, *, only_missing: bool = False
) -> ImportOutcome:
    """Import the file (JSON or .xlsx) as drafts; with `only_missing`, items the register knows are left alone.

    Opens its own units. Raises CatalogueFileRefused with every structural error (row, item, field,
    message); nothing is changed then.
    """
    read = read_file(path)
    with unit() as u:
        known = _known(u)
    errors = [*read.errors, *_repeated(read.records), *_taken(read.records, known)]
    checked: list[_Checked] = []
    with report(read.records, "checking") as records:
        for raw in records:
            one, faults = _check(raw, known)
            errors += faults
            checked += [one] if one is not None else []
    if errors:
        raise _refusal(errors)
    if only_missing:
        checked = [one for one in checked if one.record.item_id not in known.handles.values()]
    findings = tuple(Finding(one.row, one.record.item_id, gap) for one in checked for gap in one.gaps)
    verdicts = run_unit(lambda u: _keep_all(u, checked, actor))
    told = {
        verdict: tuple(i for i, v in verdicts.items() if v == verdict)
        for verdict in (NEW, CHANGED, UNCHANGED)
    }
    return ImportOutcome(told[NEW], told[CHANGED], told[UNCHANGED], findings)


def _known(u: Unit) -> Known:
    newest = select(VersionRow.handle_code, VersionRow.item_id).join(ItemRow, _IS_NEWEST)
    return Known(
        departments=frozenset(u.session.scalars(select(DepartmentRow.id))),
        themes=given.audiences(),
        regions=frozenset(u.session.scalars(select(RegionRow.id))),
        handles={row.handle_code: row.item_id for row in u.session.execute(newest)},
    )


def _check(raw: RawRecord, known: Known) -> tuple[_Checked | None, list[RowError]]:
    whole = complete(raw.data)
    faults = list(code_errors(whole, known))
    try:
        record = ItemRecord.model_validate(whole)
    except ValidationError as error:
        faults = [*faults_of(error), *faults]
    if faults:
        return None, [RowError(raw.row, raw.item_id, field, message) for field, message in faults]
    content = record.content()
    digest = hashlib.sha256(canonical(content)).digest()
    return _Checked(raw.row, record, gaps_of(record, given.audiences()), content, digest), []


def _repeated(records: Sequence[RawRecord]) -> Iterator[RowError]:
    for field, key in (("item_id", "item_twice"), (HANDLE, "code_twice")):
        first: dict[str, int] = {}
        for raw in records:
            value = raw.data.get(field)
            if isinstance(value, str) and first.setdefault(value, raw.row) != raw.row:
                yield RowError(raw.row, raw.item_id, field, say("errors", key, row=first[value]))


def _taken(records: Sequence[RawRecord], known: Known) -> Iterator[RowError]:
    """Handling codes that belong to an item which this file does not change."""
    here = {raw.item_id for raw in records}
    for raw in records:
        owner = known.handles.get(str(raw.data.get(HANDLE)), raw.item_id)
        if owner not in here:
            yield RowError(raw.row, raw.item_id, HANDLE, say("errors", "code_taken", item=owner))


def _refusal(errors: Sequence[RowError]) -> CatalogueFileRefused:
    told = [
        RowProblem(row=error.row, item=error.item_id, field=error.field, message=error.message)
        for error in sorted(errors, key=lambda error: (error.row, error.field))
    ]
    detail = say("errors", "refused", count=len(told), **told[0])
    return CatalogueFileRefused(detail, rows=told[:MAX_ERRORS_TOLD], total=len(told))


def _keep_all(u: Unit, checked: Sequence[_Checked], actor: Actor) -> dict[str, str]:
    latest = _latest(u, [one.record.item_id for one in checked])
    verdicts = {}
    for one in sorted(checked, key=lambda one: one.record.item_id):
        item_id = one.record.item_id
        before = latest.get(item_id)
        if before is not None and before.digest == one.digest:
            verdicts[item_id] = UNCHANGED
            continue
        verdicts[item_id] = NEW if before is None else CHANGED
        _draft(u, one, before, actor)
    u.flush()
    return verdicts


def _latest(u: Unit, item_ids: Sequence[str]) -> dict[str, VersionRow]:
    """The newest version of each item, with the items locked in the order of their ids.

    New ones are made first: whoever imports the same items at once waits for us here, and then finds our versions.
    """
    u.session.execute(_MAKE, {"ids": sorted(item_ids)})
    locked = select(ItemRow).where(ItemRow.id.in_(item_ids)).order_by(ItemRow.id).with_for_update()
    u.session.scalars(locked.execution_options(populate_existing=True)).all()
    newest = (
        select(VersionRow)
        .join(ItemRow, _IS_NEWEST)
        .where(ItemRow.id.in_(item_ids))
        .order_by(VersionRow.id)
        .with_for_update(of=VersionRow)
        .execution_options(populate_existing=True)
    )
    return {row.item_id: row for row in u.session.scalars(newest)}


def _draft(u: Unit, one: _Checked, before: VersionRow | None, actor: Actor) -> None:
    record = one.record
    item = u.session.get_one(ItemRow, record.item_id)
    if before is not None and before.state == DRAFT:
        u.step(VERSION, before, "superseded", by=actor)
    item.latest_number += 1
    row = VersionRow(
        id=ids.new_id("iv"),
        item_id=record.item_id,
        number=item.latest_number,
        department_id=record.dept_id,
        handle_code=record.handle_item_code_test,
        name=record.name,
        search_text=_search_text(record),
        themes=record.themes or [],
        region_ids=record.regions or [],
        content=one.content,
        digest=one.digest,
        findings=[_told(one.row, gap) for gap in one.gaps],
        imported_at=clock.now(),
    )
    u.add(row)
    u.begin(VERSION, row, by=actor, says=say("journal", "drafted"), facts={"findings": len(one.gaps)})


def _search_text(record: ItemRecord) -> str:
    """What citizens may call the item: its names, its result, and everyday words."""
    return " ".join([record.name, record.short_name, record.result_name, *(record.keywords or [])]).lower()


def _told(row: int, gap: Gap) -> dict[str, object]:
    return {"row": row, "field": gap.field, "rule": gap.rule, "message": gap.message}
