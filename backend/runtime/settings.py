"""What the environment tells the town, read once into frozen records.

Boot fails with the *complete* list of what is missing. Development defaults make `import wsgi` work; production
refuses everything that is only for play.
"""

import base64
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.store.vault import Masters

MODES = ("demo", "test", "production")


class BadSettings(RuntimeError):
    """The town cannot open with this environment; the message lists everything that is wrong."""


@dataclass(frozen=True, slots=True)
class Town:
    mode: str
    state_dir: Path
    clock_file: Path | None
    public_base_url: str
    database_url: str
    database_pool: int
    broker_url: str
    keys_file: Path | None
    uploads_dir: Path

    @property
    def is_production(self) -> bool:
        return self.mode == "production"


@dataclass(frozen=True, slots=True)
class WeChat:
    base_url: str
    appid: str
    secret: str
    push_token: str
    push_aes_key: str


@dataclass(frozen=True, slots=True)
class WeChatPay:
    base_url: str
    mchid: str
    merchant_serial: str
    merchant_key_file: str
    public_key_file: str
    public_key_id: str
    apiv3_key: str


@dataclass(frozen=True, slots=True)
class Alipay:
    gateway_url: str
    appid: str
    seller_id: str
    private_key_file: str
    public_key_file: str
    aes_key: str


@dataclass(frozen=True, slots=True)
class Kdniao:
    base_url: str
    ebusiness_id: str
    api_key: str


@dataclass(frozen=True, slots=True)
class SmsAliyun:
    base_url: str
    access_key_id: str
    access_key_secret: str
    sign_name: str
    report_token: str


@dataclass(frozen=True, slots=True)
class Identity:
    base_url: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Outside keys: masters of the vault, and the secrets that sign access tokens (newest first)."""

    masters: Masters
    tokens: Mapping[str, str]
    token_kid: str


@dataclass(frozen=True, slots=True)
class Settings:
    town: Town
    wechat: WeChat
    wxpay: WeChatPay
    alipay: Alipay
    kdniao: Kdniao
    sms: SmsAliyun
    identity: Identity
    keys: Keys


_PROVIDERS = {
    "WECHAT": "BASE_URL APPID SECRET PUSH_TOKEN PUSH_AES_KEY",
    "WXPAY": "BASE_URL MCHID MERCHANT_SERIAL MERCHANT_KEY_FILE PUBLIC_KEY_FILE PUBLIC_KEY_ID APIV3_KEY",
    "ALIPAY": "GATEWAY_URL APPID SELLER_ID PRIVATE_KEY_FILE PUBLIC_KEY_FILE AES_KEY",
    "KDNIAO": "BASE_URL EBUSINESS_ID API_KEY",
    "SMS": "ALIYUN_BASE_URL ALIYUN_ACCESS_KEY_ID ALIYUN_ACCESS_KEY_SECRET ALIYUN_SIGN_NAME REPORT_TOKEN",
    "IDENTITY": "BASE_URL KEY_ID SECRET",
}
"""Names of each provider's settings, in the order of its record."""
PROVIDER_NAMES = tuple(f"{prefix}_{name}" for prefix, names in _PROVIDERS.items() for name in names.split())
PRODUCTION_NAMES = (
    "DATABASE_URL",
    "BROKER_URL",
    "TOWN_KEYS_FILE",
    "UPLOADS_DIR",
    "PUBLIC_BASE_URL",
    *PROVIDER_NAMES,
)


