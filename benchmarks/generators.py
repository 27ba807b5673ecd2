"""The load: wrk over HTTP and pgbench against the database, both bounded in time and on this machine only."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from town import binaries

CONNECTIONS = 32
SECONDS = 8
CLIENTS = 16
LIMITS = Path(__file__).parent / "limits"
LOADS = Path(__file__).parent / "loads"
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)", re.MULTILINE)
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_SOCKET = re.compile(r"Socket errors: (.*)")
_TPS = re.compile(r"tps = ([\d.]+)")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class BadRun(RuntimeError):
    """The load did not measure what it was meant to."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of wrk: requests per second, latency in milliseconds, and all it printed."""

    rate: float
    p50_ms: float
    p99_ms: float
    said: str = ""


def wrk(url: str, script: str = "", env: Mapping[str, str] | None = None, seconds: int = SECONDS) -> Load:
    """Drive `url` with 32 connections. Raises BadRun on any answer that is not 2xx or 3xx."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    command += ["-s", str(LOADS / script)] if script else []
    done = subprocess.run(
        [*command, url],
        env=dict(env or {}),
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    if done.returncode or (bad := _BAD.search(done.stdout)) or (bad := _SOCKET.search(done.stdout)):
        raise BadRun(f"{url}: {bad[0] if not done.returncode and bad else done.stderr or done.stdout}")
    found = {share: float(value) * _UNITS[unit] for share, value, unit in _LATENCY.findall(done.stdout)}
    rate = _RATE.search(done.stdout)
    if rate is None:
        raise BadRun(done.stdout)
    return Load(float(rate[1]), found.get("50", 0.0), found.get("99", 0.0), done.stdout)


def pgbench(url: str, limit: str, seconds: int = SECONDS, best_of: int = 3) -> float:
    """Transactions per second of a frozen script, best of three (the limit gets the benefit of the noise)."""
    script = LIMITS / f"{limit}.sql"
    command = [
        _pgbench(),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(CLIENTS),
        "-j",
        "2",
        "-T",
        str(seconds),
        "-f",
        str(script),
        url,
    ]
    rates = []
    for _ in range(best_of):
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        rate = _TPS.search(done.stdout)
        if done.returncode or rate is None:
            raise BadRun(done.stderr or done.stdout)
        rates.append(float(rate[1]))
    return max(rates)


def _pgbench() -> str:
    """The one beside the server, else the machine's, else the wheel's."""
    beside = Path(binaries.find().tool("pgbench"))
    found = str(beside) if beside.is_file() else shutil.which("pgbench")
    if found is None:
        raise BadRun("pgbench is missing: install the package postgresql-contrib or postgresql-client")
    return found


def digest(limit: str) -> str:
    """Digest of a frozen limit: a figure is only comparable with figures against the same one."""
    return hashlib.sha256((LIMITS / f"{limit}.sql").read_bytes()).hexdigest()[:16]
