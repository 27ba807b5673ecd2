"""The payee register (执收单位): who may receive money, in whose purse it lies, and where it is paid out to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from backend import catalogue
from backend.kernel import clock
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import vault
from backend.store.unit import Actor, Unit, map_constraint, retry_on
from payments import wording
from payments.bills.models import BANK_ACCOUNT, Payee
from payments.bills.problems import PayeeCodeTaken, PayeeInactive, PayeeNotFound
from payments.bills.views import PayeeDraft, PayeeView

TREASURY, OWN = "treasury", "own"
_KEPT_AS_IS = ("unit_code", "name", "region_code", "purse", "bank_name")
_SHAPES = {
    "unit_code": r"[0-9A-Za-z-]{3,30}",
    "name": r".{1,80}",
    "region_code": r"[0-9]{6}([0-9]{3}){0,2}",
    "purse": f"{TREASURY}|{OWN}",
    "bank_name": r".{1,80}",
    "bank_account": r"[0-9]{8,30}",
}

map_constraint("uq_payments_payee_unit_code", PayeeCodeTaken)
retry_on("pk_payments_payee")


def keep_payee(u: Unit, draft: PayeeDraft, by: Actor) -> PayeeView:
    """Enter an executing unit, or change it; the journal names what changed, never the account.

    Raises InvalidInput, PayeeCodeTaken, and DepartmentUnknown of the catalogue.
    """
    _check(draft)
    catalogue.department(u, draft.department_id)
    payee = u.get(Payee, draft.department_id, lock=True)
    told = asdict(draft)
    if payee is None:
        payee = Payee(department_id=draft.department_id, active=True)
        u.add(payee)
        changed, what = [*_KEPT_AS_IS, "bank_account"], "payee_entered"
    else:
        changed, what = _changes(payee, draft), "payee_changed"
    for name in _KEPT_AS_IS:
        setattr(payee, name, told[name])
    if "bank_account" in changed:
        payee.bank_account = vault.seal(BANK_ACCOUNT, payee.department_id, draft.bank_account)
    if changed:
        _write_down(u, payee, what, by, {"changed": changed, "unit_code": payee.unit_code})
    return _view(payee)


def set_payee_active(u: Unit, department_id: str, reason: str, by: Actor, *, active: bool) -> PayeeView:
    """Let a payee receive no more money, or again. Money under way still arrives. Raises PayeeNotFound."""
    payee = u.get(Payee, department_id, lock=True)
    if payee is None:
        raise PayeeNotFound
    if payee.active != active:
        payee.active = active
        _write_down(u, payee, "payee_opened" if active else "payee_stopped", by, {"reason": reason[:80]})
    return _view(payee)


def payee_register(u: Unit) -> list[PayeeView]:
    """The whole register, by department."""
    return [_view(row) for row in u.session.scalars(select(Payee).order_by(Payee.department_id))]


def payee_of(u: Unit, department_id: str) -> PayeeView:
    """One executing unit. Raises PayeeNotFound."""
    payee = u.get(Payee, department_id)
    if payee is None:
        raise PayeeNotFound
    return _view(payee)


def purse_of(u: Unit, department_id: str) -> str:
    """Whose the money is once it is settled: "treasury", also for whoever is not in the register, or "own"."""
    payee = u.get(Payee, department_id)
    return TREASURY if payee is None else payee.purse


def require_active(u: Unit, department_id: str) -> None:
    """Raises PayeeInactive when the finance office has stopped this payee. Unlisted is the treasury: it may."""
    payee = u.get(Payee, department_id)
    if payee is not None and not payee.active:
        raise PayeeInactive


def require_unit(u: Unit, department_id: str, unit_code: str) -> None:
    """A unit code that is told must be the department's own. Raises InvalidInput on the field."""
    payee = u.get(Payee, department_id)
    if unit_code and (payee is None or payee.unit_code != unit_code):
        raise InvalidInput(errors=[FieldError(field="unit_code", message=wording.STRANGE_UNIT)])


def load_payees(u: Unit, rows: Iterable[Mapping[str, Any]], by: Actor) -> int:
    """Enter payees from data; a department that is in the register already is left alone."""
    fresh = [row for row in rows if u.get(Payee, row["department_id"]) is None]
    for row in fresh:
        keep_payee(u, PayeeDraft(**row), by)
    return len(fresh)


def _changes(payee: Payee, draft: PayeeDraft) -> list[str]:
    changed = [name for name in _KEPT_AS_IS if getattr(payee, name) != getattr(draft, name)]
    account = vault.open_sealed(BANK_ACCOUNT, payee.department_id, payee.bank_account)
    return changed if account == draft.bank_account else [*changed, "bank_account"]


def _write_down(u: Unit, payee: Payee, what: str, by: Actor, facts: Mapping[str, Any]) -> None:
    payee.changed_at = clock.now()
    matter = payee.department_id
    u.note(matter, matter, what, by=by, says=wording.PAYEE_STEPS[what], facts=facts)
    u.flush()


def _check(draft: PayeeDraft) -> None:
    wrong = [name for name, shape in _SHAPES.items() if not re.fullmatch(shape, getattr(draft, name))]
    if wrong:
        raise InvalidInput(errors=[FieldError(field=name, message="填写不正确") for name in wrong])


def _view(payee: Payee) -> PayeeView:
    account = vault.open_sealed(BANK_ACCOUNT, payee.department_id, payee.bank_account)
    return PayeeView(
        department_id=payee.department_id,
        unit_code=payee.unit_code,
        name=payee.name,
        region_code=payee.region_code,
        purse=payee.purse,
        bank_name=payee.bank_name,
        bank_account_masked="*" * (len(account) - 4) + account[-4:],
        active=payee.active,
        changed_at=payee.changed_at,
    )
