import json
from typing import Any

import pytest
import requests
from werkzeug.test import create_environ, run_wsgi_app

from tests.runtime.windows import WORK, Visitor, slug, tiny_app
from tests.store.doors import value

JSON = {"Content-Type": "application/json"}


def send(visitor: Visitor, raw: bytes, **headers: str) -> requests.Response:
    return visitor.ask("POST", "/things", data=raw, headers={**JSON, **headers})


def faults(answer: requests.Response) -> dict[str, str]:
    assert (answer.status_code, slug(answer)) == (422, "invalid-input")
    return {fault["field"]: fault["message"] for fault in answer.json()["errors"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"not json",
        b'{"id": "x"}{"id": "y"}',
        b'{"id": "x",}',
        b"{'id': 'x'}",
        b'\xef\xbb\xbf{"id": "x"}',
        '{"id": "中"}'.encode("gbk"),
        '{"id": "x"}'.encode("utf-16"),
        b'{"id": "\xff\xfe"}',
        b'{"id": "a\\u0000b"}',
        b'{"id": "a\x00b"}',
        b'{"id": "\\ud800"}',
        b'{"id": "x", "form": {"\\udfff": 1}}',
        b'{"id": "x", "weight": NaN}',
        b'{"id": "x", "weight": -Infinity}',
        b'{"id": "x", "weight": 1e400}',
        b'{"id": "x", "form": {"deep": [NaN]}}',
        b'{"id": "x", "form": {"n": 9223372036854775808}}',
        b'{"id": "x", "form": {"n": -9223372036854775809}}',
        b'{"id": "x", "n": ' + b"9" * 6000 + b"}",
        b'{"id": "x", "form": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b"[" * 100_000,
    ],
    ids=lambda raw: raw[:40].decode("latin-1"),
)
def test_what_is_not_json_is_refused(visitor: Visitor, raw: bytes) -> None:
    answer = send(visitor, raw)
    assert (answer.status_code, slug(answer)) == (400, "malformed-request")
    assert not WORK.done


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"id": "请填写此项"}),
        ({"id": "x", "colour": "green"}, {"colour": "不在可选范围内"}),
        ({"id": "x", "stranger": 1}, {"stranger": "没有这一项，请删除"}),
        ({"id": 7}, {"id": "应当是文字"}),
        ({"id": None}, {"id": "应当是文字"}),
        ({"id": "   "}, {"id": "内容太短"}),
        ({"id": "x" * 21}, {"id": "内容太长"}),
        ({"id": "x", "n": "1"}, {"n": "应当是整数"}),
        ({"id": "x", "n": True}, {"n": "应当是整数"}),
        ({"id": "x", "n": 1.5}, {"n": "应当是整数"}),
        ({"id": "x", "n": 2**62}, {"n": "数值太大"}),
        ({"id": "x", "n": -1}, {"n": "数值太小"}),
        ({"id": "x", "made_on": "2026-02-30"}, {"made_on": "填写不正确"}),
        ({"id": "x", "parts": {}}, {"parts": "应当是列表"}),
        ({"id": "x", "parts": [{"label": "a", "more": 1}]}, {"parts.0.more": "没有这一项，请删除"}),
        ({"id": "x", "parts": [{"label": "a"}] * 4}, {"parts": "项数太多"}),
        ({"id": "x", "form": []}, {"form": "应当是对象"}),
        ({"n": "1", "colour": 2}, {"id": "请填写此项", "n": "应当是整数", "colour": "不在可选范围内"}),
    ],
)
def test_every_wrong_field_is_named_at_once(
    visitor: Visitor, body: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(visitor.ask("POST", "/things", body)) == expected
    assert not WORK.done


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"x"', b"7", b"true"])
def test_a_body_that_is_no_object_is_refused(visitor: Visitor, raw: bytes) -> None:
    assert list(faults(send(visitor, raw)).values()) == ["应当是对象"]


def test_at_most_fifty_faults_are_told(visitor: Visitor) -> None:
    answer = visitor.ask("POST", "/things", {"id": "x"} | {f"f{n}": n for n in range(200)})
    assert len(answer.json()["errors"]) == 50


def test_a_right_body_is_taken_as_meant(visitor: Visitor) -> None:
    form = {"long": 2**63 - 1, "small": -(2**63) + 1, "text": "9" * 40, "pi": 3.14, "deep": [[[{"a": None}]]]}
    body = {
        "id": "  right  ",
        "n": 1000,
        "weight": 2,
        "made_on": "2026-02-28",
        "parts": [{"label": "部件"}],
        "form": form,
    }
    answer = visitor.ask("POST", "/things", body)
    assert answer.status_code == 201
    assert answer.json()["id"] == "right", "text is trimmed"
    assert value("right") == 1000


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
def test_another_media_type_is_refused(visitor: Visitor, media: str) -> None:
    answer = visitor.ask("POST", "/things", data=b'{"id": "x"}', headers={"Content-Type": media})
    assert (answer.status_code, slug(answer)) == (415, "unsupported-media")


def test_a_charset_beside_the_media_type_is_taken(visitor: Visitor) -> None:
    answer = send(visitor, b'{"id": "charset"}', **{"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 201


@pytest.mark.parametrize("size", [256 * 1024 + 1, 10 * 1024 * 1024, 13 * 1024 * 1024])
def test_a_body_that_is_too_large_is_refused(visitor: Visitor, size: int) -> None:
    answer = send(visitor, b'{"id": "' + b"x" * (size - 10) + b'"}')
    assert (answer.status_code, slug(answer)) == (413, "too-large")


def test_a_large_body_without_a_length_is_refused_too(visitor: Visitor) -> None:
    answer = visitor.ask("POST", "/things", data=(b" " * 65536 for _ in range(6)), headers=JSON)
    assert (answer.status_code, slug(answer)) == (413, "too-large")
    assert not WORK.done


def test_a_body_just_small_enough_is_read(visitor: Visitor) -> None:
    raw = b'{"id": "just"}'
    assert send(visitor, raw + b" " * (256 * 1024 - len(raw))).status_code == 201


def test_a_picture_has_its_own_limits(visitor: Visitor) -> None:
    def draw(size: int, media: str = "image/png") -> requests.Response:
        return visitor.ask("PUT", "/things/x/picture", data=b"x" * size, headers={"Content-Type": media})

    assert draw(64 * 1024).json() == {"id": "x", "n": 65536}
    assert slug(draw(64 * 1024 + 1)) == "too-large"
    refused = draw(10, "image/gif")
    assert (refused.status_code, slug(refused)) == (415, "unsupported-media")
    assert "image/png" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("limit=1&limit=2", "malformed-request"),
        ("after=%00", "malformed-request"),
        ("limit=x", "invalid-input"),
        ("limit=0", "invalid-input"),
        ("limit=11", "invalid-input"),
        ("limit=1.5", "invalid-input"),
        ("limit=" + "9" * 5000, "invalid-input"),
        ("stranger=1", "invalid-input"),
        ("Limit=1", "invalid-input"),
    ],
)
def test_a_question_is_read_as_strictly_as_a_body(visitor: Visitor, query: str, kind: str) -> None:
    assert slug(visitor.ask("GET", f"/things?{query}")) == kind


@pytest.mark.parametrize(("method", "status"), [("GET", 400), ("POST", 415)])
def test_a_question_in_no_known_letters_is_refused(visitor: Visitor, method: str, status: int) -> None:
    asked = create_environ("/tiny/v1/things", method=method, headers={"X-Person": "me"})
    asked["QUERY_STRING"] = "after=\xff\xfe"  # as Granian hands over what was not percent-encoded
    _, told, _ = run_wsgi_app(tiny_app(), asked)
    assert told.startswith(str(status))


def test_broken_percent_signs_are_taken_as_text(visitor: Visitor) -> None:
    assert slug(visitor.ask("GET", "/things?after=%ff%zz")) == "malformed-request", "no cursor of ours"


def test_a_nul_in_the_path_is_no_address(visitor: Visitor) -> None:
    for path in ("/things/%00", "/things/a%00b"):
        answer = visitor.ask("GET", path)
        assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_a_refusal_repeats_nothing_that_was_entered(visitor: Visitor) -> None:
    answer = visitor.ask("POST", "/things", {"id": "x", "n": "110105194912310021"})
    assert "110105194912310021" not in json.dumps(answer.json())
