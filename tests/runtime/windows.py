"""A tiny window of our own, with one endpoint for everything that can happen at one, served over real HTTP."""

import queue
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import requests
from flask import Flask, Request
from pydantic import Field
from sqlalchemy import text
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from backend.kernel.problems import (
    ChannelRefused,
    ChannelSilent,
    Conflict,
    NotFound,
    NotYours,
    TooMany,
    Unauthenticated,
)
from backend.runtime import audience, outbound, web
from backend.runtime.audience import Principal
from backend.runtime.paging import cursor, keys_of
from backend.runtime.surface import Body, Call, Page, Query, RawBody, Surface, Unit
from backend.store.unit import SYSTEM, unit
from tests.store.doors import put

SURFACE = Surface("tiny", "/tiny/v1", audience="citizen", title="试验窗口")
PICTURE = RawBody(max_bytes=64 * 1024, media=("image/png", "image/jpeg"))


class NameTaken(Conflict):
    """Documented at one endpoint only."""

    slug = "test-thing-exists"
    title = "这个名称已经有了，请换一个。"


class Part(Body):
    """A part of a thing."""

    label: str = Field(max_length=10)


class Thing(Body):
    """What may be put."""

    id: str = Field(min_length=1, max_length=20)
    n: int = Field(default=0, ge=0, le=1000)
    weight: float = 0.0
    colour: Literal["red", "blue"] = "red"
    made_on: date | None = None
    parts: list[Part] = Field(default_factory=list, max_length=3)
    form: dict[str, Any] = Field(default_factory=dict)


class Asked(Query):
    """How a list is asked for."""

    limit: int = Field(default=2, ge=1, le=10)
    after: str | None = None


@dataclass(frozen=True)
class Made:
    """The answer; `mark` differs each time that the work is really done."""

    id: str
    mark: str
    by: str = ""


@dataclass(frozen=True)
class Seen:
    """One thing."""

    id: str
    n: int


@dataclass
class Turn:
    """One slow work: it waits until it may end, and then ends as told."""

    trouble: Exception | None = None
    may_end: threading.Event = field(default_factory=threading.Event)


@dataclass
class Work:
    """What really happened behind the window. With `slow` set, whoever calls outside takes a turn there."""

    done: Counter[str] = field(default_factory=Counter)
    trouble: Exception | None = None
    slow: bool = False
    turns: "queue.Queue[Turn]" = field(default_factory=queue.Queue)

    def reset(self) -> None:
        self.done.clear()
        self.trouble, self.slow = None, False

    def outside(self) -> None:
        turn = Turn(self.trouble)
        if self.slow:
            self.turns.put(turn)
            assert turn.may_end.wait(20)
        if turn.trouble is not None:
            raise turn.trouble


WORK = Work()


@SURFACE.post("/things", body=Thing, answers=Made, status=201, problems=(NameTaken,))
def put_thing(call: Call[Thing], u: Unit) -> Made:
    """Put a thing."""
    WORK.done[call.body.id] += 1
    put(u, call.body.id, call.body.n)
    u.note(call.body.id, call.body.id, "put", by=SYSTEM)
    if call.body.id.startswith("taken"):
        raise NameTaken
    return Made(call.body.id, secrets.token_hex(4), call.principal.id)


@SURFACE.post(
    "/calls", body=Thing, answers=Made, problems=(NameTaken, ChannelRefused, ChannelSilent), steps=True
)
def call_outside(call: Call[Thing]) -> Made:
    """Lift the telephone in between."""
    WORK.done[call.body.id] += 1
    number = WORK.done[call.body.id]
    WORK.outside()
    with unit() as u:
        put(u, f"{call.body.id}-{number}")
    return Made(call.body.id, secrets.token_hex(4))


@SURFACE.post("/words", body=Thing, answers=Made, audience="public")
def say_word(call: Call[Thing], u: Unit) -> Made:
    """Anybody may."""
    WORK.done[call.body.id] += 1
    return Made(call.body.id, secrets.token_hex(4), call.ip_digest)


@SURFACE.put("/things/<thing_id>/picture", body=PICTURE, answers=Seen)
def draw(call: Call[bytes], u: Unit, thing_id: str) -> Seen:
    """A body that is not JSON."""
    return Seen(thing_id, len(call.body))


@SURFACE.delete("/things/<thing_id>", status=204)
def remove(call: Call[None], u: Unit, thing_id: str) -> None:
    """Nothing goes in and nothing comes out."""
    WORK.done[thing_id] += 1


