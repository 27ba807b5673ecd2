"""The papers each provider hands out once: ids, secrets and key pairs, kept in the state folder.

The product is given its own private keys and the providers' public ones; this folder also holds the other halves.
"""

import base64
import fcntl
import json
import os
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

_ALNUM = string.ascii_letters + string.digits
_KEY_PAIRS = ("wxpay_merchant", "wxpay_platform", "alipay_app", "alipay_platform")


@dataclass(frozen=True, slots=True)
class Keyring:
    """All secrets of one state folder; key objects are loaded once."""

    values: dict[str, str]
    pairs: dict[str, RSAPrivateKey]

    def __getitem__(self, name: str) -> str:
        return self.values[name]


def issue_credentials(state_dir: Path | str, base_url: str) -> dict[str, str]:
    """Environment names and values for the product; made once, the same on every later call."""
    folder = Path(state_dir).resolve()
    values, keys, base = _made_once(folder), folder / "keys", base_url.rstrip("/")
    return values | {
        "WECHAT_BASE_URL": f"{base}/wechat",
        "WXPAY_BASE_URL": f"{base}/wxpay",
        "WXPAY_MERCHANT_KEY_FILE": str(keys / "wxpay_merchant.pem"),
        "WXPAY_PUBLIC_KEY_FILE": str(keys / "wxpay_platform.pub.pem"),
        "ALIPAY_GATEWAY_URL": f"{base}/alipay/gateway.do",
        "ALIPAY_PRIVATE_KEY_FILE": str(keys / "alipay_app.pem"),
        "ALIPAY_PUBLIC_KEY_FILE": str(keys / "alipay_platform.pub.pem"),
        "KDNIAO_BASE_URL": f"{base}/kdniao",
        "SMS_ALIYUN_BASE_URL": f"{base}/sms",
        "IDENTITY_BASE_URL": base,
        "FISCAL_BASE_URL": f"{base}/fiscal",
    }


def load_keyring(state_dir: Path | str) -> Keyring:
    """Everything the simulators need to verify and to sign."""
    folder = Path(state_dir).resolve()
    values = _made_once(folder)
    return Keyring(values, {name: _load_key(folder / "keys" / f"{name}.pem") for name in _KEY_PAIRS})


def _made_once(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "keys").mkdir(exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / ".credentials.lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in _KEY_PAIRS:
            _make_pair(folder / "keys", name)
        return _make_values(folder / "credentials.json")


def _make_values(path: Path) -> dict[str, str]:
    values: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    missing = [name for name in _MADE if name not in values]
    if missing:
        values |= {name: _MADE[name]() for name in missing}
        _write_private(path, json.dumps(values, ensure_ascii=False, indent=1).encode())
    return values


def _make_pair(folder: Path, name: str) -> None:
    private_path, public_path = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    if not private_path.exists():
        _write_private(
            private_path,
            generate_private_key(65537, 2048).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
    if not public_path.exists():
        _write_private(
            public_path,
            _load_key(private_path)
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        )


def _load_key(path: Path) -> RSAPrivateKey:
    # The file is our own; the slow validation of a foreign key would cost 36 ms each.
    key = serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path.name} does not hold an RSA private key")
    return key


def _write_private(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def _digits(count: int) -> str:
    return "".join(secrets.choice(string.digits) for _ in range(count))


def _alnum(count: int) -> str:
    return "".join(secrets.choice(_ALNUM) for _ in range(count))


def _encoding_aes_key() -> str:
    """43 letters and digits that decode, with one '=' added, to 32 bytes (WeChat's EncodingAESKey)."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key


_MADE: dict[str, Callable[[], str]] = {
    "WECHAT_APPID": lambda: "wx" + secrets.token_hex(8),
    "WECHAT_SECRET": lambda: secrets.token_hex(16),
    "WECHAT_PUSH_TOKEN": lambda: _alnum(32),
    "WECHAT_PUSH_AES_KEY": _encoding_aes_key,
    "WXPAY_MCHID": lambda: "16" + _digits(8),
    "WXPAY_MERCHANT_SERIAL": lambda: secrets.token_hex(20).upper(),
    "WXPAY_PUBLIC_KEY_ID": lambda: "PUB_KEY_ID_" + _digits(34),
    "WXPAY_APIV3_KEY": lambda: _alnum(32),
    "ALIPAY_APPID": lambda: "2021" + _digits(12),
    "ALIPAY_SELLER_ID": lambda: "2088" + _digits(12),
    "ALIPAY_AES_KEY": lambda: base64.b64encode(secrets.token_bytes(16)).decode(),
    "KDNIAO_EBUSINESS_ID": lambda: "1" + _digits(6),
    "KDNIAO_API_KEY": lambda: secrets.token_hex(16),
    "SMS_ALIYUN_ACCESS_KEY_ID": lambda: "LTAI5t" + _alnum(18),
    "SMS_ALIYUN_ACCESS_KEY_SECRET": lambda: _alnum(30),
    "SMS_ALIYUN_SIGN_NAME": lambda: "亳州掌办",
    "SMS_REPORT_TOKEN": lambda: secrets.token_urlsafe(24),
    "IDENTITY_KEY_ID": lambda: "idk" + _digits(10),
    "IDENTITY_SECRET": lambda: secrets.token_hex(32),
    "FISCAL_KEY_ID": lambda: "fk" + _digits(10),
    "FISCAL_SECRET": lambda: secrets.token_hex(32),
}
