"""Passwords of staff: Argon2id, and a policy (GB/T 22239-2019 8.1.4.1): length, kinds, history, age.

Argon2 is made to be slow: two at a time, or a flood of logins would leave no core and no memory to anybody.
"""

import functools
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.kernel import clock
from backend.kernel.problems import FieldError, TooMany
from backend.people.models import PasswordRow, Staff
from backend.people.problems import PasswordTooWeak
from backend.runtime.turns import Turns
from backend.store.unit import Unit

SHORTEST = 10
LONGEST = 128
KINDS = 3
HISTORY = 5
OLDEST = timedelta(days=90)

_hasher = PasswordHasher()
_turns = Turns(2, 1.0, lambda: TooMany(retry_after=2))


def verify(hashed: str | None, password: str) -> bool:
    """Whether the password fits. Without an account the same work is done, so that its time tells nothing.

    Raises TooMany when too many are being proven.
    """
    with _turns.taken():
        try:
            return _hasher.verify(hashed or _nobody(), password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def set_password(u: Unit, staff: Staff, password: str) -> None:
    """Take a new password. Raises PasswordTooWeak with everything that is wrong with it, TooMany as verify."""
    former = _former(u, staff)
    if faults := _faults(staff.account, password, former):
        raise PasswordTooWeak(errors=[FieldError(field="password", message=fault) for fault in faults])
    now = clock.wire_now()
    with _turns.taken():
        staff.password_hash, staff.password_set_at = _hasher.hash(password), now
    for row in former[HISTORY - 1 :]:
        u.session.delete(row)
    u.add(PasswordRow(staff_id=staff.id, hash=staff.password_hash, set_at=now))


def is_too_old(staff: Staff) -> bool:
    """Whether the password must be changed before anything else (real time)."""
    return staff.password_set_at is None or clock.wire_now() - staff.password_set_at > OLDEST


def _former(u: Unit, staff: Staff) -> list[PasswordRow]:
    rows = u.session.query(PasswordRow).filter(PasswordRow.staff_id == staff.id)
    return rows.order_by(PasswordRow.set_at.desc(), PasswordRow.id.desc()).all()


def _faults(account: str, password: str, former: list[PasswordRow]) -> list[str]:
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    found = sum(any(kind(character) for character in password) for kind in kinds)
    checks = {
        f"密码应为 {SHORTEST} 至 {LONGEST} 位": not SHORTEST <= len(password) <= LONGEST,
        f"大写字母、小写字母、数字、符号中至少有 {KINDS} 种": found < KINDS,
        "密码中不能包含账号": account.lower() in password.lower(),
        f"不能与最近 {HISTORY} 次用过的密码相同": any(verify(row.hash, password) for row in former[:HISTORY]),
    }
    return [fault for fault, holds in checks.items() if holds]


@functools.cache
def _nobody() -> str:
    return _hasher.hash("nobody has this account")
