"""`make run`: opens the town on this machine and keeps it open until Ctrl-C."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from town import book, bootstrap, environment, opening, places, postgres, processes, supervisor, table
from town.book import Book
from town.environment import Plan
from town.opening import Steps
from town.supervisor import Bell, Child, Supervisor
from town.trouble import Trouble, told

_READY_SECONDS = 120.0
_FIRST_PAGE_SECONDS = 30.0
_CELERY = ("-m", "celery", "-A", "wsgi:celery_app")
_WORKER = (*_CELERY, "worker", "-P", "solo", "--without-gossip", "--without-mingle")


def main() -> int:
    """Open the town, keep it, close it. Raises Trouble."""
    begun = time.monotonic()
    bootstrap.inside("town.run")
    bell = Bell()
    processes.leave_with_make()
    wanted = environment.plan()
    with book.kept(wanted.state_dir) as entry:
        try:
            _keep_open(wanted, entry, bell, begun)
        except KeyboardInterrupt:
            say("closed before it was open; the data is kept")
    return 0


def say(sentence: str) -> None:
    """Print one line for the person at the terminal, if there still is one."""
    with contextlib.suppress(OSError):
        print(f"zhangban: {sentence}", flush=True)


def _keep_open(wanted: Plan, entry: Book, bell: Bell, begun: float) -> None:
    steps = opening.Steps(wanted, bell, say)
    if wanted.is_production:
        opening.check_production(steps, wanted)
    environment.check_ports(wanted)
    keeper = Supervisor(bell, say, lambda pids: _note_children(entry, pids))
    try:
        started_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry.write(state="opening", started_at=started_at, addresses=table.addresses(wanted))
        accounts = _open_doors(wanted, entry, keeper, steps)
        entry.write(state="open", accounts=accounts)
        print(table.drawn(wanted, accounts, time.monotonic() - begun), flush=True)
        keeper.watch(lambda: False)
    finally:
        say("closing")
        keeper.close()
        say(f"closed; the data is kept in {wanted.state_dir}")


def _open_doors(wanted: Plan, entry: Book, keeper: Supervisor, steps: Steps) -> dict[str, Any]:
    """Start everything and wait until the town is ready; return the demo accounts.

    The web server takes longest to start and its first page is what people wait for: when the database is known
    to be as it should, the server starts even before the database does, and all others after the first page.
    """
    credentials = opening.credentials(steps, wanted)
    database_url, database = _database(wanted)
    settings = environment.settings(wanted, database_url, credentials)
    _note_settings(entry, wanted, settings)
    _clear_folders(wanted.state_dir)
    web, others = _children(wanted, settings)
    accounts = opening.prepared_before(wanted)
    if accounts is None:
        keeper.add(*database)
        accounts = opening.prepare(steps, wanted, settings)
        keeper.add(web)
    else:
        keeper.add(web, *database)
    keeper.watch(lambda: _answers(wanted, "/health/live"), _FIRST_PAGE_SECONDS)
    keeper.add(*others)
    _await(keeper, lambda: _answers(wanted, "/health/ready") and _listens(wanted), wanted)
    return accounts


def _database(wanted: Plan) -> tuple[str, list[Child]]:
    """Return the database's address, and the server to start unless the user brought one."""
    if not wanted.embeds_database:
        return wanted.given["DATABASE_URL"], []
    home = places.database_home()
    if not (home / "data").exists():
        say("making the database")
    port, url = postgres.promise(home)
    server = Child(
        "postgres",
        lambda: postgres.start(home, port=port).process,
        home / "postgres.log",
        closes=9,
        stop_signal=signal.SIGINT,
        patience=15,
    )
    return url, [server]


