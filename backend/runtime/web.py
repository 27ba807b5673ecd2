"""Puts the surfaces into one Flask app: request ids, figures, health, security headers, documentation."""

import hmac
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from backend.kernel import clock, ids
from backend.runtime import home, logs, metrics, openapi, refusals
from backend.runtime.bodies import current_request
from backend.runtime.surface import Surface
from backend.store import engine

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
MOST_BYTES = 12 * 1024 * 1024


class _Words(BaseConverter):
    """A part of a path. One with a NUL, which PostgreSQL cannot hold, is no address of ours."""

    regex = r"[^/\0]+"


class _App(Flask):
    """Flask without what no window here has: asynchronous views, and hooks other than these two."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def preprocess_request(self) -> None:
        _begin()

    def process_response(self, response: Response) -> Response:
        return _end(response)

    def do_teardown_request(self, exc: object = None) -> None:
        """Nothing is put away: a unit gives back what it borrowed."""


def build(
    surfaces: Sequence[Surface], blueprints: Sequence[Blueprint], *, mode: str, ready: Callable[[], bool],
    proxies: int = 0,
) -> Flask:  # fmt: skip
    """The WSGI app. `ready` says whether this process may take citizens' requests.

    `proxies` of our own stand before it, each of which adds the address it was called from to X-Forwarded-For.
    """
    app = _App("zhangban", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.converters["default"] = _Words
    refusals.set_up(app, strict=mode == "test")
    for surface in surfaces:
        app.register_blueprint(surface.blueprint())
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.register_blueprint(home.blueprint(surfaces))
    app.register_blueprint(openapi.blueprint(surfaces))
    app.register_blueprint(_health(ready, is_production=mode == "production"))
    if proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    _refuse_other_hooks(app)
    return app


def _refuse_other_hooks(app: Flask) -> None:
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    if any(functions for kind in hooks for functions in kind.values()):
        raise RuntimeError("this application calls no hooks but its own two")


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else ids.new_id("rq")
    noted = g._get_current_object()
    noted.request_id, noted.started = request_id, clock.monotonic()
    logs.request_id.set(request_id)


def _end(response: Response) -> Response:
    noted, asked = g._get_current_object(), current_request()
    route = noted.get("route")
    surface = asked.blueprint or "none"
    name = route.name if route else (asked.endpoint or "none")
    metrics.answered(surface, name, response.status_code, clock.monotonic() - noted.started)
    headers = response.headers
    headers["X-Request-Id"] = noted.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response


def _health(ready: Callable[[], bool], *, is_production: bool) -> Blueprint:
    health = Blueprint("health", __name__)

    @health.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @health.get("/health/ready")
    def is_ready() -> tuple[dict[str, str], int]:
        try:
            fit = engine.is_alive() and ready()
        except (SQLAlchemyError, RuntimeError):
            fit = False
        return ({"status": "ready"}, 200) if fit else ({"status": "not ready"}, 503)

    @health.get("/metrics")
    def figures() -> Response:
        if not _from_inside(is_production=is_production):
            return Response(status=404)
        return Response(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")

    return health


def _from_inside(*, is_production: bool) -> bool:
    """Figures are for the town's own collectors: the bearer of METRICS_TOKEN or, in play, this machine.

    In production an address proves nothing: a proxy on this machine calls from here for everybody.
    """
    token = os.environ.get("METRICS_TOKEN", "")
    if token:
        return hmac.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()
        )
    return not is_production and request.remote_addr in ("127.0.0.1", "::1")
