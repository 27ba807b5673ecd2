"""`make bench`: measures the town against the limits of this machine; ONLY names entries, separated by commas."""

from __future__ import annotations

import os
import shlex
import sys

from town import bootstrap, packages
from town.trouble import told


def main() -> int:
    """Hand over to the package `benchmarks`, once the load generator is there. Raises Trouble."""
    bootstrap.inside("town.bench")
    packages.need_program("wrk", "wrk", "make bench")
    only = os.environ.get("ONLY", "")
    words = [*(["--only", only] if only else []), *shlex.split(os.environ.get("ARGS", "")), *sys.argv[1:]]
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *words])


if __name__ == "__main__":
    sys.exit(told(main))