@SURFACE.get("/things/<thing_id>", answers=Seen, problems=(NotYours,))
def see(call: Call[None], thing_id: str) -> Seen:
    """One thing of the caller's own."""
    with unit() as u:
        n = u.session.execute(text("SELECT n FROM t_thing WHERE id = :id"), {"id": thing_id}).scalar()
    if n is None or (call.principal.id, thing_id) == ("stranger", "mine"):
        raise NotYours
    return Seen(thing_id, n)


@SURFACE.get("/things", query=Asked, answers=Page[Seen])
def list_things(call: Call[None]) -> Page[Seen]:
    """Page by page, as long as they belong to the caller."""
    keys = keys_of(call.query.after, 1)
    wanted = "SELECT id, n FROM t_thing WHERE name = :who AND id > :after ORDER BY id LIMIT :most"
    values = {"who": call.principal.id, "after": str(keys[0]) if keys else "", "most": call.query.limit + 1}
    with unit() as u:
        rows = u.session.execute(text(wanted), values).all()
    shown = [Seen(row[0], row[1]) for row in rows[: call.query.limit]]
    return Page(tuple(shown), cursor(shown[-1].id) if len(rows) > call.query.limit else None)


@SURFACE.get("/trouble/<kind>", answers=Seen, problems=(TooMany, ChannelRefused, ChannelSilent))
def be_troubled(call: Call[None], kind: str) -> Seen:
    """Whatever can go wrong inside."""
    troubles: dict[str, Exception] = {
        "undocumented": NotFound(),
        "busy": TooMany("太多了。", retry_after=7),
        "bug": KeyError("110105194912310021 13800138000"),
        "silent": outbound.Silent("bank", "no answer"),
        "refused": outbound.Refused("bank", "no", "NOT_ENOUGH"),
    }
    if kind == "range":
        with unit() as u:
            u.session.execute(text("SELECT 10000000000::int"))
    raise troubles[kind]


@SURFACE.post("/locks/<thing_id>", answers=Seen)
def lock(call: Call[None], u: Unit, thing_id: str) -> Seen:
    """Wait for somebody else's lock, but not for ever."""
    u.session.execute(text("SET LOCAL lock_timeout = '200ms'"))
    n = u.session.execute(
        text("SELECT n FROM t_thing WHERE id = :id FOR UPDATE"), {"id": thing_id}
    ).scalar_one()
    return Seen(thing_id, int(n))


def recognise(request: Request) -> Principal:
    """Whoever says a name is believed."""
    name = request.headers.get("X-Person", "")
    if not name:
        raise Unauthenticated
    return Principal("citizen", name)


@contextmanager
def recognising() -> Iterator[None]:
    """Our own way of telling who is asking, in place of the town's."""
    books = (audience._authenticators, audience._problems, audience._folded, audience._standing)
    before = [dict(kept) for kept in books]
    for kept in books:
        kept.clear()
    audience.recognise("citizen", recognise)
    try:
        yield
    finally:
        for kept, was in zip(books, before, strict=True):
            kept.clear()
            kept.update(was)  # type: ignore[arg-type]


def tiny_app(mode: str = "test") -> Flask:
    """The window as a Flask app, with everything that the town puts around one."""
    return web.build([SURFACE], [], mode=mode, ready=lambda: True)


@dataclass(frozen=True)
class Visitor:
    """Somebody at the window, over real HTTP. `key` "" leaves the header away."""

    base_url: str
    name: str = "somebody"

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> requests.Response:
        headers = {"X-Person": self.name} if self.name else {}
        if method not in ("GET", "HEAD", "OPTIONS"):
            headers["Idempotency-Key"] = secrets.token_hex(8) if key is None else key
        headers = {
            name: value for name, value in {**headers, **more.pop("headers", {})}.items() if value != ""
        }
        content = {"json": body} if body is not None else {}
        url = self.base_url + "/tiny/v1" + path
        return requests.request(method, url, headers=headers, timeout=30, **content, **more)

    def put(self, thing_id: str, key: str | None = None, **more: Any) -> requests.Response:
        return self.ask("POST", "/things", {"id": thing_id, **more}, key=key)

    def call(self, thing_id: str, key: str | None = None) -> requests.Response:
        return self.ask("POST", "/calls", {"id": thing_id}, key=key)


def slug(answer: requests.Response) -> str:
    """The kind of problem; it is told as one everywhere."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"]
    assert told["instance"] == f"urn:zhangban:request:{answer.headers['X-Request-Id']}"
    return str(told["type"]).removeprefix("urn:zhangban:problem:")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app on a port of its own."""
    BaseWSGIServer.request_queue_size = 512
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
