"""A whole town in its own processes; some of them are killed -9 in the middle of a payment."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from town import postgres

OPEN_S = 150.0


@dataclass
class Opened:
    """A town of its own: process, settings, and where its entry is."""

    env: dict[str, str]
    state: Path

    @property
    def entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = json.loads((self.state / "town.json").read_text("utf-8"))
        return entry

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.entry['addresses']['simulators']}/control{path}"
        answer = (
            requests.post(url, json=body, timeout=20) if body is not None else requests.get(url, timeout=20)
        )
        answer.raise_for_status()
        return answer.json()

    def run(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *words: str) -> str:
        done = self.run("town.command", *words)
        told, _ = done.communicate(timeout=60)
        assert done.returncode == 0, told
        return told


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    state = tmp_path_factory.mktemp("weather") / "town"
    ports = {"WEB_PORT": str(postgres.free_port()), "SIM_PORT": str(postgres.free_port())}
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")}
    env = {**kept, **ports, "TOWN_STATE_DIR": str(state)}
    log = state.parent / "run.log"
    with postgres.temporary(durable=True) as server, log.open("w") as sink:
        env["DATABASE_URL"] = server.url
        process = subprocess.Popen([sys.executable, "-m", "town.run"], env=env, stdout=sink, stderr=sink)
        try:
            _wait_until_open(process, state, log)
            yield Opened(env, state)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _wait_until_open(process: subprocess.Popen[bytes], state: Path, log: Path) -> None:
    until = time.monotonic() + OPEN_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text("utf-8")[-2000:]
        try:
            if json.loads((state / "town.json").read_text("utf-8"))["state"] == "open":
                return
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.2)
    pytest.fail(f"the town did not open: {log.read_text('utf-8')[-2000:]}")


def _kill(opened: Opened, name: str) -> None:
    os.kill(opened.entry["children"][name], signal.SIGKILL)


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
        _kill(opened, name)
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
