from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, StatementError

from backend.kernel import clock, ids
from backend.runtime.settings import database_url
from backend.store import engine, lean
from backend.store.chores import ChoreRow
from backend.store.unit import SYSTEM, Unit, run_unit, unit
from tests.store.doors import Door, ask, put, together, value

pytestmark = pytest.mark.usefixtures("ground")


@pytest.fixture(autouse=True)
def _pool(ground: str) -> Iterator[None]:
    """Whatever a test does to its connections, the next one has others."""
    yield
    engine.bind(database_url(ground), pool=10)


PID = "SELECT pg_backend_pid()"


def cut_all_lines(ground: str) -> None:
    with psycopg.connect(ground, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_question_is_asked_without_a_transaction(ground: str) -> None:
    engine.bind(database_url(ground), pool=1)
    assert engine.ask("SELECT %s::int", (1,)) == (1,)
    pooled = engine.lend()
    try:
        assert lean.wire_of(pooled).connection.pgconn.transaction_status == TransactionStatus.IDLE
    finally:
        pooled.close()


@pytest.mark.parametrize("trouble", ["a NUL", "a bad statement"])
def test_a_failed_question_leaves_the_next_unit_its_transaction(trouble: str, ground: str) -> None:
    engine.bind(database_url(ground), pool=1)

    def half(u: Unit) -> None:
        put(u, f"half after {trouble}")
        raise KeyError

    with pytest.raises(psycopg.Error):
        engine.ask("SELECT %s::text" if trouble == "a NUL" else "SELEC %s", ("a\0b",))
    with pytest.raises(KeyError):
        run_unit(half)
    assert value(f"half after {trouble}") is None


def test_a_question_that_kills_its_line_is_asked_twice_only(ground: str) -> None:
    engine.bind(database_url(ground), pool=1)
    with pytest.raises(psycopg.OperationalError):
        engine.ask("SELECT pg_terminate_backend(pg_backend_pid())")
    assert engine.ask("SELECT 2") == (2,)


def test_after_a_restart_no_question_fails(ground: str) -> None:
    engine.bind(database_url(ground), pool=3)
    lent = [engine.lend() for _ in range(3)]
    for one in lent:
        one.close()
    cut_all_lines(ground)
    assert [engine.ask("SELECT 1") for _ in range(3)] == [(1,)] * 3


def test_a_question_that_took_too_long_keeps_its_connection(ground: str) -> None:
    engine.bind(database_url(ground), pool=1)
    pid = engine.ask(PID)
    engine.ask("SELECT set_config('statement_timeout', '50', false)")
    with pytest.raises(psycopg.OperationalError):
        engine.ask("SELECT pg_sleep(1)")
    assert engine.ask(PID) == pid


def test_statements_outlive_what_others_make_a_connection_forget(ground: str) -> None:
    """A rollback of the ORM, a pooled connection given back, DEALLOCATE ALL: nobody is refused for it."""
    engine.bind(database_url(ground), pool=1)

    def asked_first(u: Unit) -> int:
        row = u.execute("SELECT %s::int + 1", (1,)).fetchone()
        assert row
        return int(row[0])

    for upset in (
        lambda: run_unit(lambda u: u.session.execute(text("DEALLOCATE ALL"))),
        engine.is_alive,
        lambda: run_unit(lambda u: u.session.rollback()),
    ):
        for _ in range(8):
            assert (run_unit(asked_first), engine.ask("SELECT %s::int + 2", (1,))) == (2, (3,))
            upset()


def test_a_table_that_changes_its_type_refuses_nobody(ground: str) -> None:
    engine.bind(database_url(ground), pool=2)
    run_unit(lambda u: u.execute("CREATE TABLE t_typed (n int)"))
    statement = "SELECT n FROM t_typed"
    assert engine.ask(statement) is None

    def both(u: Unit) -> None:
        put(u, ids.new_id("th"))
        u.execute(statement)

    run_unit(both)
    for kind in ("text", "bigint USING n::bigint"):
        run_unit(lambda u, kind=kind: u.execute(f"ALTER TABLE t_typed ALTER n TYPE {kind}"))  # type: ignore[misc]
        assert engine.ask(statement) is None
        run_unit(both)


def test_what_failed_before_is_not_committed_in_silence() -> None:
    def half(u: Unit) -> None:
        put(u, "written before a failure")
        with pytest.raises(DBAPIError):
            u.execute("SELECT 1 / 0")

    with pytest.raises(DBAPIError, match="rolled back"):
        run_unit(half)
    assert value("written before a failure") is None


def test_every_connection_speaks_with_limits() -> None:
    shown = {name: ask(f"SHOW {name}") for name in ("statement_timeout", "lock_timeout", "timezone")}
    assert shown == {"statement_timeout": "15s", "lock_timeout": "8s", "timezone": "UTC"}


def test_threads_that_come_first_together_share_one_engine(ground: str) -> None:
    engine.bind(database_url(ground), pool=3)
    assert len({id(each) for each in together(*[engine.engine] * 12)}) == 1


def test_a_forked_child_makes_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    of_parent = engine.engine()
    monkeypatch.setattr(
        engine._bound, "pid", -1
    )  # as it looks in a process that was forked after `of_parent`
    assert engine.engine() is not of_parent
    assert engine.new_session().get_bind() is engine.engine()


def test_an_unbound_store_says_what_is_missing(ground: str) -> None:
    engine.bind("")
    try:
        with pytest.raises(RuntimeError, match="never bound"):
            engine.new_session()
    finally:
        engine.bind(database_url(ground), pool=10)


def test_a_database_that_is_there_is_alive() -> None:
    assert engine.is_alive()


def test_a_naive_time_is_refused_by_the_tables() -> None:
    with pytest.raises(StatementError, match="naive"), unit() as u:
        u.add(ChoreRow(name="naive", started_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_times_come_back_in_utc() -> None:
    at = clock.local(clock.now())
    run_unit(lambda u: u.add(ChoreRow(name="timed", started_at=at)))
    with unit() as u:
        row = u.get(ChoreRow, "timed")
        assert row
        assert row.started_at == at
        assert str(row.started_at).endswith("+00:00")


def test_a_locked_row_is_read_anew() -> None:
    run_unit(lambda u: u.add(ChoreRow(name="locked", done_last=1)))
    with unit() as u:
        assert u.get(ChoreRow, "locked")
        with engine.engine().begin() as other:
            other.execute(text("UPDATE store_chore SET done_last = 2 WHERE name = 'locked'"))
        row = u.get(ChoreRow, "locked", lock=True)
        assert row
        assert row.done_last == 2


def test_a_lean_statement_fails_like_any_other() -> None:
    door = Door()
    with unit() as u:
        u.note(door.id, door.id, "seen", by=SYSTEM)
    with pytest.raises(Exception, match="too long"), unit() as u:
        u.note(door.id, door.id, "x" * 61, by=SYSTEM)
    assert ask("SELECT count(*) FROM store_journal WHERE matter = :m", m=door.id) == 1
