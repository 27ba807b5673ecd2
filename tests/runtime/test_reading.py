import base64
import json

import pytest

from backend.kernel.problems import MalformedRequest
from backend.runtime import paging
from tests.runtime.windows import Visitor, slug
from tests.store.doors import tell


@pytest.fixture
def reader(visitor: Visitor) -> Visitor:
    """Somebody with five things."""
    tell("DELETE FROM t_thing")
    for n in range(5):
        tell("ALTER TABLE t_thing DROP CONSTRAINT IF EXISTS uq_t_thing_name")
        tell("INSERT INTO t_thing VALUES (:i, :n, :who)", i=f"thing-{n}", n=n, who=visitor.name)
    return visitor


def test_a_read_carries_a_tag_and_answers_not_modified(reader: Visitor) -> None:
    first = reader.ask("GET", "/things/thing-1")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = reader.ask("GET", "/things/thing-1", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    several = reader.ask("GET", "/things/thing-1", headers={"If-None-Match": f'"other", {tag}'})
    assert several.status_code == 304


def test_a_changed_thing_has_another_tag(reader: Visitor) -> None:
    tag = reader.ask("GET", "/things/thing-1").headers["ETag"]
    tell("UPDATE t_thing SET n = 99 WHERE id = 'thing-1'")
    answer = reader.ask("GET", "/things/thing-1", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["n"]) == (200, 99)
    assert answer.headers["ETag"] != tag


def test_two_things_have_two_tags(reader: Visitor) -> None:
    tags = {reader.ask("GET", f"/things/thing-{n}").headers["ETag"] for n in range(5)}
    assert len(tags) == 5


def test_head_answers_as_get_without_a_body(reader: Visitor) -> None:
    seen, headed = reader.ask("GET", "/things/thing-1"), reader.ask("HEAD", "/things/thing-1")
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["ETag"] == seen.headers["ETag"]
    assert headed.headers["Content-Length"] == str(len(seen.content))


def test_options_names_what_may_be_asked(reader: Visitor) -> None:
    answer = reader.ask("OPTIONS", "/things")
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "TRACE", "BREW"])
def test_another_method_is_refused_with_those_allowed(reader: Visitor, method: str) -> None:
    answer = reader.ask(method, "/things/thing-1")
    assert (answer.status_code, slug(answer)) == (405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/nothing", "/things/", "/things/a/b", "/../etc/passwd", "/things/a%2fb/c"])
def test_an_unknown_address_is_told_as_a_problem(reader: Visitor, path: str) -> None:
    answer = reader.ask("GET", path)
    assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_somebody_elses_thing_looks_as_absent(reader: Visitor) -> None:
    tell("INSERT INTO t_thing VALUES ('mine', 1, 'me')")
    stranger = Visitor(reader.base_url, "stranger")
    answers = [stranger.ask("GET", f"/things/{which}").json() for which in ("mine", "nowhere")]
    for answer in answers:
        del answer["instance"]
    assert answers[0] == answers[1]


def test_pages_follow_each_other_to_the_end(reader: Visitor) -> None:
    seen, after = [], ""
    for _ in range(3):
        page = reader.ask("GET", f"/things?limit=2{after}").json()
        seen.append([item["id"] for item in page["items"]])
        after = f"&after={page['next']}"
    assert seen == [["thing-0", "thing-1"], ["thing-2", "thing-3"], ["thing-4"]]
    assert page["next"] is None


def test_a_thing_that_comes_meanwhile_moves_no_page(reader: Visitor) -> None:
    page = reader.ask("GET", "/things?limit=2").json()
    tell("INSERT INTO t_thing VALUES ('thing-00', 0, :who)", who=reader.name)
    following = reader.ask("GET", f"/things?limit=2&after={page['next']}").json()
    assert [item["id"] for item in following["items"]] == ["thing-2", "thing-3"]


def test_somebody_elses_cursor_shows_nothing_of_theirs(reader: Visitor) -> None:
    theirs = reader.ask("GET", "/things?limit=2").json()["next"]
    stranger = Visitor(reader.base_url, "stranger")
    assert stranger.ask("GET", f"/things?after={theirs}").json() == {"items": [], "next": None}


def forged(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "x", "%%%%", "中文", "=", "AAAA", "..", "a" * 5000,
        forged("thing-1"), forged([]), forged(["a", "b"]), forged({"a": 1}), forged([None]), forged([True]),
        forged([1.5]), forged([["a"]]), forged([2**62]), forged(["a\0b"]), forged([{"$gt": ""}]),
    ],
)  # fmt: skip
def test_a_cursor_that_is_not_ours_is_refused(reader: Visitor, after: str) -> None:
    answer = reader.ask("GET", "/things", params={"after": after})
    assert (answer.status_code, slug(answer)) == (400, "malformed-request")
    assert "第一页" in answer.json()["detail"]


@pytest.mark.parametrize("keys", [("a",), (1,), ("2026-01-01", "cs-1"), ("中文", -(2**61)), ("",)])
def test_a_cursor_brings_its_keys_back(keys: tuple[str | int, ...]) -> None:
    assert paging.keys_of(paging.cursor(*keys), len(keys)) == keys
    with pytest.raises(MalformedRequest):
        paging.keys_of(paging.cursor(*keys), len(keys) + 1)


def test_without_a_cursor_the_first_page_is_meant() -> None:
    assert paging.keys_of(None, 1) is None
    assert paging.keys_of("", 1) is None


@pytest.mark.parametrize(
    ("found", "shown", "after"), [("abc", "ab", "b"), ("ab", "ab", None), ("", "", None)]
)
def test_a_page_names_its_last_only_when_more_follow(found: str, shown: str, after: str | None) -> None:
    page = paging.page(found, 2, str)
    assert ("".join(page.items), paging.key_of(page.next)) == (shown, after)


def test_nobody_is_recognised_without_a_name(reader: Visitor) -> None:
    answer = Visitor(reader.base_url, "").ask("GET", "/things")
    assert (answer.status_code, slug(answer)) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
