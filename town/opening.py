"""What must be done once before the doors open: papers of the simulators, keys, tables, real data, demo accounts.

All of it can be repeated without harm, and nearly all of it can be left out when nothing has changed since the
last time; the stamp that says so lies with the embedded database, for it speaks of that database's content.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from town import environment, places, supervisor
from town.environment import Plan
from town.supervisor import Bell
from town.trouble import Trouble

_STAMP = "opened.json"
_LOADED_FROM = ("backend", "payments", "courier", "notifications", "data")
_LOADED_FILES = ("wsgi.py", "requirements.txt")
_FLASK = (sys.executable, "-m", "flask", "--app", "wsgi", "town")


class Steps:
    """Runs commands one after another, each with its log; Ctrl-C between and during them is heeded."""

    def __init__(self, wanted: Plan, bell: Bell, say: Callable[[str], None]) -> None:
        self._plan, self._bell, self._say = wanted, bell, say
        self._logs = places.made(wanted.state_dir / "logs", 0o700)

    def run(self, name: str, command: Sequence[str], settings: Mapping[str, str], says: str = "") -> str:
        """Run a command and return what it printed. Raises Trouble with its last words when it fails."""
        if says:
            self._say(says)
        log, answer = self._logs / f"{name}.log", self._logs / f"{name}.out"
        with answer.open("wb") as sink:
            process = supervisor.spawn(command, environment.complete(settings), log, places.CHECKOUT, sink)
        while process.poll() is None:
            if self._bell.rung:
                process.kill()
                raise KeyboardInterrupt
            self._bell.wait(0.5)
        printed = answer.read_text(encoding="utf-8", errors="replace")
        answer.unlink()
        if process.returncode:
            raise Trouble(f"the step `{name}` failed ({_last_word(log, printed)}): see {log}, then run again")
        return printed


def credentials(steps: Steps, wanted: Plan) -> dict[str, str]:
    """Return the provider settings that the simulators accept; asked for once per address and version."""
    if not wanted.simulates:
        return {}
    kept = wanted.state_dir / "credentials.json"
    digest = _digest(wanted.sim_url.encode(), [places.CHECKOUT / "simulators" / "credentials.py"])
    known = _read(kept)
    if known.get("digest") != digest or not (wanted.state_dir / "simulators").is_dir():
        command = [sys.executable, "-m", "simulators", "credentials", "--state",
                   str(wanted.state_dir / "simulators"), "--base-url", wanted.sim_url]  # fmt: skip
        known = {"digest": digest, "settings": json.loads(steps.run("credentials", command, {}))}
        _write_private(kept, known)
    return dict(known["settings"])


def prepared_before(wanted: Plan) -> dict[str, Any] | None:
    """Return the demo accounts when the embedded database already holds all that this code and data load."""
    if not (wanted.embeds_database and wanted.keys_file.exists()):
        return None
    known = _read(places.database_home() / _STAMP)
    accounts = known.get("accounts")
    return accounts if isinstance(accounts, dict) and known["digest"] == _digest(b"", _loaded()) else None


def prepare(steps: Steps, wanted: Plan, settings: Mapping[str, str]) -> dict[str, Any]:
    """Bring keys, tables and data up to date and return the demo accounts by kind; none in production."""
    if not wanted.keys_file.exists() and not wanted.is_production:
        steps.run("keys", [sys.executable, "-m", "town.papers", "keys", str(wanted.keys_file)], settings)
    steps.run("migrate", [*_FLASK, "migrate"], settings, "bringing the tables up to date")
    steps.run("open", [*_FLASK, "open"], settings, "loading the service items, departments and accounts")
    accounts: dict[str, Any] = {}
    if not wanted.is_production:
        accounts = json.loads(steps.run("accounts", [*_FLASK, "accounts", "--json"], settings))
    if wanted.embeds_database:
        stamp = {"digest": _digest(b"", _loaded()), "accounts": accounts}
        _write_private(places.database_home() / _STAMP, stamp)
    return accounts


def check_production(steps: Steps, wanted: Plan) -> None:
    """Raise Trouble with the complete list of what production still lacks or must not have."""
    log = wanted.state_dir / "logs" / "production.log"
    log.unlink(missing_ok=True)
    try:
        steps.run("production", [sys.executable, "-m", "town.papers", "check"], wanted.given)
    except Trouble as error:
        raise Trouble(log.read_text(encoding="utf-8").strip() or str(error)) from error


def _loaded() -> Iterator[Path]:
    """Every file on which the content of a fresh database depends."""
    for name in _LOADED_FILES:
        yield places.CHECKOUT / name
    for folder in _LOADED_FROM:
        for path, _, names in os.walk(places.CHECKOUT / folder):
            yield from (Path(path, name) for name in names if not name.endswith(".pyc"))


def _digest(salt: bytes, paths: Iterator[Path] | Sequence[Path]) -> str:
    digest = hashlib.sha256(salt)
    for path in sorted(paths):
        digest.update(os.fsencode(path) + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_private(path: Path, content: Mapping[str, object]) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
    draft.replace(path)


def _last_word(log: Path, printed: str) -> str:
    """The last error named, or the last line; a traceback may end with many lines of SQL."""
    lines = [line.strip() for line in [*supervisor.last_lines(log, 40).splitlines(), *printed.splitlines()]]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (errors or [line for line in lines if line] or ["it said nothing"])[-1]
