"""One database transaction: the hot paths' wire and the ORM's session share its connection, made when first wanted."""

from collections.abc import Sequence

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from backend.store import engine, lean


class OutcomeUnknown(RuntimeError):
    """The database was lost while it committed: the facts may be durable or not, so nobody repeats blindly."""


class Transaction:
    """A borrowed connection and what happens on it, until it is given back."""

    def __init__(self) -> None:
        self._pooled: PoolProxiedConnection | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The ORM's view of this transaction; made when it is first wanted, most hot paths never want it."""
        if self._session is None:
            self._session = engine.session_on(self._borrowed())
        return self._session

    def execute(self, statement: str, values: lean.Values = (), *, ends: bool = False) -> lean.Rows:
        """Run one statement (placeholders %s or %(name)s) without the ORM; one that `ends` the transaction commits it.

        Raises DBAPIError; OutcomeUnknown when the connection was lost while it ended.
        """
        pooled = self._borrowed()
        try:
            return lean.wire_of(pooled).execute(statement, values, ends=ends)
        except psycopg.Error as error:
            told = self._translated(statement, error)
            if ends and told.connection_invalidated:
                raise OutcomeUnknown("the connection was lost during the commit") from error
            raise told from error

    def execute_each(self, questions: Sequence[lean.Question]) -> list[lean.Rows]:
        """Run several statements in one round trip, one after the other. Raises DBAPIError."""
        pooled = self._borrowed()
        try:
            return lean.wire_of(pooled).execute_each(questions)
        except psycopg.Error as error:
            raise self._translated(questions[0][0], error) from error

    def flush_rows(self) -> None:
        """Send the ORM's pending rows."""
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Make it durable. Raises OutcomeUnknown when the connection was lost meanwhile, or DBAPIError."""
        if self._pooled is None:
            return
        try:
            lean.wire_of(self._pooled).commit()
        except psycopg.Error as error:
            told = self._translated("COMMIT", error)
            if told.connection_invalidated:
                raise OutcomeUnknown("the connection was lost during the commit") from error
            raise told from error

    def undo(self) -> None:
        """Roll back; a connection that cannot even do that is given up."""
        if self._pooled is None or not self._pooled.is_valid:
            return
        try:
            lean.wire_of(self._pooled).rollback()
        except psycopg.Error as error:
            engine.lost(self._pooled, error)

    def leave(self) -> None:
        """Give the connection back."""
        if self._session is not None:
            self._session.close()
        if self._pooled is not None:
            self._pooled.close()

    def _borrowed(self) -> PoolProxiedConnection:
        if self._pooled is None:
            try:
                self._pooled = engine.lend()
            except psycopg.Error as error:
                raise lean.translated("connect", error, lost=True) from error
        return self._pooled

    def _translated(self, statement: str, error: psycopg.Error) -> DBAPIError:
        pooled = self._borrowed()
        lost = lean.wire_of(pooled).connection.closed
        if lost:
            engine.lost(pooled, error)
        return lean.translated(statement, error, lost=lost)
