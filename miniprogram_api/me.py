"""Story: who I am here, what I agreed to, where I live, who looked at my details, and a copy of it all."""

from typing import Any

from pydantic import Field

from backend import people
from backend.kernel.problems import ChannelRefused, ChannelSilent, InvalidInput
from backend.runtime import paging
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, unit
from miniprogram_api.sessions import CODE, MOBILE, PLATFORM_PROBLEMS, SignedPhone


class RealNameClaim(Body):
    """Name and ID number as on the card; `consent_version` of the text that was shown.

    `code` (purpose real_name) proves the phone of an earlier registration, when there is one.
    """

    name: str = Field(min_length=2, max_length=100)
    id_no: str = Field(min_length=15, max_length=30)
    consent_version: str = Field(min_length=1, max_length=20)
    code: str = Field(default="", pattern=r"^([0-9]{6})?$")


class NewPhone(Body):
    """A new number and the code sent to it (purpose phone)."""

    phone: str = Field(pattern=MOBILE)
    code: str = Field(pattern=CODE)


class WeChatPhone(Body):
    """The code of WeChat's phone button."""

    phone_code: str = Field(min_length=1, max_length=200)


class Preferences(Body):
    """The elder edition, and whether optional messages are unwanted."""

    elder_mode: bool
    push_off: bool


class AddressForm(Body):
    """Somebody at some place."""

    name: str = Field(min_length=2, max_length=100)
    phone: str = Field(pattern=MOBILE)
    region_code: str = Field(pattern=r"^[0-9]{6}([0-9]{3}|[0-9]{6})?$")
    province: str = Field(min_length=2, max_length=20)
    city: str = Field(min_length=2, max_length=20)
    district: str = Field(min_length=1, max_length=30)
    street: str = Field(default="", max_length=60)
    detail: str = Field(min_length=1, max_length=120)
    is_default: bool = False


class LooksAsked(Query):
    """A page of looks."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


def show_me(call: Call[None]) -> people.MeView:
    """Who I am here, masked"""
    with unit() as u:
        return people.me(u, call.principal.id)


def register_real_name(call: Call[RealNameClaim]) -> people.RealName:
    """Register with name and ID number, checked by the identity authority"""
    asked = call.body
    claim = people.Claim(asked.name, asked.id_no, asked.consent_version, asked.code)
    return people.register_real_name(call.principal.id, call.principal.session_id, claim)


def change_phone(call: Call[NewPhone]) -> people.MeView:
    """Take a new phone number, proven by a code"""
    return people.change_phone(call.principal.id, call.body.phone, call.body.code)


def take_wechat_phone(call: Call[WeChatPhone]) -> people.MeView:
    """Take the phone number that WeChat vouches for"""
    return people.take_wechat_phone(call.principal.id, call.body.phone_code)


def take_alipay_phone(call: Call[SignedPhone]) -> people.MeView:
    """Take the phone number that Alipay vouches for"""
    return people.take_alipay_phone(call.principal.id, call.body.response, call.body.sign)


def set_preferences(call: Call[Preferences], u: Unit) -> people.MeView:
    """Choose the elder edition, and whether optional messages come"""
    return people.prefer(u, call.principal.id, elder_mode=call.body.elder_mode, push_off=call.body.push_off)


def show_consent_text(call: Call[None], scope: str) -> people.ConsentText:
    """The current text of a consent (real_name, service)"""
    return people.consent_text(scope)


def list_consents(call: Call[None]) -> list[people.ConsentView]:
    """What I agreed to"""
    with unit() as u:
        return people.consents_of(u, call.principal.id)


def list_addresses(call: Call[None]) -> list[people.AddressView]:
    """My address book, masked"""
    with unit() as u:
        return people.addresses_of(u, call.principal.id)


def show_address(call: Call[None], address_id: str) -> people.AddressDetail:
    """One of my addresses in plain words"""
    with unit() as u:
        return people.own_address(u, call.principal.id, address_id)


def add_address(call: Call[AddressForm], u: Unit) -> people.AddressDetail:
    """Add an address"""
    return people.add_address(u, call.principal.id, people.Whereabouts(**call.body.model_dump()))


def change_address(call: Call[AddressForm], u: Unit, address_id: str) -> people.AddressDetail:
    """Write an address anew"""
    written = people.Whereabouts(**call.body.model_dump())
    return people.change_address(u, call.principal.id, address_id, written)


def remove_address(call: Call[None], u: Unit, address_id: str) -> None:
    """Take an address out of the book"""
    people.remove_address(u, call.principal.id, address_id)


def list_looks(call: Call[None]) -> Page[people.Look]:
    """Who looked at my details, what for"""
    with unit() as u:
        return people.looks_at(u, call.principal.id, call.query.cursor, call.query.limit)


def export_me(call: Call[None]) -> dict[str, Any]:
    """A copy of everything kept about me"""
    with unit() as u:
        return people.export_of(u, call.principal.id)


def register(surface: Surface) -> None:
    """Hang this story's endpoints into the window."""
    _register_identity(surface)
    _register_phone(surface)
    _register_addresses(surface)
    surface.put(
        "/me/preferences", body=Preferences, answers=people.MeView, problems=(InvalidInput,)
    )(set_preferences)  # fmt: skip
    surface.get("/me/looks", query=LooksAsked, answers=Page[people.Look])(list_looks)
    surface.get("/me/export", answers=dict[str, Any])(export_me)


def _register_identity(surface: Surface) -> None:
    surface.get("/me", answers=people.MeView)(show_me)
    surface.post(
        "/me/real-name", body=RealNameClaim, answers=people.RealName, steps=True,
        problems=(
            InvalidInput, people.IdentityMismatch, people.GuardianNeeded, people.PhoneNeeded, people.AlreadyVerified,
            people.ConsentOutdated, people.RegisteredElsewhere, people.WrongCode, people.TooManyTries,
            ChannelSilent, ChannelRefused,
        ),
    )(register_real_name)  # fmt: skip
    surface.get(
        "/consents/<scope>", answers=people.ConsentText, audience="public", problems=(people.ConsentUnknown,)
    )(show_consent_text)  # fmt: skip
    surface.get("/me/consents", answers=list[people.ConsentView])(list_consents)


def _register_phone(surface: Surface) -> None:
    taken = (InvalidInput, people.PhoneTaken)
    surface.put(
        "/me/phone", body=NewPhone, answers=people.MeView, steps=True, problems=(*taken, people.WrongCode)
    )(change_phone)  # fmt: skip
    vouched = {"answers": people.MeView, "steps": True, "problems": (*taken, *PLATFORM_PROBLEMS)}
    surface.put("/me/phone/wechat", body=WeChatPhone, **vouched)(take_wechat_phone)
    surface.put("/me/phone/alipay", body=SignedPhone, **vouched)(take_alipay_phone)


def _register_addresses(surface: Surface) -> None:
    absent = (people.AddressNotFound,)
    wrong = (InvalidInput, *absent)
    book, entry = "/me/addresses", "/me/addresses/<address_id>"
    surface.get(book, answers=list[people.AddressView])(list_addresses)
    surface.post(
        book, body=AddressForm, answers=people.AddressDetail, status=201,
        problems=(InvalidInput, people.AddressBookFull),
    )(add_address)  # fmt: skip
    surface.get(entry, answers=people.AddressDetail, problems=absent)(show_address)
    surface.put(entry, body=AddressForm, answers=people.AddressDetail, problems=wrong)(change_address)
    surface.delete(entry, status=204, problems=absent)(remove_address)
