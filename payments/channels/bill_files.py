"""Statements as files: when they are ready, and opening what a provider has packed, piece by piece, with a limit.

An archive is a stranger's file: it may be cut off, be no archive at all, or unpack to more than any disk holds.
"""

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from backend.kernel import clock
from payments.channels.port import BillFile, Corrupt
from payments.channels.zip_ends import directory_of

READY_HOUR = 10
"""Both providers promise the statement of a day for ten o'clock of the next."""
PIECE = 64 * 1024
IN_MEMORY = 1024 * 1024
PACKED_MOST = 256 * 1024 * 1024
MEMBERS_MOST = 20
DIRECTORY_MOST = 64 * 1024
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)
"""All that the two unpackers raise for a file that is not sound (gzip's own error is an OSError)."""


class _Unsound(Exception):
    """The archive is not what it should be."""


def is_promised(day: date) -> bool:
    """Whether the statement of this day should be there by now."""
    return clock.now() >= clock.at_local(day + timedelta(days=1), READY_HOUR)


@contextmanager
def scratch() -> Iterator[IO[bytes]]:
    """A temporary file for what comes over the wire: on disk once it is large, gone at the end."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        yield cast(IO[bytes], file)


def gunzipped(packed: IO[bytes], encoding: str, most: int, declared_sha1: str) -> BillFile | Corrupt:
    """The text of a gzip file, if its SHA-1 is the declared one."""
    packed.seek(0)
    with gzip.GzipFile(fileobj=packed, mode="rb") as plain:
        return _unpacked(cast(IO[bytes], plain), encoding, most, declared_sha1)


def unzipped(packed: IO[bytes], encoding: str, most: int, *, ending: str, but: str) -> BillFile | Corrupt:
    """The one member of a zip whose name has this ending and not that word in it."""
    try:
        directory = directory_of(packed)
        if directory.members > MEMBERS_MOST or directory.size > DIRECTORY_MOST:
            return Corrupt("the archive holds more than one statement and its summaries")
        with zipfile.ZipFile(packed, metadata_encoding="gbk") as archive:
            members = archive.infolist()
            fitting = [one for one in members if one.filename.endswith(ending) and but not in one.filename]
            if len(members) > MEMBERS_MOST or len(fitting) != 1:
                return Corrupt("the archive does not hold exactly one statement")
            with archive.open(fitting[0]) as plain:
                return _unpacked(plain, encoding, most, "")
    except _BROKEN as error:
        return Corrupt(f"not a sound archive: {error}")


def _unpacked(plain: IO[bytes], encoding: str, most: int, declared_sha1: str) -> BillFile | Corrupt:
    file = cast(IO[bytes], SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - its reader closes it
    try:
        digest = _poured(plain, file, most, declared_sha1)
    except (*_BROKEN, _Unsound) as error:
        file.close()
        return Corrupt(f"not a sound archive: {error}")
    file.seek(0)
    return BillFile(file, encoding, digest)


def _poured(plain: IO[bytes], file: IO[bytes], most: int, declared_sha1: str) -> str:
    ours, theirs, size = hashlib.sha256(), hashlib.sha1(usedforsecurity=False), 0
    while piece := plain.read(PIECE):
        size += len(piece)
        if size > most:
            raise _Unsound(f"it unpacks to more than {most} bytes")
        ours.update(piece)
        theirs.update(piece)
        file.write(piece)
    if declared_sha1 and theirs.hexdigest() != declared_sha1.lower():
        raise _Unsound("its hash is not the declared one")
    return ours.hexdigest()
