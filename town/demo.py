"""`make demo`: plays the journeys in the open town; it never installs or starts anything."""

from __future__ import annotations

import os
import shlex
import sys

from town import book, bootstrap
from town.trouble import Trouble, told


def main() -> int:
    """Hand over to the package `demo`. Raises Trouble at once when the town is not open."""
    bootstrap.enter_as_it_is("town.demo")
    entry = book.read()
    if entry is None:
        raise Trouble("the town is closed: `make run` opens it (in another terminal)")
    if entry["state"] != "open":
        raise Trouble("the town is still opening: wait for its table of addresses")
    words = [*shlex.split(os.environ.get("ARGS", "")), *sys.argv[1:]]
    os.execv(sys.executable, [sys.executable, "-m", "demo", *words])


if __name__ == "__main__":
    sys.exit(told(main))
