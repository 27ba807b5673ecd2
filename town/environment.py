"""The settings under which the town's processes run: what the user set stays, the rest is made to fit this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from town import places
from town.trouble import Trouble

MODES = ("demo", "test", "production")
WEB_PORT, SIM_PORT = 8000, 8001
# A provider's address tells whether the user brought the real one.
PROVIDER_ADDRESSES = (
    "WECHAT_BASE_URL", "WXPAY_BASE_URL", "ALIPAY_GATEWAY_URL", "KDNIAO_BASE_URL", "SMS_ALIYUN_BASE_URL",
    "IDENTITY_BASE_URL", "FISCAL_BASE_URL",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What this start of the town will use, decided before anything is started."""

    given: Mapping[str, str]
    state_dir: Path
    host: str
    web_port: int
    sim_port: int
    screen_port: int

    @property
    def is_production(self) -> bool:
        """Whether everything that is only for play is refused."""
        return self.given.get("TOWN_MODE") == "production"

    @property
    def embeds_database(self) -> bool:
        """Whether the town brings its own PostgreSQL."""
        return not self.given.get("DATABASE_URL")

    @property
    def simulates(self) -> bool:
        """Whether any provider is played by the simulators."""
        return not self.is_production and not all(self.given.get(name) for name in PROVIDER_ADDRESSES)

    @property
    def web_url(self) -> str:
        """Where this machine reaches the web server."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.web_port}"

    @property
    def sim_url(self) -> str:
        """Where this machine reaches the simulators."""
        return f"http://127.0.0.1:{self.sim_port}"

    @property
    def screen_url(self) -> str:
        """Where call screens listen for changes."""
        return f"{self.web_url.rpartition(':')[0]}:{self.screen_port}"

    @property
    def keys_file(self) -> Path:
        """The keys lie beside the data they open, so that they are thrown away together."""
        given = self.given.get("TOWN_KEYS_FILE")
        home = places.database_home() if self.embeds_database else self.state_dir
        return Path(given) if given else home / "keys.json"


def plan(given: Mapping[str, str] = os.environ) -> Plan:
    """Read the user's wishes. Raises Trouble for a port that is no port and a mode that is none."""
    if given.get("TOWN_MODE", "demo") not in MODES:
        raise Trouble(f"TOWN_MODE is {given['TOWN_MODE']!r}: it must be one of {', '.join(MODES)}")
    web_port, sim_port = _port(given, "WEB_PORT", WEB_PORT), _port(given, "SIM_PORT", SIM_PORT)
    return Plan(
        given=dict(given),
        state_dir=places.state_dir(),
        host=given.get("WEB_HOST") or "127.0.0.1",
        web_port=web_port,
        sim_port=sim_port,
        screen_port=_port(given, "SCREEN_PORT", _near(web_port, sim_port)),
    )


def check_ports(wanted: Plan) -> None:
    """Raise Trouble with the way out when a port is taken or may not be used."""
    for host, port, name, purpose in (
        (wanted.host, wanted.web_port, "WEB_PORT", "the web server"),
        ("127.0.0.1", wanted.sim_port, "SIM_PORT", "the simulators"),
        (wanted.host, wanted.screen_port, "SCREEN_PORT", "the call screens"),
    ):
        if name == "SIM_PORT" and not wanted.simulates:
            continue
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # one that is only cooling down is free
            try:
                probe.bind((host, port))
            except OSError as error:
                raise Trouble(
                    f"port {port} of {host}, meant for {purpose}, cannot be used ({error.strerror}):"
                    f" free it, or choose another with `{name}={port % 1000 + 9000} make run`"
                ) from error


def settings(wanted: Plan, database_url: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of all processes: the town's own, overlaid by whatever the user gave."""
    state = wanted.state_dir
    ours = {
        "TOWN_MODE": "demo",
        "TOWN_STATE_DIR": str(state),
        "PUBLIC_BASE_URL": wanted.web_url,
        "DATABASE_URL": database_url,
        "BROKER_URL": "filesystem://",
        "TOWN_KEYS_FILE": str(wanted.keys_file),
        "UPLOADS_DIR": str(state / "uploads"),
        "TEMPLATES_FILE": str(places.CHECKOUT / "data" / "templates.json"),
        "PROMETHEUS_MULTIPROC_DIR": str(state / "metrics"),
        **credentials,
    }
    if not wanted.is_production:
        ours["TOWN_CLOCK_FILE"] = str(state / "clock.json")
        ours["SCREEN_BASE_URL"] = wanted.screen_url  # in production a proxy puts both under one address
    return {name: wanted.given.get(name) or value for name, value in ours.items()}


def complete(own: Mapping[str, str]) -> dict[str, str]:
    """Return a whole process environment around the settings."""
    return {**os.environ, **own, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise Trouble(f"{name} is {text!r}: it must be a port number from 1 to 65535")
    return int(text)


def _near(web_port: int, sim_port: int) -> int:
    """Return a port beside the web server's: who moves one of them need not move both."""
    return next(
        port for port in (web_port + 2, web_port + 3, web_port - 2) if port < 65_536 and port != sim_port
    )
