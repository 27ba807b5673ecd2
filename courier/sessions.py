"""Story: a courier comes in with the phone and a code, and logs out at the end of the round."""

from dataclasses import dataclass

from pydantic import Field

from backend import people
from backend.kernel.problems import InvalidInput, SessionEnded
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit, unit

MOBILE = r"^1[3-9][0-9]{9}$"
CODE_LIFE_S = 300
NEXT_CODE_S = 60


class CodeWish(Body):
    """The courier's number."""

    phone: str = Field(pattern=MOBILE)


class CourierLogin(Body):
    """The number and the code sent to it."""

    phone: str = Field(pattern=MOBILE)
    code: str = Field(pattern=r"^[0-9]{6}$")


class Refresh(Body):
    """The refresh token of the last answer."""

    refresh_token: str = Field(min_length=20, max_length=200)


@dataclass(frozen=True, slots=True)
class CodeOnItsWay:
    """Always the same, whether the number is a courier's or not."""

    good_for: int = CODE_LIFE_S
    again_after: int = NEXT_CODE_S


def send_login_code(call: Call[CodeWish], u: Unit) -> CodeOnItsWay:
    """Send a login code, if the number is a courier's"""
    people.send_code(u, call.body.phone, "courier_login")
    return CodeOnItsWay()


def log_in(call: Call[CourierLogin]) -> people.Tickets:
    """Log in with a phone number and the code sent to it"""
    return people.enter_rider(call.body.phone, call.body.code, call.device, call.ip_digest)


def refresh_session(call: Call[Refresh]) -> people.Tickets:
    """Exchange a refresh token for the next pair; each is good once"""
    return people.refresh("courier", call.body.refresh_token, call.key)


def end_this_session(call: Call[None], u: Unit) -> None:
    """Log out here"""
    people.end_session(u, call.principal.session_id)


def show_courier(call: Call[None]) -> people.RiderView:
    """My name, carrier and station"""
    with unit() as u:
        return people.rider_of(u, call.principal.id)


def register(surface: Surface) -> None:
    """Hang this story's endpoints into the window."""
    surface.post(
        "/codes", body=CodeWish, answers=CodeOnItsWay, status=202, audience="public",
        problems=(InvalidInput, people.CodeTooSoon), gate=people.per_sender("codes"),
    )(send_login_code)  # fmt: skip
    surface.post(
        "/sessions", body=CourierLogin, answers=people.Tickets, status=201, audience="public", steps=True,
        problems=(InvalidInput, people.WrongCode), gate=people.per_sender("logins"),
    )(log_in)  # fmt: skip
    surface.post(
        "/sessions/refresh", body=Refresh, answers=people.Tickets, status=201, audience="public", steps=True,
        problems=(people.RefreshUnknown, people.RefreshReused, SessionEnded), gate=people.per_sender("refreshes"),
    )(refresh_session)  # fmt: skip
    surface.delete("/sessions/current", status=204)(end_this_session)
    surface.get("/me", answers=people.RiderView)(show_courier)
