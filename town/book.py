"""The open town's entry: `.town/town.json` says where everything is; a lock beside it says whether it is open.

The lock falls with the process that holds it, so an entry left behind by kill -9 is never mistaken for an open town.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from town import places, processes
from town.trouble import Trouble

FILE = "town.json"
_STALE_CHILD_SECONDS = 20.0


def read(state_dir: Path | None = None) -> dict[str, Any] | None:
    """Return what is known of the open town, or None when it is closed.

    Keys: `state` ("opening" or "open"), `started_at`, `addresses`, `accounts`, `environment`, `children`
    (name -> pid), `database_url`, `keys_file`, `clock_file`, `logs_dir`, `supervisor` (pid and start tick).
    """
    entry = _entry(state_dir or places.state_dir())
    supervisor = entry.get("supervisor", {})
    alive = entry.get("boot_id") == processes.boot_id() and processes.is_same(
        supervisor.get("pid", 0), supervisor.get("tick")
    )
    return entry if alive else None


class Book:
    """The pen of the one process that keeps the entry; `write` replaces the file at once."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._entry: dict[str, Any] = {
            "boot_id": processes.boot_id(),
            "supervisor": {"pid": os.getpid(), "tick": processes.started_at(os.getpid())},
        }

    def write(self, **news: Any) -> None:
        """Add to the entry and put it on disk; only the owner may read it, for it holds passwords."""
        self._entry.update(news)
        draft = self._path.with_suffix(".json.new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(self._entry, file, ensure_ascii=False, indent=1)
        draft.replace(self._path)

    def erase(self) -> None:
        """Take the entry away: the town is closed."""
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def kept(state_dir: Path) -> Iterator[Book]:
    """Hold the town's one entry. Raises Trouble with the address when the town is already open."""
    with (state_dir / "town.lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Trouble(_already_open(state_dir)) from error
        _wait_for_leftovers(_entry(state_dir))
        book = Book(state_dir)
        try:
            yield book
        finally:
            book.erase()


def _entry(state_dir: Path) -> dict[str, Any]:
    try:
        entry = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _already_open(state_dir: Path) -> str:
    address = _entry(state_dir).get("addresses", {}).get("town")
    where = f"at {address}" if address else "and about to be ready"
    return f"the town is already open {where}: Ctrl-C in its terminal closes it"


def _wait_for_leftovers(entry: dict[str, Any]) -> None:
    """After a kill -9 of the supervisor the kernel is ending its children; let them go before we begin."""
    if entry.get("boot_id") != processes.boot_id():
        return
    for name, child in entry.get("children_ticks", {}).items():
        if processes.is_same(child["pid"], child["tick"]) and not processes.wait_gone(
            child["pid"], _STALE_CHILD_SECONDS
        ):
            raise Trouble(
                f"{name} (process {child['pid']}) of the last town does not end: kill it and run again"
            )
