"""Wrong tries within an hour (real time), so that neither notice numbers nor pay codes can be walked through."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil

from sqlalchemy import text

from backend.kernel import clock
from backend.kernel.problems import TooMany
from backend.store.unit import Unit

MOST = {"person": 5, "sender": 60, "number": 30, "link-person": 5, "link-sender": 60}
"""Of one person, of one address (a whole hall may be one), at one number.

The last holds back only those who were wrong about this number themselves: strangers cannot lock out its payer.
"""
WITHIN = timedelta(hours=1)

_COUNT = text("""
    INSERT INTO payments_lookup_tally (key, failures, until) VALUES (:key, 1, :until)
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN payments_lookup_tally.until <= :at THEN 1
                   ELSE payments_lookup_tally.failures + 1 END,
        until = CASE WHEN payments_lookup_tally.until <= :at THEN excluded.until
                ELSE payments_lookup_tally.until END
    RETURNING failures, until
""")
_TAKE_BACK = text("UPDATE payments_lookup_tally SET failures = failures - 1 WHERE key = ANY(:keys)")
_FORGET = text("DELETE FROM payments_lookup_tally WHERE until <= :at")


def count_all(u: Unit, keys: Mapping[str, str]) -> tuple[str, ...]:
    """Count a try before it is made, under every kind of key. Raises TooMany, and counts nothing then.

    Returns what `take_back` wants once the try turns out right.
    """
    told = {kind: _count(u, f"{kind}:{key}") for kind, key in sorted(keys.items())}
    was_wrong_here = "own" in told and told["own"][0] > 1
    for kind, (failures, wait_s) in told.items():
        if failures > MOST.get(kind, failures) and (kind != "number" or was_wrong_here):
            raise TooMany(retry_after=wait_s)
    return tuple(f"{kind}:{key}" for kind, key in keys.items())


def take_back(u: Unit, counted: tuple[str, ...]) -> None:
    """The try was right: it costs nothing."""
    u.session.execute(_TAKE_BACK, {"keys": list(counted)})


def forget_old_guesses(u: Unit) -> None:
    """Drop tallies whose hour is over."""
    u.session.execute(_FORGET, {"at": clock.wire_now()})


def _count(u: Unit, key: str) -> tuple[int, int]:
    """Tries under this key with the present one, and the seconds until they are forgotten.

    Two tries at once wait for each other on the row.
    """
    at = clock.wire_now()
    failures, until = u.session.execute(_COUNT, {"key": key, "at": at, "until": at + WITHIN}).one()
    return failures, max(1, ceil((until - at).total_seconds()))
