"""Windows: how a function becomes an endpoint with an audience, a schema and one translation of its problems.

    mp = Surface("mp", "/mp/v1", audience="citizen", title="...")

    @mp.post("/cases", body=SubmitCase, answers=CaseReceipt, status=201, problems=(ItemNotPublished,))
    def submit(call: Call[SubmitCase], u: Unit) -> CaseReceipt: ...

A POST (PUT, PATCH, DELETE) runs in one unit together with its Idempotency-Key; one declared with `steps=True`
opens its own units because it calls outside in between. A GET with `folded=True` looks at the caller's session
in its own statement and raises SessionEnded itself: one round trip on the hot path. A `gate` may refuse a call
before anything is done for it, a repeated one too. `asks` says the first question of a write on the hot path, which
travels with the claim of its key. The OpenAPI document is made from the same declarations.
"""

import functools
import hashlib
import inspect
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import orjson
from flask import Blueprint, Request, Response, g

from backend.kernel.problems import Problem
from backend.runtime import answers, audience, bodies
from backend.runtime.answers import Kept, Key
from backend.runtime.audience import Principal
from backend.runtime.bodies import Body, Day, Moment, Query, RawBody
from backend.runtime.paging import Page
from backend.store.unit import Question, Unit, run_unit

__all__ = [
    "Body",
    "Call",
    "Day",
    "Moment",
    "Page",
    "Query",
    "Question",
    "RawBody",
    "Route",
    "Surface",
    "Unit",
]

B = TypeVar("B")
F = TypeVar("F", bound=Callable[..., Any])
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """One request, read and recognised. `device` and `ip_digest` name the caller's device without storing it.

    `address` is where it comes from, for a provider that must be told; nobody keeps it.
    """

    principal: Principal
    body: B
    query: Any
    key: str
    request_id: str
    device: str
    ip_digest: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """What an endpoint promises; the OpenAPI document is read from these.

    `media`: it answers files or pages of these types. `device`: it looks at the X-Device-Id. `more` is what its
    docstring says after the first line.
    """

    method: str
    path: str
    name: str
    summary: str
    more: str
    audience: str
    status: int
    answers: Any
    media: tuple[str, ...]
    body: type[Body] | RawBody | None
    query: type[Query] | None
    problems: tuple[type[Problem], ...]
    steps: bool
    folded: bool
    device: bool
    keep: timedelta
    gate: Callable[[Call[Any]], None] | None
    asks: Callable[..., Question | None] | None
    run: Callable[..., Any]

    @property
    def writes(self) -> bool:
        return self.method != "GET"


class Surface:
    """A family of endpoints under one prefix for one audience."""

    def __init__(self, name: str, prefix: str, *, audience: str, title: str) -> None:
        self.name, self.prefix, self.audience, self.title = name, prefix, audience, title
        self.routes: list[Route] = []

    def get(self, path: str, **promises: Any) -> Callable[[F], F]:
        return self._declare("GET", path, **promises)

    def post(self, path: str, **promises: Any) -> Callable[[F], F]:
        return self._declare("POST", path, **promises)

    def put(self, path: str, **promises: Any) -> Callable[[F], F]:
        return self._declare("PUT", path, **promises)

    def patch(self, path: str, **promises: Any) -> Callable[[F], F]:
        return self._declare("PATCH", path, **promises)

    def delete(self, path: str, **promises: Any) -> Callable[[F], F]:
        return self._declare("DELETE", path, **promises)

    def blueprint(self) -> Blueprint:
        """The Flask side of this surface."""
        blueprint = Blueprint(self.name, __name__, url_prefix=self.prefix)
        for route in self.routes:
            blueprint.add_url_rule(route.path, route.name, _view(route), methods=[route.method])
        return blueprint

    def _declare(
        self, method: str, path: str, *, answers: Any = None, status: int = 200, body: Any = None,
        query: Any = None, problems: tuple[type[Problem], ...] = (), audience: str | None = None,
        media: tuple[str, ...] = (), device: bool = False, steps: bool = False, folded: bool = False,
        keep: timedelta | None = None,
        gate: Callable[[Call[Any]], None] | None = None, asks: Callable[..., Question | None] | None = None,
    ) -> Callable[[F], F]:  # fmt: skip
        who = audience or self.audience

        def enrol(function: F) -> F:
            self.routes.append(
                Route(
                    method=method,
                    path=path,
                    name=_name(function),
                    summary=_first_line(function),
                    more=_other_lines(function),
                    audience=who,
                    status=status,
                    answers=answers,
                    media=media,
                    body=body,
                    query=query,
                    problems=problems,
                    steps=steps,
                    folded=folded,
                    device=device,
                    keep=keep or _life(who),
                    gate=gate,
                    asks=asks,
                    run=function,
                )
            )
            return function

        return enrol


