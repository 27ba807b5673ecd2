"""`make run` from outside: opened, hurt, closed and opened again, on the real product."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from town import places, postgres, processes

KEPT_NAMES = ("PATH", "HOME", "TMPDIR", "TOWN_POSTGRES")


class Opened:
    """One `python -m town.run` and what can be asked of it."""

    def __init__(self, state_dir: Path, web_port: int, sim_port: int, screen_port: int) -> None:
        self.state_dir, self.page = state_dir, f"http://127.0.0.1:{web_port}/"
        kept = {
            name: value for name, value in os.environ.items() if name in KEPT_NAMES or name.startswith("PIP_")
        }
        ours = {"TOWN_STATE_DIR": str(state_dir), "WEB_PORT": str(web_port), "SIM_PORT": str(sim_port)}
        ours["SCREEN_PORT"] = str(screen_port)
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "town.run"],
            cwd=places.CHECKOUT,
            env=kept | ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def entry(self) -> dict[str, Any]:
        path = self.state_dir / "town.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def is_open(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[0]
        return self.entry().get("state") == "open"

    def answers(self, page: str = "") -> bool:
        try:
            with urllib.request.urlopen(page or self.page, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def close(self) -> str:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=30)[0]


def wait_for(holds: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def open_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Opened]]:
    state_dir = tmp_path / "掌办 town"
    monkeypatch.setenv("TOWN_STATE_DIR", str(state_dir))
    ports = [postgres.free_port() for _ in range(3)]
    opened: list[Opened] = []

    def begin() -> Opened:
        opened.append(Opened(state_dir, *ports))
        return opened[-1]

    yield begin
    for town in opened:
        town.process.kill()
        town.process.wait()
    for home in places.database_homes():
        postgres.remove(home)


@pytest.mark.timeout(240)
def test_a_town_opens_heals_closes_and_opens_again(open_town: Callable[[], Opened]) -> None:
    town = open_town()
    wait_for(town.is_open)
    assert town.answers()
    assert town.answers(town.entry()["addresses"]["fake phone"])
    before = town.entry()["children"]
    assert set(before) >= {"postgres", "web", "screen", "simulators", "worker", "relay", "scheduler"}

    os.kill(before["web"], signal.SIGKILL)
    wait_for(lambda: town.entry()["children"]["web"] != before["web"] and town.answers())

    pids = town.entry()["children"].values()
    said = town.close()
    assert town.process.returncode == 0
    assert "web was killed by signal 9; starting it again" in said
    assert "13900009001" in said, "the demo's rider is not in the table"
    assert not [pid for pid in pids if processes.started_at(pid)]
    assert not town.entry()

    again = open_town()
    wait_for(again.answers)
    assert "loading the service items" not in again.close(), "the second opening did everything anew"
