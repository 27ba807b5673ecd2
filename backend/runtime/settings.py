"""What the environment tells the town, read once into frozen records.

Boot fails with the *complete* list of what is missing. Development defaults make `import wsgi` work; production
refuses everything that is only for play.
"""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.runtime.keys import BadSettings as BadSettings
from backend.runtime.keys import Keys as Keys
from backend.runtime.keys import keys_from as keys_from
from backend.runtime.keys import new_keys_document as new_keys_document
from backend.runtime.keys import play_keys, read_keys
from backend.runtime.paper_faults import faults_of_papers

MODES = ("demo", "test", "production")


@dataclass(frozen=True, slots=True)
class Town:
    mode: str
    state_dir: Path
    clock_file: Path | None
    public_base_url: str
    screen_base_url: str
    database_url: str
    database_pool: int
    broker_url: str
    keys_file: Path | None
    uploads_dir: Path
    trusted_proxies: int

    @property
    def is_production(self) -> bool:
        return self.mode == "production"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one address may ask for within an hour. A hall or a mobile network may be one address."""

    codes: int
    logins: int
    refreshes: int
    lookups: int


@dataclass(frozen=True, slots=True)
class Money:
    """Above `refund_four_eyes_fen` two people give money back; a larger statement than that is not unpacked."""

    refund_four_eyes_fen: int
    statement_max_bytes: int


@dataclass(frozen=True, slots=True)
class WeChat:
    base_url: str
    appid: str
    secret: str
    push_token: str
    push_aes_key: str


@dataclass(frozen=True, slots=True)
class WeChatPay:
    """`public_key_file` and `public_key_id` may name several, parted by commas; the first id is the one we send."""

    base_url: str
    mchid: str
    merchant_serial: str
    merchant_key_file: str
    public_key_file: str
    public_key_id: str
    apiv3_key: str
    merchant_cert_file: str = ""


@dataclass(frozen=True, slots=True)
class Alipay:
    """`public_key_file` may name several, parted by commas: each of them is believed."""

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
class Fiscal:
    """The finance office's receipt system (财政电子票据)."""

    base_url: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Settings:
    town: Town
    limits: Limits
    money: Money
    wechat: WeChat
    wxpay: WeChatPay
    alipay: Alipay
    kdniao: Kdniao
    sms: SmsAliyun
    identity: Identity
    fiscal: Fiscal
    keys: Keys


_PROVIDERS = {
    "WECHAT": "BASE_URL APPID SECRET PUSH_TOKEN PUSH_AES_KEY",
    "WXPAY": "BASE_URL MCHID MERCHANT_SERIAL MERCHANT_KEY_FILE PUBLIC_KEY_FILE PUBLIC_KEY_ID APIV3_KEY",
    "ALIPAY": "GATEWAY_URL APPID SELLER_ID PRIVATE_KEY_FILE PUBLIC_KEY_FILE AES_KEY",
    "KDNIAO": "BASE_URL EBUSINESS_ID API_KEY",
    "SMS": "ALIYUN_BASE_URL ALIYUN_ACCESS_KEY_ID ALIYUN_ACCESS_KEY_SECRET ALIYUN_SIGN_NAME REPORT_TOKEN",
    "IDENTITY": "BASE_URL KEY_ID SECRET",
    "FISCAL": "BASE_URL KEY_ID SECRET",
}
"""Names of each provider's settings, in the order of its record."""
_OPTIONAL = {"WXPAY": "MERCHANT_CERT_FILE"}
"""What may be named besides, after the others in the record."""
PROVIDER_NAMES = tuple(f"{prefix}_{name}" for prefix, names in _PROVIDERS.items() for name in names.split())
_NUMBERS = {
    "DATABASE_POOL": (8, range(1, 200)),
    "TRUSTED_PROXIES": (0, range(10)),
    "CODES_PER_ADDRESS": (60, range(1, 10**9)),
    "LOGINS_PER_ADDRESS": (300, range(1, 10**9)),
    "REFRESHES_PER_ADDRESS": (6000, range(1, 10**9)),
    "LOOKUPS_PER_ADDRESS": (120, range(1, 10**9)),
    "REFUND_FOUR_EYES_FEN": (100_000, range(1, 10**9)),
    "STATEMENT_MAX_BYTES": (2**31, range(1, 2**40)),
}
"""What each number is when nobody says, and from where to where it may go."""
PRODUCTION_NAMES = (
    "DATABASE_URL",
    "BROKER_URL",
    "TOWN_KEYS_FILE",
    "UPLOADS_DIR",
    "PUBLIC_BASE_URL",
    "TRUSTED_PROXIES",
    *PROVIDER_NAMES,
)


