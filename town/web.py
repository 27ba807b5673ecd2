"""The web server: Granian with a few processes that were forked after the product had been imported once.

A process forked by Granian is bound to its parent like every other child, so that a killed web server frees its port.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import multiprocessing
from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from town import processes

TARGET = "wsgi:app"


def main() -> None:
    """Serve until told to stop."""
    wish = _parser().parse_args()
    gc.disable()  # importing makes much and drops little
    load(wish.target)
    gc.freeze()  # what was imported stays, and stays shared by the forked processes
    gc.enable()
    gc.set_threshold(20_000, 20, 20)  # a request leaves few cycles behind; looking for them is what costs
    multiprocessing.set_start_method("fork")  # the others would import the product once per process
    processes.bind_forks()
    server = Server(
        wish.target,
        address=wish.host,
        port=wish.port,
        interface=Interfaces.WSGI,
        workers=wish.workers,
        blocking_threads=wish.threads,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=4,
    )
    server.serve(target_loader=load)


def load(target: str) -> Callable[..., Any]:
    """Return the WSGI app named by `module:attribute`."""
    module, _, attribute = target.partition(":")
    app: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return app


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("town.web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--target", default=TARGET)
    return parser


if __name__ == "__main__":
    main()
