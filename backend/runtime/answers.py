"""Idempotency-Keys of clients: the same request gets the same answer, and nothing happens twice.

The key is claimed in the transaction of the work itself, so that a crash leaves neither a half-done work nor a
stuck key. Works that lift a telephone in between (`steps`) claim first and keep the answer afterwards; if they
die, the lease runs out and the next repetition takes over.
"""

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel import clock
from backend.kernel.problems import KeyMissing, KeyReused, SessionEnded, StillInProgress
from backend.store import vault
from backend.store.unit import Question, Unit

LEASE = timedelta(seconds=30)
LIFE = timedelta(hours=24)
PUBLIC_LIFE = timedelta(seconds=60)
_PLACE = "store_answer.answer"
_SENDABLE = re.compile(r"[!-~]{8,128}")

# The session is looked at by the same statement, where the caller's audience has one.
_CLAIM = """
    WITH claimed AS (INSERT INTO store_answer (scope, key, digest, lease_until, expires_at)
    VALUES (%(scope)s, %(key)s, %(digest)s, %(lease)s, %(expires)s)
    ON CONFLICT (scope, key) DO UPDATE SET digest = excluded.digest, lease_until = excluded.lease_until,
        expires_at = excluded.expires_at, status = NULL, answer = NULL
    WHERE store_answer.expires_at <= %(at)s
       OR (store_answer.status IS NULL AND store_answer.lease_until <= %(at)s
           AND store_answer.digest = excluded.digest)
    RETURNING 1)
    SELECT (SELECT count(*) FROM claimed), {standing}
"""
_ASKED = ", asked.* FROM (SELECT 1) AS one LEFT JOIN LATERAL ({question}) AS asked ON true"
_READ = "SELECT digest, status, answer FROM store_answer WHERE scope = %(scope)s AND key = %(key)s"
# Only under our own lease: whoever took over after it ran out owns the key now.
_KEEP = """
    UPDATE store_answer SET status = %(answer_status)s, answer = %(answer_body)s
    WHERE scope = %(answer_scope)s AND key = %(answer_key)s AND lease_until = %(answer_lease)s
"""
_FORGET = """
    DELETE FROM store_answer
    WHERE scope = %(scope)s AND key = %(key)s AND lease_until = %(lease)s AND status IS NULL
"""
_PURGE = text("DELETE FROM store_answer WHERE expires_at <= :at")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before: status and the bytes of its body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """One client's key for one request. `scope` is who asks; `digest` covers method, path and body.

    `lease` is when this request's claim runs out: it tells the claim from that of whoever took over.
    """

    scope: str
    key: str
    digest: bytes
    life: timedelta = LIFE
    lease: datetime = field(default_factory=lambda: clock.wire_now() + LEASE)

    @property
    def row(self) -> dict[str, Any]:
        return {"scope": self.scope, "key": self.key, "lease": self.lease}


def read_key(header: str | None, scope: str, request: tuple[str, str, bytes], life: timedelta = LIFE) -> Key:
    """The key as sent: 8 to 128 visible ASCII characters. Raises KeyMissing."""
    if header is None or _SENDABLE.fullmatch(header) is None:
        raise KeyMissing
    method, path, body = request
    digest = hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()
    return Key(scope, header, digest, life)


@functools.cache
def _claim_sql(standing: str, question: str) -> str:
    return _CLAIM.format(standing=standing) + (_ASKED.format(question=question) if question else "")


def claim(
    u: Unit, key: Key, standing: str = "true", who: Mapping[str, str] | None = None,
    asks: Question | None = None,
) -> Kept | None:  # fmt: skip
    """Take the key for this transaction; the kept answer when it was answered before.

    `standing` is an SQL condition over `who`: whether the asker's session lives. `asks` is the first question of the
    work itself, which travels along. Raises SessionEnded, KeyReused (another request under the same key) or
    StillInProgress.
    """
    at = clock.wire_now()
    values = {**key.row, "digest": key.digest, "at": at, "expires": at + key.life, **(who or {})}
    question, about = asks or ("", {})
    mine = u.execute(_claim_sql(standing, question), {**values, **about}).fetchone()
    if mine is None or not mine[1]:
        raise SessionEnded
    if mine[0]:
        if asks is not None:
            u.know_answer(asks, mine[2:])
        return None
    row = u.execute(_READ, key.row).fetchone()
    if row is None:
        raise StillInProgress(retry_after=1)
    if bytes(row[0]) != key.digest:
        raise KeyReused
    if row[1] is None:
        raise StillInProgress(retry_after=2)
    return Kept(row[1], vault.open_sealed_bytes(_PLACE, _row_id(key), row[2]))


def keep(u: Unit, key: Key, answer: Kept) -> None:
    """Remember what was answered, unless somebody else took the key over meanwhile."""
    u.execute(*keeping(key, answer))


def keeping(key: Key, answer: Kept) -> tuple[str, dict[str, Any]]:
    """The statement that remembers an answer: a unit may send it with its last one."""
    sealed = vault.seal_bytes(_PLACE, _row_id(key), answer.body)
    values = {
        "answer_scope": key.scope, "answer_key": key.key, "answer_lease": key.lease,
        "answer_status": answer.status, "answer_body": sealed,
    }  # fmt: skip
    return _KEEP, values


def forget(u: Unit, key: Key) -> None:
    """Give the key back after a refusal, so that the same request may be tried again."""
    u.execute(_FORGET, key.row)


def purge(session: Session) -> int:
    """Drop answers whose time is over; returns how many."""
    return int(getattr(session.execute(_PURGE, {"at": clock.wire_now()}), "rowcount", 0))


def _row_id(key: Key) -> str:
    return f"{key.scope}|{key.key}"
