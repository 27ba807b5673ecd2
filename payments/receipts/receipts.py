"""Receipts: wanted with the money, issued and voided by the receipt system (`asking`), kept for ever after.

A receipt belongs to whoever owed the money; somebody who paid it for them (代付) sees the payment, never the receipt,
which says the owner's name.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, or_, select

from backend import people
from backend.kernel import clock, ids
from backend.kernel.money import in_words
from backend.kernel.problems import NotFound
from backend.runtime import paging
from backend.runtime.settings import settings
from backend.store import vault
from backend.store.unit import SYSTEM, Actor, Unit
from payments.desk_reach import EVERYWHERE, receipts_within
from payments.models import Payment, number_of
from payments.problems import PaymentNotFound, ReceiptNotReady
from payments.receipts.machine import ASKABLE, FAILED, ISSUED, RECEIPT, TROUBLED, WANTED
from payments.receipts.models import PAYER, Receipt
from payments.receipts.views import ReceiptView, ReceiptWords, TroubledReceipt, VerifiedReceipt

SELF_MADE, FISCAL = "zhangban", "fiscal"
PATIENCE = 6
"""Questions that stayed without an answer before the finance office is shown the receipt."""

_WANT = """
    INSERT INTO payments_receipt (id, payment_id, owner_id, edition, state, matter, proof, payee, title, amount_fen,
        wanted_at, asked, ask_next_at)
    VALUES (%(receipt_id)s, %(receipt_payment)s, %(receipt_owner)s, %(receipt_edition)s, %(receipt_state)s,
        %(receipt_matter)s, %(receipt_proof)s, %(receipt_payee)s, %(receipt_title)s, %(receipt_fen)s, %(receipt_at)s,
        0, %(receipt_ask)s)
"""


def want_receipt(u: Unit, payment: Payment, edition: int = 1, amount_fen: int | None = None) -> None:
    """Note that a payment which settles something needs a receipt; it travels with the unit's last statement.

    A later edition is about what is left of the money. The chore asks for it.
    """
    values = {
        "receipt_id": ids.new_id("rc"), "receipt_payment": payment.id, "receipt_edition": edition,
        "receipt_owner": payment.owed_by or payment.person_id, "receipt_state": WANTED,
        "receipt_matter": payment.matter, "receipt_proof": ids.token(),
        "receipt_payee": payment.payee, "receipt_title": payment.title, "receipt_at": clock.now(),
        "receipt_fen": payment.amount_fen if amount_fen is None else amount_fen, "receipt_ask": clock.wire_now(),
    }  # fmt: skip
    u.at_the_end(_WANT, values)


def correct_receipt(u: Unit, payment: Payment, left_fen: int) -> None:
    """Money of a locked payment went back and `left_fen` are left: its receipt no longer says the truth.

    One that was never asked for is changed or dropped; every other may stand at the receipt system, whatever we heard
    of it: it is recalled, and once it is void the chore wants another about the rest (冲红重开).
    """
    receipt = _newest(u, payment.id)
    if receipt is None or (receipt := u.get(Receipt, receipt.id, lock=True)) is None:
        return
    if receipt.state == WANTED and not receipt.asked:
        _change_unasked(u, receipt, left_fen)
    elif receipt.state in (WANTED, FAILED, ISSUED):
        u.step(RECEIPT, receipt, "recalled", by=SYSTEM)
        _ask_at_once(receipt)


def ask_again(u: Unit, receipt_id: str, by: Actor) -> TroubledReceipt:
    """Let the chore ask once more at once. Raises NotFound; ImpossibleMove when nothing is wrong with the receipt."""
    receipt = u.get(Receipt, receipt_id, lock=True)
    if receipt is None:
        raise NotFound
    if receipt.state not in ASKABLE:
        u.step(RECEIPT, receipt, "asked_again", by=by)
    _ask_at_once(receipt)
    return _troubled(receipt)


def receipt_of(u: Unit, payment_id: str, person_id: str | None = None) -> ReceiptView:
    """The newest receipt of a payment. Raises PaymentNotFound: absent, foreign, or not paid."""
    return _view(_own_receipt(u, payment_id, person_id))


def receipts_of(u: Unit, owner_id: str, before: str | None = None, limit: int = 20) -> list[ReceiptView]:
    """Somebody's receipts, void ones too, newest first; `before` is the id of the last one shown."""
    wanted = select(Receipt).where(Receipt.owner_id == owner_id)
    return [_view(one) for one in u.session.scalars(paging.newest_first(wanted, Receipt.id, before, limit))]


