"""Limits that protect people. They live in PostgreSQL, so that a second process is no second chance.

A sender is the digest of an address: a whole hall may share one, so its numbers are generous and set by the town.

A try is counted *before* it is made: guesses sent side by side are all counted. Windows run in business time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from backend.kernel import clock
from backend.kernel.problems import TooMany
from backend.people import sealing
from backend.people.problems import AccountLocked, CodeTooSoon, TooManyTries
from backend.runtime.settings import settings
from backend.runtime.surface import Call
from backend.store import vault
from backend.store.unit import Unit, run_unit


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `most` tries per window. With `locks`, the window starts anew at the last try allowed."""

    name: str
    most: int
    window: timedelta
    problem: type[TooMany]
    locks: bool = False


CODE_RULES = (
    Rule("code.minute", 1, timedelta(minutes=1), CodeTooSoon),
    Rule("code.hour", 5, timedelta(hours=1), CodeTooSoon),
    Rule("code.day", 10, timedelta(days=1), CodeTooSoon),
)
REAL_NAME = Rule("real_name.day", 5, timedelta(days=1), TooManyTries)
STAFF_LOGIN = Rule("staff.login", 5, timedelta(minutes=15), AccountLocked, locks=True)
ID_TAIL = Rule("id_tail.day", 5, timedelta(days=1), TooManyTries)
SEEKER = Rule("seeker.hour", 20, timedelta(hours=1), TooManyTries)
WRONG_CODE = Rule("code.wrong", 5, timedelta(minutes=10), TooManyTries)
"""Tries of one sender at one code: a stranger must not use up the tries of its holder."""
NAMED = Rule("companions.day", 30, timedelta(days=1), TooMany)
"""Different people whom one person may name as companions on a day; naming the same again costs nothing."""
KNOWN = Rule("companions.known", 1, timedelta(days=1), TooMany)
APPLICANTS = Rule("applicants.hour", 60, timedelta(hours=1), TooMany)

# A window that opens far in the future was opened before the clock was moved back: it no longer counts.
_TAKE = text("""
    INSERT INTO people_tally AS t (name, subject, count, opened_at) VALUES (:name, :subject, 1, :at)
    ON CONFLICT (name, subject) DO UPDATE SET
        count = CASE WHEN t.opened_at <= :floor OR t.opened_at > :ceiling THEN 1 ELSE t.count + 1 END,
        opened_at = CASE WHEN t.opened_at <= :floor OR t.opened_at > :ceiling OR (:locks AND t.count + 1 = :most)
                         THEN :at ELSE t.opened_at END
    RETURNING count, opened_at
""")
_CLEAR = text("DELETE FROM people_tally WHERE name = :name AND subject = :subject")
_GIVE_BACK = text(
    "UPDATE people_tally SET count = count - 1 WHERE name = :name AND subject = :subject AND count > 0"
)


def take(u: Unit, rule: Rule, subject: str) -> None:
    """Count a try for `subject`. Raises the rule's problem with `retry_after` when the window is full."""
    if (wait := wait_after(u, rule, subject)) is not None:
        raise rule.problem(retry_after=wait)


def wait_after(u: Unit, rule: Rule, subject: str) -> int | None:
    """Count a try for `subject`; how many seconds it should have waited, None when the window is not full."""
    at = clock.now()
    values = {
        **_row(rule, subject), "at": at, "floor": at - rule.window, "ceiling": at + rule.window,
        "locks": rule.locks, "most": rule.most,
    }  # fmt: skip
    count, opened_at = u.session.execute(_TAKE, values).one()
    return _wait(rule, opened_at, at) if count > rule.most else None


def per_sender(kind: str) -> Callable[[Call[object]], None]:
    """The gate of an endpoint: so many `codes`, `logins`, `refreshes` or `lookups` an hour from one address.

    It counts in a unit of its own, so that refused tries count too. Raises TooMany.
    """

    def gate(call: Call[object]) -> None:
        rule = Rule(f"sender.{kind}", getattr(settings().limits, kind), timedelta(hours=1), TooMany)
        run_unit(lambda u: take(u, rule, call.ip_digest))

    return gate


def count_seeker(u: Unit, number: str) -> None:
    """Count a stranger's try at a case number, whether the case is there or not. Raises TooManyTries."""
    take(u, SEEKER, number)


def count_named(u: Unit, person_id: str, numbers: Iterable[str]) -> None:
    """Count the ID numbers that a person names, each once a day: whether somebody is free is not for guessing.

    Raises TooMany.
    """
    for number in sorted(set(numbers)):
        if wait_after(u, KNOWN, f"{person_id}|{number}") is not None:
            continue
        if (wait := wait_after(u, NAMED, person_id)) is not None:
            raise TooMany("今天填写的同行人太多，请明天再约，或到现场取号办理。", retry_after=wait)


def clear(u: Unit, rule: Rule, subject: str) -> None:
    """Forget the tries: the right one was among them."""
    u.session.execute(_CLEAR, _row(rule, subject))


def give_back(u: Unit, rule: Rule, subject: str) -> None:
    """Uncount one try that nobody had the benefit of (the authority did not answer)."""
    u.session.execute(_GIVE_BACK, _row(rule, subject))


def _row(rule: Rule, subject: str) -> dict[str, object]:
    return {"name": rule.name, "subject": vault.blind(sealing.TALLY, subject)}


def _wait(rule: Rule, opened_at: datetime, at: datetime) -> int:
    return max(1, int((opened_at + rule.window - at).total_seconds()) + 1)
