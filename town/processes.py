"""Processes that may not outlive their parent, and pids that may not be mistaken for another process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(with_signal: int, parent: int) -> None:
    """Ask the kernel to send `with_signal` to this process when the thread that made it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, with_signal, 0, 0, 0)
    if os.getppid() != parent:  # the parent died before we asked
        os.kill(os.getpid(), with_signal)


def bound_to_parent(with_signal: int = signal.SIGTERM) -> Callable[[], None]:
    """Return a `preexec_fn` that binds the child to this process; start it from a thread that stays."""
    parent = os.getpid()
    return lambda: die_with_parent(with_signal, parent)


def bind_forks(with_signal: int = signal.SIGKILL) -> None:
    """Bind every process that this one will fork, and those that they fork."""
    parents: list[int] = []
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_parent=parents.clear,
        after_in_child=lambda: die_with_parent(with_signal, parents.pop()),
    )


def leave_with_make() -> None:
    """Close when the `make` that started us is killed; under any other parent live on."""
    parent = os.getppid()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text(encoding="utf-8").strip() in ("make", "gmake"):
            die_with_parent(signal.SIGTERM, parent)


def started_at(pid: int) -> str | None:
    """Return the kernel's start tick of a living process, or None when there is no such process.

    A pid alone is reused; pid and start tick together name one process until the machine restarts.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def boot_id() -> str:
    """Return the id of this start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def is_same(pid: int, tick: str | None) -> bool:
    """Tell whether `pid` still is the process that began at `tick`."""
    return tick is not None and started_at(pid) == tick


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait until a process that need not be our child is gone; False when it still lives after `seconds`."""
    tick = started_at(pid)
    deadline = time.monotonic() + seconds
    while is_same(pid, tick):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(process: subprocess.Popen[bytes], first: int, seconds: float, last: int = signal.SIGKILL) -> int:
    """End our own child: `first` signal, and `last` when it has not obeyed after `seconds`."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(last)
    return process.wait()


def end_group(leader: int, with_signal: int = signal.SIGKILL) -> None:
    """Signal everything left in the process group of `leader`; nobody there is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, with_signal)