def _children(wanted: Plan, settings: dict[str, str]) -> tuple[Child, list[Child]]:
    """Return the web server, and all others."""
    state, full = wanted.state_dir, environment.complete(settings)

    def child(name: str, *words: str, closes: int = 1) -> Child:
        log = state / "logs" / f"{name}.log"
        command = [sys.executable, *words]
        return Child(name, lambda: supervisor.spawn(command, full, log, places.CHECKOUT), log, closes)

    given = wanted.given
    web = child(
        "web", "-m", "town.web", f"--host={wanted.host}", f"--port={wanted.web_port}",
        f"--workers={given.get('WEB_WORKERS') or 2}", f"--threads={given.get('WEB_THREADS') or 4}", closes=0,
    )  # fmt: skip
    simulators = child(
        "simulators", "-m", "simulators", f"--port={wanted.sim_port}", f"--state={state / 'simulators'}",
        f"--base-url={wanted.sim_url}", f"--clock={settings.get('TOWN_CLOCK_FILE', '')}",
        f"--templates={settings['TEMPLATES_FILE']}", f"--product-base-url={wanted.web_url}", closes=2,
    )  # fmt: skip
    screen = child(
        "screen", "-m", "town.screen", f"--host={wanted.host}", f"--port={wanted.screen_port}",
        f"--town={wanted.web_url}", f"--proxies={given.get('TRUSTED_PROXIES') or 0}",
    )  # fmt: skip
    schedule = f"--schedule={state / 'schedule'}"
    rest = [
        screen,
        child("worker", *_WORKER, "-Q", "chores", "-n", "chores@%h"),
        child("relay", *_WORKER, "-Q", "relay", "-n", "relay@%h"),
        child("messages", *_WORKER, "-Q", "messages", "-n", "messages@%h"),
        child("statements", *_WORKER, "-Q", "statements", "-n", "statements@%h"),
        child("scheduler", *_CELERY, "beat", "--pidfile=", schedule, closes=0),
    ]
    return web, [*([simulators] if wanted.simulates else []), *rest]


def _await(keeper: Supervisor, is_ready: Callable[[], bool], wanted: Plan) -> None:
    """Wait for readiness; Trouble when a child keeps dying or the time is up."""
    if keeper.watch(lambda: bool(keeper.keeps_dying()) or is_ready(), _READY_SECONDS):
        lost = keeper.keeps_dying()
        if lost is None:
            return
        raise Trouble(f"{lost.name} does not stay alive: see {lost.log}, then run again")
    if keeper.was_rung:
        raise KeyboardInterrupt
    logs = wanted.state_dir / "logs"
    raise Trouble(f"the town is not ready after {_READY_SECONDS:g} s: see {logs}, then run again")


def _answers(wanted: Plan, path: str) -> bool:
    host = "127.0.0.1" if wanted.host == "0.0.0.0" else wanted.host
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(host, wanted.web_port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    return False


def _listens(wanted: Plan) -> bool:
    """Whether the simulators, if there are any, take calls."""
    if not wanted.simulates:
        return True
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", wanted.sim_port)) == 0


def _note_settings(entry: Book, wanted: Plan, settings: dict[str, str]) -> None:
    entry.write(
        environment=settings,
        database_url=settings["DATABASE_URL"],
        keys_file=settings["TOWN_KEYS_FILE"],
        clock_file=settings.get("TOWN_CLOCK_FILE"),
        logs_dir=str(wanted.state_dir / "logs"),
    )


def _note_children(entry: Book, pids: dict[str, int]) -> None:
    ticks = {name: {"pid": pid, "tick": processes.started_at(pid)} for name, pid in pids.items()}
    entry.write(children=pids, children_ticks=ticks)


def _clear_folders(state_dir: Path) -> None:
    """Wake-ups and figures of the last opening mean nothing now; nothing else lies in these folders."""
    for name in ("broker", "metrics"):
        shutil.rmtree(state_dir / name, ignore_errors=True)
        places.made(state_dir / name, 0o700)
    places.made(state_dir / "uploads", 0o700)


if __name__ == "__main__":
    sys.exit(told(main))
