"""Who is asking: a token or a signature becomes a Principal, or a problem of its own.

One cheap indexed read per request asks whether the session still lives; houses on the hot path fold that read
into their own statement (`bearer` and `folded.SESSION`).
"""

from urllib.parse import quote

from flask import Request

from backend.kernel.problems import Problem, SessionEnded, TooLarge, Unauthenticated
from backend.people import scopes, wording
from backend.people.machine import RIDER
from backend.people.models import Rider, Staff
from backend.people.problems import (
    ClockSkewed,
    NonceReused,
    SignatureWrong,
    TokenExpired,
    TokenForged,
    WrongAudience,
)
from backend.people.services import sessions, staff, systems, tokens
from backend.people.services.systems import Signed
from backend.people.services.tokens import Claims
from backend.people.views import Scope
from backend.runtime.audience import Principal
from backend.store.unit import Unit, unit

TOKEN_PROBLEMS: tuple[type[Problem], ...] = (
    Unauthenticated,
    TokenForged,
    TokenExpired,
    WrongAudience,
    SessionEnded,
)
SIGNATURE_PROBLEMS: tuple[type[Problem], ...] = (SignatureWrong, ClockSkewed, NonceReused)
_SCHEME = "bearer "
_PATH_SAFE = "/:@!$&'()*+,;=-._~"
SIGNED_MOST_BYTES = 32 * 1024 * 1024


def citizen(request: Request) -> Principal:
    """A citizen by access token. Raises Unauthenticated, TokenForged, TokenExpired, WrongAudience, SessionEnded."""
    claims = bearer(request, "citizen")
    if not sessions.lives_now(claims.session_id, claims.subject):
        raise SessionEnded
    return citizen_of(claims)


def citizen_folded(request: Request) -> Principal:
    """A citizen by the token alone: the endpoint asks for the session in its own statement (folded.SESSION).

    Raises as citizen, but never SessionEnded.
    """
    return citizen_of(bearer(request, "citizen"))


def citizen_of(claims: Claims) -> Principal:
    """The citizen a genuine token speaks of; whether the session lives is the caller's to ask."""
    return Principal("citizen", claims.subject, claims.session_id, wording.label("viewer.citizen"))


def courier(request: Request) -> Principal:
    """A courier by access token. Raises as citizen."""
    claims = bearer(request, "courier")
    with unit() as u:
        sessions.require_active(u, claims.session_id, "courier")
        rider = u.get(Rider, claims.subject)
        if rider is None or rider.state != RIDER.start:
            raise SessionEnded
        return Principal(
            "courier", rider.id, claims.session_id, f"{rider.point} {wording.label('viewer.courier')}".strip(),
            region_code=rider.region_code, extra={"carrier": rider.carrier, "point": rider.point},
        )  # fmt: skip


def staff_only(request: Request) -> Principal:
    """A member of staff by access token; half an hour of silence ends the session. Raises as citizen."""
    claims = bearer(request, "staff")
    with unit() as u:
        sessions.require_active(u, claims.session_id, "staff")
        return _staff_principal(u, claims)


def staff_or_system(request: Request) -> Principal:
    """A member of staff, or a department's system by signature (X-Key-Id, X-Time, X-Nonce, X-Signature).

    Raises as staff_only; SignatureWrong, ClockSkewed, NonceReused.
    """
    if "X-Signature" not in request.headers:
        return staff_only(request)
    signed = _signed(request)
    with unit() as u:
        system = systems.recognise_system(u, signed)
        reach = Scope(scopes.SYSTEM_ROLE, system.department_id, system.region_code)
        return Principal(
            "system", system.id, "", system.name, system.department_id, system.region_code,
            frozenset({scopes.SYSTEM_ROLE}), {"scopes": scopes.packed([reach])},
        )  # fmt: skip


def bearer(request: Request, audience: str) -> Claims:
    """What the request's access token says; no database.

    Raises Unauthenticated, TokenForged, TokenExpired, WrongAudience.
    """
    header = request.headers.get("Authorization", "")
    if not header[: len(_SCHEME)].lower() == _SCHEME:
        raise Unauthenticated
    return tokens.read(header[len(_SCHEME) :].strip(), audience)


def _staff_principal(u: Unit, claims: Claims) -> Principal:
    row = u.get(Staff, claims.subject)
    if row is None or row.state != "active":
        raise SessionEnded
    reach = staff.scopes_in(u, row.id)
    return Principal(
        "staff", row.id, claims.session_id, scopes.label_of(row.department_name, reach), row.department_id,
        row.region_code, frozenset(scope.role for scope in reach), {"scopes": scopes.packed(reach)},
    )  # fmt: skip


def _signed(request: Request) -> Signed:
    if (request.content_length or 0) > SIGNED_MOST_BYTES:
        raise TooLarge
    header = request.headers.get
    return Signed(
        key_id=header("X-Key-Id", ""), time=header("X-Time", ""), nonce=header("X-Nonce", ""),
        signature=header("X-Signature", ""), method=request.method, path_and_query=_as_sent(request),
        body=request.get_data(cache=True),
    )  # fmt: skip


def _as_sent(request: Request) -> str:
    """Path and query as they stood on the wire: servers hand the path over decoded, the query untouched."""
    query = request.query_string.decode("ascii", "replace")
    return quote(request.path, safe=_PATH_SAFE) + (f"?{query}" if query else "")
