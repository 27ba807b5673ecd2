"""The register's commands for people, without a command line of their own: the integrating CLI lends its voice."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import select

from backend.catalogue.calendars import load_calendar
from backend.catalogue.importing import ImportOutcome, Watch, import_catalogue
from backend.catalogue.machine import DRAFT, PUBLISHED
from backend.catalogue.models import VersionRow
from backend.catalogue.problems import CalendarDiffers, CatalogueFileRefused, HasFindings, ItemUnknown
from backend.catalogue.services import publish
from backend.catalogue.words import label, say
from backend.catalogue.workbook import CellTooLong, write_workbook
from backend.store.unit import SYSTEM, Actor, run_unit, unit

T = TypeVar("T")
Echo = Callable[[str], Any]
Progress = Callable[..., Any]
DONE, REFUSED = 0, 1


def import_file(path: Path, echo: Echo, progress: Progress = click.progressbar, by: Actor = SYSTEM) -> int:
    """Import a file of items and say what happened, row by row; returns the exit code."""
    try:
        outcome = import_catalogue(Path(path), by, _watched(progress))
    except CatalogueFileRefused as refusal:
        _tell_errors(refusal, echo)
        return REFUSED
    _tell_outcome(outcome, echo)
    return DONE


def publish_item(item_id: str, echo: Echo, by: Actor = SYSTEM) -> int:
    """Publish the newest version of an item, or say what it still lacks; returns the exit code."""
    try:
        version = run_unit(lambda u: publish(u, item_id, by))
    except (HasFindings, ItemUnknown) as refusal:
        echo(refusal.title)
        for finding in refusal.findings if isinstance(refusal, HasFindings) else ():
            echo(say("commands", "finding", label=label(finding["field"]), **finding))
        return REFUSED
    echo(say("commands", "published", item=item_id, name=version.name, number=version.number))
    return DONE


def export_workbook(path: Path, echo: Echo, *, template: bool = False) -> int:
    """Write the newest versions (or only the header, as a template) into an .xlsx; returns the exit code."""
    with unit() as u:
        query = select(VersionRow.content).where(VersionRow.state.in_((DRAFT, PUBLISHED)))
        newest = query.order_by(VersionRow.item_id, VersionRow.number)
        contents = {} if template else {content["item_id"]: content for content in u.session.scalars(newest)}
    try:
        count = write_workbook(Path(path), contents.values())
    except CellTooLong as error:
        echo(str(error))
        return REFUSED
    echo(say("commands", "exported", count=count, path=path))
    return DONE


def load_calendar_file(path: Path, echo: Echo, *, replace: bool = False) -> int:
    """Load the calendar of a year; returns the exit code."""
    try:
        changed = run_unit(lambda u: load_calendar(u, Path(path), replace=replace))
    except (CalendarDiffers, CatalogueFileRefused) as refusal:
        echo(refusal.detail or refusal.title)
        return REFUSED
    echo(say("commands", "calendar_loaded" if changed else "calendar_same"))
    return DONE


def _watched(progress: Progress) -> Watch:
    def watch(things: Sequence[T], label: str) -> AbstractContextManager[Iterable[T]]:
        bar: AbstractContextManager[Iterable[T]] = progress(things, label=say("commands", label))
        return bar

    return watch


def _tell_errors(refusal: CatalogueFileRefused, echo: Echo) -> None:
    echo(say("commands", "refused", count=refusal.total))
    for error in refusal.rows:
        echo(_line(error["row"], error["item"], error["field"], error["message"]))


def _tell_outcome(outcome: ImportOutcome, echo: Echo) -> None:
    for finding in outcome.findings:
        echo(_line(finding.row, finding.item_id, finding.gap.field, finding.gap.message))
    echo(_summary(outcome))


def _line(row: int, item_id: str, field: str, message: str) -> str:
    facts = {"row": row, "item": item_id or "-", "field": field, "label": label(field), "message": message}
    return say("commands", "line", **facts)


def _summary(outcome: ImportOutcome) -> str:
    wanting = len({finding.item_id for finding in outcome.findings})
    counts = {"new": len(outcome.new), "changed": len(outcome.changed), "unchanged": len(outcome.unchanged)}
    return say("commands", "summary", **counts, findings=len(outcome.findings), wanting=wanting)
