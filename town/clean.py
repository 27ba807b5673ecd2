"""`make clean`: throws away the closed town's data and every cache; the Python environment stays."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from town import book, places
from town.trouble import told

_CACHES = (
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".import_linter_cache",
    "benchmarks/results",
)
_OF_THE_TOWN = (
    "broker", "clock.json", "credentials.json", "logs", "mark", "metrics", "pip.log", "postgres", "schedule*",
    "simulators", "uploads", "keys.json",
)  # fmt: skip


def main() -> int:
    """Remove what the town made. Raises Trouble when it is open."""
    state = places.state_dir()
    with book.kept(state):
        doomed = [home for home in places.database_homes() if home.exists()]
        doomed += [path for name in _OF_THE_TOWN for path in sorted(state.glob(name))]
        doomed += [places.CHECKOUT / name for name in _CACHES if (places.CHECKOUT / name).exists()]
        for path in dict.fromkeys(doomed):
            _remove(path)
    print("zhangban: clean; `make run` begins anew", flush=True)
    return 0


def _remove(path: Path) -> None:
    print(f"zhangban: removing {path}", flush=True)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


if __name__ == "__main__":
    sys.exit(told(main))
