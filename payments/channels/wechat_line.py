"""The wire to WeChat Pay: what proves an origin, and the line that takes the place of the package's own HTTP.

wechatpayv3 2.0.4 has no time window, asks the internet about unknown serials before it checks anything,
verifies decoded text instead of bytes, knows no time-out and raises bare exceptions. Signer and cipher are kept.
Keys are read when they change: ours together with its certificate, theirs one for each serial we accept.
"""

import base64
import binascii
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from wechatpayv3.utils import aes_decrypt, build_authorization, rsa_sign

from backend.kernel import clock
from backend.runtime import papers
from backend.runtime.outbound import Answer, Telephone
from backend.runtime.papers import BadPaper, Watched
from payments.channels.port import Forged

log = logging.getLogger(__name__)
SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
WINDOW_S = 300
STAMP_MOST = 12
"""Digits of a moment: more of them are no moment, and too many no number."""


class Account(Protocol):
    """The merchant's side: what WXPAY_* settings hold. Public keys and their ids may be several, parted by commas."""

    @property
    def base_url(self) -> str: ...
    @property
    def mchid(self) -> str: ...
    @property
    def merchant_serial(self) -> str: ...
    @property
    def merchant_key_file(self) -> str: ...
    @property
    def merchant_cert_file(self) -> str: ...
    @property
    def public_key_file(self) -> str: ...
    @property
    def public_key_id(self) -> str: ...
    @property
    def apiv3_key(self) -> str: ...


class Seal:
    """Proves that bytes come from WeChat Pay and opens what it has encrypted for us."""

    def __init__(self, account: Account) -> None:
        self._apiv3_key = account.apiv3_key
        files, names = papers.several(account.public_key_file), papers.several(account.public_key_id)
        if not names or len(files) != len(names):
            raise BadPaper("there must be one public key file for each public key id")
        self._keys = {name: _watched_public(Path(file)) for name, file in zip(names, files, strict=True)}

    def prove(self, headers: Mapping[str, str], body: bytes) -> None:
        """Serial first: an unknown one must cost neither a signature check nor a call outside."""
        told = {name.lower(): value for name, value in headers.items()}
        watched = self._keys.get(told.get("wechatpay-serial", ""))
        if watched is None:
            raise Forged("unknown serial")
        if told.get("wechatpay-signature-type", SIGNATURE_TYPE) != SIGNATURE_TYPE:
            raise Forged("another signature algorithm")
        stamp, nonce = told.get("wechatpay-timestamp", ""), told.get("wechatpay-nonce", "")
        if not _is_now(stamp):
            raise Forged("signed too long ago, or in the future")
        message = b"%b\n%b\n%b\n" % (stamp.encode(), nonce.encode(), body)
        _verify(watched.get(), told.get("wechatpay-signature", ""), message)

    def open(self, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
        sealed = envelope.get("resource")
        if not isinstance(sealed, dict) or sealed.get("algorithm") != "AEAD_AES_256_GCM":
            raise Forged("nothing in it that we could open")
        try:
            text = aes_decrypt(
                nonce=sealed["nonce"],
                ciphertext=sealed["ciphertext"],
                associated_data=sealed.get("associated_data") or "",
                apiv3_key=self._apiv3_key,
            )
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            raise Forged("the sealed part is malformed") from error
        if text is None:
            raise Forged("sealed with another key")
        return object_in(text.encode())


@dataclass(frozen=True, slots=True)
class Merchant:
    """Our side of the line: the key that signs, and the number of the certificate it belongs to."""

    key: RSAPrivateKey
    serial: str


class Line:
    """Takes the place of the package's own HTTP: our telephone, raw bytes, a proof for every answer."""

    def __init__(self, account: Account, seal: Seal) -> None:
        self._mchid, self._seal = account.mchid, seal
        self._public_key_id = papers.several(account.public_key_id)[0]
        self._merchant = watched_merchant(account)
        self._telephone = Telephone("wechat_pay", account.base_url)

    def sign(self, data: list[str], sign_type: Any) -> str:
        return str(rsa_sign(self._merchant.get().key, "\n".join(data) + "\n"))

    def request(self, path: str, method: Any = None, data: Any = None, **_: Any) -> tuple[int, bytes]:
        verb = method.value if method is not None else "GET"
        body = json.dumps(data) if data else ""
        answer = self._telephone.request(
            verb, path, headers=self._headers(verb, path, body), data=body.encode() or None
        )
        self._prove(answer)
        return answer.status, answer.body

    def _prove(self, answer: Answer) -> None:
        """WeChat signs every answer to a caller it has recognised, each no like each yes."""
        try:
            self._seal.prove(answer.headers, answer.body)
        except Forged as unproven:
            if answer.status in (401, 403):
                log.warning("WeChat Pay does not accept our signature", extra={"status": answer.status})
            raise Forged(f"{answer.status} without a proof: {unproven}") from unproven

    def download(self, address: str, into: IO[bytes], most: int) -> Answer:
        """A file that a proven answer named. Raises OutsideError; Garbled for an address that is not theirs."""
        path = self._telephone.path_of(address)
        return self._telephone.download(path, into, most=most, headers=self._headers("GET", path, ""))

    def _headers(self, verb: str, path: str, body: str) -> dict[str, str]:
        ours = self._merchant.get()
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "zhangban",
            "Wechatpay-Serial": self._public_key_id,
            "Authorization": build_authorization(path, verb, self._mchid, ours.serial, ours.key, data=body),
        }


def watched_merchant(account: Account) -> Watched[Merchant]:
    """Our key, and its certificate when one is given: changed together, or not at all."""
    key_file, paper_file = Path(account.merchant_key_file), Path(account.merchant_cert_file)
    if not account.merchant_cert_file:
        return Watched([key_file], lambda: Merchant(_private(key_file), account.merchant_serial))
    return Watched([key_file, paper_file], lambda: _pair(_private(key_file), paper_file))


def _pair(key: RSAPrivateKey, paper_file: Path) -> Merchant:
    paper = papers.certificate(paper_file.read_bytes())
    if not papers.fits(paper, key):
        raise BadPaper("the certificate belongs to another key")
    return Merchant(key, papers.serial_of(paper))


def _private(file: Path) -> RSAPrivateKey:
    return papers.private_key(file.read_bytes())


def _watched_public(file: Path) -> Watched[RSAPublicKey]:
    return Watched([file], lambda: papers.public_key(file.read_bytes()))


def _is_now(stamp: str) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= STAMP_MOST):
        return False
    return abs(clock.wire_seconds() - int(stamp)) <= WINDOW_S


def _verify(key: RSAPublicKey, signature: str, message: bytes) -> None:
    # WeChat sends probes signed "WECHATPAY/SIGNTEST/…" to see whether we look: they fail here like any other.
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Forged("the signature does not fit") from error


def as_pem(key: RSAPrivateKey) -> str:
    """The package's constructor reads PKCS#8 only; merchants also hold PKCS#1 files."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def object_in(body: bytes) -> Mapping[str, Any]:
    """The JSON object in these bytes. Raises Forged when there is none."""
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise Forged("not JSON") from error
    if not isinstance(parsed, dict):
        raise Forged("not a JSON object")
    return parsed
