"""Several statements in one letter: one after the other, together or not at all."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.kernel import clock, ids
from backend.runtime.settings import database_url
from backend.store import engine, lean
from backend.store.unit import Unit, run_unit
from tests.store.doors import ask
from tests.store.test_inbox import news

pytestmark = pytest.mark.usefixtures("ground")
PUT = "INSERT INTO t_thing (id, n) VALUES (%(id)s, %(n)s)"
COUNT = "SELECT count(*) FROM t_thing WHERE n = %(n)s"
LOCK = "SELECT pg_advisory_xact_lock(%(n)s)"


@pytest.fixture(autouse=True)
def _pool(ground: str) -> Iterator[None]:
    """Whatever a test does to its connections, the next one has others."""
    engine.bind(database_url(ground), pool=2)
    yield
    engine.bind(database_url(ground), pool=10)


def thing(n: int) -> dict[str, object]:
    return {"id": ids.new_id("no"), "n": n}


def test_each_statement_sees_those_before_it() -> None:
    counts = run_unit(lambda u: u.execute_each([(PUT, thing(71)), (PUT, thing(71)), (COUNT, {"n": 71})]))
    assert [rows.fetchall() for rows in counts] == [[], [], [(2,)]]
    assert ask("SELECT count(*) FROM t_thing WHERE n = 71") == 2


def test_a_later_statement_sees_what_was_done_while_it_waited(ground: str) -> None:
    found: list[object] = []

    def waits(u: Unit) -> None:
        found.append(u.ask_each([(LOCK, {"n": 72}), (COUNT, {"n": 72})]))

    with psycopg.connect(ground, autocommit=True) as other:
        other.execute("BEGIN")
        other.execute("SELECT pg_advisory_xact_lock(72)")
        waiter = threading.Thread(target=run_unit, args=(waits,))
        waiter.start()
        blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        for _ in range(500):
            if other.execute(blocked).fetchone() == (1,):
                break
            clock.sleep(0.01)
        other.execute("INSERT INTO t_thing (id, n) VALUES ('while it waited', 72)")
        other.execute("COMMIT")
        waiter.join(20)
    assert found == [(1,)]


def test_a_letter_that_fails_leaves_nothing_behind() -> None:
    with pytest.raises(DBAPIError):
        run_unit(lambda u: u.execute_each([(PUT, thing(73)), ("SELECT 1 / %(n)s::int", {"n": 0})]))
    assert ask("SELECT count(*) FROM t_thing WHERE n = 73") == 0


def test_a_letter_outlives_what_a_connection_forgets(ground: str) -> None:
    engine.bind(database_url(ground), pool=1)
    for _ in range(3):
        counts = run_unit(lambda u: u.execute_each([(COUNT, {"n": 74}), (COUNT, {"n": 74})]))
        assert [rows.fetchone() for rows in counts] == [(0,), (0,)]
        run_unit(lambda u: u.session.execute(text("DEALLOCATE ALL")))


def test_what_was_asked_with_the_notice_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [(LOCK, {"n": 75}), (COUNT, {"n": 75})]
    letters: list[int] = []
    send = lean.Wire.execute_each

    def counted(wire: lean.Wire, questions: list[lean.Question]) -> list[lean.Rows]:
        letters.append(len(questions))
        return send(wire, questions)

    monkeypatch.setattr(lean.Wire, "execute_each", counted)

    def work(u: Unit) -> tuple[bool, lean.Row | None]:
        return u.first_time(news(), asked), u.ask_each(asked)

    assert run_unit(work) == (True, (0,))
    assert letters == [3]
    assert run_unit(lambda u: u.ask_each(asked)) == (0,)
    assert letters == [3, 2]
