import re
from typing import Any

import pytest
import requests
from openapi_spec_validator import validate

from backend.runtime import openapi, refusals
from backend.runtime.surface import Surface
from tests.runtime.windows import SURFACE, Visitor

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document() -> dict[str, Any]:
    """The whole document of the tiny window."""
    return openapi.document([SURFACE])


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/tiny/v1" + path][method]
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"] == "3.1.0"


def test_it_is_served_as_it_is_made(visitor: Visitor, document: dict[str, Any]) -> None:
    for _ in range(2):
        told = requests.get(visitor.base_url + "/openapi.json", timeout=10).json()
        validate(told)
        assert {path: told["paths"][path] for path in document["paths"]} == document["paths"]
        assert told["components"] == document["components"]
    beside = set(told["paths"]) - set(document["paths"])
    assert beside == {"/health/live", "/health/ready", "/metrics"}


def test_every_route_is_in_it(document: dict[str, Any]) -> None:
    told = {(method, path) for path, item in document["paths"].items() for method in METHODS & item.keys()}
    made = {
        (route.method.lower(), SURFACE.prefix + re.sub(r"<(\w+)>", r"{\1}", route.path))
        for route in SURFACE.routes
    }
    assert told == made
    ids = [
        item[method]["operationId"] for item in document["paths"].values() for method in METHODS & item.keys()
    ]
    assert len(set(ids)) == len(ids) == len(SURFACE.routes)


def test_every_problem_of_a_route_is_listed(document: dict[str, Any]) -> None:
    for route in SURFACE.routes:
        path = re.sub(r"<(\w+)>", r"{\1}", route.path)
        responses = operation(document, route.method.lower(), path)["responses"]
        for kind in refusals.promised(route):
            told = responses[str(kind.status)]
            assert f"- `{kind.slug}` {kind.title}" in told["description"]
            schema = told["content"]["application/problem+json"]["schema"]
            model = f"Problem-{kind.slug}" if kind.extras else "Problem"
            assert {"$ref": f"#/components/schemas/{model}"} in schema.get("anyOf", [schema])
        expected = {str(kind.status) for kind in refusals.promised(route)} | {str(route.status)}
        assert set(responses) == expected | (set() if route.writes else {"304"})


def test_every_answer_of_the_window_fits_the_document(visitor: Visitor, document: dict[str, Any]) -> None:
    asked = [
        ("post", "/things", {"id": "fits"}),
        ("post", "/things", {}),
        ("get", "/things", None),
        ("post", "/calls", {}),
    ]
    for method, path, body in asked:
        answer = visitor.ask(method.upper(), path, body)
        responses = operation(document, method, path)["responses"]
        assert answer.headers["Content-Type"] in responses[str(answer.status_code)]["content"]


def test_writing_needs_a_key_and_reading_takes_a_tag(document: dict[str, Any]) -> None:
    headers = {
        (part["name"], part["required"])
        for part in operation(document, "post", "/things")["parameters"]
        if part["in"] == "header"
    }
    assert headers == {("Idempotency-Key", True)}
    names = [part["name"] for part in operation(document, "get", "/things")["parameters"]]
    assert names == ["limit", "after", "If-None-Match"]
    assert operation(document, "get", "/things/{thing_id}")["parameters"][0] == {
        "name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"},
    }  # fmt: skip


def test_what_a_problem_tells_beside_its_sentences_is_described(document: dict[str, Any]) -> None:
    _, told = document["components"]["schemas"]["Problem-channel-refused"]["allOf"]
    assert told["properties"]["type"] == {"const": "urn:zhangban:problem:channel-refused"}
    assert told["properties"]["code"] == {"type": "string"}


def test_files_tell_their_media_types_and_devices_are_named() -> None:
    surface = Surface("files", "/files/v1", audience="citizen", title="Files")
    surface.get("/sheet", media=("text/csv", "application/pdf"))(lambda call: None)
    surface.post("/holds", device=True)(_held)
    told = openapi.document([surface])
    validate(told)
    sheet, holds = told["paths"]["/files/v1/sheet"]["get"], told["paths"]["/files/v1/holds"]["post"]
    assert set(sheet["responses"]["200"]["content"]) == {"text/csv", "application/pdf"}
    assert "304" not in sheet["responses"]
    assert [part["name"] for part in holds["parameters"]] == ["Idempotency-Key", "X-Device-Id"]
    assert not holds["parameters"][1]["required"]
    assert (holds["summary"], holds["description"]) == ("Hold a place.", "And say for how long.")


def _held(call: Any, u: Any) -> None:
    """Hold a place.

    And say for how long.
    """


def test_who_may_ask_is_told(document: dict[str, Any]) -> None:
    assert operation(document, "post", "/things")["security"] == [{"citizenToken": []}]
    assert operation(document, "post", "/words")["security"] == []


def test_bodies_are_described_by_their_models(document: dict[str, Any]) -> None:
    body = operation(document, "post", "/things")["requestBody"]["content"]["application/json"]["schema"]
    thing = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    assert thing["additionalProperties"] is False
    assert thing["required"] == ["id"]
    assert set(thing["properties"]) == {"id", "n", "weight", "colour", "made_on", "parts", "form"}
    picture = operation(document, "put", "/things/{thing_id}/picture")["requestBody"]["content"]
    assert set(picture) == {"image/png", "image/jpeg"}
    assert "content" not in operation(document, "delete", "/things/{thing_id}")["responses"]["204"]


def test_the_page_reads_it_without_the_internet(visitor: Visitor) -> None:
    page = requests.get(visitor.base_url + "/docs", timeout=10)
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links == ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"]
    for link in links:
        asset = requests.get(visitor.base_url + link, timeout=10)
        assert asset.status_code == 200
        assert asset.content
        assert asset.headers["Content-Type"] == (
            "text/css; charset=utf-8" if link.endswith(".css") else "text/javascript; charset=utf-8"
        )
    assert "'/openapi.json'" in requests.get(visitor.base_url + "/docs/start.js", timeout=10).text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["index.html", "../models.py", "%2e%2e/models.py", "swagger-ui.css.map"])
def test_nothing_else_is_served_beside_the_page(visitor: Visitor, name: str) -> None:
    assert requests.get(f"{visitor.base_url}/docs/{name}", timeout=10).status_code == 404
