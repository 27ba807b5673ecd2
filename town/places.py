"""Where the town keeps its things on this machine.

An ordinary user's town lives in `.town/` of the checkout. PostgreSQL refuses to run as root, and an
unprivileged server cannot enter a checkout below a 0700 folder; so when root opens the town, the database lives
in /var/lib/zhangban/<digest of the path>-<mark>, owned by a fixed uid that needs no entry in the passwd file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from town.trouble import Trouble

CHECKOUT = Path(__file__).resolve().parent.parent
COMMON = Path("/var/lib/zhangban")
POSTGRES_UID = 53432


def is_root() -> bool:
    """Tell whether we run as root."""
    return os.geteuid() == 0


def state_dir() -> Path:
    """Return (and make) the folder of the open town: TOWN_STATE_DIR, or `.town/` of the checkout."""
    return made(Path(os.environ.get("TOWN_STATE_DIR") or CHECKOUT / ".town").absolute(), 0o700)


def database_home() -> Path:
    """Return the folder of the embedded database; it need not exist yet.

    A mark in the state folder belongs to the name, so that a state folder thrown away takes its database along
    with it: a new one never meets the old database with keys it does not have.
    """
    if not is_root():
        return state_dir() / "postgres"
    return COMMON / f"{_digest_of_path()}-{_mark()}"


def database_homes() -> list[Path]:
    """Return every folder that a database of this checkout has ever had on this machine."""
    return [state_dir() / "postgres", *COMMON.glob(f"{_digest_of_path()}-*")]


def _digest_of_path() -> str:
    return hashlib.sha256(os.fsencode(state_dir())).hexdigest()[:12]


def _mark() -> str:
    mark = state_dir() / "mark"
    if not mark.exists():
        mark.write_text(secrets.token_hex(4), encoding="ascii")
    return mark.read_text(encoding="ascii").strip()


def made_for_all(folder: Path) -> Path:
    """Make a folder below COMMON that every user may enter, whatever the umask."""
    made(folder)
    for shared in (folder, *folder.parents):
        if COMMON in (shared, *shared.parents) and shared.stat().st_uid == os.geteuid():
            shared.chmod(0o755)
    return folder


def made(folder: Path, mode: int = 0o755) -> Path:
    """Make a folder and its parents; Trouble when this user may not."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=mode, exist_ok=True)
    except OSError as error:
        raise Trouble(f"cannot make {folder} ({error.strerror}): give this user the right to") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Trouble(f"{folder} belongs to another user: run as that user, or remove it")
    return folder
