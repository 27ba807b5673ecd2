"""A window whose sessions are looked at inside the unit of the write, and one with a gate before it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Request
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.kernel.problems import SessionEnded, TooMany, Unauthenticated
from backend.runtime import audience, web
from backend.runtime.audience import Principal
from backend.runtime.surface import Call, Surface, Unit
from tests.runtime.windows import recognising
from tests.store.doors import ask, tell

HALL = Surface("hall", "/hall/v1", audience="citizen", title="有门的窗口")
PASSED: list[str] = []


@dataclass(frozen=True)
class Done:
    """What was done."""

    mark: str


def gate(call: Call[None]) -> None:
    """Nobody comes more than three times."""
    PASSED.append(call.key)
    if len(PASSED) > 3:
        raise TooMany(retry_after=9)


@HALL.post("/works", answers=Done)
def work(call: Call[None], u: Unit) -> Done:
    """Work that leaves a line."""
    u.session.execute(text("INSERT INTO t_thing (id) VALUES (:id)"), {"id": call.key})
    return Done(secrets.token_hex(4))


@HALL.post("/calls", answers=Done, steps=True)
def call_out(call: Call[None]) -> Done:
    """Work that opens its own units."""
    return Done(secrets.token_hex(4))


@HALL.post("/gated", answers=Done, gate=gate)
def gated(call: Call[None], u: Unit) -> Done:
    """Work behind a gate."""
    return Done(secrets.token_hex(4))


def read_token(request: Request) -> Principal:
    """The token alone: whether its session lives is asked later."""
    name = request.headers.get("X-Person", "")
    if not name:
        raise Unauthenticated
    return Principal("citizen", name, session_id=f"se-{name}")


def look_at_once(request: Request) -> Principal:
    """Token and session."""
    found = read_token(request)
    if ask("SELECT n FROM t_thing WHERE id = :s", s=found.session_id) != 1:
        raise SessionEnded
    return found


STANDING = "EXISTS (SELECT 1 FROM t_thing WHERE id = %(session)s AND n = 1)"
"""The session, asked with the first statement of the work."""


@pytest.fixture
def hall(ground: str) -> Iterator[FlaskClient]:
    """The hall; the session of "me" lives."""
    PASSED.clear()
    tell("DELETE FROM t_thing")
    tell("INSERT INTO t_thing (id, n) VALUES ('se-me', 1)")
    with recognising():
        audience.recognise("citizen", look_at_once, (), read_token, STANDING)
        yield web.build([HALL], [], mode="test", ready=lambda: True).test_client()


def post(hall: FlaskClient, path: str, key: str, name: str = "me") -> TestResponse:
    return hall.post(f"/hall/v1/{path}", headers={"X-Person": name, "Idempotency-Key": key})


@pytest.mark.parametrize("path", ["works", "calls"])
def test_a_session_that_lives_may_write(hall: FlaskClient, path: str) -> None:
    first, again = post(hall, path, f"lives-{path}"), post(hall, path, f"lives-{path}")
    assert first.status_code == 200
    assert first.data == again.data


@pytest.mark.parametrize("path", ["works", "calls"])
def test_a_session_that_ended_writes_nothing_and_reads_no_kept_answer(hall: FlaskClient, path: str) -> None:
    assert post(hall, path, f"before-{path}").status_code == 200
    tell("UPDATE t_thing SET n = 0 WHERE id = 'se-me'")
    for key in (f"before-{path}", f"after-{path}"):
        answer = post(hall, path, key)
        assert (answer.status_code, answer.json["type"]) == (401, "urn:zhangban:problem:session-ended")
    assert ask("SELECT count(*) FROM store_answer WHERE key = :k", k=f"after-{path}") == 0
    assert ask("SELECT count(*) FROM t_thing WHERE id = :k", k=f"after-{path}") == 0


def test_who_has_no_token_is_told_so(hall: FlaskClient) -> None:
    assert post(hall, "works", "no-token-1", name="").json["type"] == "urn:zhangban:problem:unauthenticated"


def test_a_gate_counts_repetitions_too(hall: FlaskClient) -> None:
    answers = [post(hall, "gated", "the-same-key") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[4].headers["Retry-After"] == "9"
    assert len({answer.data for answer in answers[:3]}) == 1
