"""Roles, and how far each reaches: a department (or all), a region (or all)."""

from collections.abc import Iterable

from backend.kernel.problems import FieldError, InvalidInput
from backend.people import wording
from backend.people.problems import OutsideYourScope, RolesClash
from backend.people.views import Scope
from backend.runtime.audience import Principal

FINANCE = "finance"
WORKING_ROLES = frozenset({"handler", "window_clerk", "planner", FINANCE, "supervisor"})
ADMIN_ROLES = frozenset({"system_admin", "security_admin", "audit_admin"})
ROLES = WORKING_ROLES | ADMIN_ROLES
SYSTEM_ROLE = "system"
_EVERYWHERE = "*"


def covers(scope: str | None, region_code: str | None) -> bool:
    """Whether a region lies in another: 341600 (the city) holds 341602 and 341602403; None holds everything."""
    if scope is None or region_code is None:
        return scope is None or scope.endswith("00")
    return region_code.startswith(stem_of(scope))


def stem_of(region_code: str) -> str:
    """What the codes inside a region begin with: 3416 for the city 341600."""
    while len(region_code) > 2 and region_code.endswith("00"):
        region_code = region_code[:-2]
    return region_code


def may_handle(
    principal: Principal, department_id: str, region_code: str | None, role: str | None = None
) -> bool:
    """Whether one of the principal's working roles (or `role` alone) reaches this department and region."""
    wanted = {role} if role is not None else WORKING_ROLES | {SYSTEM_ROLE}
    return any(
        scope.role in wanted
        and scope.department_id in (None, department_id)
        and covers(scope.region_code, region_code)
        for scope in scopes_of(principal)
    )


def is_finance_office(principal: Principal, region_code: str | None = None) -> bool:
    """Whether this is the finance office itself: the role finance over every department (in this region, if named)."""
    return any(
        scope.role == FINANCE
        and scope.department_id is None
        and (region_code is None or covers(scope.region_code, region_code))
        for scope in scopes_of(principal)
    )


def require_may_handle(
    principal: Principal, department_id: str, region_code: str | None, role: str | None = None
) -> None:
    """Raises OutsideYourScope unless may_handle."""
    if not may_handle(principal, department_id, region_code, role):
        raise OutsideYourScope


def require_role(principal: Principal, *roles: str) -> None:
    """Raises OutsideYourScope unless the principal holds one of these roles somewhere."""
    if not principal.roles & set(roles):
        raise OutsideYourScope


def packed(scopes: Iterable[Scope]) -> str:
    """Scopes as a principal carries them."""
    return " ".join(
        f"{s.role}/{s.department_id or _EVERYWHERE}/{s.region_code or _EVERYWHERE}" for s in scopes
    )


def scopes_of(principal: Principal) -> tuple[Scope, ...]:
    """The scopes a principal carries."""
    parts = (line.split("/") for line in principal.extra.get("scopes", "").split())
    return tuple(
        Scope(role, *(None if reach == _EVERYWHERE else reach for reach in rest)) for role, *rest in parts
    )


def checked_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """The roles in order, none given twice. An administrator is nothing else (GB/T 22239).

    Raises InvalidInput (no such role), RolesClash.
    """
    wanted = tuple(dict.fromkeys(roles))
    if unknown := set(wanted) - ROLES:
        message = f"没有这个岗位：{'、'.join(sorted(unknown))}"
        raise InvalidInput(errors=[FieldError(field="roles", message=message)])
    if ADMIN_ROLES & set(wanted) and len(wanted) > 1:
        raise RolesClash
    return wanted


def label_of(department_name: str, scopes: Iterable[Scope]) -> str:
    """Department and first role in words, as citizens read it in a timeline; never a person's name."""
    first = next(iter(scopes), None)
    role = wording.label(f"role.{first.role}") if first is not None else ""
    return f"{department_name or wording.label('town.department')} {role}".strip()
