"""The wire to WeChat Pay: what proves an origin, and the line that takes the place of the package's own HTTP.

wechatpayv3 2.0.4 has no time window, asks the internet about unknown serials before it checks anything,
verifies decoded text instead of bytes, knows no time-out and raises bare exceptions. Signer and cipher are kept.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from wechatpayv3.utils import aes_decrypt, build_authorization

from backend.kernel import clock
from backend.runtime.outbound import Telephone
from payments.channels.port import Forged

SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
WINDOW_S = 300


class Account(Protocol):
    """The merchant's side: what WXPAY_* settings hold."""

    @property
    def base_url(self) -> str: ...
    @property
    def mchid(self) -> str: ...
    @property
    def merchant_serial(self) -> str: ...
    @property
    def merchant_key_file(self) -> str: ...
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
        key = serialization.load_pem_public_key(Path(account.public_key_file).read_bytes())
        if not isinstance(key, RSAPublicKey):
            raise TypeError("the public key of WeChat Pay is an RSA key")
        self._keys = {account.public_key_id: key}

    def prove(self, headers: Mapping[str, str], body: bytes) -> None:
        """Serial first: an unknown one must cost neither a signature check nor a call outside."""
        told = {name.lower(): value for name, value in headers.items()}
        key = self._keys.get(told.get("wechatpay-serial", ""))
        if key is None:
            raise Forged("unknown serial")
        if told.get("wechatpay-signature-type", SIGNATURE_TYPE) != SIGNATURE_TYPE:
            raise Forged("another signature algorithm")
        stamp, nonce = told.get("wechatpay-timestamp", ""), told.get("wechatpay-nonce", "")
        if not (stamp.isascii() and stamp.isdigit()) or abs(clock.wire_seconds() - int(stamp)) > WINDOW_S:
            raise Forged("signed too long ago, or in the future")
        message = b"%b\n%b\n%b\n" % (stamp.encode(), nonce.encode(), body)
        _verify(key, told.get("wechatpay-signature", ""), message)

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


class Line:
    """Takes the place of the package's own HTTP: our telephone, raw bytes, a proof for every good answer."""

    def __init__(self, core: Any, account: Account, seal: Seal) -> None:
        self._core, self._account, self._seal = core, account, seal
        self._telephone = Telephone("wechat_pay", account.base_url)

    def sign(self, data: list[str], sign_type: Any) -> str:
        return str(self._core.sign(data, sign_type))

    def request(self, path: str, method: Any = None, data: Any = None, **_: Any) -> tuple[int, bytes]:
        verb = method.value if method is not None else "GET"
        body = json.dumps(data) if data else ""
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "zhangban",
            "Wechatpay-Serial": self._account.public_key_id,
            "Authorization": build_authorization(
                path,
                verb,
                self._account.mchid,
                self._account.merchant_serial,
                self._core._private_key,
                data=body,
            ),
        }
        answer = self._telephone.request(verb, path, headers=headers, data=body.encode() or None)
        if 200 <= answer.status < 300:
            self._seal.prove(answer.headers, answer.body)
        return answer.status, answer.body


def _verify(key: RSAPublicKey, signature: str, message: bytes) -> None:
    # WeChat sends probes signed "WECHATPAY/SIGNTEST/…" to see whether we look: they fail here like any other.
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Forged("the signature does not fit") from error


def merchant_key(path: str) -> str:
    """The package reads PKCS#8 only; merchants also hold PKCS#1 files."""
    key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
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
