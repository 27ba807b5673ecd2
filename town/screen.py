"""Server-sent events for the call screens: tells whoever listens when what a hall's screen shows has changed.

A process of its own, because a listener stays for hours and would hold one of the web server's few threads. It is
a single thread of asyncio and knows nothing of the product: once a second it asks the town for each page that
somebody listens to (`/screen/v1/sites/<site>/calls`, 304 while nothing has changed), so it needs neither keys nor
connections to the database, and any number of screens costs one look. Whoever finds it full, or away, reads that
page themselves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import re
import signal
import sys
import urllib.parse
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

LOOK_EVERY_S = 1.0
HEARTBEAT_S = 15.0
LIFE_S = 3600.0
"""Then the listener is let go and comes back by itself: whatever hangs does not hang for ever."""
PATIENCE_S = 5.0
"""For the head of a request, for a listener that does not take what it is sent, and for the town's answer."""
_MOST_HEAD = 8192
_MOST_UNSENT = 65_536
_PATH = re.compile(r"/screen/v1/sites/([A-Za-z0-9-]{1,40})/stream")
_HEADERS = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"
_OPENING = (
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nAccess-Control-Allow-Origin: *\r\n"
    f"X-Accel-Buffering: no\r\n{_HEADERS}\r\nretry: 3000\n\n"
)
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


@dataclass(slots=True)
class Page:
    """What a screen shows now: `tag` names the state of it. `changed` is set when it is no longer so."""

    site: str
    tag: str = ""
    body: bytes = b""
    listeners: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def become(self, tag: str, body: bytes) -> None:
        """Take a new state and wake whoever listens."""
        before, self.changed = self.changed, asyncio.Event()
        self.tag, self.body = tag, body
        before.set()


@dataclass(frozen=True, slots=True)
class Head:
    """What a listener asks for."""

    method: str
    path: str
    headers: dict[str, str]