def _life(who: str) -> timedelta:
    """Answers to strangers may hold tokens: they are kept just long enough for a weak network to repeat."""
    return answers.PUBLIC_LIFE if who == "public" else answers.LIFE


def _name(function: Callable[..., Any]) -> str:
    """Story and verb: unique on a surface, and stable, because clients' generators name their methods by it."""
    return f"{function.__module__.rpartition('.')[2]}_{function.__name__}"


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").strip().split("\n", 1)[0]


def _other_lines(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "").partition("\n")[2].strip()


def _view(route: Route) -> Callable[..., Response]:
    one_unit = route.writes and not route.steps

    def view(**path: str) -> Response:
        g.route, asked = route, bodies.current_request()
        folded = route.folded or (one_unit and audience.confirms_later(route.audience))
        principal = audience.principal_of(route.audience, asked, folded=folded)
        call = _call(route, principal, asked)
        if route.gate is not None:
            route.gate(call)
        if not route.writes:
            return _read(route, route.run(call, **path), asked)
        key = _key(route, principal, asked)
        kept = _in_one_unit(route, key, call, path) if one_unit else _in_steps(route, key, call, path)
        return Response(kept.body, kept.status, mimetype=JSON)

    return view


def _call(route: Route, principal: Principal, request: Request) -> Call[Any]:
    body: Any = None
    if isinstance(route.body, RawBody):
        body = bodies.read_raw(request, route.body)
    elif route.body is not None:
        body = bodies.read_body(request, route.body)
    return Call(
        principal=principal,
        body=body,
        query=bodies.read_query(request, route.query) if route.query else None,
        key=request.headers.get("Idempotency-Key", ""),
        request_id=g.request_id,
        device=request.headers.get("X-Device-Id", "")[:64],
        ip_digest=_network_digest(request.remote_addr or ""),
        address=request.remote_addr or "",
    )


@functools.lru_cache(maxsize=4096)
def _network_digest(address: str) -> str:
    return hashlib.blake2b(_network(address).encode(), digest_size=12).hexdigest()


def _network(address: str) -> str:
    """Whoever has one IPv6 address has a whole /64 of them, so that is what counts as one address."""
    if ":" not in address:
        return address
    try:
        given = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return str(given.ipv4_mapped or ipaddress.IPv6Network((int(given) >> 64 << 64, 64)))


def _key(route: Route, principal: Principal, request: Request) -> Key:
    scope = f"{route.audience}:{principal.kind}:{principal.id}"
    body = bodies.bytes_of(request, _most(route)) if route.body is not None else b""
    # Not request.full_path: it rebuilds the whole URL each time.
    asked = (request.method, f"{request.path}?{request.query_string.decode('latin-1')}", body)
    return answers.read_key(request.headers.get("Idempotency-Key"), scope, asked, route.keep)


def _most(route: Route) -> int:
    return route.body.max_bytes if isinstance(route.body, RawBody) else bodies.JSON_MAX_BYTES


def _in_one_unit(route: Route, key: Key, call: Call[Any], path: dict[str, str]) -> Kept:
    who = {"session": call.principal.session_id, "person": call.principal.id}
    asks = route.asks(call, **path) if route.asks else None

    def work(u: Unit) -> Kept:
        kept = answers.claim(u, key, audience.standing_of(route.audience), who, asks)
        if kept is None:
            kept = Kept(route.status, _dump(route.run(call, u, **path)))
            u.at_the_end(*answers.keeping(key, kept))
        return kept

    return run_unit(work)


def _in_steps(route: Route, key: Key, call: Call[Any], path: dict[str, str]) -> Kept:
    if (before := run_unit(lambda u: answers.claim(u, key))) is not None:
        return before
    try:
        kept = Kept(route.status, _dump(route.run(call, **path)))
    except Exception:
        # The work itself is safe to repeat, so a refusal (or a silent provider) gives the key back at once.
        run_unit(lambda u: answers.forget(u, key))
        raise
    run_unit(lambda u: answers.keep(u, key, kept))
    return kept


def _read(route: Route, result: Any, request: Request) -> Response:
    if isinstance(result, Response):
        return result
    body = _dump(result)
    etag = hashlib.blake2b(body, digest_size=12).hexdigest()
    seen = request.headers.get("If-None-Match", "")
    response = Response(status=304) if f'"{etag}"' in seen else Response(body, route.status, mimetype=JSON)
    response.headers["ETag"] = f'W/"{etag}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _dump(result: Any) -> bytes:
    return b"" if result is None else orjson.dumps(result)
