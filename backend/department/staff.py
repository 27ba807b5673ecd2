"""Story: three administrators keep the accounts: one opens them, one grants roles and keys, one reads what was done.

None of them can do another's part (GB/T 22239-2019, separation of administrators). A department's system needs two
of them: the system administrator admits it and confirms the key that the security administrator has made.
"""

from datetime import timedelta
from typing import Any

from pydantic import Field

from backend import people
from backend.kernel.problems import ImpossibleMove, InvalidInput, NotFound
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit, unit

SECRETS_KEPT = timedelta(seconds=60)
REGION = r"^[0-9]{6}([0-9]{3}|[0-9]{6})?$"
READERS = ("system_admin", "security_admin", "audit_admin")


class NewStaff(Body):
    """A member of staff; no department or region means the whole town. Roles are granted by somebody else."""

    account: str = Field(min_length=3, max_length=40)
    name: str = Field(min_length=2, max_length=60)
    department_id: str | None = Field(default=None, max_length=40)
    department_name: str = Field(default="", max_length=60)
    region_code: str | None = Field(default=None, pattern=REGION)


class Roles(Body):
    """All roles of the account, and no others."""

    roles: list[str] = Field(max_length=8)


class NewRider(Body):
    """A courier of our own or of a postal point."""

    name: str = Field(min_length=2, max_length=60)
    phone: str = Field(pattern=r"^1[3-9][0-9]{9}$")
    carrier: str = Field(min_length=1, max_length=20)
    point: str = Field(min_length=1, max_length=60)
    region_code: str = Field(pattern=REGION)


class NewSystem(Body):
    """A department's own system."""

    name: str = Field(min_length=2, max_length=60)
    department_id: str = Field(min_length=1, max_length=40)
    region_code: str | None = Field(default=None, pattern=REGION)


def list_staff(call: Call[None]) -> list[people.StaffView]:
    """All accounts, for the administrators"""
    people.require_role(call.principal, *READERS)
    with unit() as u:
        return people.all_staff(u)


def employ(call: Call[NewStaff], u: Unit) -> people.Enrolment:
    """Open an account without any role (system administrator)"""
    people.require_role(call.principal, "system_admin")
    asked = call.body
    return people.employ(
        u, asked.account, asked.name, department_id=asked.department_id, department_name=asked.department_name,
        region_code=asked.region_code, roles=(), by=call.principal.actor,
    )  # fmt: skip


def invite_again(call: Call[None], u: Unit, staff_id: str) -> people.Enrolment:
    """Let an account set up one-time codes anew (system administrator)"""
    people.require_role(call.principal, "system_admin")
    return people.invite_again(u, staff_id, by=call.principal.actor)


def disable(call: Call[None], u: Unit, staff_id: str) -> None:
    """Close an account; its sessions end (system administrator)"""
    people.require_role(call.principal, "system_admin")
    people.disable_staff(u, staff_id, by=call.principal.actor)


def grant_roles(call: Call[Roles], u: Unit, staff_id: str) -> people.StaffView:
    """Set the roles of somebody else's account (security administrator)"""
    people.require_role(call.principal, "security_admin")
    if staff_id == call.principal.id:
        raise people.OutsideYourScope
    people.grant_roles(u, staff_id, call.body.roles, by=call.principal.actor)
    return people.staff_of(u, staff_id)


def enrol_rider(call: Call[NewRider], u: Unit) -> people.RiderView:
    """Put a courier on the books (system administrator)"""
    people.require_role(call.principal, "system_admin")
    asked = call.body
    return people.enrol_rider(
        u, asked.name, asked.phone, carrier=asked.carrier, point=asked.point, region_code=asked.region_code,
        by=call.principal.actor,
    )  # fmt: skip


def suspend_rider(call: Call[None], u: Unit, rider_id: str) -> None:
    """Give a courier no more parcels; the sessions end (system administrator)"""
    people.require_role(call.principal, "system_admin")
    people.suspend_rider(u, rider_id, by=call.principal.actor)


def list_systems(call: Call[None]) -> list[people.SystemView]:
    """All departments' systems with their keys, for the administrators"""
    people.require_role(call.principal, *READERS)
    with unit() as u:
        return people.all_systems(u)


def admit_system(call: Call[NewSystem], u: Unit) -> people.SystemView:
    """Admit a department's system, still without a key (system administrator)"""
    people.require_role(call.principal, "system_admin")
    asked = call.body
    return people.admit_system(u, asked.department_id, asked.region_code, asked.name, by=call.principal.actor)


def issue_key(call: Call[None], u: Unit, system_id: str) -> people.SystemKeyIssued:
    """Make a system's first or next key, shown once; it opens nothing until confirmed (security administrator)"""
    people.require_role(call.principal, "security_admin")
    return people.issue_system_key(u, system_id, by=call.principal.actor)


def confirm_key(call: Call[None], u: Unit, key_id: str) -> people.SystemView:
    """Let a key open; the one before opens for seven more days (system administrator)"""
    people.require_role(call.principal, "system_admin")
    return people.confirm_system_key(u, key_id, by=call.principal.actor)


def disable_key(call: Call[None], u: Unit, key_id: str) -> None:
    """Close a key at once (security administrator)"""
    people.require_role(call.principal, "security_admin")
    people.disable_system_key(u, key_id, by=call.principal.actor)


def register(surface: Surface) -> None:
    """Hang this story's endpoints into the window."""
    no = (people.OutsideYourScope,)
    absent = (*no, NotFound, ImpossibleMove)
    wrong = (*no, InvalidInput)
    secret = {"audience": "staff", "keep": SECRETS_KEPT}
    surface.get("/staff", answers=list[people.StaffView], audience="staff", problems=no)(list_staff)
    surface.post(
        "/staff", body=NewStaff, answers=people.Enrolment, status=201, problems=(*wrong, people.AccountTaken), **secret
    )(employ)  # fmt: skip
    surface.post(
        "/staff/<staff_id>/invitation", answers=people.Enrolment, status=201, problems=absent, **secret
    )(invite_again)  # fmt: skip
    surface.delete("/staff/<staff_id>", status=204, audience="staff", problems=absent)(disable)
    surface.put(
        "/staff/<staff_id>/roles", body=Roles, answers=people.StaffView, audience="staff",
        problems=(*wrong, NotFound, people.RolesClash),
    )(grant_roles)  # fmt: skip
    surface.post(
        "/riders", body=NewRider, answers=people.RiderView, status=201, audience="staff",
        problems=(*wrong, people.RiderKnown),
    )(enrol_rider)  # fmt: skip
    surface.delete("/riders/<rider_id>", status=204, audience="staff", problems=absent)(suspend_rider)
    _register_systems(surface)


def _register_systems(surface: Surface) -> None:
    no = (people.OutsideYourScope,)
    absent = (*no, NotFound, ImpossibleMove)
    one: dict[str, Any] = {"audience": "staff", "answers": people.SystemView}
    surface.get("/systems", audience="staff", answers=list[people.SystemView], problems=no)(list_systems)
    surface.post("/systems", body=NewSystem, status=201, problems=(*no, InvalidInput), **one)(admit_system)
    surface.post(
        "/systems/<system_id>/keys", answers=people.SystemKeyIssued, status=201, problems=absent,
        audience="staff", keep=SECRETS_KEPT,
    )(issue_key)  # fmt: skip
    surface.post("/systems/keys/<key_id>/confirmation", problems=absent, **one)(confirm_key)
    surface.delete("/systems/keys/<key_id>", status=204, audience="staff", problems=absent)(disable_key)
