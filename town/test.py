"""`make test`: every test, on a throw-away PostgreSQL of its own.

Everything is run in two parts at once, because tests of whole towns mostly wait for processes while the others mostly
compute. Each part has a database of its own and always the same tests in the same order. ARGS run as one part.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading

from town import bootstrap, places, postgres, processes
from town.trouble import told

TOWNS = ("tests/journeys", "tests/town", "tests/weather")
PARTS = (("tests", *(f"--ignore={folder}" for folder in TOWNS)), TOWNS)


def main() -> int:
    """Run pytest with TEST_DATABASE_URL; returns the worst status. ARGS and the command line are passed on."""
    bootstrap.inside("town.test", development=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("zhangban: starting a throw-away PostgreSQL for the tests", flush=True)
    given = (*shlex.split(os.environ.get("ARGS", "")), *sys.argv[1:])
    with postgres.temporary() as server:
        environment = {**os.environ, "TEST_DATABASE_URL": server.url}
        environment.pop("ARGS", None)
        if given:
            return _finished([_pytest(given, environment, stdout=None)])
        runs = [_pytest(part, environment, stdout=subprocess.PIPE) for part in PARTS]
        tellers = [threading.Thread(target=_tell, args=(run,), daemon=True) for run in runs]
        for teller in tellers:
            teller.start()
        status = _finished(runs)
        for teller in tellers:
            teller.join()
        return status


def _pytest(
    args: tuple[str, ...], environment: dict[str, str], stdout: int | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *args],
        cwd=places.CHECKOUT,
        env=environment,
        stdout=stdout,
        preexec_fn=processes.bound_to_parent(signal.SIGTERM),
    )


def _finished(runs: list[subprocess.Popen[bytes]]) -> int:
    try:
        return max((run.wait() for run in runs), key=abs)
    finally:
        for run in runs:
            processes.end(run, signal.SIGINT, 20)


def _tell(run: subprocess.Popen[bytes]) -> None:
    """Pass on whole lines, so that the parts do not speak into each other's words."""
    for line in run.stdout or ():
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(told(main))
