"""Signatures and ciphers of the providers, written from their documents with nothing but ``cryptography``.

The product uses other code for the same formats, so that a wrong canonicalisation cannot be wrong on both sides.
"""

import base64
import binascii
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256


def rsa_sign(key: RSAPrivateKey, text: bytes) -> str:
    """Base64 of the RSA PKCS#1 v1.5 SHA-256 signature."""
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def rsa_verifies(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    """True when the base64 signature is this key's over exactly these bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def hmac_hex(secret: str, text: str) -> str:
    """Lower-case hex of HMAC-SHA256."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Constant-time equality of two texts."""
    return hmac.compare_digest(left.encode(), right.encode())


def gcm_seal(key: str, nonce: str, associated: str, plain: bytes) -> str:
    """Base64 of AES-256-GCM ciphertext and tag (WeChat Pay ``resource``)."""
    return base64.b64encode(AESGCM(key.encode()).encrypt(nonce.encode(), plain, associated.encode())).decode()


def cbc_encrypt(key: bytes, iv: bytes, plain: bytes, block: int = 16) -> bytes:
    """AES-CBC with PKCS#7 padding to ``block`` bytes (WeChat pads to 32)."""
    pad = block - len(plain) % block
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()


def kdniao_sign(data: str, api_key: str) -> str:
    """Kdniao's DataSign: base64 over the lower-case md5 hex of data and key."""
    return base64.b64encode(hashlib.md5((data + api_key).encode()).hexdigest().encode()).decode()


def sorted_sha1(*parts: str) -> str:
    """WeChat's push signature: SHA-1 over the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()
