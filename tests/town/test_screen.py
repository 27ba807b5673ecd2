"""The process that tells call screens what has changed, listened to over real sockets."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from town import screen

SITE = "/screen/v1/sites/si-hall/stream"


class Page(ThreadingHTTPServer):
    """A page of the town, with its tag; `away` shuts the door in everybody's face."""

    daemon_threads = True
    state, away, asked, more = "first", False, 0, ""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Page

    def do_GET(self) -> None:
        page = self.server
        page.asked += 1
        if page.away:
            self.close_connection = True
            return
        known = self.path == "/screen/v1/sites/si-hall/calls"
        same = self.headers["If-None-Match"] == f'"{page.state}"'
        body = b"" if same or not known else json.dumps({"state": page.state, "more": page.more}).encode()
        self.send_response(404 if not known else 304 if same else 200)
        self.send_header("ETag", f'W/"{page.state}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Listener:
    """An EventSource, so to speak."""

    def __init__(self, port: int, path: str = SITE, method: str = "GET", **headers: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.line.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.answer = self.line.getresponse()

    @property
    def status(self) -> int:
        return self.answer.status

    def next(self) -> dict[str, str]:
        """The fields of the next event; a comment is the field "" with its text."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        return fields

    def close(self) -> None:
        self.answer.close()
        self.line.close()


@pytest.fixture
def page() -> Iterator[Page]:
    server = Page(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


Open = Callable[..., Listener]


@pytest.fixture
def listen(page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens listeners on a stream for two at most, one from each address behind the proxy."""
    monkeypatch.setattr(screen, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(screen, "HEARTBEAT_S", 0.3)
    stream = screen.Stream(
        screen.Town(f"http://127.0.0.1:{page.server_port}"), most=2, most_each=1, proxies=1
    )
    ready, ports, stop, loop = threading.Event(), [], asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(stream.answer, "127.0.0.1", 0, limit=8192)
        ports.append(server.sockets[0].getsockname()[1])
        watching = asyncio.create_task(stream.watch())
        ready.set()
        await stop.wait()
        watching.cancel()
        server.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread, listeners = threading.Thread(target=run), list[Listener]()
    thread.start()
    assert ready.wait(5)

    def begin(path: str = SITE, **more: str) -> Listener:
        listeners.append(Listener(ports[0], path, **more))
        return listeners[-1]

    yield begin
    for one in listeners:
        one.close()
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
    assert not thread.is_alive()
    stream.town.close()


def soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def told(listener: Listener) -> str:
    """The state in the next event that is not a heartbeat."""
    while "data" not in (event := listener.next()):
        pass
    assert json.loads(event["data"])["state"] == event["id"]
    return event["id"]


def test_a_listener_hears_the_state_and_every_change(listen: Open, page: Page) -> None:
    one, two = listen(X_Forwarded_For="a"), listen(X_Forwarded_For="b")
    assert one.status == 200
    assert one.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert one.answer.headers["Access-Control-Allow-Origin"] == "*"
    assert one.next() == {"retry": "3000"}
    assert (told(one), told(two)) == ("first", "first")
    page.state = "second"
    assert (told(one), told(two)) == ("second", "second")


def test_who_comes_back_hears_only_what_is_new(listen: Open, page: Page) -> None:
    back = listen(Last_Event_ID="first")
    assert back.next() == {"retry": "3000"}
    assert back.next() == {"": ""}, "a heartbeat, for there is nothing new"
    page.state = "second"
    assert told(back) == "second"
    stranger = listen(Last_Event_ID="never heard of", X_Forwarded_For="b")
    assert told(stranger) == "second"


def test_one_look_serves_all_and_none_serves_nobody(listen: Open, page: Page) -> None:
    one = listen()
    told(one)
    soon(lambda: page.asked > 3)
    one.close()
    time.sleep(0.1)
    asked = page.asked
    time.sleep(0.2)
    assert page.asked == asked, "nobody listens, so nobody needs to look"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/screen/v1/sites/si-nowhere/stream", 404),
        ("GET", "/screen/v1/sites/..%2F..%2Fmetrics/stream", 404),
        ("GET", "/mp/v1/me", 404),
        ("POST", SITE, 405),
        ("GET", "/health/live", 200),
    ],
)
def test_only_streams_are_served(listen: Open, method: str, path: str, status: int) -> None:
    answer = listen(path, method=method)
    assert answer.status == status
    assert answer.answer.read() == b""


@pytest.mark.parametrize("head", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 3000 + b"\r\n"])
def test_what_is_no_request_is_refused(listen: Open, head: bytes) -> None:
    port = listen("/health/live").line.port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(head)
        try:
            assert line.recv(100).startswith(b"HTTP/1.1 400")
        except ConnectionResetError:
            assert len(head) > 8192, "it went away before all was said"


def test_who_finds_it_full_is_told_to_come_later(listen: Open) -> None:
    one, two = listen(X_Forwarded_For="a"), listen(X_Forwarded_For="b")
    refused = listen(X_Forwarded_For="c")
    assert (refused.status, refused.answer.headers["Retry-After"]) == (503, "30")
    told(two)
    one.close()
    soon(lambda: listen(X_Forwarded_For="c").status == 200)


def test_one_address_cannot_take_all_the_room(listen: Open) -> None:
    told(listen(X_Forwarded_For="forged, a"))
    assert listen(X_Forwarded_For="another, a").status == 503
    assert listen(X_Forwarded_For="another, b").status == 200


def test_who_reads_nothing_is_hung_up_on(listen: Open, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PATIENCE_S", 0.2)
    hung_up = threading.Event()
    real = screen._hang_up

    async def noticed(writer: asyncio.StreamWriter) -> None:
        await real(writer)
        assert writer.transport.get_write_buffer_size() == 0
        hung_up.set()

    slow = listen(X_Forwarded_For="a")
    told(slow)
    monkeypatch.setattr(screen, "_hang_up", noticed)
    page.more = "x" * 20_000_000  # more than any socket takes by itself
    page.state = "second"
    assert hung_up.wait(5)
    page.more, page.state = "", "third"
    assert listen(X_Forwarded_For="a").status == 200, "the seat is free again"


def test_while_the_town_is_away_listeners_wait(listen: Open, page: Page) -> None:
    one = listen(X_Forwarded_For="a")
    assert told(one) == "first"
    page.away = True
    assert listen("/screen/v1/sites/si-other/stream", X_Forwarded_For="b").status == 503
    page.state, page.away = "second", False
    assert told(one) == "second"
