"""The command for those who doubt a draw."""

from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from backend import booking
from backend.runtime import boot
from backend.store.unit import run_unit


@click.command("replay-draw")
@click.argument("release_id", required=False)
@click.option(
    "--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A published record (GET /mp/v1/releases/ID/record); needs no database.",
)  # fmt: skip
def replay_draw(release_id: str | None, file: Path | None) -> None:
    """Do the draw (or the order of the queue) of RELEASE_ID again; exits 1 when anything does not agree."""
    if release_id is not None and file is None:
        checks = _from_books(release_id)
    elif file is not None and release_id is None:
        checks = _from_file(file)
    else:
        raise click.UsageError("name a release, or give the file of its record")
    for check in checks:
        click.echo(f"{'agrees ' if check.agrees else 'DIFFERS'}  {check.says}")
    wrong = sum(not check.agrees for check in checks)
    click.echo(f"{wrong} of {len(checks)} checks differ" if wrong else f"all {len(checks)} checks agree")
    raise SystemExit(1 if wrong else 0)


def _from_books(release_id: str) -> Sequence[booking.Check]:
    boot.must_be_fit()
    return run_unit(lambda u: booking.replay_release(u, release_id))


def _from_file(file: Path) -> Sequence[booking.Check]:
    try:
        return booking.replay(orjson.loads(file.read_bytes()))
    except orjson.JSONDecodeError as fault:
        raise click.ClickException(f"{file} is not JSON: {fault}") from fault


COMMANDS = (replay_draw,)
