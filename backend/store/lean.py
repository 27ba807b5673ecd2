"""Statements on the hot path: straight to psycopg on the unit's own connection, without compiler or ORM.

Same transaction, same errors: what psycopg raises is translated as SQLAlchemy would, so that a unit repeats and a
constraint is told politely whichever way a statement was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_DRIVER = "lean.driver"


def execute(
    session: Session, statement: str, values: Mapping[str, Any] | Sequence[Any] = ()
) -> psycopg.Cursor[Any]:
    """Run one statement (placeholders %s or %(name)s) in the session's transaction."""
    driver = session.info.get(_DRIVER)
    if driver is None:
        driver = session.info[_DRIVER] = session.connection().connection.driver_connection
    connection = cast("psycopg.Connection[Any]", driver)
    try:
        return connection.execute(statement, values)
    except psycopg.Error as error:
        lost = connection.broken
        if lost:
            session.invalidate()
        raise DBAPIError.instance(
            statement, None, error, cast("Any", psycopg.Error), connection_invalidated=lost
        ) from error
