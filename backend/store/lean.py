"""Statements on the hot path: straight to libpq on the unit's own connection, without compiler, ORM or cursor.

A statement is prepared on its connection once and for all, so that only its values travel. Same transaction, same
errors: what the database raises is translated as SQLAlchemy would, so that a unit repeats and a constraint is told
politely whichever way a statement was sent.
"""

import functools
import re
import select
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import psycopg
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

MOST_PREPARED: Final = 300
"""So many a connection keeps; they are dropped together when there are more."""
AGES: Final = (100, 1_000, 10_000)
"""Uses after which a statement is prepared anew: its plan may be that of a table that was still small."""
STALE: Final = frozenset({"26000", "0A000"})
"""SQLSTATEs of a statement that the connection has forgotten (DEALLOCATE ALL), or whose tables have changed since."""
_WIRE: Final = "lean.wire"
_PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\)s|(s)|(%))")
_FINE: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

Row = tuple[Any, ...]
Values = Mapping[str, Any] | Sequence[Any]
Question = tuple[str, Values]
_Asked = tuple[bytes, Any, Sequence[int] | None]


class Rows:
    """What one statement returned."""

    __slots__ = ("_next", "_rows")

    def __init__(self, rows: list[Row]) -> None:
        self._rows, self._next = rows, 0

    def fetchone(self) -> Row | None:
        if self._next >= len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Row]:
        first, self._next = self._next, len(self._rows)
        return self._rows[first:]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())


@dataclass(slots=True)
class _Prepared:
    """A statement on the server and how often it was used."""

    name: bytes
    uses: int = 0


class Wire:
    """One connection's own way of sending statements."""

    __slots__ = ("_adapter", "_names", "_pq", "_said", "connection")

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection, self._pq = connection, connection.pgconn
        # One for all statements: it finds the way of a type to the wire, and back, only once.
        self._adapter: abc.Transformer = Transformer(connection)
        self._names: dict[tuple[str, tuple[int, ...]], _Prepared] = {}
        self._said = 0

    def execute(
        self, statement: str, values: Values = (), *, begins: bool = True, ends: bool = False
    ) -> Rows:
        """Run one statement (placeholders %s or %(name)s). The first one `begins` a transaction, unless told not to.

        One that `ends` it takes the COMMIT along. Raises psycopg.Error.
        """
        is_first = self._is_idle()
        for _ in range(2):
            asked = self._addressed(statement, values)
            if (is_first and begins) or ends:
                [result, *_], failed = self._letter([asked], begins=is_first, ends=ends)
            else:
                result = self._pq.exec_prepared(*asked)
                failed = None if result.status in _FINE else result
            if failed is None:
                return self._read(result)
            error = self._stale(failed, is_first)
        raise error

    def execute_each(self, questions: Sequence[Question]) -> list[Rows]:
        """Run several statements in one letter; each sees what was done before it. Raises psycopg.Error."""
        is_first = self._is_idle()
        for _ in range(2):
            asked = [self._addressed(*question) for question in questions]
            results, failed = self._letter(asked, begins=is_first, ends=False)
            if failed is None:
                return [self._read(result) for result in results]
            error = self._stale(failed, is_first)
        raise error

    def _addressed(self, statement: str, values: Values) -> _Asked:
        """A statement as it travels: its name, its values, and their formats."""
        sql, names = _parsed(statement)
        said = [values[name] for name in names] if isinstance(values, Mapping) else list(values)
        if len(said) != len(names):
            raise psycopg.ProgrammingError(f"the statement has {len(names)} places for {len(said)} values")
        writer = self._adapter
        sent = writer.dump_sequence(said, [PyFormat.AUTO] * len(said))
        formats = writer.formats
        return self._prepared(statement, sql, writer.types or ()), cast("Any", sent), formats

    def _stale(self, failed: PGresult, is_first: bool) -> psycopg.Error:
        """Why it failed, when it may be prepared anew and sent again: nothing was done before it. Else it is raised."""
        error = self._error(failed)
        if not is_first or error.sqlstate not in STALE:
            raise error
        self.rollback()
        return error

    def _read(self, result: PGresult) -> Rows:
        if not result.ntuples:
            return Rows([])
        self._adapter.set_pgresult(result)
        return Rows(self._adapter.load_rows(0, result.ntuples, tuple))

    def commit(self) -> None:
        """Make the transaction's work durable; raises psycopg.Error.

        What a failed statement has spoilt cannot be committed, even if its error was caught.
        """
        if self._is_idle():
            return
        if self._command(b"COMMIT").command_status != b"COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("a statement has failed before: rolled back")

    def rollback(self) -> None:
        """Undo the transaction, if there is one. What was prepared stays prepared."""
        if self._pq.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            self._command(b"ROLLBACK")

    def _is_idle(self) -> bool:
        return self._pq.transaction_status == TransactionStatus.IDLE

    def _letter(
        self, asked: Sequence[_Asked], *, begins: bool, ends: bool
    ) -> tuple[list[PGresult], PGresult | None]:
        """BEGIN, statements and COMMIT in one letter, as wanted; the statements' results and what has failed."""
        self._pq.enter_pipeline_mode()
        try:
            if begins:
                self._pq.send_query_params(b"BEGIN", None)
            for one in asked:
                self._pq.send_query_prepared(*one)
            if ends:
                self._pq.send_query_params(b"COMMIT", None)
            self._pq.pipeline_sync()
            found = self._answers()
        finally:
            if not self.connection.closed:
                self._pq.exit_pipeline_mode()
        failed = next((result for result in found if result.status not in _FINE), None)
        return found[1 if begins else 0 :], failed

    def _answers(self) -> list[PGresult]:
        """The results of a pipeline, up to its end."""
        found: list[PGresult] = []
        line = select.poll()
        line.register(self._pq.socket, select.POLLIN | select.POLLOUT)
        while self._pq.flush():
            line.poll()
            self._pq.consume_input()
        line.modify(self._pq.socket, select.POLLIN)
        while True:
            while self._pq.is_busy():
                line.poll()
                self._pq.consume_input()
            result = self._pq.get_result()
            if result is None:
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)

    def _command(self, command: bytes) -> PGresult:
        result = self._pq.exec_(command)
        if result.status not in _FINE:
            raise self._error(result)
        return result

    def _prepared(self, statement: str, sql: bytes, types: Sequence[int]) -> bytes:
        key = statement, tuple(types)
        known = self._names.get(key)
        if known is not None:
            known.uses += 1
            if known.uses not in AGES:
                return known.name
            self._command(b"DEALLOCATE " + known.name)
        elif len(self._names) >= MOST_PREPARED:
            for old in self._names.values():
                self._command(b"DEALLOCATE " + old.name)
            self._names.clear()
        self._said += 1
        name = b"lean_%d" % self._said
        result = self._pq.prepare(name, sql, types)
        if result.status not in _FINE:
            raise self._error(result)
        self._names[key] = _Prepared(name, known.uses if known else 0)
        return name

    def _error(self, result: PGresult) -> psycopg.Error:
        if self.connection.closed:
            return psycopg.OperationalError(result.get_error_message())
        error = psycopg.errors.error_from_result(result)
        if error.sqlstate in STALE:
            self._names.clear()
        return error


