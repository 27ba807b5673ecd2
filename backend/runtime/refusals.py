"""The one translation of everything that goes wrong into RFC 9457 answers."""

import logging

import orjson
import psycopg
from flask import Flask, Response, g, request
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from backend.kernel import problems
from backend.kernel.problems import Problem
from backend.runtime import audience, outbound
from backend.runtime.surface import Route
from backend.store.unit import OutcomeUnknown

log = logging.getLogger(__name__)
MEDIA = "application/problem+json"

UNIVERSAL: tuple[type[Problem], ...] = (problems.TooMany, problems.ServerTrouble, problems.MethodNotAllowed)
FOR_BODIES: tuple[type[Problem], ...] = (
    problems.MalformedRequest,
    problems.InvalidInput,
    problems.TooLarge,
    problems.UnsupportedMedia,
)
FOR_QUERIES: tuple[type[Problem], ...] = (problems.MalformedRequest, problems.InvalidInput)
FOR_KEYS: tuple[type[Problem], ...] = (problems.KeyMissing, problems.KeyReused, problems.StillInProgress)
FOR_SESSIONS: tuple[type[Problem], ...] = (problems.Unauthenticated, problems.SessionEnded)


class OurSilence(problems.ServerTrouble):
    """The database is away or overloaded; nothing was done."""

    slug = "town-busy"
    status = 503
    title = "系统正忙，您的操作没有生效，请稍后再试。"


class MaybeDone(problems.ServerTrouble):
    """The database was lost while it committed; the same Idempotency-Key brings the truth."""

    slug = "maybe-done"
    status = 503
    title = "系统刚才没有回应，请用同一页面再提交一次，不会重复办理。"


def set_up(app: Flask, *, strict: bool) -> None:
    """Register the translation. `strict` (tests) turns what is not in the documentation into a 500."""

    def on_problem(problem: Problem) -> Response:
        if strict and not _is_promised(problem):
            log.error("undocumented problem", extra={"slug": problem.slug, "path": request.path})
            return _answer(problems.ServerTrouble(f"未写入文档的问题：{problem.slug}"))
        if strict and problem.undeclared:
            log.error("undeclared extras", extra={"slug": problem.slug, "extras": sorted(problem.undeclared)})
            return _answer(problems.ServerTrouble(f"未写入文档的附加内容：{problem.slug}"))
        return _answer(problem)

    app.register_error_handler(Problem, on_problem)
    app.register_error_handler(outbound.OutsideError, lambda error: on_problem(_of_outside(error)))
    app.register_error_handler(DBAPIError, lambda error: _answer(_of_database(error)))
    app.register_error_handler(OutcomeUnknown, lambda _error: _answer(MaybeDone(retry_after=3)))
    app.register_error_handler(psycopg.OperationalError, lambda _error: _answer(OurSilence(retry_after=3)))
    app.register_error_handler(PoolTimeout, lambda _error: _answer(OurSilence(retry_after=2)))
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_anything)


def promised(route: Route) -> tuple[type[Problem], ...]:
    """Every problem the endpoint may answer: its own and those of its kind."""
    kinds = [*route.problems, *UNIVERSAL, OurSilence, *audience.problems_of(route.audience)]
    kinds += FOR_SESSIONS if route.audience not in ("public", "provider") else ()
    kinds += FOR_BODIES if route.body is not None else ()
    kinds += FOR_QUERIES if route.query is not None else ()
    kinds += (MaybeDone,) if route.writes else ()
    kinds += FOR_KEYS if route.writes and route.audience != "provider" else ()
    return tuple(dict.fromkeys(kinds))


def _is_promised(problem: Problem) -> bool:
    route = g.get("route")
    return route is None or any(problem.slug == kind.slug for kind in promised(route))


def _answer(problem: Problem) -> Response:
    body = orjson.dumps(problem.as_dict(f"urn:zhangban:request:{g.get('request_id', '')}"), default=str)
    response = Response(body, problem.status, content_type=MEDIA)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _of_outside(error: outbound.OutsideError) -> Problem:
    """What happened outside, told to whoever waits: never a guess."""
    if isinstance(error, outbound.Refused):
        return problems.ChannelRefused(code=error.code)
    return problems.ChannelSilent(retry_after=5)


def _of_database(error: DBAPIError) -> Problem:
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, DataError):
        return problems.MalformedRequest("有内容超出了可以保存的范围。")
    if sqlstate == psycopg.errors.LockNotAvailable.sqlstate:
        return problems.StillInProgress(retry_after=2)
    log.exception("database trouble", exc_info=error)
    if isinstance(error, IntegrityError):
        return problems.Conflict()
    return OurSilence(retry_after=3) if _is_absence(error, sqlstate) else problems.ServerTrouble()


def _is_absence(error: DBAPIError, sqlstate: str) -> bool:
    return error.connection_invalidated or sqlstate[:2] in ("", "08", "53", "57", "40", "25")


def _of_http(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return Response(error.get_response().get_data(), error.code, error.get_response().headers)
    kinds: dict[int, type[Problem]] = {
        404: problems.NotFound,
        405: problems.MethodNotAllowed,
        413: problems.TooLarge,
        415: problems.UnsupportedMedia,
    }
    kind = kinds.get(error.code or 500)
    if kind is None:
        kind = problems.MalformedRequest if (error.code or 500) < 500 else problems.ServerTrouble
    response = _answer(kind())
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _of_anything(error: Exception) -> Response:
    log.exception("unexpected", exc_info=error)
    return _answer(problems.ServerTrouble())
