"""Ways back of money: asked for, decided, promised. Never more than is left, under the row lock of the payment.

Whoever asks, a person of the payee decides, and above a threshold a second one. What nobody owed needs no decision.
Once the channel has paid the money out it is the treasury's (收支两条线): then the way back is 退付, see `treasury`.
"""

from backend.contracts import RefundApproved, RefundAsked, RefundListed, RefundRefused
from backend.kernel import clock, ids
from backend.kernel.privacy import scrub
from backend.kernel.problems import FieldError, InvalidInput
from backend.runtime.settings import settings
from backend.runtime.worker import wake
from backend.store.unit import SYSTEM, Actor, Unit
from payments import wording
from payments.ledger import ledger
from payments.machine import COUNTED, DISPUTED, FAILED, PAYMENT, REFUND, RETURNABLE, SECOND, UNDECIDED
from payments.models import CHANNEL, TREASURY, Payment, Refund, number_of
from payments.problems import (
    AnotherMustConfirm,
    NotRefundable,
    PaymentNotFound,
    RefundDecided,
    RefundTooLarge,
    RefundUnderReview,
)
from payments.refunds import treasury
from payments.refunds.questions import (
    came_fen,
    held_refund,
    is_tried_again,
    refund_view,
    refunded_fen,
    refunds_in,
    told_of,
)
from payments.subjects import bill_in, held_payment, provider_actor
from payments.views import RefundView

SWEEP = "payments.refunds"


def ask_for_refund(
    u: Unit, payment_id: str, person_id: str, amount_fen: int | None, reason: str, by: Actor
) -> RefundView:
    """The payer asks for money back; None means all that is left. Staff of the payee decide.

    Raises PaymentNotFound, NotRefundable, RefundTooLarge, RefundUnderReview (one question at a time).
    """
    payment = _returnable(u, payment_id, person_id)
    if refunds_in(u, payment.id, UNDECIDED):
        raise RefundUnderReview
    refund = _begin(u, payment, _within_rest(u, payment, amount_fen), reason, by)
    u.record(RefundAsked(*told_of(payment, refund)))
    return refund_view(u, refund)


def request_refund(
    u: Unit, payment_id: str, amount_fen: int | None, reason: str, by: Actor, *, withdraw_bill: bool = False
) -> RefundView:
    """Staff give money back; None means all that is left. Above the threshold another of them must confirm.

    `withdraw_bill`: the bill was wrong, and is withdrawn instead of due again once all of its money is back.
    Raises PaymentNotFound, NotRefundable, RefundTooLarge, InvalidInput (`withdraw_bill`: not all of a bill's money).
    """
    payment = _returnable(u, payment_id)
    amount = _within_rest(u, payment, amount_fen)
    if withdraw_bill and (bill_in(payment.subject) is None or amount != _rest(u, payment)):
        raise InvalidInput(errors=[FieldError(field="withdraw_bill", message=wording.NOT_A_WHOLE_BILL)])
    refund = _begin(u, payment, amount, reason, by)
    refund.withdraw_bill = withdraw_bill
    return _ask_as_staff(u, payment, refund, by)


def approve_refund(u: Unit, refund_id: str, by: Actor) -> RefundView:
    """Say yes; above the threshold it needs two people.

    Raises PaymentNotFound, RefundDecided, NotRefundable (contested), AnotherMustConfirm.
    """
    payment, refund = _undecided(u, refund_id)
    if payment.state not in ((DISPUTED,) if refund.owed else RETURNABLE):
        raise NotRefundable(state=payment.state)
    if refund.state == SECOND and by.id in (refund.approved_by, refund.asked_by):
        raise AnotherMustConfirm
    _say_yes(u, payment, refund, by)
    return refund_view(u, refund)


