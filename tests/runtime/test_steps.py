import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from backend.runtime.outbound import Refused, Silent
from tests.runtime.windows import WORK, NameTaken, Visitor, slug
from tests.store.doors import ask, tell, value


class Aside:
    """A slow request in a thread of its own; `end` lets it go on."""

    def __init__(self, work: Callable[[], requests.Response]) -> None:
        self._answers: list[requests.Response] = []
        self._thread = threading.Thread(target=lambda: self._answers.append(work()))
        WORK.slow = True
        self._thread.start()
        self._turn = WORK.turns.get(timeout=20)
        WORK.slow = False

    def end(self, trouble: Exception | None = None) -> requests.Response:
        self._turn.trouble = trouble
        self._turn.may_end.set()
        self._thread.join(20)
        return self._answers[0]


def lease_runs_out(key: str) -> None:
    tell("UPDATE store_answer SET lease_until = lease_until - interval '31 seconds' WHERE key = :k", k=key)


def state(key: str) -> Any:
    return ask("SELECT coalesce(status::text, 'open') FROM store_answer WHERE key = :k", k=key)


def test_while_the_first_works_the_second_is_told_to_wait(visitor: Visitor) -> None:
    first = Aside(lambda: visitor.call("slow", "slow-key"))
    second = visitor.call("slow", "slow-key")
    assert (second.status_code, slug(second)) == (409, "still-in-progress")
    assert int(second.headers["Retry-After"]) > 0
    answer = first.end()
    assert answer.status_code == 200
    assert visitor.call("slow", "slow-key").content == answer.content
    assert WORK.done["slow"] == 1


def test_while_the_first_works_another_body_is_refused(visitor: Visitor) -> None:
    first = Aside(lambda: visitor.call("slow-a", "slow-key-a"))
    assert slug(visitor.call("slow-b", "slow-key-a")) == "idempotency-key-reused"
    lease_runs_out("slow-key-a")
    assert slug(visitor.call("slow-b", "slow-key-a")) == "idempotency-key-reused"
    assert first.end().status_code == 200


def test_after_a_death_the_lease_runs_out_and_the_next_takes_over(visitor: Visitor) -> None:
    tell(  # what a process leaves behind that was killed while it lifted the telephone
        "INSERT INTO store_answer (scope, key, digest, lease_until, expires_at)"
        " SELECT scope, 'dead-key', digest, lease_until, expires_at FROM store_answer WHERE key = :k",
        k=_claimed(visitor, "dead"),
    )
    assert slug(visitor.call("dead", "dead-key")) == "still-in-progress"
    lease_runs_out("dead-key")
    assert visitor.call("dead", "dead-key").status_code == 200


@pytest.mark.parametrize(
    ("trouble", "status", "kind"),
    [
        (NameTaken(), 409, "test-thing-exists"),
        (Silent("bank", "no answer"), 503, "channel-silent"),
        (Refused("bank", "no"), 502, "channel-refused"),
        (KeyError("a bug"), 500, "server-trouble"),
    ],
)
def test_after_a_refusal_the_key_is_given_back(
    visitor: Visitor, trouble: Exception, status: int, kind: str
) -> None:
    WORK.trouble = trouble
    answer = visitor.call(kind, "given-back-" + kind)
    assert (answer.status_code, slug(answer)) == (status, kind)
    WORK.trouble = None
    assert visitor.call(kind, "given-back-" + kind).status_code == 200
    assert WORK.done[kind] == 2


def test_who_comes_back_late_does_not_disturb_who_took_over(visitor: Visitor) -> None:
    late = Aside(lambda: visitor.call("late", "late-key"))
    lease_runs_out("late-key")
    second = Aside(lambda: visitor.call("late", "late-key"))
    assert slug(late.end(NameTaken())) == "test-thing-exists"
    assert state("late-key") == "open", "the key still belongs to the second"
    assert slug(visitor.call("late", "late-key")) == "still-in-progress"
    answer = second.end()
    assert answer.status_code == 200
    assert visitor.call("late", "late-key").content == answer.content


def test_an_answer_that_comes_late_is_not_kept_over_the_newer_one(visitor: Visitor) -> None:
    late = Aside(lambda: visitor.call("old", "older-key"))
    lease_runs_out("older-key")
    newer = Aside(lambda: visitor.call("old", "older-key"))
    answers = newer.end(), late.end()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert visitor.call("old", "older-key").content == answers[0].content


def test_what_the_steps_wrote_stays_after_a_later_failure(visitor: Visitor) -> None:
    assert visitor.call("stays", "staying-key").status_code == 200
    assert value("stays-1") == 0


def _claimed(visitor: Visitor, thing_id: str) -> str:
    """Key of a request for this thing that has been answered."""
    key = f"answered-{thing_id}"
    assert visitor.call(thing_id, key).status_code == 200
    return key