class Town:
    """The town's web server, asked over one connection that is kept."""

    def __init__(self, base_url: str) -> None:
        parts = urllib.parse.urlsplit(base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._line = kind(parts.netloc, timeout=PATIENCE_S)
        self._thread = ThreadPoolExecutor(1)

    async def look(self, site: str, tag: str) -> tuple[int, str, bytes]:
        """Return status, tag and body of a site's page; status 304 when it still is `tag`. Raises OSError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, site, tag)

    def close(self) -> None:
        """Hang up."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._line.close()

    def _look(self, site: str, tag: str) -> tuple[int, str, bytes]:
        try:
            return self._ask(site, tag)
        except (OSError, http.client.HTTPException):
            self._line.close()  # most often the server let the kept connection go: once more over a new one
        try:
            return self._ask(site, tag)
        except (OSError, http.client.HTTPException) as error:
            self._line.close()
            raise OSError(f"the town does not answer: {error}") from error

    def _ask(self, site: str, tag: str) -> tuple[int, str, bytes]:
        self._line.request("GET", f"/screen/v1/sites/{site}/calls", headers={"If-None-Match": f'"{tag}"'})
        answer = self._line.getresponse()
        body = answer.read()
        return answer.status, (answer.headers["ETag"] or "").removeprefix("W/").strip('"'), body


class Stream:
    """Listeners, and the pages they listen to."""

    def __init__(self, town: Town, *, most: int, most_each: int, proxies: int) -> None:
        self.town, self._most, self._most_each, self._proxies = town, most, most_each, proxies
        self._pages: dict[str, Page] = {}
        self._by_address: Counter[str] = Counter()
        self._open = 0

    async def watch(self) -> None:
        """Look at every page that has listeners, again and again; while the town is away nothing changes."""
        while True:
            for page in [page for page in self._pages.values() if page.listeners]:
                with contextlib.suppress(OSError):
                    await self._refresh(page)
            await asyncio.sleep(LOOK_EVERY_S)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if self._open > 2 * self._most:  # so many that there is no telling them so
            writer.close()
            return
        self._open += 1
        writer.transport.set_write_buffer_limits(high=_MOST_UNSENT)
        try:
            head = await asyncio.wait_for(_read_head(reader), PATIENCE_S)
            await self._serve(head, reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            writer.transport.abort()  # whoever listened is gone, takes nothing, or never said what they wanted
        finally:
            await _hang_up(writer)
            self._open -= 1

    async def _serve(
        self, head: Head | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked = _PATH.fullmatch(head.path) if head else None
        if head is None or head.method != "GET":
            await _refuse(writer, 405 if head else 400)
        elif head.path == "/health/live":
            await _refuse(writer, 200)
        elif asked is None:
            await _refuse(writer, 404)
        else:
            await self._listen(asked[1], head, reader, writer)

    async def _listen(
        self, site: str, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = self._address_of(head, writer)
        full = self._by_address.total() >= self._most or self._by_address[address] >= self._most_each
        if full:
            await _refuse(writer, 503)
            return
        async with self._seat(site, address) as page:
            status = await self._first_look(page)
            if status != 200:
                await _refuse(writer, status)
                return
            await _send(writer, _OPENING.encode())
            await _tell(page, head.headers.get("last-event-id", ""), reader, writer)

    @contextlib.asynccontextmanager
    async def _seat(self, site: str, address: str) -> AsyncIterator[Page]:
        page = self._pages.setdefault(site, Page(site))
        page.listeners += 1
        self._by_address[address] += 1
        try:
            yield page
        finally:
            page.listeners -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            if not page.listeners:
                self._pages.pop(site, None)

    async def _first_look(self, page: Page) -> int:
        if page.tag:
            return 200
        try:
            return await self._refresh(page)
        except OSError:
            return 503

    async def _refresh(self, page: Page) -> int:
        status, tag, body = await self.town.look(page.site, page.tag)
        if status == 200 and tag != page.tag:
            page.become(tag, body)
        if status in (200, 404):
            return status
        return 200 if page.tag else 503

    def _address_of(self, head: Head, writer: asyncio.StreamWriter) -> str:
        """Return the address of the listener; `proxies` of our own each added the one they were called from."""
        named = [part.strip() for part in head.headers.get("x-forwarded-for", "").split(",")]
        if 0 < self._proxies <= len(named):
            return named[-self._proxies]
        return str(writer.get_extra_info("peername", ("?",))[0])


async def serve(stream: Stream, host: str, port: int) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_server(stream.answer, host, port, limit=_MOST_HEAD)
    watching = asyncio.create_task(stream.watch())
    await asyncio.wait((watching, asyncio.create_task(stop.wait())), return_when=asyncio.FIRST_COMPLETED)
    server.close()
    stream.town.close()
    if watching.done():
        watching.result()  # a watch that ended has failed: let the supervisor see how


async def _tell(page: Page, sent: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send every state of the page but the one the listener has, until the listener goes or time is up."""
    loop = asyncio.get_running_loop()
    until, gone = loop.time() + LIFE_S, asyncio.create_task(reader.read(1))
    try:
        while loop.time() < until and not gone.done():
            changed = asyncio.create_task(page.changed.wait())
            if page.tag != sent:
                sent = page.tag
                await _send(writer, b"id: %s\ndata: %s\n\n" % (sent.encode(), page.body))
            await asyncio.wait((changed, gone), timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if not changed.done():
                await _send(writer, b":\n\n")
            changed.cancel()
    finally:
        gone.cancel()


async def _read_head(reader: asyncio.StreamReader) -> Head | None:
    """Return the head of a request; None when it is none, or longer than any of ours."""
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        return None
    first, *lines = text.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Head(words[0], words[1].partition("?")[0], headers)


async def _refuse(writer: asyncio.StreamWriter, status: int) -> None:
    later = "Retry-After: 30\r\n" if status == 503 else ""
    text = f"HTTP/1.1 {status} {_REASONS[status]}\r\nAccess-Control-Allow-Origin: *\r\n{later}{_HEADERS}"
    await _send(writer, f"{text}Content-Length: 0\r\n\r\n".encode())


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await asyncio.wait_for(writer.drain(), PATIENCE_S)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close, after what is still unsent or after some seconds: who reads nothing is not waited for."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), PATIENCE_S)
    writer.transport.abort()


def main() -> int:
    """Read the wishes and serve."""
    wish = _parser().parse_args()
    stream = Stream(Town(wish.town), most=wish.most, most_each=wish.most_each, proxies=wish.proxies)
    asyncio.run(serve(stream, wish.host, wish.port))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("town.screen", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--town", required=True, help="address of the web server")
    parser.add_argument("--most", type=int, default=200, help="listeners at once")
    parser.add_argument("--most-each", type=int, default=50, help="listeners at once from one address")
    parser.add_argument("--proxies", type=int, default=0, help="proxies of our own before it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
