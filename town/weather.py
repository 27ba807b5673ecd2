"""`make weather`: the tests that hurt an open town, at the size of a city; ONLY names stories, such as booking_rush.

`make test` tells the same stories in a small town. Each opens a town of its own and prints its figures.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from town import bootstrap, places
from town.trouble import Trouble, told

STORIES = places.CHECKOUT / "tests" / "weather"


def main() -> int:
    """Run pytest over the wanted stories at full size; its status. Raises Trouble for a story nobody knows."""
    bootstrap.inside("town.weather", development=True)
    files = [str(file) for file in wanted(os.environ.get("ONLY", ""))]
    words = ["-m", "pytest", "-s", "-v", *shlex.split(os.environ.get("ARGS", "")), *sys.argv[1:]]
    environment = {**os.environ, "WEATHER": "full"}
    environment.pop("ARGS", None)
    return subprocess.run(
        [sys.executable, *words, *files], cwd=places.CHECKOUT, env=environment, check=False
    ).returncode


def wanted(only: str) -> list[Path]:
    """Files of the stories that `only` names, separated by commas; all of them when it names none."""
    there = {file.stem.removeprefix("test_"): file for file in sorted(STORIES.glob("test_*.py"))}
    names = [name for name in only.split(",") if name] or list(there)
    if unknown := [name for name in names if name not in there]:
        raise Trouble(f"no weather is called {', '.join(unknown)}; there are {', '.join(there)}")
    return [there[name] for name in names]


if __name__ == "__main__":
    sys.exit(told(main))
