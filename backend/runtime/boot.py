"""Opening a process of the town: logs, clock, database, keys; and whether it is fit for citizens."""

import threading

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.kernel import clock
from backend.runtime import logs
from backend.runtime.settings import Settings
from backend.store import engine, vault

_fit = threading.Event()


def open_process(wanted: Settings) -> None:
    """Bind everything that a process needs, without touching the database yet: `import wsgi` always works."""
    if wanted.town.mode != "test":
        logs.set_up()
    if not wanted.town.is_production:
        clock.use_file(wanted.town.clock_file)
    vault.use_masters(wanted.keys.masters)
    if wanted.town.database_url:
        engine.bind(wanted.town.database_url, wanted.town.database_pool)


def is_fit() -> bool:
    """Whether the schema is there and the keys open it. Remembered once true: keys do not change under us."""
    if _fit.is_set():
        return True
    try:
        with engine.new_session() as session:
            vault.unlock(session)
            session.execute(text("SELECT 1 FROM store_journal LIMIT 1"))
            session.commit()
    except (SQLAlchemyError, vault.WrongKey):
        return False
    _fit.set()
    return True


def must_be_fit() -> None:
    """For commands: open the keys now, or end with one sentence."""
    try:
        with engine.new_session() as session:
            vault.unlock(session)
            session.commit()
    except vault.WrongKey as error:
        raise SystemExit(f"{error}: put back the keys file this database was made with") from error
    except RuntimeError as error:
        raise SystemExit(f"no database is named: set DATABASE_URL, or use `make run` ({error})") from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().split("\n", 1)[0]
        raise SystemExit(
            f"the database cannot be used: {reason}; run `flask --app wsgi town migrate`"
        ) from error


def check_pool(processes: int, pool: int) -> str | None:
    """Connections x processes must leave room in PostgreSQL; the sentence to print when they do not."""
    with engine.engine().connect() as connection:
        most = int(connection.execute(text("SHOW max_connections")).scalar_one())
    needed = processes * pool + 5
    if needed < most:
        return None
    return f"{processes} processes with pools of {pool} need {needed} connections; PostgreSQL allows {most}"
