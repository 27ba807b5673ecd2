"""The end of a zip, read before anybody unpacks its directory: how many members it has, and how long the directory is.

`zipfile` reads a directory whole before it tells how many members there are: a few megabytes may name millions. It
is looked for exactly where `zipfile` looks for it; what could be read in two ways is refused.
"""

import struct
from dataclasses import dataclass
from typing import IO

_END, _END_MARK = struct.Struct("<4s4H2LH"), b"PK\x05\x06"
_LOCATOR, _LOCATOR_MARK = struct.Struct("<4sLQL"), b"PK\x06\x07"
_LARGE, _LARGE_MARK = struct.Struct("<4sQ2H2L4Q"), b"PK\x06\x06"
_COMMENT_MOST = 1 << 16
_BEFORE = _LOCATOR.size + _LARGE.size


class NoEnd(ValueError):
    """The file does not end as a zip does."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What the end of a zip says of its directory, the larger of the two numbers of members."""

    members: int
    size: int


def directory_of(packed: IO[bytes]) -> Directory:
    """The directory as the end announces it. Raises NoEnd."""
    packed.seek(0, 2)
    length = packed.tell()
    packed.seek(max(0, length - _COMMENT_MOST - _END.size - _BEFORE))
    tail = packed.read()
    at = _end_in(tail)
    _, _, _, here, members, size, _, _ = _END.unpack_from(tail, at)
    if tail[max(0, at - _LOCATOR.size) : at][:4] == _LOCATOR_MARK:
        return _large_in(tail[max(0, at - _BEFORE) : at])
    return Directory(max(here, members), size)


def _end_in(tail: bytes) -> int:
    """Where the end begins: at the very end, or before a comment."""
    bare = len(tail) - _END.size
    if bare >= 0 and tail[bare:].startswith(_END_MARK) and tail.endswith(b"\0\0"):
        return bare
    at = tail.rfind(_END_MARK, max(0, bare - _COMMENT_MOST))
    if at < 0 or at > bare:
        raise NoEnd("it does not end as a zip does")
    return at


def _large_in(before: bytes) -> Directory:
    """The record of a zip64, which stands right before the locator that names it."""
    if len(before) != _BEFORE or not before.startswith(_LARGE_MARK):
        raise NoEnd("its zip64 record is not where it should be")
    _, _, _, _, _, _, here, members, size, _ = _LARGE.unpack_from(before)
    return Directory(max(here, members), size)
