"""Accounts of staff: opened by an administrator, given roles, invited again, closed."""

import hashlib
import re
from collections.abc import Iterable
from datetime import timedelta

from backend.kernel import clock, ids, privacy
from backend.kernel.problems import FieldError, InvalidInput, NotFound
from backend.people import scopes, sealing, wording
from backend.people.machine import STAFF
from backend.people.models import Staff, StaffRole
from backend.people.problems import AccountTaken
from backend.people.services import passwords, sessions
from backend.people.views import Enrolment, Scope, StaffView
from backend.store import vault
from backend.store.unit import SYSTEM, Actor, Unit

ENROLMENT_LIFE = timedelta(days=7)
_ACCOUNT = re.compile(r"[a-z][a-z0-9._-]{2,39}")


def employ(
    u: Unit, account: str, name: str, *, department_id: str | None, department_name: str = "",
    region_code: str | None, roles: Iterable[str], by: Actor,
) -> Enrolment:  # fmt: skip
    """Open an account; its holder sets password and one-time codes with the token. Raises AccountTaken, RolesClash."""
    account = _tidy(account)
    if not _ACCOUNT.fullmatch(account):
        raise InvalidInput(
            errors=[FieldError(field="account", message="账号应为 3 至 40 位小写字母、数字或 . _ -")]
        )
    if by_account(u, account) is not None:
        raise AccountTaken
    staff = Staff(
        id=ids.new_id("st"), account=account, department_id=department_id, department_name=department_name[:60],
        region_code=region_code, totp_step=0, created_at=clock.now(),
    )  # fmt: skip
    staff.name = vault.seal(sealing.STAFF_NAME, staff.id, name)
    u.begin(STAFF, staff, by=by, says=wording.label("begun.staff"))
    u.add(staff)
    u.session.flush()
    grant_roles(u, staff.id, roles, by=by)
    return _invitation(staff)


def create_admin(u: Unit, account: str, password: str) -> Enrolment:
    """The first system administrator, who enrols one-time codes at the first login. Raises PasswordTooWeak."""
    name, roles = wording.label("role.system_admin"), ("system_admin",)
    invitation = employ(u, account, name, department_id=None, region_code=None, roles=roles, by=SYSTEM)
    passwords.set_password(u, _staff(u, invitation.staff_id), password)
    return invitation


def grant_roles(u: Unit, staff_id: str, roles: Iterable[str], *, by: Actor) -> None:
    """Give an account exactly these roles, reaching as far as its department and region. Raises RolesClash."""
    staff = _staff(u, staff_id, lock=True)
    wanted = scopes.checked_roles(roles)
    u.session.query(StaffRole).filter(StaffRole.staff_id == staff.id).delete()
    for role in wanted:
        row = StaffRole(
            staff_id=staff.id, role=role, department_id=staff.department_id, region_code=staff.region_code,
            granted_at=clock.now(), granted_by=by.id,
        )  # fmt: skip
        u.add(row)
    u.note(
        staff.id, staff.id, "roles_granted", by=by, says=wording.label("note.roles_granted"),
        facts={"roles": list(wanted)},
    )  # fmt: skip
    u.session.flush()


def invite_again(u: Unit, staff_id: str, *, by: Actor) -> Enrolment:
    """A lost telephone or a return: the account must set up one-time codes anew; its sessions end."""
    staff = _staff(u, staff_id, lock=True)
    if staff.state != STAFF.start:
        u.step(STAFF, staff, "invited_again", by=by)
    staff.totp_secret = None
    sessions.end_all_sessions(u, staff.id, "invited_again")
    return _invitation(staff)


def disable_staff(u: Unit, staff_id: str, *, by: Actor) -> None:
    """Close an account; its sessions end with the commit."""
    staff = _staff(u, staff_id, lock=True)
    u.step(STAFF, staff, "disabled", by=by)
    staff.enrolment_digest = None
    sessions.end_all_sessions(u, staff.id, "disabled")


def staff_of(u: Unit, staff_id: str) -> StaffView:
    """An account, its holder's name masked. Raises NotFound."""
    return _view(u, _staff(u, staff_id))


def all_staff(u: Unit) -> list[StaffView]:
    """Every account, by its name."""
    return [_view(u, staff) for staff in u.session.query(Staff).order_by(Staff.account)]


def staff_label(u: Unit, staff_id: str) -> str:
    """Department and role in words. Raises NotFound."""
    return staff_of(u, staff_id).label


def scopes_in(u: Unit, staff_id: str) -> tuple[Scope, ...]:
    """Roles of an account with their reach."""
    rows = u.session.query(StaffRole).filter(StaffRole.staff_id == staff_id).order_by(StaffRole.role)
    return tuple(Scope(row.role, row.department_id, row.region_code) for row in rows)


def _invitation(staff: Staff) -> Enrolment:
    token = ids.token()
    staff.enrolment_digest, staff.enrolment_until = token_digest(token), clock.wire_now() + ENROLMENT_LIFE
    return Enrolment(staff.id, staff.account, token, staff.enrolment_until)


def _staff(u: Unit, staff_id: str, *, lock: bool = False) -> Staff:
    if (staff := u.get(Staff, staff_id, lock=lock)) is None:
        raise NotFound
    return staff


def by_account(u: Unit, account: str) -> Staff | None:
    """The row of an account, for this house only."""
    return u.session.query(Staff).filter(Staff.account == _tidy(account)).first()


def _view(u: Unit, staff: Staff) -> StaffView:
    reach = scopes_in(u, staff.id)
    return StaffView(
        staff.id, staff.account, privacy.mask_name(vault.open_sealed(sealing.STAFF_NAME, staff.id, staff.name)),
        scopes.label_of(staff.department_name, reach), staff.department_id, staff.region_code, reach,
        staff.state, STAFF.label(staff.state),
    )  # fmt: skip


def _tidy(account: str) -> str:
    return account.strip().lower()


def token_digest(token: str) -> bytes:
    """How an enrolment token is kept."""
    return hashlib.sha256(token.encode()).digest()
