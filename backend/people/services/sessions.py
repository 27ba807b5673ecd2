"""Logins: opened with a pair of tokens, carried on by rotating refresh tokens, ended for good at logout.

Times are real time: a demonstration that moves the clock logs nobody out.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text, update

from backend.kernel import clock, ids
from backend.kernel.problems import NotFound, Problem, SessionEnded
from backend.people import folded, wording
from backend.people.models import RefreshToken, SessionRow
from backend.people.problems import RefreshReused, RefreshUnknown
from backend.people.services import tokens
from backend.people.views import SessionView, Tickets
from backend.store import engine, vault
from backend.store.unit import Actor, Unit, run_unit

REPEAT_WITHIN = timedelta(seconds=60)
SEEN_EVERY = timedelta(seconds=60)
_SUCCESSOR = (
    "people_refresh_token.successor"  # not a registered place: it is dead long before a rotation ends
)

_LIVES = text("SELECT " + folded.SESSION.replace("%(session)s", ":sid").replace("%(person)s", ":sub"))
_LIVES_NOW = "SELECT 1 FROM people_session WHERE id = %s AND subject_id = %s AND ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Term:
    """How long a login lasts at most, and how long it may lie idle."""

    life: timedelta
    idle: timedelta


TERMS = {
    "citizen": Term(timedelta(days=30), timedelta(days=30)),
    "courier": Term(timedelta(days=14), timedelta(days=3)),
    "staff": Term(timedelta(hours=12), timedelta(minutes=30)),
}


def open_session(u: Unit, kind: str, subject_id: str, channel: str, device: str = "") -> Tickets:
    """Log somebody in: `kind` citizen, staff or courier; `device` is any short name the client gives itself."""
    now = clock.wire_now()
    session = SessionRow(
        id=ids.new_id("se"), kind=kind, subject_id=subject_id, channel=channel, device=device[:80], opened_at=now,
        seen_at=now, good_until=now + TERMS[kind].life, ended_at=None, ended_why=None,
    )  # fmt: skip
    u.add(session)
    u.session.flush()
    return _tickets(session, _new_refresh(u, session, now), now)


def refresh(kind: str, token: str, key: str) -> Tickets:
    """Exchange a refresh token for its successor [own unit]; `key` is the request's Idempotency-Key.

    The same token with the same key within 60 seconds gets the same successor, because weak networks repeat.
    Any other second use ends the whole session. Raises RefreshUnknown, RefreshReused, SessionEnded.
    """
    outcome = run_unit(lambda u: _exchange(u, kind, token, key))
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


def end_session(u: Unit, session_id: str, why: str = "logout") -> None:
    """Log out. From the commit on, no token of this session opens anything."""
    session = u.get(SessionRow, session_id, lock=True)
    if session is not None and session.ended_at is None:
        session.ended_at, session.ended_why = clock.wire_now(), why


def end_own_session(u: Unit, subject_id: str, session_id: str) -> None:
    """Log another device out. Raises NotFound for a session that is somebody else's."""
    session = u.get(SessionRow, session_id)
    if session is None or session.subject_id != subject_id:
        raise NotFound
    end_session(u, session_id)


def end_all_sessions(u: Unit, subject_id: str, why: str = "logout_everywhere") -> int:
    """Log somebody out everywhere; returns how many sessions ended."""
    ended = u.session.execute(
        update(SessionRow)
        .where(SessionRow.subject_id == subject_id, SessionRow.ended_at.is_(None))
        .values(ended_at=clock.wire_now(), ended_why=why)
    )
    return int(getattr(ended, "rowcount", 0))


def live_session(u: Unit, session_id: str, subject_id: str) -> bool:
    """Whether this session still opens doors for this subject: one indexed read."""
    return bool(u.session.execute(_LIVES, {"sid": session_id, "sub": subject_id}).scalar_one())


