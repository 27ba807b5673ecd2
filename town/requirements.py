"""`make requirements`: pins what pyproject.toml asks for; ARGS=--upgrade looks for newer versions."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from town import bootstrap, places
from town.trouble import Trouble, told

_FILES = {
    "requirements.txt": ("--extra=town",),
    "requirements-dev.txt": ("--extra=town", "--extra=dev", "--constraint=requirements.txt"),
}


def main() -> int:
    """Compile both files; the second holds everything of the first. Raises Trouble."""
    bootstrap.inside("town.requirements", development=True)
    environment = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make requirements"}
    wishes = shlex.split(os.environ.get("ARGS", ""))
    for name, words in _FILES.items():
        command = [
            sys.executable,
            "-m",
            "piptools",
            "compile",
            *words,
            *wishes,
            f"--output-file={name}",
            "pyproject.toml",
        ]
        if subprocess.run(command, cwd=places.CHECKOUT, env=environment, check=False).returncode:
            raise Trouble(f"{name} cannot be compiled: see the lines above")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
