"""Bringing a database to the head, and asking whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from backend.store import engine

_FOLDER = Path(__file__).parent


def config() -> Config:
    """Alembic's configuration, without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return made


def head() -> str:
    """The newest revision. Raises when there are two: a fork in the history."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    if newest is None:
        raise RuntimeError("there is no migration")
    return newest


def current() -> str | None:
    """The revision the database is at; None for an empty one."""
    with engine.engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate() -> bool:
    """Bring the database to the head; False when it was there already."""
    if current() == head():
        return False
    command.upgrade(config(), "head")
    return True
