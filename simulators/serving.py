"""The server of the outside world: threads, HTTP/1.1 with connections kept, and a long queue at the door.

Werkzeug's server closes every connection, and Python's own answers each kept one 44 ms late (Nagle against delayed
ACK) and lets five callers wait, so that clients which open a connection per call time out. Hence our own bridge.
"""

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from flask import Flask
from werkzeug.wrappers import Response

from simulators.app import create_app
from simulators.world import EXTENSION

_HOST = "127.0.0.1"
_LARGEST_BODY = 2_000_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: "Server"

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self.send_error(413)
        environ = self._environ(self.rfile.read(int(length)))
        response = Response.from_app(self.server.app, environ, buffered=True)
        body = response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name != "Content-Length":
                self.send_header(name, value)
        if response.status_code not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        """Every HTTP verb is served alike."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": _HOST,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
        return environ

    def version_string(self) -> str:
        """Name neither the server nor the language."""
        return "outside-world"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the calls are in the books."""


class Server(ThreadingHTTPServer):
    """Serves one application on 127.0.0.1; port 0 takes any free one (``server_port`` tells)."""

    request_queue_size = 512
    daemon_threads = True
    allow_reuse_address = True
    app: WSGIApplication | Flask

    def __init__(self, port: int) -> None:
        super().__init__((_HOST, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up (a time-out fault makes many) is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextmanager
def opened(
    state_dir: Path | str,
    clock_file: Path | str | None,
    templates_file: Path | str | None,
    product_base_url: str,
    port: int = 0,
) -> Iterator[str]:
    """The outside world served from a thread as long as the block lasts; gives its base URL."""
    server = Server(port)
    base_url = f"http://{_HOST}:{server.server_port}"
    app = create_app(state_dir, clock_file, templates_file, base_url, product_base_url)
    thread = threading.Thread(target=serve, args=(server, app), daemon=True)
    thread.start()
    try:
        yield base_url
    finally:
        server.shutdown()
        thread.join()


def serve(server: Server, app: Flask) -> None:
    """Serve until interrupted or shut down, then close the door and the books."""
    server.app = app
    try:
        server.serve_forever(poll_interval=0.05)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        app.extensions[EXTENSION].close()
