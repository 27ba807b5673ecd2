"""`flask --app wsgi town ...`: what the keepers of the town type."""

from click import Group
from flask.cli import AppGroup

from backend.cli import care, catalogue, drawing, keys, opening


def town() -> Group:
    """The command group, for the town plan to hang into the app."""
    group = AppGroup("town", help="Keep the town: open, import, check, explain, draw.")
    for commands in (opening, catalogue, care, keys, drawing):
        for command in commands.COMMANDS:
            group.add_command(command)
    return group
