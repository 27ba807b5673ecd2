"""`flask --app wsgi town ...`: what the keepers of the town type."""

from typing import Any

import click
from click import Group
from flask.cli import AppGroup

from backend.cli import care, catalogue, drawing, keys, opening, replaying, sites
from backend.kernel.problems import Problem


class _Town(AppGroup):
    """Tells a refusal of a house in one sentence, as every other window does."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            raise click.ClickException(" ".join(filter(None, (problem.title, problem.detail)))) from problem


def town() -> Group:
    """The command group, for the town plan to hang into the app."""
    group = _Town("town", help="Keep the town: open, import, check, explain, draw.")
    for commands in (opening, catalogue, sites, care, keys, drawing, replaying):
        for command in commands.COMMANDS:
            group.add_command(command)
    return group
