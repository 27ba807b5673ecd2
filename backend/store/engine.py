"""The one engine and session factory; bound once at start, told apart by process."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from backend.store import lean

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 8_000
IDLE_IN_TRANSACTION_MS = 60_000


@dataclass(slots=True)
class _Bound:
    engine: Engine | None = None
    sessions: sessionmaker[Session] | None = None
    url: str = ""
    pool: int = 5
    pid: int = 0


class ConnectionGone(psycopg.OperationalError):
    """The connection died over a question; nothing but the question was lost."""


set_json_loads(orjson.loads)
_bound = _Bound()
_making = threading.Lock()


def bind(url: str, pool: int = 5) -> None:
    """Name the database (a SQLAlchemy URL). The engine itself is made on first use, in each process anew."""
    if _bound.engine is not None:
        _bound.engine.dispose(close=_bound.pid == os.getpid())
    _bound.engine, _bound.sessions, _bound.url, _bound.pool = None, None, url, pool


def engine() -> Engine:
    """The engine of this process. A forked child never shares its parent's connections."""
    made = _bound.engine
    if made is not None and _bound.pid == os.getpid():
        return made
    with _making:
        if _bound.engine is None or _bound.pid != os.getpid():
            _bound.engine = _made(
                pool_size=_bound.pool,
                max_overflow=0,
                pool_timeout=10,
                pool_pre_ping=False,
                pool_use_lifo=True,
                pool_reset_on_return=None,  # units, sessions and `ask` leave no transaction open
            )
            _bound.sessions = sessionmaker(_bound.engine, autoflush=False, expire_on_commit=False)
            _bound.pid = os.getpid()
        return _bound.engine


def _made(**pooling: Any) -> Engine:
    if not _bound.url:
        raise RuntimeError("the database was never bound: call store.engine.bind(url) at start")
    return create_engine(
        _bound.url,
        hide_parameters=True,  # an error is logged and kept in books; the values it was about are not
        json_serializer=_dump_json,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            # At every rollback psycopg would drop all that is prepared on the connection, the wire's as well.
            "prepare_threshold": None,
            "options": (
                f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC -c jit=off"
                # Solid state: an index is worth its while as soon as a table has a few pages.
                " -c random_page_cost=1.1"
            ),
        },
        **pooling,
    )


def new_session() -> Session:
    engine()
    assert _bound.sessions is not None
    return _bound.sessions()


def session_on(pooled: PoolProxiedConnection) -> Session:
    """A session on a borrowed connection, in the transaction that is open there; the lender ends both."""
    session = Session(Connection(engine(), pooled), autoflush=False, expire_on_commit=False)
    lean.share(session, pooled)
    return session


@contextmanager
def aside() -> Iterator[Session]:
    """A session on a connection of its own: for who may already hold the last one of the pool."""
    alone = _made(poolclass=NullPool)
    with Session(alone, autoflush=False, expire_on_commit=False) as session:
        yield session


def lend() -> PoolProxiedConnection:
    """A connection of the pool; whoever borrowed it closes it."""
    return engine().raw_connection()


def lost(pooled: PoolProxiedConnection, error: BaseException) -> None:
    """A connection has died: as SQLAlchemy does after its own statements, the others in the pool die with it."""
    engine().pool._invalidate(pooled, error)


def ask(statement: str, values: lean.Values = ()) -> lean.Row | None:
    """The row that answers one question on the hot path: no transaction around it, no ORM, no compiler.

    Asked again, once, where the connection had died. Raises psycopg.Error.
    """
    try:
        return _ask(statement, values)
    except psycopg.OperationalError as error:
        if not isinstance(error, ConnectionGone):
            raise
        return _ask(statement, values)


def _ask(statement: str, values: lean.Values) -> lean.Row | None:
    pooled = lend()
    wire = lean.wire_of(pooled)
    try:
        return wire.execute(statement, values, begins=False).fetchone()
    except psycopg.OperationalError as error:
        if wire.connection.closed:
            lost(pooled, error)
            raise ConnectionGone(str(error)) from error
        raise
    finally:
        pooled.close()


def is_alive() -> bool:
    """Whether the database answers a trivial question now."""
    with engine().connect() as connection:
        return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)


def _dump_json(value: object) -> str:
    return orjson.dumps(value).decode()
