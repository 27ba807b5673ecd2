import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from backend.runtime.settings import database_url
from backend.store import engine, lean
from backend.store.unit import SYSTEM, OutcomeUnknown, Unit, run_unit, unit
from tests.store.cable import Cable, cable_to
from tests.store.doors import Door, add, make_door, put, together, value


@pytest.fixture(autouse=True)
def _things(ground: str) -> None:
    run_unit(lambda u: u.session.execute(text("TRUNCATE t_thing")))
    for key in ("a", "b"):
        run_unit(lambda u, k=key: put(u, k))


@pytest.fixture
def cable(ground: str) -> Iterator[Cable]:
    """The store speaks to its database through a cable."""
    with cable_to(ground) as (cable, near):
        engine.bind(database_url(near), pool=4)
        yield cable
        engine.bind(database_url(ground), pool=10)


def test_a_deadlock_is_repeated_and_both_succeed() -> None:
    meeting, tries = threading.Barrier(2), []

    def work(first: str, second: str) -> Any:
        mine: list[int] = []

        def change(u: Unit) -> str:
            mine.append(1)
            tries.append(first)
            add(u, first)
            if len(mine) == 1:
                meeting.wait(10)
            add(u, second)
            return first

        return lambda: run_unit(change)

    assert together(work("a", "b"), work("b", "a")) == ["a", "b"]
    assert (value("a"), value("b")) == (2, 2)
    assert len(tries) == 3


def test_a_serialization_failure_is_repeated() -> None:
    meeting = threading.Barrier(2)

    def work(name: str) -> Any:
        mine: list[int] = []

        def change(u: Unit) -> int:
            mine.append(1)
            u.session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
            total = u.session.execute(text("SELECT sum(n) FROM t_thing")).scalar_one()
            if len(mine) == 1:
                meeting.wait(10)
            put(u, name, int(total) + 1)
            return len(mine)

        return lambda: run_unit(change)

    outcomes = together(work("one"), work("two"))
    assert sorted(outcomes) == [1, 2]
    assert sorted([value("one"), value("two")]) == [1, 2]


def test_after_three_tries_a_unit_gives_up() -> None:
    tries: list[int] = []

    def work(u: Unit) -> None:
        tries.append(1)
        raise OperationalError("lost", None, psycopg.errors.SerializationFailure("again and again"))

    with pytest.raises(OperationalError):
        run_unit(work)
    assert len(tries) == 3


def test_an_ordinary_error_is_not_repeated() -> None:
    tries: list[int] = []

    def work(u: Unit) -> None:
        tries.append(1)
        u.session.execute(text("SELECT 1/0"))

    with pytest.raises(DBAPIError):
        run_unit(work)
    assert len(tries) == 1


@pytest.mark.parametrize("way", ["orm", "lean"])
def test_a_connection_lost_before_commit_is_repeated(way: str) -> None:
    tries: list[int] = []

    def work(u: Unit) -> str:
        tries.append(1)
        put(u, "alone")
        if len(tries) == 1:
            _kill(u)
        if way == "lean":
            lean.execute(u.session, "SELECT 1")
        else:
            u.session.execute(text("SELECT 1"))
        return "done"

    assert run_unit(work) == "done"
    assert len(tries) == 2
    assert value("alone") == 0


def test_connections_that_died_in_the_pool_are_replaced() -> None:
    with engine.engine().connect() as one, engine.engine().connect() as two:
        pids = [each.execute(text("SELECT pg_backend_pid()")).scalar() for each in (one, two)]
    for pid in pids:
        _kill_backend(int(pid or 0))
    run_unit(lambda u: add(u, "a", 5))
    assert value("a") == 5


def test_a_commit_that_was_done_but_not_answered_is_not_repeated(cable: Cable) -> None:
    tries: list[int] = []

    def work(u: Unit) -> None:
        tries.append(1)
        add(u, "a")
        cable.cut_after.append(b"COMMIT")

    with pytest.raises(OutcomeUnknown):
        run_unit(work)
    assert (cable.cuts, len(tries)) == (1, 1)
    assert value("a") == 1


def test_a_cable_cut_before_the_commit_changes_nothing_twice(cable: Cable) -> None:
    def work(u: Unit) -> None:
        if cable.cuts == 0:
            cable.cut_after.append(b"UPDATE t_thing")
        add(u, "a")

    run_unit(work)
    assert cable.cuts == 1
    assert value("a") == 1


def test_many_writers_of_one_matter_leave_no_gap() -> None:
    door = run_unit(make_door)

    def write(name: str) -> Any:
        def often() -> None:
            for n in range(5):
                run_unit(lambda u, what=f"{name}{n}": u.note(door.id, door.id, what, by=SYSTEM))

        return often

    together(*(write(name) for name in "pqrstuvw"))
    with unit() as u:
        lines = u.journal_of(door.id)
    assert [line.seq for line in lines] == list(range(1, 42))
    for name in "pqrstuvw":  # each writer's own lines stand in the order in which it wrote them
        assert [one.trigger for one in lines if one.trigger[0] == name] == [f"{name}{n}" for n in range(5)]


def test_heads_are_locked_in_one_order() -> None:
    doors = sorted(Door().id for _ in range(4))
    seen: list[list[str]] = []

    def write(order: list[str]) -> Any:
        tries: list[str] = []

        def work(u: Unit) -> None:
            tries.append("once")
            for matter in order:
                u.note(matter, matter, "seen", by=SYSTEM)

        def often() -> None:
            for _ in range(10):
                tries.clear()
                run_unit(work)
                seen.append(list(tries))

        return often

    outcomes = together(write(doors), write(doors[::-1]), write(doors[2:] + doors[:2]))
    assert outcomes == [None] * 3
    assert all(tries == ["once"] for tries in seen), "no unit had to be repeated"
    assert len(seen) == 30


def _kill(u: Unit) -> None:
    _kill_backend(int(u.session.execute(text("SELECT pg_backend_pid()")).scalar_one()))


def _kill_backend(pid: int) -> None:
    url = engine.engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
