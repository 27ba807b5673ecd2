"""`make town ARGS="check"`: a `flask town ...` command with the settings of the open town."""

from __future__ import annotations

import os
import shlex
import sys

from town import book, bootstrap, environment
from town.trouble import Trouble, told


def main() -> int:
    """Hand over to flask. Raises Trouble when the town is closed."""
    bootstrap.enter_as_it_is("town.command")
    entry = book.read()
    if entry is None or "environment" not in entry:
        raise Trouble("the town is closed: `make run` opens it (in another terminal)")
    words = [*shlex.split(os.environ.get("ARGS", "")), *sys.argv[1:]]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "town", *words]
    os.execve(sys.executable, command, environment.complete(entry["environment"]))


if __name__ == "__main__":
    sys.exit(told(main))
