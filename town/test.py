"""`make test`: every test, on a throw-away PostgreSQL of its own."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

from town import bootstrap, places, postgres, processes
from town.trouble import told


def main() -> int:
    """Run pytest with TEST_DATABASE_URL and return its status; ARGS and the command line are passed on."""
    bootstrap.inside("town.test", development=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("zhangban: starting a throw-away PostgreSQL for the tests", flush=True)
    with postgres.temporary() as server:
        command = [sys.executable, "-m", "pytest", *shlex.split(os.environ.get("ARGS", "")), *sys.argv[1:]]
        environment = {**os.environ, "TEST_DATABASE_URL": server.url}
        environment.pop("ARGS", None)
        pytest = subprocess.Popen(
            command,
            cwd=places.CHECKOUT,
            env=environment,
            preexec_fn=processes.bound_to_parent(signal.SIGTERM),
        )
        try:
            return pytest.wait()
        finally:
            processes.end(pytest, signal.SIGINT, 20)


if __name__ == "__main__":
    sys.exit(told(main))
