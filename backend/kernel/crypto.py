"""Primitives for sealed fields and blind indexes; which key serves which column is decided in the vault."""

import hashlib
import hmac
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Unsealable(ValueError):
    """Sealed bytes that this key and this associated data do not open: damaged, moved, or another key's."""


def seal_bytes(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt with AES-256-GCM: one version byte, a random nonce of twelve, ciphertext with tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(_checked(key)).encrypt(nonce, plaintext, _VERSION + aad)


def open_bytes(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Decrypt what seal_bytes returned for the same associated data. Raises Unsealable."""
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise Unsealable("not sealed by this version")
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(_checked(key)).decrypt(nonce, ciphertext, _VERSION + aad)
    except InvalidTag as refused:
        raise Unsealable("damaged, moved to another place, or sealed with another key") from refused


def blind(key: bytes, domain: str, value: str) -> bytes:
    """Keyed digest (HMAC-SHA256, 32 bytes) under which an equal value is found without being read."""
    # The length keeps ("ab", "c") and ("a", "bc") apart.
    name = domain.encode()
    return hmac.digest(_checked(key), len(name).to_bytes(2) + name + value.encode(), hashlib.sha256)


def fingerprint(key: bytes) -> str:
    """Sixteen hex digits that tell one key from another and nothing about it."""
    return hmac.digest(_checked(key), b"zhangban key fingerprint", hashlib.sha256).hex()[:16]


def canonical(value: object) -> bytes:
    """One spelling per JSON value (sorted keys, no spaces, UTF-8): for digests and comparisons.

    Raises TypeError for what JSON cannot say, ValueError for NaN and infinity.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return key
