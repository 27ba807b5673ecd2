from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from flask import Flask

from backend.runtime import metrics, surface, web
from backend.runtime.settings import database_url
from backend.store import engine
from tests.runtime.windows import SURFACE, Visitor, tiny_app


def test_every_answer_carries_its_request_id(visitor: Visitor) -> None:
    for path in ("/things", "/nothing", "/trouble/bug"):
        answer = visitor.ask("GET", path)
        assert answer.headers["X-Request-Id"].startswith("rq-")
    named = visitor.ask("GET", "/nothing", headers={"X-Request-Id": "from-the-phone-1"})
    assert named.headers["X-Request-Id"] == "from-the-phone-1"
    assert named.json()["instance"] == "urn:zhangban:request:from-the-phone-1"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "<script>alert(1)</script>", "a;b;c;d;e"])
def test_a_strange_request_id_is_replaced(visitor: Visitor, given: str) -> None:
    assert visitor.ask("GET", "/things", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_every_answer_carries_the_protecting_headers(visitor: Visitor) -> None:
    for path in ("/things", "/nothing"):
        headers = visitor.ask("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert visitor.put("headers").headers["Cache-Control"] == "no-store"


def test_the_first_page_names_the_windows(visitor: Visitor) -> None:
    page = requests.get(visitor.base_url + "/", timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "试验窗口" in page.text
    assert "script" not in page.headers["Content-Security-Policy"]


@contextmanager
def without_database(url: str, ground: str) -> Iterator[None]:
    engine.bind(url)
    try:
        yield
    finally:
        engine.bind(database_url(ground), pool=10)


def health(app: Flask, path: str) -> tuple[int, object]:
    answer = app.test_client().get(f"/health/{path}")
    return answer.status_code, answer.json["status"]


def test_a_town_with_its_database_is_ready(ground: str) -> None:
    assert health(tiny_app(), "ready") == (200, "ready")
    assert health(tiny_app(), "live") == (200, "live")


@pytest.mark.parametrize("url", ["", "postgresql+psycopg://nobody:x@127.0.0.1:1/nothing"])
def test_a_town_without_its_database_lives_but_is_not_ready(ground: str, url: str) -> None:
    with without_database(url, ground):
        assert health(tiny_app(), "ready") == (503, "not ready")
        assert health(tiny_app(), "live") == (200, "live")


def test_a_town_with_wrong_keys_is_not_ready(ground: str) -> None:
    app = web.build([SURFACE], [], mode="test", ready=lambda: False)
    assert health(app, "ready") == (503, "not ready")


def test_figures_are_for_this_machine_only(visitor: Visitor) -> None:
    visitor.put("counted")
    figures = requests.get(visitor.base_url + "/metrics", timeout=10)
    assert figures.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'town_requests_total{route="windows_put_thing",status="201",surface="tiny"}' in figures.text
    answer = tiny_app().test_client().get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.7"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("sent", "status"), [("Bearer s3cret", 200), ("Bearer wrong", 404), ("", 404), ("Bearer é", 404)]
)
def test_a_token_opens_the_figures_to_collectors(
    monkeypatch: pytest.MonkeyPatch, ground: str, sent: str, status: int
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "s3cret")
    answer = tiny_app().test_client().get("/metrics", headers={"Authorization": sent})
    assert answer.status_code == status


def test_figures_of_all_processes_are_added(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert metrics.exposition() == b"", "no process has written figures yet"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("not:an:address", "not:an:address", True),
    ],
)
def test_a_whole_ipv6_network_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (surface._network(one) == surface._network(other)) is same
