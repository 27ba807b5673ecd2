"""What is wrong with the keys and certificates of the payment channels, told completely before the town opens.

A key that is there but does not fit costs a day on which nobody can pay; here it costs a restart.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from backend.kernel import clock
from backend.runtime import papers
from backend.runtime.papers import BadPaper

T = TypeVar("T")
APIV3_BYTES = 32
AES_BYTES = (16, 24, 32)
_SERIAL = re.compile(r"[0-9A-F]{8,64}")
_KEY_ID = re.compile(r"PUB_KEY_ID_[0-9]{8,}")


def faults_of_papers(env: Mapping[str, str]) -> list[str]:
    """Every fault of the files and keys that are named; what is not named at all is told elsewhere."""
    faults: list[str] = []
    _inspect_wechat_pay(env, faults)
    _inspect_alipay(env, faults)
    return faults


def _inspect_wechat_pay(env: Mapping[str, str], faults: list[str]) -> None:
    ours = _first(_read_all(env, "WXPAY_MERCHANT_KEY_FILE", papers.private_key, faults))
    theirs = _read_all(env, "WXPAY_PUBLIC_KEY_FILE", papers.public_key, faults)
    _compare(ours, theirs, "WXPAY_PUBLIC_KEY_FILE", "WeChat Pay's", faults)
    _inspect_key_ids(env, faults)
    if (key := env.get("WXPAY_APIV3_KEY")) and not (key.isascii() and len(key) == APIV3_BYTES):
        faults.append(f"WXPAY_APIV3_KEY must be {APIV3_BYTES} letters and digits")
    serial = env.get("WXPAY_MERCHANT_SERIAL", "")
    if serial and not _SERIAL.fullmatch(serial):
        faults.append("WXPAY_MERCHANT_SERIAL must be the certificate's serial number in hexadecimal capitals")
    paper = _first(_read_all(env, "WXPAY_MERCHANT_CERT_FILE", papers.certificate, faults))
    if paper is not None:
        _inspect_certificate(paper, ours, serial, faults)


def _inspect_key_ids(env: Mapping[str, str], faults: list[str]) -> None:
    names = papers.several(env.get("WXPAY_PUBLIC_KEY_ID", ""))
    files = papers.several(env.get("WXPAY_PUBLIC_KEY_FILE", ""))
    if any(not _KEY_ID.fullmatch(name) for name in names):
        faults.append("WXPAY_PUBLIC_KEY_ID must be PUB_KEY_ID_ and digits")
    if names and files and (len(names) != len(files) or len(set(names)) != len(names)):
        faults.append("WXPAY_PUBLIC_KEY_ID must name one id for each file of WXPAY_PUBLIC_KEY_FILE")


def _inspect_certificate(
    paper: x509.Certificate, ours: RSAPrivateKey | None, serial: str, faults: list[str]
) -> None:
    name, now = "WXPAY_MERCHANT_CERT_FILE", clock.wire_now()
    if paper.not_valid_after_utc <= now:
        faults.append(f"{name} expired on {paper.not_valid_after_utc:%Y-%m-%d}")
    if paper.not_valid_before_utc > now:
        faults.append(f"{name} is not valid before {paper.not_valid_before_utc:%Y-%m-%d}")
    if ours is not None and not papers.fits(paper, ours):
        faults.append(f"{name} was issued for another key than WXPAY_MERCHANT_KEY_FILE")
    if _SERIAL.fullmatch(serial) and int(serial, 16) != paper.serial_number:
        faults.append(f"WXPAY_MERCHANT_SERIAL is not that of {name}: {papers.serial_of(paper)}")


def _inspect_alipay(env: Mapping[str, str], faults: list[str]) -> None:
    ours = _first(_read_all(env, "ALIPAY_PRIVATE_KEY_FILE", papers.private_key, faults))
    theirs = _read_all(env, "ALIPAY_PUBLIC_KEY_FILE", papers.public_key, faults)
    _compare(ours, theirs, "ALIPAY_PUBLIC_KEY_FILE", "Alipay's", faults)
    if (key := env.get("ALIPAY_AES_KEY")) and not _is_aes(key):
        faults.append("ALIPAY_AES_KEY must be the base64 of an AES key")


def _compare(
    ours: RSAPrivateKey | None, theirs: list[RSAPublicKey], name: str, whose: str, faults: list[str]
) -> None:
    """Consoles show both public keys on one page, and the wrong one is easily taken."""
    if ours is not None and any(papers.same_key(ours.public_key(), one) for one in theirs):
        faults.append(f"{name} holds our own public key, not {whose}")


def _read_all(env: Mapping[str, str], name: str, read: Callable[[bytes], T], faults: list[str]) -> list[T]:
    """What the files of a setting hold, without those that hold nothing good."""
    files, found = papers.several(env.get(name, "")), []
    for number, file in enumerate(files, start=1):
        label = name if len(files) == 1 else f"{name} (file {number} of {len(files)})"
        try:
            found.append(read(Path(file).read_bytes()))
        except FileNotFoundError:
            faults.append(f"{label} names a file that is not there")
        except OSError as error:
            faults.append(f"{label} cannot be read: {error.strerror}")
        except BadPaper as bad:
            faults.append(f"{label} {bad}")
    return found


def _first(found: list[T]) -> T | None:
    return found[0] if found else None


def _is_aes(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) in AES_BYTES
    except binascii.Error:
        return False
