"""Makes the Python environment of the town on a machine that has nothing but Python.

Standard library only. The stamp in `.venv` names the Python and the digests of the pinned requirements it was
made from, so that nothing is done twice and nothing is forgotten after an update.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from town import packages, places
from town.trouble import Trouble

OLDEST_PYTHON = (3, 11)
VENV = places.CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
_STAMP = VENV / "town-stamp.json"
_RUNTIME, _DEVELOPMENT = "requirements.txt", "requirements-dev.txt"


def inside(module: str, *, development: bool = False) -> None:
    """Return when this process runs in the town's environment; otherwise make it and begin `module` there."""
    _check_python()
    os.chdir(places.CHECKOUT)
    os.environ["PYTHONUTF8"] = "1"  # a POSIX locale must not break on the first Chinese word
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile everything again
    ensure(_DEVELOPMENT if development else _RUNTIME)
    if not _is_here():
        os.environ.pop("PYTHONHOME", None)
        os.execv(PYTHON, [str(PYTHON), "-m", module, *sys.argv[1:]])


def enter_as_it_is(module: str) -> None:
    """Begin `module` in the environment if there is one; make nothing. Trouble when there is none."""
    os.chdir(places.CHECKOUT)
    if not PYTHON.exists():
        raise Trouble("the town was never opened here: `make run` opens it (in another terminal)")
    if not _is_here():
        os.environ["PYTHONUTF8"] = "1"
        os.execv(PYTHON, [str(PYTHON), "-m", module, *sys.argv[1:]])


def ensure(requirements: str = _RUNTIME) -> None:
    """Bring `.venv` to the pinned requirements; a second caller waits for the first. Raises Trouble."""
    if _is_fresh(requirements):
        return
    with _one_at_a_time():
        if _is_fresh(requirements):
            return
        _make_venv()
        _install(requirements)
        _write_stamp(requirements)


def _check_python() -> None:
    if sys.version_info[:2] < OLDEST_PYTHON:
        has, wants = (".".join(map(str, version)) for version in (sys.version_info[:3], OLDEST_PYTHON))
        raise Trouble(f"this is Python {has}: install Python {wants} or newer, or name one with PYTHON=...")


def _is_here() -> bool:
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


def _digest(requirements: str) -> str:
    return hashlib.sha256((places.CHECKOUT / requirements).read_bytes()).hexdigest()


def _interpreter() -> str:
    """A patch release may replace the Python below an environment; anything else calls for a new one."""
    return f"{sys.version_info[0]}.{sys.version_info[1]} {sys.base_prefix} {os.path.realpath(VENV)}"


def _stamp() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(_STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp


def _is_fresh(requirements: str) -> bool:
    stamp = _stamp()
    same_python = _is_here() or stamp.get("python") == _interpreter()
    return PYTHON.exists() and same_python and stamp.get(requirements) == _digest(requirements)


def _write_stamp(requirements: str) -> None:
    """The development packages contain the runtime ones."""
    known = {} if requirements == _DEVELOPMENT else {k: v for k, v in _stamp().items() if k == _DEVELOPMENT}
    names = {_RUNTIME, requirements}
    stamp = {**known, **{name: _digest(name) for name in names}, "python": _interpreter()}
    draft = _STAMP.with_suffix(".new")
    draft.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    draft.replace(_STAMP)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (places.state_dir() / "bootstrap.lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("zhangban: waiting for another make that is preparing the environment", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_venv() -> None:
    if _works():
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    packages.need(package, _can_make_venv, "the Python environment")
    print(f"zhangban: making the Python environment in {VENV.name}", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    base = getattr(sys, "_base_executable", None) or sys.executable
    answer = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if answer.returncode:
        last = (answer.stdout + answer.stderr).strip().splitlines()[-1:]
        raise Trouble(
            f"the Python environment cannot be made ({''.join(last)}): see to {VENV}, then run again"
        )


def _can_make_venv() -> bool:
    importlib.invalidate_caches()
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def _works() -> bool:
    """An environment of another Python, or half made by a killed make, is made anew."""
    if not PYTHON.exists() or _stamp().get("python", _interpreter()) != _interpreter():
        return _is_here()
    probe = [str(PYTHON), "-c", "import sys, pip; print(*sys.version_info[:2])"]
    answer = subprocess.run(probe, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _install(requirements: str) -> None:
    pins = (places.CHECKOUT / requirements).read_text(encoding="utf-8")
    wanted = len(re.findall(r"^[\w.-]+==", pins, re.MULTILINE))
    print(f"zhangban: installing {wanted} Python packages (once; some minutes on a slow line)", flush=True)
    command = [
        str(PYTHON), "-m", "pip", "install", "--no-input", "--no-compile", "--disable-pip-version-check",
        "--progress-bar=off", "-r", requirements,
    ]  # fmt: skip
    log = places.state_dir() / "pip.log"
    environment = {**os.environ, "PYTHONUTF8": "1", "PIP_ROOT_USER_ACTION": "ignore", "LC_ALL": "C.UTF-8"}
    with (
        log.open("w", encoding="utf-8") as record,
        subprocess.Popen(
            command,
            cwd=places.CHECKOUT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as pip,
    ):
        assert pip.stdout is not None
        _show_progress(pip.stdout, record, wanted)
    if pip.returncode:
        said = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("ERROR")]
        reason = said[-1] if said else "pip gave no reason"
        raise Trouble(f"the Python packages cannot be installed ({reason}): see {log}, then run again")


def _show_progress(lines: Iterable[str], record: TextIO, wanted: int) -> None:
    """Print every tenth package met, and the step that takes long and says nothing."""
    met = 0
    for line in lines:
        record.write(line)
        if line.startswith(("Collecting ", "Processing ", "Requirement already satisfied: ")):
            met += 1
            if met % 10 == 0:
                print(f"zhangban:   {min(met, wanted)} of {wanted} packages found", flush=True)
        if line.startswith("Installing collected"):
            print("zhangban:   all fetched, now unpacking", flush=True)
