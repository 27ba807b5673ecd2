"""What must be asked of the product before it can run: its keys file, and whether production may open.

Run as `python -m town.papers keys FILE` or `python -m town.papers check`, in a process of its own, because the
supervisor itself must start without importing the product.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from backend.runtime import settings


def make_keys(path: Path) -> None:
    """Write fresh keys to `path`, unless there are some: lost keys are lost data."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump(settings.new_keys_document(), file)
    draft.replace(path)


def main(words: list[str]) -> int:
    """Do what the words ask; faults go to stderr."""
    if words[:1] == ["keys"]:
        make_keys(Path(words[1]))
        return 0
    try:
        settings.read(os.environ)
    except settings.BadSettings as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
