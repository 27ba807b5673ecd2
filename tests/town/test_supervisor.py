"""The supervisor, watched from outside while its children and itself are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from town import places, processes

SMALL_TOWN = """
import sys, json
from pathlib import Path
from town.supervisor import Bell, Child, Supervisor, spawn

folder, scripts = Path(sys.argv[1]), json.loads(sys.argv[2])

def child(rank, name, script):
    log = folder / f"{name}.log"
    command = [sys.executable, "-c", script, str(folder)]
    return Child(name, lambda: spawn(command, {"PATH": "/usr/bin:/bin"}, log, folder), log, closes=rank, patience=1)

def note(pids):
    draft = folder / "pids.new"
    draft.write_text(json.dumps(pids))
    draft.rename(folder / "pids.json")

keeper = Supervisor(Bell(), lambda words: print(words, flush=True), note)
keeper.add(*(child(rank, name, script) for rank, (name, script) in enumerate(scripts.items())))
keeper.watch(lambda: False)
keeper.close()
"""
STEADY = "import time; time.sleep(60)"
BRIEF = "import sys; sys.exit('the roof is leaking')"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
LAST_WORDS = """
import signal, sys, time
from pathlib import Path
def leave(*_):
    with (Path(sys.argv[1]) / "order.txt").open("a") as file: file.write("{name} ")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
time.sleep(60)
"""
PARENT = """
import os, time
from pathlib import Path
child = os.fork()
Path("grandchild").write_text(str(child or os.getpid()))
time.sleep(60)
"""


class SmallTown:
    """A supervisor over small scripts in a process of its own."""

    def __init__(self, folder: Path, scripts: dict[str, str]) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SMALL_TOWN, str(folder), json.dumps(scripts)],
            cwd=places.CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def pids(self) -> dict[str, int]:
        path = self.folder / "pids.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def close(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., SmallTown]]:
    towns: list[SmallTown] = []

    def open_town(**scripts: str) -> SmallTown:
        towns.append(SmallTown(tmp_path, scripts))
        eventually(lambda: set(towns[-1].pids()) == set(scripts))
        return towns[-1]

    yield open_town
    for town in towns:
        town.process.kill()
        town.process.communicate()


def eventually(holds: Callable[[], Any], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    return processes.started_at(pid) is None


def test_a_killed_child_is_started_again(opened: Callable[..., SmallTown]) -> None:
    town = opened(worker=STEADY, relay=STEADY)
    before = town.pids()
    os.kill(before["worker"], signal.SIGKILL)
    eventually(lambda: town.pids()["worker"] != before["worker"])
    assert town.pids()["relay"] == before["relay"]
    assert "worker was killed by signal 9; starting it again" in town.close()


def test_nothing_outlives_a_killed_supervisor(opened: Callable[..., SmallTown]) -> None:
    town = opened(web=DEAF, worker=STEADY)
    pids = town.pids()
    town.close(signal.SIGKILL)
    for pid in pids.values():
        eventually(lambda pid=pid: is_gone(pid))


def test_what_a_killed_child_started_goes_with_it(opened: Callable[..., SmallTown]) -> None:
    town = opened(web=PARENT)
    eventually((town.folder / "grandchild").exists)
    grandchild = int((town.folder / "grandchild").read_text("ascii"))
    os.kill(town.pids()["web"], signal.SIGKILL)
    eventually(lambda: is_gone(grandchild))


def test_a_child_that_keeps_dying_is_heard(opened: Callable[..., SmallTown]) -> None:
    town = opened(worker=BRIEF)
    eventually(lambda: (town.folder / "worker.log").read_text("utf-8").count("leaking") >= 3)
    time.sleep(0.2)
    said = town.close()
    assert "worker ended with status 1; starting it again in 0.5 s" in said
    assert "worker keeps dying" in said
    assert "    the roof is leaking" in said


def test_children_close_in_order_and_the_deaf_by_force(opened: Callable[..., SmallTown]) -> None:
    town = opened(
        web=LAST_WORDS.replace("{name}", "web"), worker=DEAF, books=LAST_WORDS.replace("{name}", "books")
    )
    time.sleep(0.5)  # their handlers must be in place
    pids, begun = town.pids(), time.monotonic()
    town.close(signal.SIGINT)
    assert time.monotonic() - begun < 4
    assert (town.folder / "order.txt").read_text("utf-8") == "web books "
    assert all(is_gone(pid) for pid in pids.values())
