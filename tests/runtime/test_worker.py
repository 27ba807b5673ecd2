import logging
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery

from backend.kernel import clock
from backend.runtime import relay, worker
from backend.store import chores
from backend.store.chores import ChoreView
from backend.store.unit import run_unit
from tests.store.doors import tell, together

pytestmark = pytest.mark.usefixtures("ground")
EVERY = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _own_chores(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is enrolled and built here is forgotten afterwards."""
    monkeypatch.setattr(worker, "_chores", dict(worker._chores))
    monkeypatch.setattr(worker, "_app", [])
    monkeypatch.setattr(worker, "_quiet_until", {})


def seen(name: str) -> ChoreView:
    found = run_unit(lambda u: chores.all_chores(u.session, clock.wire_now()))
    return next(one for one in found if one.name == name)


def test_a_chore_says_how_many_things_it_did() -> None:
    worker.chore("t.three", every=EVERY)(lambda: 3)
    assert worker.run_chore("t.three") == 3
    view = seen("t.three")
    assert (view.done_last, view.done_ever, view.running, view.last_error) == (3, 3, False, None)
    assert view.next_at
    assert view.finished_at
    assert view.next_at - view.finished_at == EVERY


def test_a_chore_stays_a_function_that_can_be_called() -> None:
    @worker.chore("t.plain", every=EVERY)
    def plain() -> int:
        return 7

    assert plain() == 7


def test_two_workers_never_do_one_chore_at_once() -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def work() -> int:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.3)
        with lock:
            inside[0] -= 1
        return 1

    worker.chore("t.alone", every=EVERY)(work)
    outcomes = together(*(lambda: worker.run_chore("t.alone") for _ in range(6)))
    assert most == [1]
    assert sorted(outcomes) == [0, 0, 0, 0, 0, 1]


def test_a_failure_is_written_down_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> int:
        raise ValueError("no luck")

    worker.chore("t.fails", every=EVERY)(fail)
    with caplog.at_level(logging.ERROR):
        assert [worker.run_chore("t.fails") for _ in range(2)] == [0, 0]
    view = seen("t.fails")
    assert (view.last_error, view.failures, view.running) == ("ValueError: no luck", 2, False)
    assert "chore failed" in caplog.messages


def test_a_dead_workers_chore_is_taken_over() -> None:
    worker.chore("t.dead", every=EVERY)(lambda: 1)
    at = clock.wire_now()
    assert run_unit(lambda u: chores.take(u.session, "t.dead", "dead", at, worker.LEASE))
    assert worker.run_chore("t.dead") == 0
    tell("UPDATE store_chore SET lease_until = lease_until - interval '61 seconds' WHERE name = 't.dead'")
    assert worker.run_chore("t.dead") == 1


def test_a_chore_does_not_wait_for_a_process_that_died_here() -> None:
    worker.chore("t.orphan", every=EVERY)(lambda: 1)
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    at = clock.wire_now()
    for process, done in ((os.getpid(), 0), (died.pid, 1)):
        owner = f"{worker._place()}:{process}:1"
        tell("UPDATE store_chore SET lease_until = NULL WHERE name = 't.orphan'")
        assert run_unit(lambda u, o=owner: chores.take(u.session, "t.orphan", o, at, worker.LEASE))
        assert worker.run_chore("t.orphan") == done


def test_a_process_of_another_machine_is_never_called_dead() -> None:
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    assert worker._is_gone(f"{worker._place()}:{died.pid}:1")
    assert not worker._is_gone(f"elsewhere/1:{died.pid}:1")
    assert not worker._is_gone("somebody")


def test_a_lane_nobody_drains_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown lane"):
        worker.chore("t.lost", every=EVERY, lane="nowhere")(lambda: 0)


def test_a_wake_up_for_a_chore_of_another_age_fails_alone() -> None:
    with pytest.raises(KeyError):
        worker.run_chore("t.long gone")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the embedded broker keeps its wake-ups."""
    return tmp_path / "broker" / "wakeups"


def build(tmp_path: Path, url: str = "filesystem://") -> Celery:
    worker.chore("t.woken", every=EVERY, lane="messages")(lambda: 0)
    return worker.build(url, tmp_path)


def test_a_wake_up_goes_out_once_in_a_while(tmp_path: Path, folder: Path) -> None:
    build(tmp_path)
    for _ in range(5):
        worker.wake("t.woken")
    assert len(list(folder.iterdir())) == 1
    threading.Event().wait(worker.QUIET_S + 0.05)
    worker.wake("t.woken")
    assert len(list(folder.iterdir())) == 2
    assert relay.LINGER_S > worker.QUIET_S, "a wake-up held back is still served"


def test_a_wake_up_lies_in_the_lane_of_its_chore(tmp_path: Path, folder: Path) -> None:
    build(tmp_path)
    worker.wake("t.woken")
    (letter,) = folder.iterdir()
    assert letter.name.endswith(".messages.msg")


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "amqp://nobody@127.0.0.1:1//", "filesystem://", "nonsense://x"]
)
def test_waking_never_raises_when_the_broker_is_away(tmp_path: Path, folder: Path, url: str) -> None:
    build(tmp_path, url)
    if url.startswith("filesystem"):
        folder.rmdir()
        folder.write_text("not a folder any more", "utf-8")
    begun = clock.monotonic()
    worker.wake("t.woken")
    assert clock.monotonic() - begun < 2, "the citizen who waits for an answer hardly notices"
    begun = clock.monotonic()
    for _ in range(20):
        worker.wake("relay.deliver")
    assert clock.monotonic() - begun < 0.1, "and the next ones do not try at all"


def test_a_broker_that_came_back_is_woken_again(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AWAY_S", 0.3)
    build(tmp_path)
    folder.rename(folder.with_name("away"))
    worker.wake("t.woken")
    folder.with_name("away").rename(folder)
    worker.wake("relay.deliver")
    assert list(folder.iterdir()) == [], "nobody waits for it yet"
    threading.Event().wait(0.35)
    worker.wake("t.woken")
    assert len(list(folder.iterdir())) == 1


def test_waking_before_anything_is_built_is_harmless() -> None:
    worker.wake("t.woken")
    worker.wake("t.nobody")


def test_every_chore_is_in_the_schedule_with_its_lane(tmp_path: Path) -> None:
    app = build(tmp_path)
    planned = app.conf.beat_schedule
    assert set(planned) == set(worker.all_chores())
    assert planned["t.woken"]["options"]["queue"] == "messages"
    assert planned["t.woken"]["schedule"] == 30
    assert app.conf.task_ignore_result
    assert "town.run" in app.tasks
