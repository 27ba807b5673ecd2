"""The finance office's register of payees (执收单位): who may receive money, and where it is paid out to."""

from typing import Literal

from pydantic import Field

import payments
from backend import catalogue, people
from backend.department.bills import FINANCE, Reason
from backend.runtime.audience import Principal
from backend.runtime.surface import Body, Call, Surface, Unit
from backend.store.unit import unit


class PayeeGiven(Body):
    """An executing unit. `purse`: the treasury's money, or the unit's own takings. The account is kept sealed."""

    unit_code: str = Field(pattern=r"^[0-9A-Za-z-]{3,30}$")
    name: str = Field(min_length=1, max_length=80)
    region_code: str = Field(pattern=r"^[0-9]{6}([0-9]{3})?([0-9]{3})?$")
    purse: Literal["treasury", "own"]
    bank_name: str = Field(min_length=1, max_length=80)
    bank_account: str = Field(pattern=r"^[0-9]{8,30}$")


def list_payees(call: Call[None]) -> list[payments.PayeeView]:
    """The register as far as the finance office reaches; of every bank account the last four digits."""
    _require_finance_office(call.principal)
    with unit() as u:
        register = payments.payee_register(u)
    return [one for one in register if people.is_finance_office(call.principal, one.region_code)]


def show_payee(call: Call[None], department_id: str) -> payments.PayeeView:
    """One payee, for the finance office or the department's own finance staff; a foreign one looks absent."""
    with unit() as u:
        payee = payments.payee_of(u, department_id)
    if not people.may_handle(call.principal, department_id, payee.region_code, FINANCE):
        raise payments.PayeeNotFound
    return payee


def keep_payee(call: Call[PayeeGiven], u: Unit, department_id: str) -> payments.PayeeView:
    """Enter a payee, or change it; nobody but the finance office of the region it is in and the one it goes to."""
    for region_code in {call.body.region_code, *_region_until_now(u, department_id)}:
        _require_finance_office(call.principal, region_code)
    draft = payments.PayeeDraft(department_id=department_id, **call.body.model_dump())
    return payments.keep_payee(u, draft, call.principal.actor)


def stop_payee(call: Call[Reason], u: Unit, department_id: str) -> payments.PayeeView:
    """Let a payee receive no more money; what is under way still arrives."""
    return _set_active(call, u, department_id, active=False)


def open_payee(call: Call[Reason], u: Unit, department_id: str) -> payments.PayeeView:
    """Let a payee receive money again."""
    return _set_active(call, u, department_id, active=True)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    payee, only = payments.PayeeView, (people.OutsideYourScope,)
    absent = (*only, payments.PayeeNotFound)
    surface.get("/payees", answers=list[payments.PayeeView], problems=only)(list_payees)
    surface.get("/payees/<department_id>", answers=payee, problems=(payments.PayeeNotFound,))(show_payee)
    surface.put(
        "/payees/<department_id>",
        body=PayeeGiven,
        answers=payee,
        problems=(*only, payments.PayeeCodeTaken, catalogue.DepartmentUnknown),
    )(keep_payee)
    surface.post("/payees/<department_id>/stop", body=Reason, answers=payee, problems=absent)(stop_payee)
    surface.post("/payees/<department_id>/reopening", body=Reason, answers=payee, problems=absent)(open_payee)


def _set_active(call: Call[Reason], u: Unit, department_id: str, *, active: bool) -> payments.PayeeView:
    _require_finance_office(call.principal)
    _require_finance_office(call.principal, payments.payee_of(u, department_id).region_code)
    return payments.set_payee_active(u, department_id, call.body.reason, call.principal.actor, active=active)


def _region_until_now(u: Unit, department_id: str) -> tuple[str, ...]:
    return tuple(one.region_code for one in payments.payee_register(u) if one.department_id == department_id)


def _require_finance_office(principal: Principal, region_code: str | None = None) -> None:
    if not people.is_finance_office(principal, region_code):
        raise people.OutsideYourScope
