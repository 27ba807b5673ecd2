import logging
from collections.abc import Iterator

import pytest

from backend.kernel import problems
from backend.kernel.problems import Problem
from backend.runtime import refusals
from backend.runtime.settings import database_url
from backend.store import engine
from tests.runtime.windows import SURFACE, WORK, Visitor, served, slug, tiny_app
from tests.store.cable import Cable, cable_to
from tests.store.doors import ask, tell, value
from town import postgres


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the window logs, kept to look at."""
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def cable(ground: str) -> Iterator[Cable]:
    """The window speaks to its database through a cable."""
    with cable_to(ground) as (cable, near):
        engine.bind(database_url(near), pool=4)
        yield cable
        engine.bind(database_url(ground), pool=10)


def test_a_documented_problem_is_told_with_its_details(visitor: Visitor) -> None:
    answer = visitor.ask("GET", "/trouble/busy")
    assert (answer.status_code, slug(answer)) == (429, "too-many-requests")
    assert answer.headers["Retry-After"] == "7"
    assert (answer.json()["detail"], answer.json()["retry_after"]) == ("太多了。", 7)


def test_an_undocumented_problem_is_caught_in_test_mode(visitor: Visitor) -> None:
    answer = visitor.ask("GET", "/trouble/undocumented")
    assert (answer.status_code, slug(answer)) == (500, "server-trouble")
    assert "not-found" in answer.json()["detail"]


def test_an_undocumented_problem_is_told_politely_elsewhere(visitor: Visitor) -> None:
    with served(tiny_app("production")) as base_url:
        answer = Visitor(base_url).ask("GET", "/trouble/undocumented")
    assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_a_bug_of_ours_tells_nothing_of_itself(visitor: Visitor, quiet: pytest.LogCaptureFixture) -> None:
    answer = visitor.ask("GET", "/trouble/bug")
    assert (answer.status_code, slug(answer)) == (500, "server-trouble")
    assert "KeyError" not in answer.text
    assert "unexpected" in quiet.messages


@pytest.mark.parametrize(
    ("kind", "status", "told"), [("silent", 503, "channel-silent"), ("refused", 502, "channel-refused")]
)
def test_trouble_outside_is_never_a_guess(visitor: Visitor, kind: str, status: int, told: str) -> None:
    answer = visitor.ask("GET", f"/trouble/{kind}")
    assert (answer.status_code, slug(answer)) == (status, told)
    assert answer.json().get("code", "") == ("NOT_ENOUGH" if kind == "refused" else "")


def test_a_value_out_of_range_is_the_callers_mistake(visitor: Visitor) -> None:
    assert slug(visitor.ask("GET", "/trouble/range")) == "malformed-request"


def test_a_lock_that_never_comes_is_still_in_progress(visitor: Visitor) -> None:
    tell("INSERT INTO t_thing (id) VALUES ('locked')")
    with engine.engine().begin() as holder:
        holder.exec_driver_sql("SELECT * FROM t_thing WHERE id = 'locked' FOR UPDATE")
        answer = visitor.ask("POST", "/locks/locked", key="waits-for-lock")
    assert (answer.status_code, slug(answer)) == (409, "still-in-progress")
    assert answer.headers["Retry-After"] == "2"
    assert visitor.ask("POST", "/locks/locked", key="waits-for-lock").status_code == 200


def test_a_database_that_is_away_is_told_with_a_time_to_return(visitor: Visitor, ground: str) -> None:
    try:
        with postgres.temporary() as server:
            engine.bind(database_url(server.url), pool=2)
            tell("CREATE TABLE t_thing (id text, n integer, name text)")
            tell("INSERT INTO t_thing VALUES ('there', 1, '')")
            assert visitor.ask("GET", "/things/there").status_code == 200
            server.stop()
            for method, path in (
                ("GET", "/things/there"),
                ("GET", "/things/there"),
                ("POST", "/locks/there"),
            ):
                answer = visitor.ask(method, path)
                assert (answer.status_code, slug(answer)) == (503, "town-busy")
                assert int(answer.headers["Retry-After"]) > 0
    finally:
        engine.bind(database_url(ground), pool=10)
    assert visitor.put("back again").status_code == 201


def test_a_pool_without_a_free_connection_is_told_too(
    visitor: Visitor, ground: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.bind(database_url(ground), pool=1)
    monkeypatch.setattr(engine.engine().pool, "_timeout", 0.1)
    try:
        with engine.engine().connect():
            answer = visitor.ask("GET", "/things/there")
        assert (answer.status_code, slug(answer)) == (503, "town-busy")
    finally:
        engine.bind(database_url(ground), pool=10)


def test_a_database_that_restarted_costs_a_writer_nothing(visitor: Visitor) -> None:
    with engine.engine().connect() as one:
        tell(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        one.invalidate()
    assert visitor.put("after the restart").status_code == 201


def test_a_commit_without_an_answer_is_told_as_unknown(visitor: Visitor, cable: Cable) -> None:
    cable.cut_after.append(b"COMMIT")
    answer = visitor.put("unknown", "unknown-outcome")
    assert (answer.status_code, slug(answer)) == (503, "maybe-done")
    assert int(answer.headers["Retry-After"]) > 0
    assert value("unknown") == 0, "it was done"
    again = visitor.put("unknown", "unknown-outcome")
    assert (again.status_code, again.json()["id"]) == (201, "unknown")
    assert WORK.done["unknown"] == 1
    assert ask("SELECT count(*) FROM store_journal WHERE matter = 'unknown'") == 1


def test_every_promise_of_a_route_is_made_once() -> None:
    for route in SURFACE.routes:
        promised = refusals.promised(route)
        assert len(set(promised)) == len(promised)
        assert refusals.OurSilence in promised
        assert (refusals.MaybeDone in promised) == route.writes
        assert (problems.KeyMissing in promised) == route.writes
        assert (problems.Unauthenticated in promised) == (route.audience != "public")


def test_titles_are_plain_chinese_that_ends_as_a_sentence() -> None:
    for kind in Problem.all():
        if kind.__module__.startswith("backend.runtime"):
            assert kind.title.endswith("。")
            assert "," not in kind.title
