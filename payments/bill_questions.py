"""Finding bills: by number and second factor, so that numbers cannot be walked, and what a bill costs today."""

import hmac
from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from sqlalchemy import select, text

from backend.kernel import clock
from backend.kernel.money import yuan
from backend.kernel.problems import TooMany
from backend.store import vault
from backend.store.unit import Unit, retry_on, run_unit
from payments.bill_models import FACTOR, FINE, Bill, BillReader
from payments.machine import BILL, DUE
from payments.problems import BillNotFound
from payments.views import BillView, WindowView

DAILY_PERCENT = 3
WINDOW_FIRST_ABOVE_FEN = 20_000
"""HN-07: a fine whose principal is above 200 yuan is handled at the window first."""
GUESSES = {"person": 5, "sender": 60, "number": 30}
"""Wrong tries within an hour: of one person, of one address (a whole hall may be one), at one number.

The last holds back only those who were wrong about this number themselves: strangers cannot lock out its payer.
"""
GUESSES_WITHIN = timedelta(hours=1)

retry_on("pk_payments_bill_reader")

_COUNT = text("""
    INSERT INTO payments_lookup_tally (key, failures, until) VALUES (:key, 1, :until)
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN payments_lookup_tally.until <= :at THEN 1
                   ELSE payments_lookup_tally.failures + 1 END,
        until = CASE WHEN payments_lookup_tally.until <= :at THEN excluded.until
                ELSE payments_lookup_tally.until END
    RETURNING failures, until
""")
_TAKE_BACK = text("UPDATE payments_lookup_tally SET failures = failures - 1 WHERE key = ANY(:keys)")
_FORGET = text("DELETE FROM payments_lookup_tally WHERE until <= :at")


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
    """One bill, for somebody who has found it or for its department. Raises BillNotFound."""
    return bill_view(readable_bill(u, bill_id, person_id=person_id, department_id=department_id))


def readable_bill(
    u: Unit, bill_id: str, *, person_id: str | None = None, department_id: str | None = None
) -> Bill:
    bill = u.get(Bill, bill_id)
    if bill is None or department_id not in (None, bill.department_id):
        raise BillNotFound
    if person_id is not None and u.get(BillReader, (bill_id, person_id)) is None:
        raise BillNotFound
    return bill


def bills_of(u: Unit, person_id: str) -> list[BillView]:
    """The bills somebody has found, newest first."""
    wanted = select(Bill).join(BillReader, BillReader.bill_id == Bill.id)
    mine = wanted.where(BillReader.person_id == person_id).order_by(Bill.id.desc()).limit(100)
    return [bill_view(bill) for bill in u.session.scalars(mine)]


def bill_facts_for(u: Unit, bill_id: str) -> Mapping[str, str]:
    """Words for messages about a bill."""
    bill = u.get(Bill, bill_id)
    if bill is None:
        return {}
    view = bill_view(bill)
    return {
        "amount": yuan(view.total_fen),
        "item_name": view.item,
        "unit": view.executing_unit,
        "number": view.notice_no,
        "due": view.due_on.isoformat(),
        "state": view.says,
    }


def penalty_fen(principal_fen: int, due_on: date, today: date) -> int:
    """Penalty (加处罚款) of a fine: 3 % of the principal for each day late, never above the principal.

    Parts of a fen fall away in the payer's favour (行政处罚法: 每日按罚款数额的百分之三加处罚款).
    """
    late = max(0, (today - due_on).days)
    return min(principal_fen, principal_fen * DAILY_PERCENT * late // 100)


def must_visit_window(bill: Bill) -> bool:
    return (
        bill.kind == FINE
        and bill.principal_fen > WINDOW_FIRST_ABOVE_FEN
        and bill.window_handled_at is None
        and bill.state == DUE
    )


def bill_view(bill: Bill) -> BillView:
    """The bill as of today's business day. What is paid or withdrawn grows no more."""
    grows = bill.kind == FINE and bill.state == DUE
    penalty = penalty_fen(bill.principal_fen, bill.due_on, clock.today()) if grows else 0
    return BillView(
        id=bill.id,
        notice_no=bill.notice_no,
        kind=bill.kind,
        executing_unit=bill.executing_unit,
        region_code=bill.region_code,
        department_id=bill.department_id,
        item=bill.item,
        principal_fen=bill.principal_fen,
        overdue_fen=bill.overdue_fen,
        penalty_fen=penalty,
        total_fen=bill.principal_fen + bill.overdue_fen + penalty,
        due_on=bill.due_on,
        state=bill.state,
        says=BILL.label(bill.state),
        must_visit_window=must_visit_window(bill),
        window=WindowView(bill.window_name, bill.window_address),
    )


def tidy_factor(text_given: str) -> str:
    return "".join(text_given.split()).upper()


def forget_old_guesses(u: Unit) -> None:
    """Drop tallies whose hour is over."""
    u.session.execute(_FORGET, {"at": clock.wire_now()})


def _try(u: Unit, who: tuple[str, str], notice_no: str, factor: str) -> BillView | None:
    person_id, sender = who
    keys = _count_all(u, person_id, sender, notice_no)
    bill = u.session.scalars(select(Bill).where(Bill.notice_no == notice_no)).one_or_none()
    if bill is None or not _knows_factor(bill, factor):
        return None
    u.session.execute(_TAKE_BACK, {"keys": list(keys)})
    if u.get(BillReader, (bill.id, person_id)) is None:
        u.add(BillReader(bill_id=bill.id, person_id=person_id, found_at=clock.now()))
    return bill_view(bill)


def _count_all(u: Unit, person_id: str, sender: str, notice_no: str) -> tuple[str, ...]:
    """Count this try before it is made, under every key. Raises TooMany, and counts nothing then."""
    own = vault.keyed_digest("bill-lookup-own", f"{person_id}|{notice_no}").hex()
    keys = {"number": vault.keyed_digest("bill-lookup", notice_no).hex(), "own": own, "person": person_id}
    if sender:
        keys["sender"] = sender
    told = {kind: _count(u, f"{kind}:{key}") for kind, key in sorted(keys.items())}
    was_wrong_here = told["own"][0] > 1
    for kind, (failures, wait_s) in told.items():
        if failures > GUESSES.get(kind, failures) and (kind != "number" or was_wrong_here):
            raise TooMany(retry_after=wait_s)
    return tuple(f"{kind}:{key}" for kind, key in keys.items())


def _count(u: Unit, key: str) -> tuple[int, int]:
    """Tries under this key with the present one, and the seconds until they are forgotten.

    Two tries at once wait for each other on the row.
    """
    at = clock.wire_now()
    failures, until = u.session.execute(_COUNT, {"key": key, "at": at, "until": at + GUESSES_WITHIN}).one()
    return failures, max(1, ceil((until - at).total_seconds()))


def _knows_factor(bill: Bill, factor: str) -> bool:
    known = vault.open_sealed(FACTOR, bill.id, bill.factor)
    return hmac.compare_digest(known.encode(), tidy_factor(factor).encode())
