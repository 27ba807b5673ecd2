"""Where files lie, behind a port: the bytes are encrypted before they come here."""

from backend.cases.storage.local_disk import LocalDisk
from backend.cases.storage.port import FileMissing, Storage

__all__ = ["FileMissing", "LocalDisk", "Storage"]