def refuse_refund(u: Unit, refund_id: str, reason: str, by: Actor) -> RefundView:
    """Say no; the payer reads the reason. Raises PaymentNotFound, RefundDecided."""
    payment, refund = _undecided(u, refund_id)
    refund.decision = scrub(reason)[:80]
    u.step(REFUND, refund, "refused", by=by, facts={"reason": refund.decision})
    u.record(RefundRefused(*told_of(payment, refund)))
    return refund_view(u, refund)


def withdraw_refund(u: Unit, payment_id: str, refund_id: str, person_id: str, by: Actor) -> RefundView:
    """The payer takes a question of their own back that nobody has decided. Raises PaymentNotFound, RefundDecided."""
    payment, refund = held_refund(u, refund_id)
    if (payment.id, payment.person_id, refund.asked_by) != (payment_id, person_id, person_id):
        raise PaymentNotFound
    if refund.state not in UNDECIDED:
        raise RefundDecided(state=refund.state)
    u.step(REFUND, refund, "taken_back", by=by)
    return refund_view(u, refund)


def retry_refund(u: Unit, refund_id: str, by: Actor) -> RefundView:
    """Staff try a failed refund again: another one of the same sum, with the same four eyes.

    Raises PaymentNotFound, RefundDecided (it has not failed, or is tried again already, or what it tried again came
    back after all), NotRefundable, RefundTooLarge.
    """
    payment, failed = held_refund(u, refund_id)
    if failed.state != FAILED or failed.superseded or is_tried_again(u, failed.id):
        raise RefundDecided(state=failed.state)
    if payment.state == DISPUTED and not payment.settles:
        return give_back_held(u, payment, failed.reason, by, retry_of=failed.id)
    payment = _returnable(u, payment.id)
    amount = _within_rest(u, payment, failed.amount_fen)
    fresh = _begin(u, payment, amount, failed.reason, by, retry_of=failed.id)
    fresh.withdraw_bill = failed.withdraw_bill
    return _ask_as_staff(u, payment, fresh, by)


def return_unwanted(u: Unit, payment: Payment, by: Actor = SYSTEM) -> None:
    """Promise back all that is left of a locked payment that its matter no longer wants; what was asked for, too.

    A contested payment waits until it is cleared; one that is back or on its way stays as it is.
    """
    if payment.state not in RETURNABLE:
        return
    for refund in refunds_in(u, payment.id, UNDECIDED):
        _promise(u, payment, refund, by)
    u.flush()
    rest = _rest(u, payment)
    if rest > 0:
        _promise(u, payment, _begin(u, payment, rest, wording.NOT_WANTED, by), by)


def owe_back(u: Unit, payment: Payment, reason: str) -> str:
    """Give the whole of a locked payment back that nobody owed: it waits for nobody. Returns the refund's id."""
    by = provider_actor(payment.channel)
    refund = _begin(u, payment, came_fen(payment), reason, by, says=wording.SURPLUS_FOUND)
    u.step(REFUND, refund, "owed", by=by, facts={"amount_fen": refund.amount_fen})
    _send(u, payment, refund)
    return refund.id


def give_back_held(
    u: Unit, payment: Payment, reason: str, by: Actor, retry_of: str | None = None
) -> RefundView:
    """Staff give back what is held of a locked payment (another amount, or a surplus that could not be returned).

    Above the threshold it stays held until another person confirms. Raises NotRefundable: that is being decided.
    """
    refund = _begin(u, payment, _within_rest(u, payment, None), reason, by, retry_of=retry_of)
    return _ask_as_staff(u, payment, refund, by)


def drop_questions(u: Unit, payment: Payment, by: Actor) -> None:
    """Nobody needs to decide any more what was asked for of a locked payment."""
    for refund in refunds_in(u, payment.id, UNDECIDED):
        u.step(REFUND, refund, "taken_back", by=by)
    u.flush_rows()


def _ask_as_staff(u: Unit, payment: Payment, refund: Refund, by: Actor) -> RefundView:
    _say_yes(u, payment, refund, by)
    if refund.state == SECOND:
        u.record(RefundAsked(*told_of(payment, refund)))
    return refund_view(u, refund)


