"""The embedded PostgreSQL: a server of our own on 127.0.0.1, with a password, that ends when we end.

`start` opens the town's database, `temporary` a throw-away one for tests and benchmarks. Durability stays at
PostgreSQL's default unless the throw-away kind is asked for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from town import binaries, cluster, places, processes
from town.binaries import Binaries
from town.trouble import Trouble

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_BEST_BEFORE = 20 * 1024 * 1024
_FAST_AND_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_OWNER_FILE = "owner"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `url` is a libpq URL that SQLAlchemy, psql and pgbench all take."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int
    password: str
    binaries: Binaries

    @property
    def url(self) -> str:
        """The address of the town's database on this server."""
        return self.url_of(cluster.DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of one database on this server."""
        return _url(self.password, self.port, database)

    def create_database(self, name: str) -> str:
        """Create an empty database and return its address; Trouble if that fails."""
        return _create_database(self, name)

    def stop(self) -> None:
        """Close all connections and shut down cleanly; harmless when the server is already gone."""
        processes.end(self.process, signal.SIGINT, _STOP_SECONDS, signal.SIGQUIT)


def _url(password: str, port: int, database: str) -> str:
    return f"postgresql://{cluster.USER}:{password}@127.0.0.1:{port}/{database}"


def start(
    home: Path | None = None, settings: Mapping[str, str] | None = None, port: int | None = None
) -> Server:
    """Start the server of `home` (default: the town's own), making its data directory the first time.

    Call it from a thread that lives as long as the server shall. Without `port` a free one is taken.
    Raises Trouble with the way out.
    """
    home = _prepared(home or places.database_home())
    with _one_at_a_time(home):
        found, password = _cluster_of(home, durable=True)
        _clear_stale(home)
        return _started(home, found, password, settings or {}, port)


def promise(home: Path) -> tuple[int, str]:
    """Return a port, and the address that `start(home, port=...)` will have: others may be told beforehand.

    Makes the data directory the first time. Raises Trouble with the way out.
    """
    with _one_at_a_time(_prepared(home)):
        password = _cluster_of(home, durable=True)[1]
    port = free_port()
    return port, _url(password, port, cluster.DATABASE)


def remove(home: Path) -> None:
    """Throw a closed database away, keys and all; harmless when there is none."""
    shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def temporary(*, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Lend a throw-away server and remove every trace of it afterwards, whatever happened meanwhile.

    Without `durable` nothing is flushed to disk: right for tests, wrong for benchmarks.
    What a killed process left behind is removed by the next call.
    """
    parent = _parent_of_temporary()
    _sweep(parent)
    home = _prepared(Path(tempfile.mkdtemp(prefix="zhangban-postgres-", dir=parent)))
    (home / _OWNER_FILE).write_text(f"{os.getpid()} {processes.started_at(os.getpid())}", encoding="ascii")
    server: Server | None = None
    try:
        found, password = _cluster_of(home, durable=durable)
        careless = {} if durable else _FAST_AND_CARELESS
        server = _started(home, found, password, {**careless, **(settings or {})})
        yield server
    finally:
        if server:
            processes.end(server.process, signal.SIGINT if durable else signal.SIGQUIT, _STOP_SECONDS)
        remove(home)


def _prepared(home: Path) -> Path:
    return places.made_for_all(home) if places.is_root() else places.made(home, 0o700)


def _parent_of_temporary() -> Path:
    return (
        places.made_for_all(places.COMMON / "temporary") if places.is_root() else Path(tempfile.gettempdir())
    )


def _sweep(parent: Path) -> None:
    for home in parent.glob("zhangban-postgres-*"):
        with contextlib.suppress(OSError, ValueError):
            pid, tick = (home / _OWNER_FILE).read_text(encoding="ascii").split()
            if not processes.is_same(int(pid), tick):
                shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    with (home / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cluster_of(home: Path, *, durable: bool) -> tuple[Binaries, str]:
    data = home / "data"
    if not data.exists():
        found = binaries.find()
        return found, cluster.make(home, found, durable=durable)
    owner = places.POSTGRES_UID if places.is_root() else os.geteuid()
    if data.stat().st_uid != owner:
        raise Trouble(f"{data} is not user {owner}'s: run as user {data.stat().st_uid}, or remove it")
    try:
        version = int((data / "PG_VERSION").read_text(encoding="ascii"))
        password = (home / "password").read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise Trouble(_begin_anew(f"{data} is not a database of this town")) from error
    return binaries.find(version), password


def _begin_anew(what: str) -> str:
    return f"{what}: put back a good copy, or remove the town's data with `make clean` and run again"


def _clear_stale(home: Path) -> None:
    """After a kill -9: wait for a server that is still going down, and remove the pid file of a dead one."""
    pid_file = home / "data" / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if _serves(pid, home / "data"):
        os.kill(pid, signal.SIGINT)
        if not processes.wait_gone(pid, _STOP_SECONDS):
            raise Trouble(f"another PostgreSQL (process {pid}) serves {home}: stop it and run again")
    pid_file.unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    """A server stands in its data directory; a process that only inherited the number does not."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == data.resolve()
    except OSError:
        return False


def _started(
    home: Path, found: Binaries, password: str, settings: Mapping[str, str], fixed: int | None = None
) -> Server:
    log = home / "postgres.log"
    if log.exists() and log.stat().st_size > _BEST_BEFORE:
        log.replace(log.with_suffix(".log.1"))
    for _ in range(5):
        port = fixed or free_port()
        begun = log.stat().st_size if log.exists() else 0
        server = Server(_spawn(home, found, port, settings), home, port, password, found)
        try:
            if _is_ready(server):
                _ensure_database(server)
                return server
            server.stop()
        except BaseException:
            server.stop()
            raise
        said = _tail(log, begun)
        if "in use" not in said:  # the port was taken meanwhile, or an old backend is still leaving
            break
        time.sleep(0.5)
    raise Trouble(_begin_anew(f"PostgreSQL does not start ({_reason(said)}; all of it is in {log})"))


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(home: Path, found: Binaries, port: int, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",  # their paths may hold 107 bytes, and ours may be long and Chinese
        "logging_collector": "off",
        "log_destination": "stderr",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **settings,
    }
    command = [found.tool("postgres"), "-D", str(home / "data")]
    with (home / "postgres.log").open("ab") as log:
        server: subprocess.Popen[bytes] = subprocess.Popen(
            [*command, *(word for name, value in options.items() for word in ("-c", f"{name}={value}"))],
            cwd="/",
            env=cluster.clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=processes.bound_to_parent(signal.SIGINT),
            **cluster.server_identity(),  # type: ignore[call-overload]
        )
    return server


def _is_ready(server: Server) -> bool:
    """Wait for the eighth line of postmaster.pid, where the server writes its own state."""
    deadline = time.monotonic() + _START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            lines = (server.home / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            if len(lines) > 7 and lines[0] == str(server.process.pid) and lines[7].strip() == "ready":
                return True
        time.sleep(0.02)
    return False


def _ensure_database(server: Server) -> None:
    mark = server.home / "created"
    if not mark.exists():
        _create_database(server, cluster.DATABASE)
        mark.touch()


def _create_database(server: Server, name: str) -> str:
    answer = subprocess.run(
        [server.binaries.tool("createdb"), "-h", "127.0.0.1", "-p", str(server.port), "-U", cluster.USER,
         "--maintenance-db=postgres", name],
        env={**cluster.clean_environment(), "PGPASSWORD": server.password, "HOME": "/"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode and "already exists" not in answer.stderr:
        raise Trouble(f"cannot create the database {name}: {answer.stderr.strip()}")
    return server.url_of(name)


def _tail(log: Path, begun: int) -> str:
    with log.open("rb") as file:
        file.seek(begun)
        return file.read()[-4000:].decode("utf-8", "replace")


def _reason(said: str) -> str:
    lines = said.splitlines()
    grave = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return (grave or lines or ["it said nothing"])[-1].rpartition(":  ")[2]
