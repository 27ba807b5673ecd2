"""A whole town in its own processes; some of them are killed -9 in the middle of a payment."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.weather.makers import Opened, opened_town
from town import postgres


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    state = tmp_path_factory.mktemp("weather") / "town"
    with postgres.temporary(durable=True) as server, opened_town(state, DATABASE_URL=server.url) as town:
        yield town


def _calls(opened: Opened, verb: str) -> int:
    return int(opened.control("/books/wxpay")["calls"].get(verb, 0))


def _fault(opened: Opened, **fault: Any) -> None:
    opened.control("/faults", {"provider": "wxpay", "times": 1, **fault})


def _play_and_kill(opened: Opened, victims: tuple[str, ...], verb: str) -> None:
    """Play the parking fine; kill the victims the moment the provider has been asked."""
    before = _calls(opened, verb)
    demo = opened.run("demo", "parking_fine")
    until = time.monotonic() + 60
    while _calls(opened, verb) == before and time.monotonic() < until and demo.poll() is None:
        time.sleep(0.02)
    for name in victims:
        opened.kill(name)
    told, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, told


def _books_agree(opened: Opened) -> None:
    """The provider's paid orders and our paid payments are the same numbers with the same sums, each once."""
    orders = opened.control("/books/wxpay")["order"]
    theirs = sorted((one["out_trade_no"], one["amount"]) for one in orders if one["state"] == "SUCCESS")
    with psycopg.connect(opened.env["DATABASE_URL"]) as connection:
        ours = connection.execute(
            "SELECT number, amount_fen FROM payments_payment WHERE paid_at IS NOT NULL"
        ).fetchall()
    assert sorted(ours) == theirs
    assert "0 findings" in opened.command("check")


def test_the_web_dies_while_the_provider_prepares(opened: Opened) -> None:
    _fault(opened, verb="prepare", kind="timeout_after", seconds=3)
    _play_and_kill(opened, ("web",), "prepare")
    _books_agree(opened)


def test_web_and_worker_die_while_the_callback_is_lost(opened: Opened) -> None:
    _fault(opened, verb="transaction", kind="drop", times=4)
    _play_and_kill(opened, ("web", "worker"), "prepare")
    _books_agree(opened)


def test_worker_and_relay_die_and_nothing_is_told_twice(opened: Opened) -> None:
    _play_and_kill(opened, ("worker", "relay"), "prepare")
    _books_agree(opened)
