"""Makes a PostgreSQL data directory for this user, or for the unprivileged uid when this user is root.

initdb (and only initdb) insists on an entry in the passwd file. Root lets a known user run it and hands the
result to the fixed uid; an ordinary user without an entry, as in many containers, runs it in a user namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from town import places
from town.binaries import Binaries
from town.trouble import Trouble

USER = DATABASE = "zhangban"
_CLONE_NEWUSER = 0x10000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def make(home: Path, binaries: Binaries, *, durable: bool = True) -> str:
    """Make `home/data` and `home/password`; return the password. A half made directory is thrown away."""
    fresh = home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    word = _write_private(home / "password.new", password)
    maker = _maker()
    _hand_over(maker, fresh, word)
    _run_initdb(binaries, fresh, word, maker, durable)
    if places.is_root():
        _hand_over(places.POSTGRES_UID, fresh, *fresh.rglob("*"))
        _hand_over(0, word)
    word.rename(home / "password")
    fresh.rename(home / "data")
    return password


def server_identity() -> dict[str, int | list[int]]:
    """Return the Popen arguments under which the server runs: nothing, or the fixed uid when we are root."""
    return _identity(places.POSTGRES_UID)


def clean_environment() -> dict[str, str]:
    """Return an environment without PGDATA and its like, with messages in plain English."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _identity(uid: int) -> dict[str, int | list[int]]:
    return {"user": uid, "group": uid, "extra_groups": []} if places.is_root() else {}


def _maker() -> int:
    """Return a uid that initdb accepts."""
    if not places.is_root():
        return os.geteuid()
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("nobody").pw_uid
    return next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)


def _hand_over(uid: int, *paths: Path) -> None:
    if places.is_root():
        for path in paths:
            os.chown(path, uid, uid, follow_symlinks=False)


def _write_private(path: Path, text: str) -> Path:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    return path


def _run_initdb(binaries: Binaries, data: Path, word: Path, maker: int, durable: bool) -> None:
    command = [
        binaries.tool("initdb"), f"--pgdata={data}", f"--username={USER}", f"--pwfile={word}",
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--text-search-config=simple",
    ]  # fmt: skip
    answer = subprocess.run(
        command if durable else [*command, "--no-sync"],
        cwd="/",
        env=clean_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        preexec_fn=_borrowed_name(),
        **_identity(maker),  # type: ignore[call-overload]
    )
    if answer.returncode:
        raise Trouble(_why_not(answer.stderr, data))


def _why_not(stderr: str, data: Path) -> str:
    if _is_nameless():
        return (
            f"user id {os.geteuid()} has no name here and initdb wants one: `useradd` it, or set DATABASE_URL"
        )
    lines = [line for line in stderr.splitlines() if "error" in line.lower() or "could not" in line]
    reason = (lines or stderr.splitlines() or ["initdb said nothing"])[0]
    return f"PostgreSQL cannot make {data} ({reason}): put that right there, or set DATABASE_URL"


def _is_nameless() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return False


def _borrowed_name() -> Callable[[], None] | None:
    """Return a `preexec_fn` that shows this nameless uid as `nobody`, if it is nameless."""
    if places.is_root() or not _is_nameless():
        return None
    outside_uid, outside_gid, nobody = os.geteuid(), os.getegid(), pwd.getpwnam("nobody")

    def enter() -> None:
        if _LIBC.unshare(_CLONE_NEWUSER):
            return  # forbidden here, as in many containers: initdb will complain by itself
        with contextlib.suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"{nobody.pw_uid} {outside_uid} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"{nobody.pw_gid} {outside_gid} 1", encoding="ascii")

    return enter
