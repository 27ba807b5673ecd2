"""Keys and certificates of the payment channels as a town in production has them; keys are made once for all tests."""

import base64
import functools
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from backend.kernel import clock

SERIAL = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"


def rsa_key(name: str, bits: int = 2048) -> RSAPrivateKey:
    """A key of this name, the same whenever it is asked for."""
    return _made(name, bits)


@functools.cache
def _made(_name: str, bits: int) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


def private_pem(name: str, bits: int = 2048) -> bytes:
    plain = serialization.NoEncryption()
    return rsa_key(name, bits).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )


def locked_pem(name: str) -> bytes:
    locked = serialization.BestAvailableEncryption(b"secret")
    return rsa_key(name).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def public_pem(name: str, bits: int = 2048) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return rsa_key(name, bits).public_key().public_bytes(serialization.Encoding.PEM, form)


def curve_pem(*, private: bool) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    if private:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def certificate_pem(name: str, *, begins: int = -1, ends: int = 365, serial: str = SERIAL) -> bytes:
    """A certificate for the key of this name; `begins` and `ends` are days from now."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "merchant")])
    now, key = clock.wire_now(), rsa_key(name)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = builder.serial_number(int(serial, 16)).not_valid_before(now + timedelta(days=begins))
    paper = builder.not_valid_after(now + timedelta(days=ends)).sign(key, SHA256())
    return paper.public_bytes(serialization.Encoding.PEM)


def channel_papers(folder: Path) -> dict[str, str]:
    """Sound settings of both channels, their files in this folder."""
    files = {
        "WXPAY_MERCHANT_KEY_FILE": private_pem("wx ours"),
        "WXPAY_PUBLIC_KEY_FILE": public_pem("wx theirs"),
        "ALIPAY_PRIVATE_KEY_FILE": private_pem("ali ours"),
        "ALIPAY_PUBLIC_KEY_FILE": public_pem("ali theirs"),
    }
    return {name: written(folder, f"{name.lower()}.pem", content) for name, content in files.items()} | {
        "WXPAY_MERCHANT_SERIAL": SERIAL,
        "WXPAY_PUBLIC_KEY_ID": "PUB_KEY_ID_0116000000002024",
        "WXPAY_APIV3_KEY": "0123456789abcdef0123456789ABCDEF",
        "ALIPAY_AES_KEY": base64.b64encode(b"k" * 16).decode(),
    }


def written(folder: Path, name: str, content: bytes) -> str:
    """The path of a file with this content."""
    (folder / name).write_bytes(content)
    return str(folder / name)
