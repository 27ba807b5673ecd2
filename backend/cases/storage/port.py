"""What the house asks of any storage: put, fetch and remove opaque bytes under a name of ours."""

from typing import Protocol


class FileMissing(LookupError):
    """The storage does not have the file, or has other bytes under its name."""


class Storage(Protocol):
    """Names are public ids of uploads; content is ciphertext. All verbs may be repeated."""

    def put(self, name: str, content: bytes) -> None:
        """Keep the bytes durably; they are there completely or not at all."""

    def fetch(self, name: str) -> bytes:
        """The bytes as they were put. Raises FileMissing."""

    def holds(self, name: str) -> bool:
        """Whether the bytes are there."""

    def remove(self, name: str) -> None:
        """Forget the bytes; nothing happens when they are gone already."""