def lives_now(session_id: str, subject_id: str) -> bool:
    """As live_session, in one round trip of its own: asked before every request of a citizen."""
    return engine.ask(_LIVES_NOW, (session_id, subject_id)) is not None


def require_active(u: Unit, session_id: str, kind: str) -> None:
    """As live_session, for those who may not lie idle; notes at most once a minute that they were seen.

    Raises SessionEnded.
    """
    session = u.get(SessionRow, session_id)
    now = clock.wire_now()
    if session is None or not _is_live(session, now):
        raise SessionEnded
    if now - session.seen_at >= SEEN_EVERY:
        session.seen_at = now


def sessions_of(u: Unit, subject_id: str, current: str) -> list[SessionView]:
    """Live sessions, newest first; `current` is the one that asks."""
    rows = (
        u.session.query(SessionRow)
        .filter(SessionRow.subject_id == subject_id, SessionRow.ended_at.is_(None))
        .filter(SessionRow.good_until > clock.wire_now())
        .order_by(SessionRow.opened_at.desc(), SessionRow.id.desc())
    )
    return [SessionView(r.id, r.channel, r.device, r.opened_at, r.seen_at, r.id == current) for r in rows]


def _exchange(u: Unit, kind: str, token: str, key: str) -> Tickets | Problem:
    row = u.get(RefreshToken, _digest(token), lock=True)
    session = u.get(SessionRow, row.session_id, lock=True) if row is not None else None
    if row is None or session is None or session.kind != kind:
        return RefreshUnknown()
    now = clock.wire_now()
    if not _is_live(session, now):
        return SessionEnded()
    session.seen_at = now
    if row.spent_at is None:
        return _tickets(session, _spend(u, row, session, key, now), now)
    if _is_repeated(row, key, now):
        return _tickets(session, vault.open_sealed(_SUCCESSOR, row.digest.hex(), row.successor or b""), now)
    return _betrayed(u, session)


def _spend(u: Unit, row: RefreshToken, session: SessionRow, key: str, now: datetime) -> str:
    successor = _new_refresh(u, session, now)
    row.spent_at, row.spent_key = now, _digest(key)
    row.successor = vault.seal(_SUCCESSOR, row.digest.hex(), successor)
    return successor


def _is_repeated(row: RefreshToken, key: str, now: datetime) -> bool:
    same = hmac.compare_digest(row.spent_key or b"", _digest(key))
    return same and row.spent_at is not None and now - row.spent_at <= REPEAT_WITHIN


def _betrayed(u: Unit, session: SessionRow) -> Problem:
    """Two hold the same token; one of them stole it. Nobody can say which, so both are out."""
    end_session(u, session.id, "refresh_reused")
    actor = Actor(session.kind, session.subject_id)
    u.note(
        session.subject_id, session.id, "refresh_reused", by=actor, says=wording.label("note.refresh_reused")
    )
    return RefreshReused()


def _is_live(session: SessionRow, now: datetime) -> bool:
    idle = now - session.seen_at
    return session.ended_at is None and now < session.good_until and idle < TERMS[session.kind].idle


def _new_refresh(u: Unit, session: SessionRow, now: datetime) -> str:
    token = ids.token()
    row = RefreshToken(
        digest=_digest(token), session_id=session.id, issued_at=now, good_until=session.good_until,
        spent_at=None, spent_key=None, successor=None,
    )  # fmt: skip
    u.add(row)
    return token


def _tickets(session: SessionRow, refresh_token: str, now: datetime) -> Tickets:
    return Tickets(
        session_id=session.id,
        access_token=tokens.issue(session.kind, session.subject_id, session.id),
        expires_in=tokens.LIFE_S,
        refresh_token=refresh_token,
        refresh_expires_in=int((session.good_until - now).total_seconds()),
    )


def _digest(secret: str) -> bytes:
    """Plain SHA-256: what is digested has 256 random bits already, and must outlive a change of keys."""
    return hashlib.sha256(secret.encode()).digest()
