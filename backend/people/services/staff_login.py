"""Staff at the door: one-time codes enrolled at the first login, both factors every time, five failures lock.

At a login the password is verified with no transaction open, because Argon2 keeps a core busy for tens of
milliseconds. Successes and failures are written in the account's journal (GB/T 22239-2019 8.1.4.3).
"""

import pyotp

from backend.kernel import clock
from backend.kernel.problems import Problem, TooMany
from backend.people import sealing, wording
from backend.people.machine import STAFF
from backend.people.models import Staff
from backend.people.problems import EnrolmentEnded, EnrolmentNeeded, LoginRefused, PasswordTooOld
from backend.people.services import limits, passwords, sessions
from backend.people.services.races import settled
from backend.people.services.staff import by_account, token_digest
from backend.people.views import Tickets, TotpSecret
from backend.store import vault
from backend.store.unit import Actor, Unit, run_unit

STEP_S = 30


def begin_enrolment(token: str, password: str) -> TotpSecret:
    """First half [own unit]: token and password bring the secret for an authenticator app.

    An account without a password takes this one. Raises EnrolmentEnded, LoginRefused, PasswordTooWeak, AccountLocked.
    """

    def work(u: Unit) -> TotpSecret | Problem:
        staff = _invited(u, token)
        limits.take(u, limits.STAFF_LOGIN, staff.account)
        if staff.password_hash is None:
            passwords.set_password(u, staff, password)
        elif not passwords.verify(staff.password_hash, password):
            return _refused(u, staff)
        secret = pyotp.random_base32()
        staff.totp_secret, staff.totp_step = vault.seal(sealing.STAFF_TOTP, staff.id, secret), 0
        return TotpSecret(
            secret,
            pyotp.TOTP(secret).provisioning_uri(name=staff.account, issuer_name=wording.label("town.issuer")),
        )

    return settled(work)


def finish_enrolment(token: str, totp: str, device: str = "") -> Tickets:
    """Second half [own unit]: the first code proves that the app is set up; the holder is logged in.

    Raises EnrolmentEnded, LoginRefused, AccountLocked.
    """

    def work(u: Unit) -> Tickets | Problem:
        staff = _invited(u, token)
        limits.take(u, limits.STAFF_LOGIN, staff.account)
        if not _spend_totp(staff, totp):
            return _refused(u, staff)
        staff.enrolment_digest, staff.enrolment_until = None, None
        u.step(STAFF, staff, "enrolled", by=_actor(staff))
        return _let_in(u, staff, device)

    return settled(work)


def log_in(account: str, password: str, totp: str, device: str = "") -> Tickets:
    """Log in with both factors [own units]. Which of them was wrong is not said, nor whether the account exists.

    Raises LoginRefused, AccountLocked, EnrolmentNeeded, PasswordTooOld.
    """
    _prove_password(account, password)

    def work(u: Unit) -> Tickets | Problem:
        staff = _proven(u, account, totp)
        if isinstance(staff, Problem):
            return staff
        return PasswordTooOld() if passwords.is_too_old(staff) else _let_in(u, staff, device)

    return settled(work)


def change_password(account: str, password: str, totp: str, new_password: str) -> None:
    """Replace the password with both factors in hand [own units]; all sessions end, also when it was too old to log in.

    Raises LoginRefused, AccountLocked, PasswordTooWeak.
    """
    _prove_password(account, password)

    def work(u: Unit) -> Problem | None:
        staff = _proven(u, account, totp)
        if isinstance(staff, Problem):
            return staff
        passwords.set_password(u, staff, new_password)
        sessions.end_all_sessions(u, staff.id, "password_changed")
        _note(u, staff, "password_changed")
        return None

    settled(work)


def _prove_password(account: str, password: str) -> None:
    """The slow half, with no transaction open: the try is counted first, then a core is kept busy."""
    tidied = account.strip().lower()
    run_unit(lambda u: limits.take(u, limits.STAFF_LOGIN, tidied))
    with_hash = run_unit(lambda u: getattr(by_account(u, account), "password_hash", None))
    try:
        fits = passwords.verify(with_hash, password)
    except TooMany:
        run_unit(lambda u: limits.give_back(u, limits.STAFF_LOGIN, tidied))
        raise
    if not fits:
        raise run_unit(lambda u: _refused(u, by_account(u, account)))


def _proven(u: Unit, account: str, totp: str) -> Staff | Problem:
    """The account whose password was just proven, if the one-time code fits too. Raises EnrolmentNeeded."""
    found = by_account(u, account)
    staff = u.get(Staff, found.id, lock=True) if found is not None else None
    if staff is not None and staff.state == "invited":
        raise EnrolmentNeeded
    if staff is None or staff.state == "disabled" or not _spend_totp(staff, totp):
        return _refused(u, staff)
    return staff


def _spend_totp(staff: Staff, totp: str) -> bool:
    """Accept the code of this step or a neighbour, each step once."""
    if staff.totp_secret is None or not (totp.isascii() and totp.isdigit()):
        return False
    codes = pyotp.TOTP(vault.open_sealed(sealing.STAFF_TOTP, staff.id, staff.totp_secret))
    now = int(clock.wire_seconds()) // STEP_S
    for step in (now - 1, now, now + 1):
        if step > staff.totp_step and pyotp.utils.strings_equal(codes.generate_otp(step), totp):
            staff.totp_step = step
            return True
    return False


def _let_in(u: Unit, staff: Staff, device: str) -> Tickets:
    limits.clear(u, limits.STAFF_LOGIN, staff.account)
    staff.last_login_at = clock.now()
    _note(u, staff, "logged_in")
    return sessions.open_session(u, "staff", staff.id, "password", device)


def _refused(u: Unit, staff: Staff | None) -> Problem:
    if staff is not None:
        _note(u, staff, "login_failed")
    return LoginRefused()


def _note(u: Unit, staff: Staff, what: str) -> None:
    u.note(staff.id, staff.id, what, by=_actor(staff), says=wording.label(f"note.{what}"))


def _invited(u: Unit, token: str) -> Staff:
    staff = (
        u.session.query(Staff).filter(Staff.enrolment_digest == token_digest(token)).with_for_update().first()
    )
    if (
        staff is None
        or staff.state != "invited"
        or (staff.enrolment_until or clock.wire_now()) <= clock.wire_now()
    ):
        raise EnrolmentEnded
    return staff


def _actor(staff: Staff) -> Actor:
    return Actor("staff", staff.id)
