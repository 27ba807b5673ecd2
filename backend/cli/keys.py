"""Commands about keys: make a keys file, and change keys while the town is open."""

import json
import os
from pathlib import Path

import click

from backend.runtime import boot
from backend.runtime.settings import new_keys_document
from backend.store import rotation, vault
from backend.store.unit import run_unit


@click.command("new-keys")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new_keys(file: Path) -> None:
    """Write a fresh keys FILE (mode 0600); refuses to overwrite one."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise click.ClickException(f"{file} exists; a keys file is never overwritten") from error
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(new_keys_document(), stream, indent=1)
    click.echo(f"keys written to {file}; keep a copy in a safe place: without them the data cannot be read")


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Take a fresh data key, seal everything anew, write blind indexes with the present index key.

    To change the master or index key, put the new one into the keys file, the former one beside it as
    previous_master or previous_index, restart the town and run this; then drop the former ones.
    """
    boot.must_be_fit()
    wrapped = run_unit(lambda u: vault.rewrap(u.session))
    click.echo(f"{wrapped} data keys wrapped with the present master key")
    key_id = run_unit(lambda u: vault.add_data_key(u.session))
    run_unit(lambda u: vault.unlock(u.session))
    click.echo(f"data key {key_id} is in use")
    for column, done in rotation.reseal():
        click.echo(f"  {column.table}.{column.column}: {done} values looked at")
    for index, done in rotation.reindex():
        click.echo(f"  {index.table}.{index.column}: {done} indexes written")
    rotation.adopt_index_key()
    click.echo("done")


COMMANDS = (new_keys, rotate_keys)