def read(env: Mapping[str, str]) -> Settings:
    """Build the settings. Raises BadSettings with every fault at once."""
    faults = _faults(env)
    if faults:
        raise BadSettings("the town cannot open:\n" + "\n".join(f"  - {fault}" for fault in faults))
    state_dir = Path(env.get("TOWN_STATE_DIR") or ".town")
    public_base_url = env.get("PUBLIC_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
    town = Town(
        mode=env.get("TOWN_MODE", "demo"),
        state_dir=state_dir,
        clock_file=_path(env.get("TOWN_CLOCK_FILE")),
        public_base_url=public_base_url,
        screen_base_url=(env.get("SCREEN_BASE_URL") or public_base_url).rstrip("/"),
        database_url=database_url(env.get("DATABASE_URL", "")),
        database_pool=_number(env, "DATABASE_POOL"),
        broker_url=env.get("BROKER_URL", ""),
        keys_file=_path(env.get("TOWN_KEYS_FILE")),
        uploads_dir=_path(env.get("UPLOADS_DIR")) or state_dir / "uploads",
        trusted_proxies=_number(env, "TRUSTED_PROXIES"),
    )
    kinds = ("CODES", "LOGINS", "REFRESHES", "LOOKUPS")
    return Settings(
        town=town,
        limits=Limits(*(_number(env, f"{kind}_PER_ADDRESS") for kind in kinds)),
        money=Money(_number(env, "REFUND_FOUR_EYES_FEN"), _number(env, "STATEMENT_MAX_BYTES")),
        wechat=WeChat(*_take(env, "WECHAT")),
        wxpay=WeChatPay(*_take(env, "WXPAY")),
        alipay=Alipay(*_take(env, "ALIPAY")),
        kdniao=Kdniao(*_take(env, "KDNIAO")),
        sms=SmsAliyun(*_take(env, "SMS")),
        identity=Identity(*_take(env, "IDENTITY")),
        fiscal=Fiscal(*_take(env, "FISCAL")),
        keys=read_keys(town.keys_file),
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
    names = f"{_PROVIDERS[provider]} {_OPTIONAL.get(provider, '')}".split()
    return [env.get(f"{provider}_{name}", "") for name in names]


def _number(env: Mapping[str, str], name: str) -> int:
    return int(env.get(name) or _NUMBERS[name][0])


def _fault_of_number(env: Mapping[str, str], name: str) -> str:
    text, allowed = env.get(name), _NUMBERS[name][1]
    unsaid = text is None or (text == "" and name in PRODUCTION_NAMES)
    fits = unsaid or (text is not None and text.isdecimal() and int(text) in allowed)
    return "" if fits else f"{name} must be a number from {allowed[0]} to {allowed[-1]}"


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _faults(env: Mapping[str, str]) -> list[str]:
    mode = env.get("TOWN_MODE", "demo")
    if mode not in MODES:
        return [f"TOWN_MODE is {mode!r}; it must be one of {', '.join(MODES)}"]
    faults = [fault for name in _NUMBERS if (fault := _fault_of_number(env, name))]
    faults += _faults_of_keys(_path(env.get("TOWN_KEYS_FILE")))
    if mode == "demo" and env.get("DATABASE_URL") and not env.get("TOWN_KEYS_FILE"):
        # Whoever knows the keys of play could read such a database, and log in as anybody.
        faults.append(
            "TOWN_KEYS_FILE is missing: `town new-keys FILE` makes one while no DATABASE_URL is set"
        )
    return faults if mode != "production" else faults + _unfit_for_production(env)


def _faults_of_keys(keys_file: Path | None) -> list[str]:
    try:
        found, known = read_keys(keys_file).masters, play_keys().masters
    except BadSettings as error:
        return [str(error)]
    if keys_file and {found.master, found.index, found.journal} & {known.master, known.index, known.journal}:
        return ["TOWN_KEYS_FILE holds the keys of the demo, which everybody knows"]
    return []


def _unfit_for_production(env: Mapping[str, str]) -> list[str]:
    faults = [f"{name} is missing" for name in PRODUCTION_NAMES if not env.get(name)]
    if env.get("TOWN_CLOCK_FILE"):
        faults.append("TOWN_CLOCK_FILE is set: production does not move its clock")
    if env.get("BROKER_URL", "").startswith(("filesystem:", "memory:")):
        faults.append("BROKER_URL must name Redis or RabbitMQ, not a folder of this machine")
    return faults + faults_of_papers(env) + _plain_addresses(env)


def _plain_addresses(env: Mapping[str, str]) -> list[str]:
    """Simulators answer over plain HTTP on this machine; real providers never do."""
    names = [name for name in (*PROVIDER_NAMES, "PUBLIC_BASE_URL") if name.endswith("_URL")]
    return [
        f"{name} must begin with https://"
        for name in names
        if env.get(name) and not env[name].lower().startswith("https://")
    ]