def _say_yes(u: Unit, payment: Payment, refund: Refund, by: Actor) -> None:
    """The first yes is enough up to the threshold; beyond it the next one confirms."""
    if refund.state == SECOND:
        refund.confirmed_by = by.id
    else:
        refund.approved_by = by.id
        if _needs_two(u, payment):
            u.step(REFUND, refund, "seconded", by=by, facts={"amount_fen": refund.amount_fen})
            return
    _promise(u, payment, refund, by)


def _needs_two(u: Unit, payment: Payment) -> bool:
    """Whether all that left or may leave of this payment is above the threshold: small parts do not slip below it."""
    return refunded_fen(u, payment.id, states=COUNTED) > settings().money.refund_four_eyes_fen


def _promise(u: Unit, payment: Payment, refund: Refund, by: Actor) -> None:
    """It is decided: the money is on its way, over the channel or over the treasury."""
    refund.way = TREASURY if treasury.has_it(u, payment) else CHANNEL
    facts = {"amount_fen": refund.amount_fen, "way": refund.way}
    u.step(PAYMENT, payment, "given_back" if refund.owed else "refund_requested", by=by, facts=facts)
    u.step(REFUND, refund, "listed" if refund.way == TREASURY else "approved", by=by, facts=facts)
    _send(u, payment, refund)
    event = RefundListed if refund.way == TREASURY else RefundApproved
    u.record(event(*told_of(payment, refund)))


def _send(u: Unit, payment: Payment, refund: Refund) -> None:
    refund.ask_next_at = clock.wire_now()
    ledger.enter_promise(u, payment, refund)
    u.after_commit(lambda: wake(SWEEP))


def _returnable(u: Unit, payment_id: str, person_id: str | None = None) -> Payment:
    payment = held_payment(u, payment_id)
    if payment is None or person_id not in (None, payment.person_id):
        raise PaymentNotFound
    if payment.state not in RETURNABLE or not payment.settles:
        raise NotRefundable(state=payment.state)
    return payment


def _undecided(u: Unit, refund_id: str) -> tuple[Payment, Refund]:
    payment, refund = held_refund(u, refund_id)
    if refund.state not in UNDECIDED:
        raise RefundDecided(state=refund.state)
    return payment, refund


def _rest(u: Unit, payment: Payment) -> int:
    return came_fen(payment) - refunded_fen(u, payment.id, states=COUNTED)


def _within_rest(u: Unit, payment: Payment, amount_fen: int | None) -> int:
    rest = _rest(u, payment)
    amount = rest if amount_fen is None else amount_fen
    if rest <= 0:
        raise NotRefundable(left_fen=rest)
    if type(amount) is not int or not 1 <= amount <= rest:
        fault = FieldError(field="amount_fen", message=f"1–{rest}")
        raise RefundTooLarge(errors=[fault], left_fen=rest)
    return amount


def _begin(
    u: Unit, payment: Payment, amount_fen: int, reason: str, by: Actor,
    says: str = wording.REFUND_ASKED, retry_of: str | None = None,
) -> Refund:  # fmt: skip
    public_id = ids.new_id("rf")
    refund = Refund(
        id=public_id,
        number=number_of(public_id),
        payment_id=payment.id,
        matter=payment.matter,
        amount_fen=amount_fen,
        owed=not payment.settles,
        way=CHANNEL,
        retry_of=retry_of,
        reason=scrub(reason)[:80],  # it goes to the channel and into the journal
        asked_by=by.id,
        requested_at=clock.now(),
        asked=0,
        ask_next_at=clock.wire_now(),
    )
    u.add(refund)
    facts = {"amount_fen": amount_fen, "payment": payment.id, "reason": refund.reason}
    if retry_of is not None:
        facts["retry_of"] = retry_of
    u.begin(REFUND, refund, by=by, says=says, facts=facts)
    u.flush_rows()
    return refund
