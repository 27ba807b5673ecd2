"""Finding bills: by number and second factor, so that numbers cannot be walked, and what a bill costs today."""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, false, or_, select, true, union

from backend import people
from backend.kernel import clock
from backend.kernel.money import yuan
from backend.runtime import paging
from backend.store import vault
from backend.store.unit import Unit, retry_on, run_unit
from payments import guesses, wording
from payments.bills.models import FACTOR, FINE, PAYER, Bill, BillItem, BillReader
from payments.bills.money import Settled, paid_since, settled
from payments.bills.prices import Price, last_free_day, price_now
from payments.bills.views import BillLine, BillView, WindowView
from payments.machine import BILL, DUE
from payments.models import MAX_FEN
from payments.problems import BillNotFound, MustVisitWindow

WINDOW_FIRST_ABOVE_FEN = 20_000
"""HN-07: a fine whose principal is above 200 yuan is handled at the window first."""
MOST_OF_MINE = 100

retry_on("pk_payments_bill_reader")


@dataclass(frozen=True, slots=True)
class BillFilter:
    """Which of a department's bills; what is left out does not narrow."""

    state: str | None = None
    unit_code: str | None = None
    due_from: date | None = None
    due_to: date | None = None
    notice_no: str | None = None
    paid_from: date | None = None


def look_up_bill(person_id: str, notice_no: str, factor: str, sender: str = "") -> BillView:
    """Find a bill; whoever finds it may see and pay it from then on. Opens its own unit: failures count.

    Raises BillNotFound (unknown number or wrong factor: the same answer), TooMany.
    """
    found = run_unit(lambda u: _try(u, (person_id, sender), notice_no, factor))
    if found is None:
        raise BillNotFound
    return found


def bill_of(
    u: Unit, bill_id: str, *, person_id: str | None = None, department_id: str | None = None
) -> BillView:
    """One bill, for somebody who has found it, for whom it names, or for its department. Raises BillNotFound."""
    bill = readable_bill(u, bill_id, person_id=person_id, department_id=department_id)
    return bill_view(u, bill, person_id)


def readable_bill(
    u: Unit, bill_id: str, *, person_id: str | None = None, department_id: str | None = None
) -> Bill:
    bill = u.get(Bill, bill_id)
    if bill is None or department_id not in (None, bill.department_id):
        raise BillNotFound
    if person_id is not None and not _may_see(u, bill, person_id):
        raise BillNotFound
    return bill


def bills_of(u: Unit, person_id: str) -> list[BillView]:
    """The bills somebody has found and those that name their identity number, newest first."""
    found = select(BillReader.bill_id).where(BillReader.person_id == person_id)
    named = select(Bill.id).where(_names(u, person_id))
    mine = select(Bill).where(Bill.id.in_(union(found, named))).order_by(Bill.id.desc()).limit(MOST_OF_MINE)
    return bill_views(u, u.session.scalars(mine).all(), person_id)


def bills_at_desk(
    u: Unit, reach: Iterable[people.Scope], wanted: BillFilter, before: str | None = None, limit: int = 20
) -> list[BillView]:
    """Bills within these departments and regions, newest first; `before` is the id of the last one shown."""
    within = or_(false(), *(and_(*_reached(scope)) for scope in reach))
    narrowed = select(Bill).where(within, *_narrowed(wanted))
    return bill_views(u, u.session.scalars(paging.newest_first(narrowed, Bill.id, before, limit)).all())


def bill_facts_for(u: Unit, bill_id: str) -> Mapping[str, str]:
    """Words for messages about a bill; `owed` names its last day while it is due, and goes with it."""
    bill = u.get(Bill, bill_id)
    if bill is None:
        return {}
    return {
        "amount": yuan(price_now(bill, clock.today()).total_fen),
        "item_name": bill.item,
        "unit": bill.executing_unit,
        "number": bill.notice_no,
        "number_tail": bill.notice_no[-4:],
        "due": bill.due_on.isoformat(),
        "last_free_day": last_free_day(bill).isoformat(),
        "state": BILL.label(bill.state),
        **({"owed": bill.due_on.isoformat()} if bill.state == DUE else {}),
    }


def require_online(bill: BillView) -> None:
    """Raises MustVisitWindow, with the reason, unless the bill can be paid online as it stands."""
    if bill.must_visit_window:
        window = {"name": bill.window.name, "address": bill.window.address}
        raise MustVisitWindow(bill.window_reason, window=window)


def _window_reason(bill: Bill, price: Price) -> str:
    """Why a due bill cannot be paid online as things are; empty when it can."""
    if bill.state != DUE:
        return ""
    if price.total_fen > MAX_FEN:
        return wording.ABOVE_THE_LIMIT
    large = bill.kind == FINE and bill.principal_fen > WINDOW_FIRST_ABOVE_FEN
    return wording.WINDOW_FIRST if large and bill.window_handled_at is None else ""


