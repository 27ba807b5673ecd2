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
from typing import IO, Any, Protocol
from urllib.parse import SplitResult, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from backend.kernel import clock
from backend.runtime import papers
from backend.runtime.outbound import Answer, Garbled, Refused, Silent, Telephone
from backend.runtime.papers import BadPaper, Watched
from backend.runtime.settings import Alipay, settings

NAME = "alipay"
TIMEOUT = (3.0, 15.0)
SUCCESS = "10000"
UNKNOWN = "20000"
_UNKNOWN_SUB_CODES = ("SYSTEM_ERROR", "unknow-error", "unknown-error")
_SIGN_TYPE = "RSA2"
_BLOCK_BITS = 128
_FILES_OF = ".alipay.com"
"""Files lie on other machines of theirs than the gateway."""


class Request(Protocol):
    """Any request object of the package."""

    def get_params(self) -> dict[str, Any]: ...


class AlipayClient:
    """One application at the gateway. Keys are read when their files change; all threads may use it."""

    def __init__(self, configured: Alipay) -> None:
        self._telephone = Telephone(NAME, configured.gateway_url, timeout=TIMEOUT)
        self._app_id, self._gateway = configured.appid, configured.gateway_url
        ours, theirs = Path(configured.private_key_file), papers.several(configured.public_key_file)
        self._key = Watched([ours], lambda: papers.private_key(ours.read_bytes()))
        self._platform = [_watched_public(Path(file)) for file in theirs]
        if not self._platform:
            raise BadPaper("no public key of Alipay is named")
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

    def link(self, request: Request) -> str:
        """The address under which a browser brings this request to the gateway itself, signed now."""
        return f"{self._gateway}?{urlencode(self._signed(request.get_params()))}"

    def download(self, address: str, into: IO[bytes], most: int) -> Answer:
        """A file that a proven answer named. Raises OutsideError; Garbled for an address that is not Alipay's."""
        parts, gateway = urlsplit(address), urlsplit(self._gateway)
        if not _is_alipays(parts, gateway):
            raise Garbled(NAME, "an address that is not the provider's")
        line = Telephone(f"{NAME}_files", f"{parts.scheme}://{parts.netloc}", timeout=TIMEOUT)
        return line.download(f"{parts.path}?{parts.query}", into, most=most)

    def sign(self, params: Mapping[str, str]) -> str:
        """RSA2 signature over all parameters with a value, sorted, as `name=value` joined by `&`."""
        signature = self._key.get().sign(_joined(params), PKCS1v15(), hashes.SHA256())
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
        return any(_verifies(key.get(), text, signature) for key in self._platform)

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


def _verifies(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _watched_public(file: Path) -> Watched[RSAPublicKey]:
    return Watched([file], lambda: papers.public_key(file.read_bytes()))


def _is_alipays(parts: SplitResult, gateway: SplitResult) -> bool:
    """Over the same scheme as the gateway, and on the gateway's own machine or another of Alipay's."""
    there, no_password = parts.hostname or "", "@" not in parts.netloc
    known = parts.netloc == gateway.netloc or (parts.port is None and there.endswith(_FILES_OF))
    return parts.scheme == gateway.scheme and known and no_password
