"""Receipts: what the payer holds in hand. Region 99 exists nowhere, so nobody takes one for a fiscal e-receipt."""

import hashlib

from sqlalchemy import select

from backend.kernel import clock, ids
from backend.store.unit import Unit
from payments.models import Payment, Receipt
from payments.problems import PaymentNotFound
from payments.views import ReceiptView

OURS = "990101"
"""Region 99, class 01, kind 01; the year follows (财政电子票据: region, class, kind, year)."""
KIND = "zhangban"


def issue_receipt(u: Unit, payment: Payment) -> None:
    """One receipt for one payment that settles something."""
    public_id = ids.new_id("rc")
    u.add(
        Receipt(
            id=public_id,
            payment_id=payment.id,
            code=f"{OURS}{clock.today().year % 100:02d}",
            check_code=hashlib.sha256(public_id.encode()).hexdigest()[:6],
            payee=payment.payee,
            title=payment.title,
            amount_fen=payment.amount_fen,
            issued_at=clock.now(),
        )
    )


def void_receipt(u: Unit, payment: Payment) -> None:
    """All the money went back: the receipt proves nothing any more."""
    receipt = _of_payment(u, payment.id)
    if receipt is not None:
        receipt.voided_at = clock.now()


def receipt_of(u: Unit, payment_id: str, person_id: str | None = None) -> ReceiptView:
    """The receipt of a payment. Raises PaymentNotFound: absent, foreign, or not paid."""
    payment, receipt = u.get(Payment, payment_id), _of_payment(u, payment_id)
    if payment is None or receipt is None or person_id not in (None, payment.person_id):
        raise PaymentNotFound
    return ReceiptView(
        id=receipt.id,
        payment_id=payment.id,
        kind=KIND,
        code=receipt.code,
        number=f"{receipt.serial:010d}",
        check_code=receipt.check_code,
        payee=receipt.payee,
        title=receipt.title,
        amount_fen=receipt.amount_fen,
        issued_at=receipt.issued_at,
        voided_at=receipt.voided_at,
    )


def _of_payment(u: Unit, payment_id: str) -> Receipt | None:
    return u.session.scalars(select(Receipt).where(Receipt.payment_id == payment_id)).one_or_none()
