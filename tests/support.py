"""Small things that several chapters of the tests share."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from backend.kernel import ids
from backend.runtime.settings import database_url, settings
from backend.store import engine


def key() -> dict[str, str]:
    """A fresh Idempotency-Key header."""
    return {"Idempotency-Key": ids.token()}


@contextmanager
def fresh_database() -> Iterator[str]:
    """Bind the store to an empty database for a while, then go back to the shared one."""
    shared = os.environ["DATABASE_URL"]
    name = f"f_{os.getpid()}_{secrets.token_hex(3)}"
    with psycopg.connect(shared, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
    fresh = shared.rsplit("/", 1)[0] + "/" + name
    try:
        engine.bind(database_url(fresh), pool=4)
        yield fresh
    finally:
        engine.bind(settings().town.database_url, pool=20)
        with psycopg.connect(shared, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
