"""A whole town in its own processes, for the tests that hurt it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def run(self, *words: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            env={**self.env, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *words: str) -> str:
        done = self.run("town.command", *words)
        told, _ = done.communicate(timeout=60)
        assert done.returncode == 0, told
        return told

    def kill(self, name: str) -> None:
        """Kill one of the town's processes without a word; the town starts it again.

        One that was killed a moment ago is killed again as soon as it lives.
        """
        until = time.monotonic() + 30
        while True:
            try:
                os.kill(self.entry["children"][name], signal.SIGKILL)
            except ProcessLookupError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return


@contextmanager
def opened_town(state: Path, **settings: str) -> Iterator[Opened]:
    """Open a town in this folder, lend it, close it."""
    ports = {"WEB_PORT": str(postgres.free_port()), "SIM_PORT": str(postgres.free_port())}
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")}
    env = {**kept, **ports, "TOWN_STATE_DIR": str(state), **settings}
    log = state.parent / "run.log"
    with log.open("w") as sink:
        process = subprocess.Popen([sys.executable, "-m", "town.run"], env=env, stdout=sink, stderr=sink)
        try:
            _wait_until_open(process, state, log)
            yield Opened(env, state)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def wait_for(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait until something comes true; False when the time is up."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


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
