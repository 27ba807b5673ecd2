from datetime import timedelta

import pytest
import requests

from backend.kernel import clock
from backend.runtime import answers, housekeeping
from tests.runtime.windows import WORK, Visitor, slug
from tests.store.doors import ask, tell, together, value


def twice(visitor: Visitor, key: str) -> tuple[requests.Response, requests.Response]:
    return visitor.put("twice", key, n=3), visitor.put("twice", key, n=3)


def test_the_same_key_brings_the_same_bytes(visitor: Visitor) -> None:
    first, second = twice(visitor, "the-same-key")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["Content-Type"] == second.headers["Content-Type"] == "application/json"
    assert WORK.done["twice"] == 1
    assert ask("SELECT count(*) FROM store_journal WHERE matter = 'twice'") == 1


def test_another_key_does_the_work_again(visitor: Visitor) -> None:
    assert visitor.put("again", "first-key").status_code == 201
    assert slug(visitor.put("again", "second-key")) == "conflict"
    assert WORK.done["again"] == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/things", {"id": "reused", "n": 2}),
        ("POST", "/calls", {"id": "reused"}),
        ("POST", "/things?x=1", {"id": "reused"}),
        ("DELETE", "/things/reused", None),
    ],
)
def test_the_same_key_for_another_request_is_refused(
    visitor: Visitor, method: str, path: str, body: dict[str, object] | None
) -> None:
    key = f"reused {method} {path}".replace(" ", "-")
    visitor.ask("PUT", "/things/reused/picture", data=b"x", headers={"Content-Type": "image/png"}, key=key)
    answer = visitor.ask(method, path, body, key=key)
    assert (answer.status_code, slug(answer)) == (422, "idempotency-key-reused")
    assert WORK.done["reused"] == 0


def test_another_body_in_chunks_is_another_request(visitor: Visitor) -> None:
    def send(n: int) -> requests.Response:
        chunks = iter([b'{"id": "chunked",', b' "n": %d}' % n])
        return visitor.ask(
            "POST", "/things", data=chunks, key="chunked-key", headers={"Content-Type": "application/json"}
        )

    assert send(1).status_code == 201
    assert slug(send(2)) == "idempotency-key-reused"
    assert send(1).status_code == 201
    assert value("chunked") == 1


def test_twenty_identical_posts_at_once_do_the_work_once(visitor: Visitor) -> None:
    outcomes = together(*(lambda: visitor.put("twenty", "twenty-at-once") for _ in range(20)))
    assert {answer.status_code for answer in outcomes} == {201}
    assert len({answer.content for answer in outcomes}) == 1
    assert ask("SELECT count(*) FROM store_journal WHERE matter = 'twenty'") == 1
    assert WORK.done["twenty"] == 1


def test_a_refused_work_gives_its_key_back(visitor: Visitor) -> None:
    assert slug(visitor.put("taken-1", "given-back")) == "test-thing-exists"
    assert value("taken-1") is None
    assert visitor.put("free-1", "given-back").status_code == 201


def test_a_crashed_work_gives_its_key_back(visitor: Visitor) -> None:
    tell("INSERT INTO t_thing (id) VALUES ('there')")
    assert slug(visitor.put("there", "crashed-key")) == "conflict"
    tell("DELETE FROM t_thing WHERE id = 'there'")
    assert visitor.put("there", "crashed-key").status_code == 201


def test_an_empty_answer_is_kept_too(visitor: Visitor) -> None:
    for _ in range(2):
        answer = visitor.ask("DELETE", "/things/x", key="empty-answer")
        assert (answer.status_code, answer.content) == (204, b"")
    assert WORK.done["x"] == 1


def test_the_keys_of_two_people_do_not_meet(visitor: Visitor) -> None:
    other = Visitor(visitor.base_url, "another")
    mine = visitor.ask("POST", "/calls", {"id": "met"}, key="one-key-of-two")
    theirs = other.ask("POST", "/calls", {"id": "met"}, key="one-key-of-two")
    assert mine.content != theirs.content
    assert WORK.done["met"] == 2


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 129, "with space in it", "tab\tin-the-key", "schlüssel-1"]
)
def test_a_request_without_a_usable_key_is_refused(visitor: Visitor, key: str) -> None:
    answer = visitor.ask(
        "POST", "/things", {"id": "keyless"}, headers={"Idempotency-Key": key.encode("latin-1")}
    )
    assert (answer.status_code, slug(answer)) == (400, "idempotency-key-missing")
    assert value("keyless") is None


@pytest.mark.parametrize("key", ["12345678", "!~" * 64])
def test_eight_to_128_visible_characters_make_a_key(visitor: Visitor, key: str) -> None:
    assert visitor.ask("POST", "/words", {"id": "word"}, key=key).status_code == 200


def test_a_reading_request_needs_no_key(visitor: Visitor) -> None:
    assert visitor.ask("GET", "/things").status_code == 200


def test_answers_are_sealed_at_rest(visitor: Visitor) -> None:
    answer = visitor.put("sealed", "sealed-answer")
    kept = bytes(ask("SELECT answer FROM store_answer WHERE key = 'sealed-answer'"))
    assert b"sealed" not in kept
    assert answer.json()["mark"].encode() not in kept


def test_an_answer_to_a_stranger_expires_after_a_minute(visitor: Visitor) -> None:
    stranger = Visitor(visitor.base_url, "")
    first = stranger.ask("POST", "/words", {"id": "said"}, key="public-answer")
    life = ask("SELECT expires_at FROM store_answer WHERE key = 'public-answer'") - clock.wire_now()
    assert timedelta(seconds=50) < life <= timedelta(seconds=60)
    _age("public-answer", seconds=59)
    assert stranger.ask("POST", "/words", {"id": "said"}, key="public-answer").content == first.content
    _age("public-answer", seconds=2)
    again = stranger.ask("POST", "/words", {"id": "said"}, key="public-answer")
    assert again.content != first.content
    assert WORK.done["said"] == 2


def test_an_answer_to_a_citizen_is_kept_for_a_day(visitor: Visitor) -> None:
    visitor.put("daily", "kept-a-day")
    life = ask("SELECT expires_at FROM store_answer WHERE key = 'kept-a-day'") - clock.wire_now()
    assert timedelta(hours=23, minutes=59) < life <= answers.LIFE
    clock.advance(timedelta(days=2))
    assert visitor.put("daily", "kept-a-day").status_code == 201, "business time does not matter here"
    _age("kept-a-day", seconds=24 * 3600)
    assert slug(visitor.put("daily", "kept-a-day")) == "conflict", "done again after a day"


def test_an_expired_key_may_serve_another_request(visitor: Visitor) -> None:
    visitor.put("before", "expired-key")
    _age("expired-key", seconds=24 * 3600)
    assert visitor.put("after", "expired-key").status_code == 201


def test_answers_whose_time_is_over_are_purged(visitor: Visitor) -> None:
    visitor.put("purged", "purged-key")
    visitor.put("stays", "staying-key")
    _age("purged-key", seconds=24 * 3600)
    housekeeping.purge()
    kept = "SELECT count(*) FROM store_answer WHERE key = :k"
    assert (ask(kept, k="purged-key"), ask(kept, k="staying-key")) == (0, 1)


def _age(key: str, seconds: int) -> None:
    tell(
        "UPDATE store_answer SET expires_at = expires_at - make_interval(secs => :s) WHERE key = :k",
        s=seconds,
        k=key,
    )
