"""Small things that several chapters of the tests share."""

import functools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from backend.kernel import ids
from backend.runtime.settings import database_url, settings
from backend.store import engine, vault
from backend.store.schema import create_all


def key() -> dict[str, str]:
    """A fresh Idempotency-Key header."""
    return {"Idempotency-Key": ids.token()}


@contextmanager
def fresh_database(template: str = "template0", pool: int = 4) -> Iterator[str]:
    """Bind the store to an empty database (or a copy of one) for a while, then go back to the shared one."""
    shared = os.environ["DATABASE_URL"]
    name = f"f_{os.getpid()}_{secrets.token_hex(3)}"
    fresh = _copy(template, name)
    try:
        engine.bind(database_url(fresh), pool=pool)
        yield fresh
    finally:
        engine.bind(settings().town.database_url, pool=20)
        with psycopg.connect(shared, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def fresh_town(pool: int = 10) -> Iterator[str]:
    """As fresh_database, with all tables, and with a vault that has no data keys yet."""
    with fresh_database(_pattern(), pool) as url:
        try:
            vault.use_masters(settings().keys.masters)
            yield url
        finally:
            vault.use_masters(settings().keys.masters)


@functools.cache
def _pattern() -> str:
    """Name of a database with all tables and no rows: a copy of it is there at once."""
    name = f"p_{os.getpid()}_{secrets.token_hex(3)}"
    engine.bind(database_url(_copy("template0", name)), pool=1)
    create_all()
    engine.bind(settings().town.database_url, pool=20)
    return name


def _copy(template: str, name: str) -> str:
    shared = os.environ["DATABASE_URL"]
    with psycopg.connect(shared, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING UTF8')
    return shared.rsplit("/", 1)[0] + "/" + name
