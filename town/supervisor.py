"""Keeps the town's processes alive, and ends them in order.

Every child leads a process group of its own and is bound to this process by the kernel, so that neither Ctrl-C in
the terminal nor a kill -9 of the supervisor leaves an orphan.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from town import processes

_LONGEST_LOG = 20 * 1024 * 1024
_LOOK_AT_LOGS_EVERY = 30.0
_LONGEST_WAIT = 20.0
_SETTLED_AFTER = 30.0
_WORRYING = 3
_LAST_LINES = 12


class Bell:
    """Counts the requests to close (the first closes in order, the second at once), and wakes who waits."""

    def __init__(self) -> None:
        self.rung = 0
        self._ear, self._clapper = socket.socketpair()
        self._ear.setblocking(False)
        self._clapper.setblocking(False)
        signal.set_wakeup_fd(self._clapper.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
                signal.signal(number, lambda *_: self._ring())

    def _ring(self) -> None:
        self.rung += 1

    def wait(self, seconds: float) -> None:
        """Sleep, but wake at once when somebody rings or a child dies."""
        if select.select([self._ear], [], [], seconds)[0]:
            self._ear.recv(4096)


@dataclass(slots=True)
class Child:
    """One process to keep. `begin` starts it; children of a higher `closes` end later."""

    name: str
    begin: Callable[[], subprocess.Popen[bytes]]
    log: Path
    closes: int = 0
    stop_signal: int = signal.SIGTERM
    patience: float = 5.0
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    begun: float = 0.0
    again: float = field(default=0.0, repr=False)

    def run(self) -> None:
        """Start it now."""
        self.begun = time.monotonic()
        self.process = self.begin()

    @property
    def is_alive(self) -> bool:
        """Whether it runs at this moment."""
        return self.process is not None and self.process.poll() is None


def spawn(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    cwd: Path,
    answer: BinaryIO | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a group of its own that dies with us.

    What it prints is appended to `log`; with `answer`, only its complaints are and the rest goes there.
    """
    with log.open("ab") as sink:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=answer or sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=processes.bound_to_parent(signal.SIGKILL),
        )


class Supervisor:
    """Starts children, restarts the dead with growing pauses, and closes them all."""

    def __init__(
        self, bell: Bell, say: Callable[[str], None], changed: Callable[[dict[str, int]], None]
    ) -> None:
        self._bell, self._say, self._changed = bell, say, changed
        self._children: list[Child] = []
        self._logs_seen = 0.0

    def add(self, *children: Child) -> None:
        """Start children and keep them from now on."""
        for child in children:
            self._children.append(child)
            child.run()
        self._tell()

    def keep(self, child: Child) -> None:
        """Take over a child that already runs."""
        child.begun = time.monotonic()
        self._children.append(child)
        self._tell()

    @property
    def was_rung(self) -> bool:
        """Whether somebody asked to close."""
        return self._bell.rung > 0

    def keeps_dying(self) -> Child | None:
        """Return a child that died again and again since it was last seen well."""
        return next((child for child in self._children if child.deaths >= _WORRYING), None)

    def watch(self, until: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Keep the children alive until `until()` (True), or the bell rings or time is up (False)."""
        deadline = time.monotonic() + seconds
        while not self._bell.rung and time.monotonic() < deadline:
            self._look()
            if until():
                return True
            self._bell.wait(0.05 if seconds < float("inf") else 1.0)
        return False

    def close(self) -> None:
        """End all children, group by group; at once when the bell rings again."""
        for rank in sorted({child.closes for child in self._children}):
            group = [child for child in self._children if child.closes == rank and child.process]
            for child in group:
                if child.is_alive and child.process:
                    child.process.send_signal(child.stop_signal)
            self._await(group)
        self._children.clear()

    def _await(self, group: list[Child]) -> None:
        since, rung = time.monotonic(), self._bell.rung
        for child in group:
            while child.is_alive:
                if self._bell.rung > max(rung, 1) or time.monotonic() - since > child.patience:
                    break
                self._bell.wait(0.1)
            _end_leftovers(child)

    def _look(self) -> None:
        for child in self._children:
            if child.process is not None and not child.is_alive:
                self._mourn(child)
            if child.process is None and time.monotonic() >= child.again:
                self._revive(child)
            elif child.deaths and time.monotonic() - child.begun > _SETTLED_AFTER:
                child.deaths = 0
        self._trim_logs()

    def _mourn(self, child: Child) -> None:
        assert child.process is not None
        how = _in_words(child.process.returncode)
        _end_leftovers(child)
        child.process = None
        child.deaths += 1
        pause = 0.0 if child.deaths == 1 else min(_LONGEST_WAIT, 0.5 * 2 ** (child.deaths - 2))
        child.again = time.monotonic() + pause
        self._say(f"{child.name} {how}; starting it again" + (f" in {pause:g} s" if pause else ""))
        if child.deaths == _WORRYING:
            self._say(f"{child.name} keeps dying; the end of {child.log}:\n{last_lines(child.log)}")

    def _revive(self, child: Child) -> None:
        try:
            child.run()
        except Exception as error:  # whatever stops it from starting, the other children must be kept
            child.deaths += 1
            child.again = time.monotonic() + _LONGEST_WAIT
            self._say(f"{child.name} cannot start ({error}); trying again in {_LONGEST_WAIT:g} s")
        self._tell()

    def _tell(self) -> None:
        self._changed({child.name: child.process.pid for child in self._children if child.process})

    def _trim_logs(self) -> None:
        """The children append, so the file can be emptied under them."""
        if time.monotonic() - self._logs_seen < _LOOK_AT_LOGS_EVERY:
            return
        self._logs_seen = time.monotonic()
        for log in {child.log for child in self._children}:
            with contextlib.suppress(OSError):
                if log.stat().st_size > _LONGEST_LOG:
                    log.with_suffix(".log.1").write_bytes(log.read_bytes())
                    os.truncate(log, 0)


def last_lines(log: Path, count: int = _LAST_LINES) -> str:
    """Return the end of a log, indented for the terminal."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            lines = file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"


def _end_leftovers(child: Child) -> None:
    """Whatever the child started goes with it, or it would hold on to its port."""
    if child.process:
        processes.end_group(child.process.pid)
        child.process.wait()


def _in_words(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