def bill_view(u: Unit, bill: Bill, person_id: str | None = None) -> BillView:
    """The bill as of today's business day, for this person or the desk. What is paid or withdrawn grows no more."""
    return bill_views(u, [bill], person_id)[0]


def bill_views(u: Unit, bills: Sequence[Bill], person_id: str | None = None) -> list[BillView]:
    """Several bills with their lines and payments, in three statements whatever their number."""
    public_ids = [bill.id for bill in bills]
    lines, paid = lines_of(u, public_ids), settled(u, public_ids, person_id)
    return [_view(bill, lines.get(bill.id, ()), paid.get(bill.id, Settled())) for bill in bills]


def lines_of(u: Unit, bill_ids: Sequence[str]) -> dict[str, tuple[BillLine, ...]]:
    """The lines of bills, in their order. A bill of before there were lines has none."""
    if not bill_ids:
        return {}
    wanted = select(BillItem).where(BillItem.bill_id.in_(bill_ids)).order_by(BillItem.bill_id, BillItem.no)
    found: dict[str, tuple[BillLine, ...]] = {}
    for row in u.session.scalars(wanted):
        found[row.bill_id] = (*found.get(row.bill_id, ()), BillLine(row.code, row.name, row.fee_fen))
    return found


def tidy_factor(text_given: str) -> str:
    return "".join(text_given.split()).upper()


def knows_factor(bill: Bill, factor: str) -> bool:
    known = vault.open_sealed(FACTOR, bill.id, bill.factor)
    return hmac.compare_digest(known.encode(), tidy_factor(factor).encode())


def _view(bill: Bill, lines: tuple[BillLine, ...], paid: Settled) -> BillView:
    price = price_now(bill, clock.today())
    reason = _window_reason(bill, price)
    return BillView(
        id=bill.id,
        notice_no=bill.notice_no,
        kind=bill.kind,
        executing_unit=bill.executing_unit,
        unit_code=bill.unit_code,
        region_code=bill.region_code,
        department_id=bill.department_id,
        item=bill.item,
        items=lines or (BillLine("", bill.item, bill.principal_fen),),
        principal_fen=price.principal_fen,
        overdue_fen=price.overdue_fen,
        overdue_ppm=bill.overdue_ppm,
        penalty_fen=price.penalty_fen,
        total_fen=price.total_fen,
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        state=bill.state,
        says=BILL.label(bill.state),
        must_visit_window=bool(reason),
        window_reason=reason,
        window=WindowView(bill.window_name, bill.window_address),
        payment_id=paid.payment_id,
        paid_at=paid.paid_at,
        has_receipt=paid.has_receipt,
    )


def _may_see(u: Unit, bill: Bill, person_id: str) -> bool:
    if u.get(BillReader, (bill.id, person_id)) is not None:
        return True
    number = people.verified_id_no(u, person_id) if bill.payer_blind is not None else ""
    return bool(number) and bill.payer_blind in vault.blinds(PAYER, number)


def _names(u: Unit, person_id: str) -> ColumnElement[bool]:
    """Bills that name this person's identity number, once the authority has confirmed that it is theirs."""
    number = people.verified_id_no(u, person_id)
    return Bill.payer_blind.in_(vault.blinds(PAYER, number)) if number else false()


def _reached(scope: people.Scope) -> Iterator[ColumnElement[bool]]:
    yield true()
    if scope.department_id is not None:
        yield Bill.department_id == scope.department_id
    if scope.region_code is not None:
        yield Bill.region_code.startswith(people.stem_of(scope.region_code))


def _narrowed(wanted: BillFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.state is not None:
        yield Bill.state == wanted.state
    if wanted.unit_code is not None:
        yield Bill.unit_code == wanted.unit_code
    if wanted.due_from is not None:
        yield Bill.due_on >= wanted.due_from
    if wanted.due_to is not None:
        yield Bill.due_on <= wanted.due_to
    if wanted.notice_no is not None:
        yield Bill.notice_no == wanted.notice_no
    if wanted.paid_from is not None:
        yield paid_since(wanted.paid_from)


def _try(u: Unit, who: tuple[str, str], notice_no: str, factor: str) -> BillView | None:
    person_id, sender = who
    own = vault.keyed_digest("bill-lookup-own", f"{person_id}|{notice_no}").hex()
    keys = {"number": vault.keyed_digest("bill-lookup", notice_no).hex(), "own": own, "person": person_id}
    counted = guesses.count_all(u, keys | ({"sender": sender} if sender else {}))
    bill = u.session.scalars(select(Bill).where(Bill.notice_no == notice_no)).one_or_none()
    if bill is None or not knows_factor(bill, factor):
        return None
    guesses.take_back(u, counted)
    if u.get(BillReader, (bill.id, person_id)) is None:
        u.add(BillReader(bill_id=bill.id, person_id=person_id, found_at=clock.now()))
    return bill_view(u, bill, person_id)