def read(env: Mapping[str, str]) -> Settings:
    """Build the settings. Raises BadSettings with every fault at once."""
    faults = _faults(env)
    if faults:
        raise BadSettings("the town cannot open:\n" + "\n".join(f"  - {fault}" for fault in faults))
    state_dir = Path(env.get("TOWN_STATE_DIR") or ".town")
    town = Town(
        mode=env.get("TOWN_MODE", "demo"),
        state_dir=state_dir,
        clock_file=_path(env.get("TOWN_CLOCK_FILE")),
        public_base_url=env.get("PUBLIC_BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
        database_url=database_url(env.get("DATABASE_URL", "")),
        database_pool=int(env.get("DATABASE_POOL", "8")),
        broker_url=env.get("BROKER_URL", ""),
        keys_file=_path(env.get("TOWN_KEYS_FILE")),
        uploads_dir=_path(env.get("UPLOADS_DIR")) or state_dir / "uploads",
    )
    return Settings(
        town=town,
        wechat=WeChat(*_take(env, "WECHAT")),
        wxpay=WeChatPay(*_take(env, "WXPAY")),
        alipay=Alipay(*_take(env, "ALIPAY")),
        kdniao=Kdniao(*_take(env, "KDNIAO")),
        sms=SmsAliyun(*_take(env, "SMS")),
        identity=Identity(*_take(env, "IDENTITY")),
        keys=_keys(town.keys_file),
    )


@functools.cache
def settings() -> Settings:
    """The settings of this process."""
    return read(os.environ)


def database_url(url: str) -> str:
    """Any PostgreSQL URL, told to use psycopg 3."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _take(env: Mapping[str, str], provider: str) -> list[str]:
    return [env.get(f"{provider}_{name}", "") for name in _PROVIDERS[provider].split()]


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _faults(env: Mapping[str, str]) -> list[str]:
    mode = env.get("TOWN_MODE", "demo")
    if mode not in MODES:
        return [f"TOWN_MODE is {mode!r}; it must be one of {', '.join(MODES)}"]
    pool = env.get("DATABASE_POOL", "8")
    faults = (
        [] if pool.isdecimal() and 0 < int(pool) < 200 else ["DATABASE_POOL must be a number from 1 to 199"]
    )
    faults += _faults_of_keys(_path(env.get("TOWN_KEYS_FILE")))
    return faults if mode != "production" else faults + _unfit_for_production(env)


def _faults_of_keys(keys_file: Path | None) -> list[str]:
    try:
        _keys(keys_file)
    except BadSettings as error:
        return [str(error)]
    return []


def _unfit_for_production(env: Mapping[str, str]) -> list[str]:
    faults = [f"{name} is missing" for name in PRODUCTION_NAMES if not env.get(name)]
    if env.get("TOWN_CLOCK_FILE"):
        faults.append("TOWN_CLOCK_FILE is set: production does not move its clock")
    if env.get("BROKER_URL", "").startswith(("filesystem:", "memory:")):
        faults.append("BROKER_URL must name Redis or RabbitMQ, not a folder of this machine")
    papers = [name for name in PROVIDER_NAMES if name.endswith("_FILE") and env.get(name)]
    faults += [f"{name} names a file that is not there" for name in papers if not Path(env[name]).is_file()]
    return faults + _plain_addresses(env)


def _plain_addresses(env: Mapping[str, str]) -> list[str]:
    """Simulators answer over plain HTTP on this machine; real providers never do."""
    names = [name for name in (*PROVIDER_NAMES, "PUBLIC_BASE_URL") if name.endswith("_URL")]
    return [
        f"{name} must begin with https://"
        for name in names
        if env.get(name) and not env[name].lower().startswith("https://")
    ]


def _keys(keys_file: Path | None) -> Keys:
    if keys_file is None:
        return _play_keys()
    try:
        document = json.loads(keys_file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadSettings("TOWN_KEYS_FILE names a file that is not there") from error
    except (OSError, ValueError) as error:
        raise BadSettings(f"TOWN_KEYS_FILE cannot be read: {error}") from error
    return keys_from(document)


def keys_from(document: Mapping[str, object]) -> Keys:
    """Read the keys file: {"master","index","journal": base64 of 32 bytes, "tokens": {kid: secret}, "token_kid"}."""
    try:
        raw = {name: base64.b64decode(str(document[name])) for name in ("master", "index", "journal")}
        old = {
            name: base64.b64decode(str(document[name])) if document.get(name) else None
            for name in ("previous_master", "previous_index")
        }
        tokens = {str(k): str(v) for k, v in dict(document["tokens"]).items()}  # type: ignore[call-overload]
        kid = str(document["token_kid"])
    except (KeyError, ValueError, TypeError) as error:
        raise BadSettings(f"the keys file is not complete: {error}") from error
    short = [n for n, key in {**raw, **{n: k for n, k in old.items() if k}}.items() if len(key) != 32]
    if short or kid not in tokens or any(len(secret) < 32 for secret in tokens.values()):
        raise BadSettings(
            "the keys file holds a key of the wrong length or names a token key it does not have"
        )
    return Keys(
        Masters(raw["master"], raw["index"], raw["journal"], old["previous_master"], old["previous_index"]),
        tokens,
        kid,
    )


def new_keys_document() -> dict[str, object]:
    """Fresh keys for a new town."""

    def fresh() -> str:
        return base64.b64encode(os.urandom(32)).decode()

    return {
        "master": fresh(),
        "index": fresh(),
        "journal": fresh(),
        "tokens": {"t1": fresh()},
        "token_kid": "t1",
    }


def _play_keys() -> Keys:
    """Keys that everybody knows: they let `import wsgi` and a bare development server work, nothing else."""

    def known(name: str) -> bytes:
        return hashlib.sha256(b"zhangban play key " + name.encode()).digest()

    masters = Masters(known("master"), known("index"), known("journal"))
    return Keys(masters, {"play": known("tokens").hex()}, "play")
