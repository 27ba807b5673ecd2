"""Signed answers about phones that reach us through the client, and could be shown again by whoever got hold of one.

Alipay's answer names neither an account nor a time, and says the same for the same number each time (AES with a
fixed IV): it cannot be used up. So it belongs to the account that brought it first, until it has been silent for as
long as operators keep a number back.
"""

from datetime import timedelta

from sqlalchemy import text

from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.people.problems import LoginCodeRefused
from backend.store import vault
from backend.store.unit import Unit

KEPT = timedelta(days=90)

_CLAIM = text("""
    INSERT INTO people_phone_answer AS t (digest, account, heard_at) VALUES (:digest, :account, :at)
    ON CONFLICT (digest) DO UPDATE SET account = :account, heard_at = :at
        WHERE t.account = :account OR t.heard_at < :floor
    RETURNING 1
""")


def claim(u: Unit, answer: str, account: str) -> Problem | None:
    """Take the answer for this account; a refusal is handed back when it is another's. Real time."""
    at = clock.wire_now()
    values = {
        "digest": vault.keyed_digest("phone-answer", answer), "at": at, "floor": at - KEPT,
        "account": vault.keyed_digest("phone-answer-account", account),
    }  # fmt: skip
    return None if u.session.execute(_CLAIM, values).first() is not None else LoginCodeRefused()
