"""The stage of a benchmark: a durable throw-away PostgreSQL, the product under its server, a bare route beside it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

import simulators
from backend.kernel import clock
from backend.migrations import commands as schema
from backend.runtime.settings import database_url, new_keys_document, settings
from backend.store import engine, vault
from backend.store.unit import run_unit
from town import places, postgres

WORKERS, THREADS = 2, 4
# What a city would give a server of this size; durability stays at PostgreSQL's default on both sides.
DATABASE_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "max_connections": "100"}
READY_S = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the product (`web_url`), the bare route (`bare_url`) and the database are."""

    web_url: str
    bare_url: str
    database_url: str
    folder: Path

    @property
    def providers(self) -> Path:
        """Where the simulators keep their papers and books."""
        return self.folder / "providers"


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Build the stage, lend it, take it down."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhangban-bench-")))
        server = stack.enter_context(postgres.temporary(durable=True, settings=DATABASE_SETTINGS))
        _bind(folder, server.url)
        web, bare = postgres.free_port(), postgres.free_port()
        stack.enter_context(_serving("wsgi:app", web, "/health/ready"))
        stack.enter_context(_serving("benchmarks.bare:app", bare, "/bare"))
        yield Stage(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{bare}/bare", server.url, folder)


@contextlib.contextmanager
def on_a_moved_clock(place: Stage) -> Iterator[str]:
    """A second web server whose business clock is moved together with this process's own; lends its address."""
    file, port = place.folder / "clock.json", postgres.free_port()
    os.environ["TOWN_CLOCK_FILE"] = str(file)
    clock.use_file(file)
    try:
        with _serving("wsgi:app", port, "/health/ready"):
            yield f"http://127.0.0.1:{port}"
    finally:
        clock.reset()
        clock.use_file(None)
        del os.environ["TOWN_CLOCK_FILE"]


@contextlib.contextmanager
def with_providers(place: Stage) -> Iterator[tuple[str, str]]:
    """A second web server that knows the simulators as its providers; lends its address and theirs."""
    web, outside = (f"http://127.0.0.1:{postgres.free_port()}" for _ in range(2))
    papers = simulators.issue_credentials(place.providers, outside) | {
        "PUBLIC_BASE_URL": web,
        "TEMPLATES_FILE": str(places.CHECKOUT / "data" / "templates.json"),
    }
    before = {name: os.environ.get(name) for name in papers}
    os.environ.update(papers)
    settings.cache_clear()
    try:
        with _serving("wsgi:app", int(web.rpartition(":")[2]), "/health/ready"):
            yield web, outside
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        settings.cache_clear()


def _bind(folder: Path, url: str) -> None:
    """Point this process, and the servers that inherit its environment, at the throw-away database."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps(new_keys_document()), "utf-8")
    os.environ.update(
        TOWN_MODE="demo",
        TOWN_STATE_DIR=str(folder),
        TOWN_KEYS_FILE=str(keys),
        DATABASE_URL=url,
        DATABASE_POOL=str(THREADS),
        UPLOADS_DIR=str(folder / "uploads"),
        PROMETHEUS_MULTIPROC_DIR=str(_made(folder / "metrics")),
    )
    settings.cache_clear()
    clock.use_file(None)
    engine.bind(database_url(url), pool=THREADS)
    vault.use_masters(settings().keys.masters)
    schema.migrate()
    run_unit(lambda u: vault.unlock(u.session))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextlib.contextmanager
def _serving(target: str, port: int, path: str) -> Iterator[None]:
    command = [sys.executable, "-m", "town.web", "--port", str(port), "--workers", str(WORKERS)]
    command += ["--threads", str(THREADS), "--target", target]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}{path}")
            yield
        finally:
            process.terminate()
            process.wait(timeout=15)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    until = clock.monotonic() + READY_S
    while clock.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server of {url} ended with {process.returncode}")
        with contextlib.suppress(requests.RequestException, socket.error):
            if requests.get(url, timeout=2).ok:
                return
        clock.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {READY_S:.0f} s")
