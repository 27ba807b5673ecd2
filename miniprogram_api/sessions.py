"""Story: I come in through WeChat, Alipay or my phone, stay logged in on a weak network, and log out for good."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from backend import people
from backend.kernel.problems import ChannelRefused, ChannelSilent, InvalidInput, NotFound, SessionEnded
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit, unit

MOBILE = r"^1[3-9][0-9]{9}$"
CODE = r"^[0-9]{6}$"
ID_TAIL = r"^([0-9]{3}[0-9Xx])?$"
CODE_LIFE_S = 300
NEXT_CODE_S = 60
PLATFORM_PROBLEMS = (people.LoginCodeRefused, ChannelSilent, ChannelRefused)


class WeChatLogin(Body):
    """`code` from wx.login; `phone_code` from the phone button, if it was pressed."""

    code: str = Field(min_length=1, max_length=200)
    phone_code: str | None = Field(default=None, min_length=1, max_length=200)
    id_tail: str = Field(default="", pattern=ID_TAIL)


class SignedPhone(Body):
    """What my.getPhoneNumber gave."""

    response: str = Field(min_length=1, max_length=4000)
    sign: str = Field(min_length=1, max_length=1000)


class AlipayLogin(Body):
    """`auth_code` from my.getAuthCode."""

    auth_code: str = Field(min_length=1, max_length=200)
    phone: SignedPhone | None = None
    id_tail: str = Field(default="", pattern=ID_TAIL)


class PhoneLogin(Body):
    """A number and the code sent to it (purpose login)."""

    phone: str = Field(pattern=MOBILE)
    code: str = Field(pattern=CODE)
    id_tail: str = Field(default="", pattern=ID_TAIL)


class CodeWish(Body):
    """Where to send a code, and what for."""

    phone: str = Field(pattern=MOBILE)
    purpose: Literal["login", "progress", "real_name", "phone"]


class RefreshWish(Body):
    """The refresh token of the last answer."""

    refresh_token: str = Field(min_length=20, max_length=200)


@dataclass(frozen=True, slots=True)
class CodeOnItsWay:
    """Always the same, whether anybody here has the number or not."""

    purpose: str
    good_for: int = CODE_LIFE_S
    again_after: int = NEXT_CODE_S


def log_in_by_wechat(call: Call[WeChatLogin]) -> people.Entered:
    """Log in with WeChat"""
    return people.enter_by_wechat(call.body.code, call.body.phone_code, _visit(call, call.body.id_tail))


def log_in_by_alipay(call: Call[AlipayLogin]) -> people.Entered:
    """Log in with Alipay"""
    given = call.body.phone
    phone = (given.response, given.sign) if given is not None else None
    return people.enter_by_alipay(call.body.auth_code, phone, _visit(call, call.body.id_tail))


def log_in_by_phone(call: Call[PhoneLogin]) -> people.Entered:
    """Log in with a phone number and the code sent to it"""
    return people.enter_by_phone(call.body.phone, call.body.code, _visit(call, call.body.id_tail))


def send_code(call: Call[CodeWish], u: Unit) -> CodeOnItsWay:
    """Send a code by SMS: one a minute, five an hour, ten a day"""
    people.send_code(u, call.body.phone, call.body.purpose)
    return CodeOnItsWay(call.body.purpose)


def refresh_session(call: Call[RefreshWish]) -> people.Tickets:
    """Exchange a refresh token for the next pair; each is good once"""
    return people.refresh("citizen", call.body.refresh_token, call.key)


def list_sessions(call: Call[None]) -> list[people.SessionView]:
    """My logins, this one marked"""
    with unit() as u:
        return people.sessions_of(u, call.principal.id, call.principal.session_id)


def end_this_session(call: Call[None], u: Unit) -> None:
    """Log out here"""
    people.end_session(u, call.principal.session_id)


def end_one_session(call: Call[None], u: Unit, session_id: str) -> None:
    """Log another device out"""
    people.end_own_session(u, call.principal.id, session_id)


def end_every_session(call: Call[None], u: Unit) -> None:
    """Log out everywhere, here too"""
    people.end_all_sessions(u, call.principal.id)


def register(surface: Surface) -> None:
    """Hang this story's endpoints into the window."""
    stranger = {
        "audience": "public", "steps": True, "status": 201, "answers": people.Entered,
        "gate": people.per_sender("logins"),
    }  # fmt: skip
    platform = (InvalidInput, people.ProveItIsYou, people.TooManyTries, *PLATFORM_PROBLEMS)
    surface.post("/sessions/wechat", body=WeChatLogin, problems=platform, **stranger)(log_in_by_wechat)
    surface.post("/sessions/alipay", body=AlipayLogin, problems=platform, **stranger)(log_in_by_alipay)
    by_phone = (InvalidInput, people.WrongCode, people.ProveItIsYou, people.TooManyTries)
    surface.post("/sessions/phone", body=PhoneLogin, problems=by_phone, **stranger)(log_in_by_phone)
    surface.post(
        "/codes", body=CodeWish, answers=CodeOnItsWay, status=202, audience="public",
        problems=(InvalidInput, people.CodeTooSoon), gate=people.per_sender("codes"),
    )(send_code)  # fmt: skip
    surface.post(
        "/sessions/refresh", body=RefreshWish, answers=people.Tickets, status=201, audience="public", steps=True,
        problems=(people.RefreshUnknown, people.RefreshReused, SessionEnded), gate=people.per_sender("refreshes"),
    )(refresh_session)  # fmt: skip
    surface.get("/sessions", answers=list[people.SessionView])(list_sessions)
    surface.delete("/sessions/current", status=204)(end_this_session)
    surface.delete("/sessions/<session_id>", status=204, problems=(NotFound,))(end_one_session)
    surface.delete("/sessions", status=204)(end_every_session)


def _visit(call: Call[WeChatLogin] | Call[AlipayLogin] | Call[PhoneLogin], id_tail: str) -> people.Visit:
    return people.Visit(call.device, id_tail, call.ip_digest)
