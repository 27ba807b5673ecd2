"""Asking the receipt system for receipts and for their end. Everything that lifts the telephone is here.

Claiming moves `ask_next_at` to the next rung, committed before the call: a worker that dies leaves a receipt that is
asked for one rung later, and the same request number is the same receipt.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from backend import catalogue, people
from backend.contracts import ReceiptIssued, ReceiptVoided
from backend.kernel import clock
from backend.kernel.problems import NotFound
from backend.store import vault
from backend.store.unit import Actor, Unit, run_unit, unit
from payments import wording
from payments.bills.models import Bill, Payee
from payments.fiscal import office, port
from payments.models import Payment
from payments.receipts import receipts
from payments.receipts.machine import ASKABLE, RECEIPT, VOIDING, WANTED
from payments.receipts.models import PAYER, Receipt
from payments.receipts.views import ReceiptStanding
from payments.refunds.questions import refunded_fen
from payments.subjects import bill_in, held_payment

log = logging.getLogger(__name__)
LADDER = tuple(timedelta(seconds=s) for s in (5, 15, 30, 60, 180, 600, 3600))
BY = Actor("provider", "fiscal", wording.FISCAL)


@dataclass(frozen=True, slots=True)
class Wish:
    """One question to the receipt system: for a receipt, or for its end."""

    receipt_id: str
    voiding: bool
    order: port.Order


def claim(u: Unit, limit: int) -> list[Wish]:
    """Receipts whose next question is due, each moved to its next rung."""
    due = select(Receipt, Payment).join(Payment, Payment.id == Receipt.payment_id)
    due = due.where(Receipt.state.in_(ASKABLE), Receipt.ask_next_at <= clock.wire_now())
    due = due.order_by(Receipt.ask_next_at).limit(limit).with_for_update(skip_locked=True, of=Receipt)
    return [_claimed(u, receipt, payment) for receipt, payment in u.session.execute(due)]


def ask(wish: Wish) -> bool:
    """Lift the telephone once; True when the receipt is a step further."""
    if wish.voiding:
        voiding = office().void(wish.receipt_id, wording.MONEY_WENT_BACK)
        return run_unit(lambda u: _take_voiding(u, wish, voiding))
    issuing = office().issue(wish.order)
    return run_unit(lambda u: _take_issuing(u, wish, issuing))


def standing_of(receipt_id: str) -> ReceiptStanding:
    """What the receipt system itself says of a receipt. Opens its own unit; raises NotFound."""
    with unit() as u:
        receipt = receipts.troubled_receipt(u, receipt_id)
        check_code = getattr(u.get(Receipt, receipt_id), "check_code", None)
    if receipt.code is None or receipt.number is None or check_code is None:
        return ReceiptStanding(receipt_id, "absent", None)
    found = office().verify(receipt.code, receipt.number, check_code)
    if isinstance(found, port.Genuine):
        return ReceiptStanding(receipt_id, "void" if found.is_void else "valid", found.amount_fen)
    return ReceiptStanding(receipt_id, "absent" if isinstance(found, port.Stranger) else "unknown", None)


def _claimed(u: Unit, receipt: Receipt, payment: Payment) -> Wish:
    if receipt.payer is None and receipt.state == WANTED:
        _freeze(u, receipt, payment)
    receipt.ask_next_at = clock.wire_now() + LADDER[min(receipt.asked, len(LADDER) - 1)]
    receipt.asked += 1
    payer = vault.open_sealed(PAYER, receipt.id, receipt.payer) if receipt.payer else ""
    order = port.Order(
        request_no=receipt.id,
        unit_code=receipt.unit_code or receipt.payee,
        unit_name=receipt.unit_name or receipt.payee,
        region_code=receipt.region_code or "",
        payer=payer,
        kind=_kind(u, payment),
        item=receipt.title,
        amount_fen=receipt.amount_fen,
        paid_on=clock.day_of(payment.paid_at or receipt.wanted_at),
    )
    return Wish(receipt.id, receipt.state == VOIDING, order)


def _freeze(u: Unit, receipt: Receipt, payment: Payment) -> None:
    """Write down who paid and to whom, as it is now: the same request must always say the same words."""
    receipt.payer = vault.seal(PAYER, receipt.id, _name_of(u, receipt.owner_id))
    payee, bill = u.get(Payee, receipt.payee), _bill_of(u, payment)
    receipt.unit_code = payee.unit_code if payee else receipt.payee
    receipt.unit_name = (
        payee.name if payee else bill.executing_unit if bill else _department(u, receipt.payee)
    )
    receipt.region_code = payee.region_code if payee else bill.region_code if bill else None


def _name_of(u: Unit, person_id: str) -> str:
    try:
        return people.name_of(u, person_id) or wording.NAMELESS
    except NotFound:
        return wording.NAMELESS


def _department(u: Unit, department_id: str) -> str:
    try:
        return catalogue.department(u, department_id).name[:80]
    except NotFound:
        return department_id


def _bill_of(u: Unit, payment: Payment) -> Bill | None:
    bill_id = bill_in(payment.subject)
    return u.get(Bill, bill_id) if bill_id else None


def _kind(u: Unit, payment: Payment) -> str:
    bill = _bill_of(u, payment)
    return bill.kind if bill else "fee"


def _take_issuing(u: Unit, wish: Wish, answer: port.Issuing) -> bool:
    receipt = u.get(Receipt, wish.receipt_id, lock=True)
    if receipt is None or receipt.state not in ASKABLE or receipt.number is not None:
        return False
    if isinstance(answer, port.Unknown):
        return False
    if isinstance(answer, port.Refusal):
        return _note_refusal(u, receipt, WANTED, answer)
    if _is_taken(u, answer):
        return _note_refusal(
            u, receipt, WANTED, port.Refusal("NUMBER_TAKEN", f"{answer.code} {answer.number}")
        )
    receipt.code, receipt.number, receipt.check_code = answer.code, answer.number, answer.check_code
    receipt.reference, receipt.issued_at, receipt.failure = answer.reference, clock.now(), None
    if receipt.state != WANTED:
        # Recalled while it was being asked for: it exists, and is about to be voided.
        return True
    u.step(RECEIPT, receipt, "issued", by=BY, facts={"code": answer.code, "number": answer.number})
    u.record(ReceiptIssued(receipt.matter, receipt.owner_id, receipt.payment_id, receipt.id))
    return True


def _take_voiding(u: Unit, wish: Wish, answer: port.Voiding) -> bool:
    seen = u.get(Receipt, wish.receipt_id)
    payment = held_payment(u, seen.payment_id) if seen else None
    receipt = u.get(Receipt, wish.receipt_id, lock=True)
    if receipt is None or payment is None or receipt.state != VOIDING or isinstance(answer, port.Unknown):
        return False
    if isinstance(answer, port.Refusal):
        return _note_refusal(u, receipt, VOIDING, answer)
    receipt.voided_at, receipt.failure = clock.now(), None
    u.step(RECEIPT, receipt, "voided", by=BY, facts={"number": receipt.number})
    u.record(ReceiptVoided(receipt.matter, receipt.owner_id, payment.id, receipt.id))
    left_fen = payment.amount_fen - refunded_fen(u, payment.id)
    if payment.settles and left_fen > 0:
        receipts.want_receipt(u, payment, receipt.edition + 1, left_fen)
    return True


def _note_refusal(u: Unit, receipt: Receipt, state: str, no: port.Refusal) -> bool:
    if receipt.state != state:
        return False
    receipt.failure = f"{no.code} {no.why}".strip()[:200]
    u.step(RECEIPT, receipt, "refused", by=BY, facts={"code": no.code})
    log.warning("a receipt was refused", extra={"receipt": receipt.id, "code": no.code})
    return True


def _is_taken(u: Unit, answer: port.Issued) -> bool:
    same = select(Receipt.id).where(Receipt.code == answer.code, Receipt.number == answer.number)
    return u.session.scalars(same).first() is not None