def receipt_words(u: Unit, payment_id: str, person_id: str | None = None) -> ReceiptWords:
    """What the paper says, for `draw_receipt`. Raises PaymentNotFound, ReceiptNotReady."""
    receipt = _own_receipt(u, payment_id, person_id)
    if receipt.number is None or receipt.issued_at is None:
        raise ReceiptNotReady(state=receipt.state)
    sealed = receipt.payer
    return ReceiptWords(
        code=receipt.code or "",
        number=receipt.number,
        check_code=receipt.check_code or "",
        payer=vault.open_sealed(PAYER, receipt.id, sealed) if sealed else "",
        unit=receipt.unit_name or receipt.payee,
        item=receipt.title,
        amount_fen=receipt.amount_fen,
        paid_number=number_of(receipt.payment_id),
        issued_on=clock.day_of(receipt.issued_at),
        edition=receipt.edition,
        says="" if receipt.state == ISSUED else RECEIPT.label(receipt.state),
        verify_url=verify_url(receipt.proof),
    )


def receipt_by_proof(u: Unit, proof: str) -> VerifiedReceipt:
    """What whoever holds a receipt may verify, and nothing about a person. Raises NotFound."""
    receipt = u.session.scalars(select(Receipt).where(Receipt.proof == proof)).one_or_none()
    if receipt is None or receipt.number is None or receipt.issued_at is None:
        raise NotFound
    return VerifiedReceipt(
        valid=receipt.state == ISSUED,
        says=RECEIPT.label(receipt.state),
        code=receipt.code or "",
        number=receipt.number,
        unit=receipt.unit_name or receipt.payee,
        item=receipt.title,
        amount_fen=receipt.amount_fen,
        amount_in_words=in_words(receipt.amount_fen),
        issued_on=clock.day_of(receipt.issued_at),
    )


def troubled_receipts(
    u: Unit, reach: Iterable[people.Scope] = (EVERYWHERE,), after: str | None = None, limit: int = 20
) -> list[TroubledReceipt]:
    """Receipts within reach that were refused or stay without an answer, oldest first; `after` is the last one shown.

    Those of a case name no region: there the department alone decides.
    """
    wanted = select(Receipt).where(in_trouble(), receipts_within(reach))
    behind = wanted if after is None else wanted.where(Receipt.id > after)
    return [_troubled(receipt) for receipt in u.session.scalars(behind.order_by(Receipt.id).limit(limit))]


def in_trouble() -> ColumnElement[bool]:
    """Receipts that somebody must look at."""
    silent = and_(Receipt.state.in_(ASKABLE), Receipt.asked >= PATIENCE)
    return or_(Receipt.state.in_(TROUBLED), silent)


def troubled_receipt(u: Unit, receipt_id: str) -> TroubledReceipt:
    """One receipt as the finance office sees it, troubled or not. Raises NotFound."""
    receipt = u.get(Receipt, receipt_id)
    if receipt is None:
        raise NotFound
    return _troubled(receipt)


def verify_url(proof: str) -> str:
    """What the QR code says."""
    return f"{settings().town.public_base_url}/receipts/{proof}"


def _ask_at_once(receipt: Receipt) -> None:
    """Begin the ladder again, but never forget that it was asked for: it may stand at the receipt system."""
    receipt.asked, receipt.ask_next_at, receipt.failure = min(receipt.asked, 1), clock.wire_now(), None


def _change_unasked(u: Unit, receipt: Receipt, left_fen: int) -> None:
    if left_fen > 0:
        receipt.amount_fen = left_fen
        return
    u.step(RECEIPT, receipt, "dropped", by=SYSTEM)
    receipt.voided_at = clock.now()


def _newest(u: Unit, payment_id: str) -> Receipt | None:
    wanted = select(Receipt).where(Receipt.payment_id == payment_id).order_by(Receipt.edition.desc()).limit(1)
    return u.session.scalars(wanted).one_or_none()


def _own_receipt(u: Unit, payment_id: str, person_id: str | None) -> Receipt:
    receipt = _newest(u, payment_id)
    if receipt is None or person_id not in (None, receipt.owner_id):
        raise PaymentNotFound
    return receipt


def _view(receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        id=receipt.id,
        payment_id=receipt.payment_id,
        edition=receipt.edition,
        kind=SELF_MADE if receipt.number and not receipt.reference else FISCAL,
        state=receipt.state,
        says=RECEIPT.label(receipt.state),
        code=receipt.code,
        number=receipt.number,
        check_code=receipt.check_code,
        payee=receipt.payee,
        unit=receipt.unit_name,
        title=receipt.title,
        amount_fen=receipt.amount_fen,
        amount_in_words=in_words(receipt.amount_fen),
        issued_at=receipt.issued_at,
        voided_at=receipt.voided_at,
        verify_url=verify_url(receipt.proof) if receipt.number else None,
    )


def _troubled(receipt: Receipt) -> TroubledReceipt:
    return TroubledReceipt(
        id=receipt.id,
        payment_id=receipt.payment_id,
        payee=receipt.payee,
        region_code=receipt.region_code,
        title=receipt.title,
        amount_fen=receipt.amount_fen,
        state=receipt.state,
        says=RECEIPT.label(receipt.state),
        code=receipt.code,
        number=receipt.number,
        asked=receipt.asked,
        failure=receipt.failure,
        wanted_at=receipt.wanted_at,
    )
