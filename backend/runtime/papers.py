"""Keys and certificates on disk: read once, and again when their files change, so that rotation needs no restart.

A new file that cannot be used is told to the log and the old key stays: whoever rotates in the middle of the day
must not be able to stop the till.
"""

import base64
import binascii
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

log = logging.getLogger(__name__)
T = TypeVar("T")
LEAST_BITS = 2048


class BadPaper(ValueError):
    """The file is not what its setting says it is; the message tells what it is instead."""


class Watched(Generic[T]):
    """What `read` makes of some files, made again when one of them has changed. May be used by all threads."""

    def __init__(self, files: Sequence[Path], read: Callable[[], T]) -> None:
        """Raises what `read` raises: the first reading must succeed."""
        self._files, self._read = tuple(files), read
        self._lock = threading.Lock()
        self._mark = self._look()
        self._made = read()

    def get(self) -> T:
        """The newest that could be read."""
        mark = self._look()
        if mark != self._mark:
            with self._lock:
                if mark != self._mark:
                    self._renew(mark)
        return self._made

    def _renew(self, mark: tuple[object, ...]) -> None:
        names = [file.name for file in self._files]
        try:
            self._made = self._read()
            log.warning("a key was changed and is in use", extra={"files": names})
        except (OSError, ValueError, TypeError) as error:
            # Said once for each change of the file, not for each call.
            log.error(
                "a changed key cannot be used; the old one stays", extra={"files": names, "why": str(error)}
            )
        self._mark = mark

    def _look(self) -> tuple[object, ...]:
        return tuple(_mark_of(file) for file in self._files)


def private_key(written: bytes) -> RSAPrivateKey:
    """An RSA private key: PEM, or the bare base64 that consoles show (PKCS#1 or PKCS#8). Raises BadPaper."""
    try:
        if b"-----BEGIN" in written:
            key = serialization.load_pem_private_key(written, None)
        else:
            key = serialization.load_der_private_key(_bare(written), None)
    except BadPaper:
        raise
    except (ValueError, TypeError) as error:
        raise BadPaper("is not a private key without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise BadPaper("is a private key, but not of RSA")
    return _long_enough(key)


def public_key(written: bytes) -> RSAPublicKey:
    """An RSA public key: PEM, or bare base64. Raises BadPaper."""
    try:
        if b"-----BEGIN" in written:
            key = serialization.load_pem_public_key(written)
        else:
            key = serialization.load_der_public_key(_bare(written))
    except BadPaper:
        raise
    except (ValueError, TypeError) as error:
        raise BadPaper("is not a public key") from error
    if not isinstance(key, RSAPublicKey):
        raise BadPaper("is a public key, but not of RSA")
    return _long_enough(key)


def certificate(written: bytes) -> x509.Certificate:
    """An X.509 certificate in PEM. Raises BadPaper."""
    try:
        return x509.load_pem_x509_certificate(written)
    except ValueError as error:
        raise BadPaper("is not a certificate") from error


def serial_of(paper: x509.Certificate) -> str:
    """The serial number as WeChat Pay writes it: whole bytes in capital hexadecimal digits."""
    digits = f"{paper.serial_number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def fits(paper: x509.Certificate, key: RSAPrivateKey) -> bool:
    """Whether the certificate was issued for this key."""
    theirs = paper.public_key()
    return isinstance(theirs, RSAPublicKey) and same_key(theirs, key.public_key())


def several(setting: str) -> list[str]:
    """The parts of a setting that may name several, parted by commas."""
    return [part.strip() for part in setting.split(",") if part.strip()]


def same_key(one: RSAPublicKey, other: RSAPublicKey) -> bool:
    """Whether these are the same key, however they were written down."""
    return one.public_numbers() == other.public_numbers()


def _long_enough(key: T) -> T:
    bits: int = getattr(key, "key_size", 0)
    if bits < LEAST_BITS:
        raise BadPaper(f"is too short: {bits} bits, at least {LEAST_BITS} are needed")
    return key


def _bare(written: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(written.split()), validate=True)
    except binascii.Error as error:
        raise BadPaper("holds neither PEM nor base64") from error


def _mark_of(file: Path) -> tuple[int, int, int] | None:
    try:
        seen = file.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
