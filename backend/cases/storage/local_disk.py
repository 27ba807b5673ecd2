"""Files on the disk of this machine: written beside, synced, then renamed into place."""

import os
from pathlib import Path

from backend.cases.storage.port import FileMissing
from backend.kernel import ids


class LocalDisk:
    """One file per upload under `root`, spread over folders by the random end of its name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        place = self._place(name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = place.with_name(f"{place.name}.{ids.digits(12)}.new")
        with open(fresh, "xb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
        _sync_folder(place.parent)

    def fetch(self, name: str) -> bytes:
        try:
            return self._place(name).read_bytes()
        except FileNotFoundError as error:
            raise FileMissing(name) from error

    def holds(self, name: str) -> bool:
        return self._place(name).is_file()

    def remove(self, name: str) -> None:
        self._place(name).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        ids.prefix_of(name)  # refuses anything that is not an id of ours, paths above all
        return self._root / name[-2:] / name


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """A renamed file survives a power cut only if its folder is synced too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
