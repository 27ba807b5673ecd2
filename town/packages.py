"""Programs of the machine that no Python package brings: installed when root, otherwise named in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from town import places
from town.trouble import Trouble


def need(package: str, is_there: Callable[[], bool], purpose: str) -> None:
    """Make sure that a distribution package is there.

    Root on Debian or Ubuntu gets it installed; anybody else gets Trouble naming the package and the purpose.
    """
    if is_there():
        return
    if not (places.is_root() and shutil.which("apt-get")):
        by_hand = f"sudo apt-get update && sudo apt-get install {package}"
        raise Trouble(f"{purpose} needs the package {package}: run `{by_hand}`, then again")
    print(f"zhangban: installing the package {package} ({purpose})", flush=True)
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]):
        answer = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if answer.returncode or not is_there():
        last = (answer.stderr.strip() or answer.stdout.strip() or "no word").splitlines()[-1]
        raise Trouble(f"apt-get could not install {package} ({last}): install it by hand, then run again")


def need_program(program: str, package: str, purpose: str) -> None:
    """Make sure that a program is on PATH; see `need`."""
    need(package, lambda: shutil.which(program) is not None, purpose)
