"""Commands about sites."""

import json
from pathlib import Path

import click

from backend import booking
from backend.kernel.problems import InvalidInput
from backend.runtime import boot
from backend.store.unit import SYSTEM, run_unit


@click.command("import-sites")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_sites(file: Path) -> None:
    """Take sites from FILE (JSON, in the form of data/sites.json), all or nothing; findings name their position.

    New sites come with their windows and weekly patterns. Of a site that is there name, address, phone, coordinates
    and items are set; its plan is its department's and stays.
    """
    boot.must_be_fit()
    packed = file.read_bytes()
    try:
        json.loads(packed)
    except ValueError as error:
        at = (
            f"line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "this"
        )
        click.echo(f"nothing was taken: {at} is no JSON")
        raise SystemExit(1) from error
    try:
        taken = run_unit(lambda u: booking.import_sites(u, packed, SYSTEM))
    except InvalidInput as refusal:
        click.echo(f"nothing was taken: {len(refusal.errors)} findings")
        for fault in refusal.errors:
            place, _, field = fault["field"].partition(".")
            click.echo(f"  [{place}].{field}  {fault['message']}")
        raise SystemExit(1) from refusal
    click.echo(f"{len(taken.new)} new, {len(taken.changed)} changed, {len(taken.unchanged)} as they were")


COMMANDS = (import_sites,)
