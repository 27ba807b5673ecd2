"""Commands about service items."""

from pathlib import Path

import click

from backend.catalogue import commands
from backend.runtime import boot

READ = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITE = click.Path(dir_okay=False, path_type=Path)


@click.command("import-catalogue")
@click.argument("file", type=READ)
def import_catalogue(file: Path) -> None:
    """Import service items from FILE (.json or .xlsx), all or nothing, as drafts with findings."""
    boot.must_be_fit()
    raise SystemExit(commands.import_file(file, click.echo))


@click.command("export-catalogue")
@click.argument("file", type=WRITE)
@click.option("--template", is_flag=True, help="Only the header, for new items.")
def export_catalogue(file: Path, *, template: bool) -> None:
    """Write all service items into FILE (.xlsx), in the form that import-catalogue reads."""
    boot.must_be_fit()
    raise SystemExit(commands.export_workbook(file, click.echo, template=template))


@click.command("load-calendar")
@click.argument("file", type=READ)
@click.option("--replace", is_flag=True, help="Correct a year that is loaded already.")
def load_calendar(file: Path, *, replace: bool) -> None:
    """Load a year of working days from FILE; provisional dates are computed anew by a chore."""
    boot.must_be_fit()
    raise SystemExit(commands.load_calendar_file(file, click.echo, replace=replace))


@click.command("publish")
@click.argument("item_id")
def publish(item_id: str) -> None:
    """Publish the draft of an item; refused while it has findings."""
    boot.must_be_fit()
    raise SystemExit(commands.publish_item(item_id, click.echo))


COMMANDS = (import_catalogue, export_catalogue, load_calendar, publish)
