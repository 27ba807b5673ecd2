"""A whole small town for tests: real PostgreSQL, the product over real HTTP, the simulators over real HTTP."""

import json
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

_stack = ExitStack()
# These machines are noisy: how long an example takes says nothing about the code.
hypothesis.settings.register_profile("town", deadline=None)
hypothesis.settings.load_profile("town")


class _QuietHandler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive; silent, and without the 44 ms of a delayed ACK."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def _free_port() -> int:
    server = make_server("127.0.0.1", 0, lambda *_: [])
    port = server.port
    server.server_close()
    return int(port)


@contextmanager
def _serving(app: Any, port: int) -> Iterator[str]:
    BaseWSGIServer.request_queue_size = 512
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Town:
    """Addresses of the open town, and the folder it keeps its things in."""

    base_url: str
    sim_url: str
    state_dir: Path
    database_url: str

    def control(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """Talk to the simulators' control API; returns the JSON answer."""
        response = requests.request(method, f"{self.sim_url}/control{path}", json=body, timeout=20)
        assert response.ok, f"control {path}: {response.status_code} {response.text[:300]}"
        return response.json() if response.content else None

    def books(self, provider: str) -> Any:
        """Everything a provider remembers."""
        return self.control(f"/books/{provider}", method="GET")


def _database() -> str:
    """A database of our own on the given server, or on a throw-away one."""
    from town import postgres

    given = os.environ.get("TEST_DATABASE_URL")
    name = f"t_{os.getpid()}_{secrets.token_hex(3)}"
    if not given:
        server = _stack.enter_context(postgres.temporary(durable=False))
        return str(server.create_database(name))
    import psycopg

    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
    return given.rsplit("/", 1)[0] + "/" + name


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before any module of the product is imported."""
    state = Path(_stack.enter_context(tempfile.TemporaryDirectory(prefix="zhangban-test-")))
    os.environ.update(
        TOWN_MODE="test",
        TOWN_STATE_DIR=str(state),
        TOWN_CLOCK_FILE=str(state / "clock.json"),
        UPLOADS_DIR=str(state / "uploads"),
        TOWN_KEYS_FILE=str(state / "keys.json"),
        DATABASE_POOL="20",
        CODES_PER_ADDRESS="1000000",  # all the visitors of all tests come from one address
        LOGINS_PER_ADDRESS="1000000",
        LOOKUPS_PER_ADDRESS="1000000",
        BROKER_URL="memory://",
    )
    from backend.runtime.settings import new_keys_document

    (state / "keys.json").write_text(json.dumps(new_keys_document()), "utf-8")


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """URL of a fresh database with all tables, bound to the store."""
    import backend.tables  # noqa: F401
    from backend.kernel import clock
    from backend.store import engine, vault
    from backend.store.schema import create_all

    url = _database()
    os.environ["DATABASE_URL"] = url
    from backend.runtime.settings import settings

    settings.cache_clear()
    clock.use_file(os.environ["TOWN_CLOCK_FILE"])
    engine.bind(settings().town.database_url, pool=20)
    vault.use_masters(settings().keys.masters)
    create_all()
    yield url
    engine.engine().dispose()


@pytest.fixture(scope="session")
def town(database: str) -> Iterator[Town]:
    """The open town: product and simulators over real HTTP in this process."""
    import simulators

    state = Path(os.environ["TOWN_STATE_DIR"])
    web_port, sim_port = _free_port(), _free_port()
    base_url, sim_url = f"http://127.0.0.1:{web_port}", f"http://127.0.0.1:{sim_port}"
    os.environ["PUBLIC_BASE_URL"] = base_url
    (state / "sim").mkdir(exist_ok=True)
    os.environ.update(simulators.issue_credentials(state / "sim", sim_url))
    from backend.runtime.settings import settings

    settings.cache_clear()
    outside = simulators.create_app(
        state / "sim", state / "clock.json", Path("data/templates.json"), sim_url, base_url
    )
    import wsgi

    with _serving(outside, sim_port), _serving(wsgi.app, web_port):
        yield Town(base_url, sim_url, state, database)


@pytest.fixture(autouse=True)
def _own_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins in the present and with providers that nobody gave up on."""
    from backend.kernel import clock
    from backend.runtime import outbound

    outbound.reset_breakers()
    yield
    if "database" in request.fixturenames:
        clock.reset()
