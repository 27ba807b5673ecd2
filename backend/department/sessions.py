"""Story: staff set up one-time codes at their first login, come in with both factors, and go home."""

from datetime import timedelta

from pydantic import Field

from backend import people
from backend.kernel.problems import InvalidInput, SessionEnded
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit, unit

TOTP = r"^[0-9]{6}$"
SECRETS_KEPT = timedelta(seconds=60)


class Login(Body):
    """Both factors."""

    account: str = Field(min_length=1, max_length=60)
    password: str = Field(min_length=1, max_length=200)
    totp: str = Field(pattern=TOTP)


class EnrolmentStart(Body):
    """The token of the invitation, and the password given with it (or chosen now, if none was)."""

    enrolment_token: str = Field(min_length=20, max_length=200)
    password: str = Field(min_length=1, max_length=200)


class EnrolmentEnd(Body):
    """The first code of the authenticator app."""

    enrolment_token: str = Field(min_length=20, max_length=200)
    totp: str = Field(pattern=TOTP)


class PasswordChange(Login):
    """Both factors, and the new password."""

    new_password: str = Field(min_length=1, max_length=200)


class Refresh(Body):
    """The refresh token of the last answer."""

    refresh_token: str = Field(min_length=20, max_length=200)


def log_in(call: Call[Login]) -> people.Tickets:
    """Log in with password and one-time code"""
    return people.log_in(call.body.account, call.body.password, call.body.totp, call.device)


def begin_enrolment(call: Call[EnrolmentStart]) -> people.TotpSecret:
    """Receive the secret for the authenticator app"""
    return people.begin_enrolment(call.body.enrolment_token, call.body.password)


def finish_enrolment(call: Call[EnrolmentEnd]) -> people.Tickets:
    """Prove that the authenticator app is set up, and be logged in"""
    return people.finish_enrolment(call.body.enrolment_token, call.body.totp, call.device)


def change_password(call: Call[PasswordChange]) -> None:
    """Change the password; every session of the account ends"""
    asked = call.body
    people.change_password(asked.account, asked.password, asked.totp, asked.new_password)


def refresh_session(call: Call[Refresh]) -> people.Tickets:
    """Exchange a refresh token for the next pair; each is good once"""
    return people.refresh("staff", call.body.refresh_token, call.key)


def end_this_session(call: Call[None], u: Unit) -> None:
    """Log out here"""
    people.end_session(u, call.principal.session_id)


def show_me(call: Call[None]) -> people.StaffView:
    """My account, roles and reach"""
    with unit() as u:
        return people.staff_of(u, call.principal.id)


def register(surface: Surface) -> None:
    """Hang this story's endpoints into the window."""
    locked = (InvalidInput, people.LoginRefused, people.AccountLocked)
    stranger = {
        "audience": "public",
        "steps": True,
        "keep": SECRETS_KEPT,
        "gate": people.per_sender("logins"),
    }
    surface.post(
        "/sessions", body=Login, answers=people.Tickets, status=201,
        problems=(*locked, people.EnrolmentNeeded, people.PasswordTooOld), **stranger,
    )(log_in)  # fmt: skip
    surface.post(
        "/sessions/enrolment", body=EnrolmentStart, answers=people.TotpSecret,
        problems=(*locked, people.EnrolmentEnded, people.PasswordTooWeak), **stranger,
    )(begin_enrolment)  # fmt: skip
    surface.post(
        "/sessions/enrolment/confirmation", body=EnrolmentEnd, answers=people.Tickets, status=201,
        problems=(*locked, people.EnrolmentEnded), **stranger,
    )(finish_enrolment)  # fmt: skip
    surface.post(
        "/sessions/password", body=PasswordChange, status=204,
        problems=(*locked, people.PasswordTooWeak, people.EnrolmentNeeded), **stranger,
    )(change_password)  # fmt: skip
    surface.post(
        "/sessions/refresh", body=Refresh, answers=people.Tickets, status=201,
        problems=(people.RefreshUnknown, people.RefreshReused, SessionEnded),
        **(stranger | {"gate": people.per_sender("refreshes")}),
    )(refresh_session)  # fmt: skip
    surface.delete("/sessions/current", status=204, audience="staff")(end_this_session)
    surface.get("/me", answers=people.StaffView, audience="staff")(show_me)
