"""Chores and the wake-ups that start them.

The broker carries wake-ups only ("look whether there is something to do"), never work: work is claimed from
PostgreSQL, so losing the broker loses nothing and a backlog does not live in it. A chore takes its lease in the
database before it starts; two workers never do the same chore at once, and everybody can see when it last ran.
"""

import fcntl
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.transport import filesystem
from kombu.utils.json import dumps

from backend.kernel import clock
from backend.runtime.metrics import CHORES
from backend.store import chores
from backend.store.unit import run_unit

log = logging.getLogger(__name__)
LANES = ("chores", "relay", "messages", "statements")
"""One worker each: a slow SMS platform holds up neither the relay nor the sweeps that ask about money, and a
statement of a million lines none of them."""
LEASE = timedelta(seconds=60)
QUIET_S = 0.2
"""A process sends at most one wake-up per chore in this time; a woken chore lingers longer than that."""
AWAY_S = 5.0
"""After a wake-up that did not go out no other is tried for so long: requests must not wait for a dead broker."""
CONNECT_TIMEOUT_S = 2.0
_BROKER = "the broker itself"


@dataclass(frozen=True, slots=True)
class Chore:
    """`work` returns how many things it did; `every` is the longest time without a look."""

    name: str
    work: Callable[[], int]
    every: timedelta
    lane: str


class _WholeFiles(filesystem.Channel):
    """The folder broker with messages that appear whole.

    Kombu's own opens the file before it writes it: a reader that comes in between fetches nothing and its worker
    dies of it ("Expecting value: line 1 column 1").
    """

    def _put(self, queue: str, message: Any, **_options: Any) -> None:  # type: ignore[override]  # kombu's two differ
        name = f"{round(clock.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        half = folder / f"{name}.part"
        half.write_bytes(dumps(message).encode())
        half.replace(folder / name)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Enter a queue into the table of its exchange; workers that start together must not see it half made."""
        table = Path(self._exchange_file(exchange))
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (table.parent / "tables.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self.get_table(exchange)
            if bound not in known:
                half = table.with_suffix(".part")
                half.write_bytes(dumps([bound, *known]).encode())
                half.replace(table)


_chores: dict[str, Chore] = {}
_app: list[Celery] = []
_quiet_until: dict[str, float] = {}
_wake_lock = threading.Lock()


def chore(
    name: str, *, every: timedelta, lane: str = "chores"
) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Declare a chore. The decorated function stays callable (tests call it directly)."""

    def enrol(work: Callable[[], int]) -> Callable[[], int]:
        if lane not in LANES:
            raise ValueError(f"unknown lane {lane}")
        _chores[name] = Chore(name, work, every, lane)
        return work

    return enrol


def all_chores() -> dict[str, Chore]:
    return dict(_chores)


def build(broker_url: str, state_dir: Path) -> Celery:
    """The Celery app: one task that runs a chore by name, and a schedule that wakes each of them."""
    app = Celery("zhangban", broker=broker_url or "filesystem://")
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport(broker_url, state_dir),
        broker_connection_timeout=CONNECT_TIMEOUT_S,
        task_default_queue="chores",
        task_create_missing_queues=True,
        timezone="UTC",
        beat_schedule={
            one.name: {
                "task": "town.run",
                "schedule": one.every.total_seconds(),
                "args": (one.name,),
                "options": {"queue": one.lane, "expires": max(one.every.total_seconds(), 2.0)},
            }
            for one in _chores.values()
        },
        beat_max_loop_interval=1,
    )
    app.task(name="town.run")(run_chore)
    _app[:] = [app]
    return app


def _transport(broker_url: str, state_dir: Path) -> dict[str, Any]:
    if broker_url and not broker_url.startswith("filesystem"):
        return {"max_retries": 0, "socket_connect_timeout": CONNECT_TIMEOUT_S}
    filesystem.Transport.Channel = _WholeFiles
    root = state_dir / "broker"
    folders = {name: str(root / name) for name in ("wakeups", "processed", "control")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": folders["wakeups"],
        "data_folder_out": folders["wakeups"],
        "processed_folder": folders["processed"],
        "control_folder": folders["control"],
        "store_processed": False,
        "polling_interval": 0.1,
    }


def wake(name: str) -> None:
    """Ask for a chore soon. Never fails the caller: the schedule looks anyway."""
    now = clock.monotonic()
    with _wake_lock:
        if now < max(_quiet_until.get(name, 0.0), _quiet_until.get(_BROKER, 0.0)):
            return
        _quiet_until[name] = now + QUIET_S
    if not _app or name not in _chores:
        return
    try:
        _app[0].send_task("town.run", (name,), queue=_chores[name].lane, expires=30, retry=False)
    except Exception:
        _quiet_until[_BROKER] = clock.monotonic() + AWAY_S
        log.warning("wake-up not sent", extra={"chore": name}, exc_info=True)


def run_chore(name: str) -> int:
    """Run one chore under its lease; 0 when another worker has it. A failure is written down and not raised."""
    one, owner = _chores[name], f"{_place()}:{os.getpid()}:{threading.get_ident()}"
    if not run_unit(lambda u: chores.take(u.session, name, owner, clock.wire_now(), LEASE, _is_gone)):
        return 0
    done, error = 0, None
    try:
        done = one.work()
    except Exception as trouble:
        error = f"{type(trouble).__name__}: {trouble}"
        log.exception("chore failed", extra={"chore": name})
    at = clock.wire_now()
    run_unit(
        lambda u: chores.give_back(
            u.session, name, owner, at=at, next_at=at + one.every, done=done, error=error
        )
    )
    CHORES.labels(name, "failed" if error else "done").inc()
    return done


def _place() -> str:
    """Where process numbers mean something: this machine, and the namespace they are counted in."""
    counted_in = os.stat("/proc/self/ns/pid").st_ino if Path("/proc/self/ns/pid").exists() else 0
    return f"{socket.gethostname()[:40]}/{counted_in}"


def _is_gone(owner: str) -> bool:
    """Whether the process that holds a lease lived beside us and does no longer: its work need not wait."""
    place, _, process = owner.rpartition(":")[0].rpartition(":")
    if place != _place() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
