"""How far staff see: payments to their department within their region, and who paid, masked.

A bill names its region, a case's fee knows the case's. Where neither is known the department alone decides here, and
the window looks closer.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, true

from backend import people
from backend.kernel.problems import NotFound
from backend.store.unit import Unit
from payments.bills.models import Bill
from payments.models import Payment, number_of
from payments.receipts.models import Receipt
from payments.subjects import subject_of_bill

Columns = TypeVarTuple("Columns")
EVERYWHERE = people.Scope("finance", None, None)


def beside_bills(wanted: Select[*Columns]) -> Select[*Columns]:
    """Payments with the bill each is for, if it is for one."""
    return wanted.join(Bill, Payment.subject == func.concat("bill:", Bill.id), isouter=True)


def within(reach: Iterable[people.Scope]) -> ColumnElement[bool]:
    """What these scopes reach, of payments beside their bills."""
    reached = [and_(*_reached(scope)) for scope in reach]
    return or_(*reached) if reached else literal(value=False)


def receipts_within(reach: Iterable[people.Scope]) -> ColumnElement[bool]:
    """What these scopes reach, of receipts."""
    reached = [and_(*_receipts_reached(scope)) for scope in reach]
    return or_(*reached) if reached else literal(value=False)


def numbered(u: Unit, number: str) -> ColumnElement[bool]:
    """Payments of this number: ours, the channel's reference, or the notice number of a bill."""
    ways = [Payment.number == number_of(number), Payment.reference == number]
    bill_id = u.session.scalar(select(Bill.id).where(Bill.notice_no == number))
    if bill_id is not None:
        ways.append(Payment.subject == subject_of_bill(bill_id))
    return or_(*ways)


def payers_of(u: Unit, person_ids: Iterable[str]) -> dict[str, str]:
    """Masked names; somebody who is not registered any more has none."""
    return {person_id: _masked(u, person_id) for person_id in set(person_ids)}


def _masked(u: Unit, person_id: str) -> str:
    try:
        return people.person_of(u, person_id).name_masked
    except NotFound:
        return ""


def _reached(scope: people.Scope) -> Iterator[ColumnElement[bool]]:
    yield true()
    if scope.department_id is not None:
        yield Payment.payee == scope.department_id
    if scope.region_code is not None:
        region = func.coalesce(Bill.region_code, Payment.region_code)
        yield or_(region.is_(None), region.startswith(people.stem_of(scope.region_code)))


def _receipts_reached(scope: people.Scope) -> Iterator[ColumnElement[bool]]:
    yield true()
    if scope.department_id is not None:
        yield Receipt.payee == scope.department_id
    if scope.region_code is not None:
        inside = Receipt.region_code.startswith(people.stem_of(scope.region_code))
        yield or_(Receipt.region_code.is_(None), inside)