def wire_of(pooled: PoolProxiedConnection) -> Wire:
    """The wire of a pooled connection: the same as long as the connection lives."""
    wire = pooled.info.get(_WIRE)
    if wire is None:
        wire = pooled.info[_WIRE] = Wire(cast("psycopg.Connection[Any]", pooled.driver_connection))
    return cast("Wire", wire)


def share(session: Session, pooled: PoolProxiedConnection) -> None:
    """Let a session on a pooled connection use its wire."""
    session.info[_WIRE] = wire_of(pooled)


def execute(session: Session, statement: str, values: Values = ()) -> Rows:
    """Run one statement in the session's transaction. Raises DBAPIError, as the session itself would."""
    wire = session.info.get(_WIRE)
    if wire is None:
        wire = session.info[_WIRE] = wire_of(session.connection().connection)
    try:
        return cast("Wire", wire).execute(statement, values)
    except psycopg.Error as error:
        lost = wire.connection.broken
        if lost:
            session.invalidate()
        raise translated(statement, error, lost=lost) from error


def translated(statement: str, error: psycopg.Error, *, lost: bool) -> DBAPIError:
    """The error as SQLAlchemy tells it; `lost`: the connection is gone with it."""
    told = DBAPIError.instance(
        statement, None, error, cast("Any", psycopg.Error), hide_parameters=True, connection_invalidated=lost
    )
    return cast("DBAPIError", told)


@functools.cache
def _parsed(statement: str) -> tuple[bytes, tuple[Any, ...]]:
    """The statement as the server wants it ($1, $2…), and which value goes where: a name, or a position."""
    order: dict[Any, int] = {}

    def numbered(found: re.Match[str]) -> str:
        if found[3]:
            return "%"
        key = found[1] or len(order)
        return f"${order.setdefault(key, len(order) + 1)}"

    return _PLACEHOLDER.sub(numbered, statement).encode(), tuple(order)
