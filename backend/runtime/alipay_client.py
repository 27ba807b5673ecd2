"""Alipay's gateway: request classes of alipay-sdk-python, our own signature and transport.

The package's own transport cannot use a port, fails on any status but 200, cannot decrypt, accepts SHA-1 and needs
23 ms per signature; its request and model classes are good and are what callers bring here.
"""

import base64
import binascii
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from backend.kernel import clock
from backend.runtime.outbound import Garbled, Refused, Silent, Telephone
from backend.runtime.settings import Alipay, settings

NAME = "alipay"
TIMEOUT = (3.0, 15.0)
SUCCESS = "10000"
UNKNOWN = "20000"
_UNKNOWN_SUB_CODES = ("SYSTEM_ERROR", "unknow-error", "unknown-error")
_SIGN_TYPE = "RSA2"
_BLOCK_BITS = 128


class Request(Protocol):
    """Any request object of the package."""

    def get_params(self) -> dict[str, Any]: ...


class AlipayClient:
    """One application at the gateway. Key objects are loaded once and may be used by all threads."""

    def __init__(self, configured: Alipay) -> None:
        self._telephone = Telephone(NAME, configured.gateway_url, timeout=TIMEOUT)
        self._app_id = configured.appid
        self._key = _private_key(Path(configured.private_key_file).read_bytes())
        self._platform = _public_key(Path(configured.public_key_file).read_bytes())
        self._aes_key = base64.b64decode(configured.aes_key)

    def execute(self, request: Request) -> dict[str, Any]:
        """Ask the gateway; returns the answer's node. An outside call: no unit may be open.

        Raises Refused (code = sub_code), Silent (20000, system errors, and an error nobody signed: it may have
        happened), Garbled (signature wrong), Unreachable.
        """
        params = self._signed(request.get_params())
        answer = self._telephone.request("POST", "", params={"charset": "utf-8"}, data=params)
        if answer.status != 200:
            raise Silent(NAME, f"answered {answer.status}", str(answer.status))
        node = params["method"].replace(".", "_") + "_response"
        return _judged(self._genuine(answer.text, node))

    def sign(self, params: Mapping[str, str]) -> str:
        """RSA2 signature over all parameters with a value, sorted, as `name=value` joined by `&`."""
        signature = self._key.sign(_joined(params), PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode()

    def verify_notify(self, form: Mapping[str, str]) -> bool:
        """Whether an asynchronous notice is Alipay's: RSA2 over everything but sign and sign_type."""
        if form.get("sign_type") != _SIGN_TYPE:
            return False
        told = {name: value for name, value in form.items() if name not in ("sign", "sign_type")}
        # Alipay's own code keeps empty values in the signed text, its documents leave them out.
        return any(self._holds(text, form.get("sign", "")) for text in (_all_joined(told), _joined(told)))

    def decrypt_phone(self, response: str, sign: str) -> str:
        """The number inside my.getPhoneNumber's `response`. Raises Garbled (not Alipay's), Refused."""
        if not self._holds(f'"{response}"'.encode(), sign):
            raise Garbled(NAME, "a phone number that Alipay did not sign")
        try:
            said = json.loads(self._decrypted(base64.b64decode(response, validate=True)))
        except (ValueError, binascii.Error) as error:
            raise Garbled(NAME, "a phone number that does not open") from error
        if str(said.get("code")) != SUCCESS or "mobile" not in said:
            raise Refused(NAME, "no phone number", str(said.get("subCode") or said.get("code") or ""))
        return str(said["mobile"])

    def _signed(self, asked: Mapping[str, Any]) -> dict[str, str]:
        plain = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in asked.items()
            if value is not None
        }
        plain |= {
            "app_id": self._app_id, "charset": "utf-8", "format": "json", "sign_type": _SIGN_TYPE,
            "timestamp": f"{clock.local(clock.wire_now()):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        return plain | {"sign": self.sign(plain)}

    def _genuine(self, text: str, node: str) -> dict[str, Any]:
        """The node, its signature checked over the very bytes that came: JSON written anew is not what was signed."""
        try:
            document = json.loads(text)
            name = node if node in document else "error_response"
            said, raw = document[name], _raw_node(text, name)
        except (ValueError, KeyError, TypeError) as error:
            raise Garbled(NAME, "an answer in another shape") from error
        sign = document.get("sign")
        if sign is None and name == "error_response":
            raise Silent(
                NAME, "an error that nobody signed", str(said.get("sub_code") or said.get("code") or "")
            )
        if not self._holds(raw.encode(), str(sign or "")):
            raise Garbled(NAME, "an answer whose signature is wrong")
        return dict(said)

    def _holds(self, text: bytes, signature: str) -> bool:
        try:
            self._platform.verify(
                base64.b64decode(signature, validate=True), text, PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True

    def _decrypted(self, sealed: bytes) -> bytes:
        """AES-CBC with a zero IV and PKCS7, as Alipay does it."""
        opener = Cipher(algorithms.AES(self._aes_key), modes.CBC(bytes(16))).decryptor()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(opener.update(sealed) + opener.finalize()) + unpadder.finalize()


@functools.cache
def shared() -> AlipayClient:
    """The configured application's client, one per process."""
    return AlipayClient(settings().alipay)


def _judged(said: dict[str, Any]) -> dict[str, Any]:
    code, sub_code = str(said.get("code", SUCCESS)), str(said.get("sub_code", ""))
    if code == UNKNOWN or sub_code.endswith(_UNKNOWN_SUB_CODES):
        raise Silent(NAME, str(said.get("sub_msg") or said.get("msg") or ""), sub_code or code)
    if code.startswith("4"):
        raise Refused(NAME, str(said.get("sub_msg") or said.get("msg") or ""), sub_code or code)
    return said


def _raw_node(text: str, name: str) -> str:
    start = text.index(":", text.index(f'"{name}"')) + 1
    while text[start] in " \t\r\n":
        start += 1
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


def _joined(params: Mapping[str, str]) -> bytes:
    return _all_joined({name: value for name, value in params.items() if value != ""})


def _all_joined(params: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def _private_key(written: bytes) -> RSAPrivateKey:
    """PEM, or the bare base64 that Alipay's console shows (PKCS#1 or PKCS#8)."""
    if b"-----BEGIN" in written:
        key = serialization.load_pem_private_key(written, None)
    else:
        key = serialization.load_der_private_key(base64.b64decode(written), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("Alipay's application key must be an RSA private key")
    return key


def _public_key(written: bytes) -> RSAPublicKey:
    if b"-----BEGIN" in written:
        key = serialization.load_pem_public_key(written)
    else:
        key = serialization.load_der_public_key(base64.b64decode(written))
    if not isinstance(key, RSAPublicKey):
        raise TypeError("Alipay's public key must be an RSA public key")
    return key
