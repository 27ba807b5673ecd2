"""What may be asked about ways back of money."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from backend import people
from backend.runtime import paging
from backend.store.unit import Unit
from payments.bills.models import Bill
from payments.desk_reach import EVERYWHERE, beside_bills, payers_of, within
from payments.machine import COUNTED, DISPUTED, FAILED, REFUND, REFUSED, RETURNABLE, SUCCEEDED, TAKEN_BACK
from payments.models import CHANNEL, Payment, Refund
from payments.problems import PaymentNotFound
from payments.subjects import bill_in, held_payment
from payments.views import RefundAtDesk, RefundStep, RefundView

DROPPED = (REFUSED, TAKEN_BACK)
_OTHER = aliased(Refund)
_HELD = and_(Payment.state == DISPUTED, not_(Payment.settles))


class Desk(NamedTuple):
    """A refund with what staff need beside it."""

    refund: Refund
    payment: Payment
    notice_no: str | None
    may_retry: bool


def refunds_of(u: Unit, payment_id: str) -> list[RefundView]:
    """The refunds of a payment, oldest first, each with its steps."""
    payment = u.get(Payment, payment_id)
    wanted = select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)
    refunds = list(u.session.scalars(wanted))
    if payment is None or not refunds:
        return []
    steps = steps_of(u, payment.matter, {refund.id for refund in refunds})
    return [plain_view(refund, steps[refund.id]) for refund in refunds]


def refund_at_desk(u: Unit, refund_id: str) -> RefundAtDesk:
    """One refund as staff see it. Raises PaymentNotFound."""
    refund = u.get(Refund, refund_id)
    payment = u.get(Payment, refund.payment_id) if refund else None
    if refund is None or payment is None:
        raise PaymentNotFound
    view = refund_view(u, refund)
    bill_id = bill_in(payment.subject)
    bill = u.get(Bill, bill_id) if bill_id else None
    names = payers_of(u, [payment.person_id])
    return _at_desk(
        view, Desk(refund, payment, bill.notice_no if bill else None, _may_retry(u, refund.id)), names
    )


def refunds_at_desk(
    u: Unit, states: Collection[str], payee: str | None, after: str | None = None, limit: int = 20, *,
    reach: Iterable[people.Scope] = (EVERYWHERE,), way: str | None = None, only_retryable: bool = False,
) -> list[RefundAtDesk]:  # fmt: skip
    """Refunds in these states of one payee (None: of all), newest first, without their steps.

    `reach` narrows them to departments and regions, `only_retryable` to what failed and may be tried again.
    """
    wanted = beside_bills(desk_refunds()).where(Refund.state.in_(states), within(reach))
    if payee is not None:
        wanted = wanted.where(Payment.payee == payee)
    if way is not None:
        wanted = wanted.where(Refund.way == way)
    if only_retryable:
        wanted = wanted.where(may_retry())
    return _listed(u, paging.newest_first(wanted, Refund.id, after, limit))


def desk_refunds() -> Select[Refund, Payment, str | None, bool]:
    """Refunds with their payments; the bills must be joined."""
    columns = select(Refund, Payment, Bill.notice_no, may_retry())
    return columns.select_from(Refund).join(Payment, Payment.id == Refund.payment_id)


def may_retry() -> ColumnElement[bool]:
    """Of refunds beside payments: it failed, nobody tries it again, and the payment still holds that much.

    What tried one again that came back after all is over.
    """
    counted = select(func.coalesce(func.sum(_OTHER.amount_fen), 0))
    gone = counted.where(_OTHER.payment_id == Payment.id, _OTHER.state.in_(COUNTED)).correlate(Payment)
    rest = func.coalesce(Payment.received_fen, Payment.amount_fen) - gone.scalar_subquery()
    again = (
        select(_OTHER.id).where(_OTHER.retry_of == Refund.id, _OTHER.state.not_in(DROPPED)).correlate(Refund)
    )
    held = or_(and_(Payment.settles, Payment.state.in_(RETURNABLE)), _HELD)
    failed = and_(Refund.state == FAILED, not_(Refund.superseded))
    return and_(failed, held, rest >= Refund.amount_fen, not_(again.exists()))


def is_tried_again(u: Unit, refund_id: str) -> bool:
    """Whether another refund tries this one again: one that was neither refused nor taken back."""
    again = select(Refund.id).where(Refund.retry_of == refund_id, Refund.state.not_in(DROPPED))
    return u.session.scalar(select(again.exists())) is True


def tried_again(u: Unit, refund: Refund) -> list[Refund]:
    """The refunds of a locked payment that try this one again, or try again what did; locked."""
    later = select(Refund).where(Refund.payment_id == refund.payment_id, Refund.retry_of.is_not(None))
    found, chain = [], {refund.id}
    for one in u.session.scalars(later.order_by(Refund.id).with_for_update()):
        if one.retry_of in chain:
            chain.add(one.id)
            found.append(one)
    return found


def failed_numbers(u: Unit, payment_id: str) -> list[str]:
    """Numbers of a payment's refunds that the channel said no to, oldest first."""
    failed = select(Refund.number).where(Refund.payment_id == payment_id, Refund.state == FAILED)
    return list(u.session.scalars(failed.where(Refund.way == CHANNEL).order_by(Refund.id)))


def refunds_in(u: Unit, payment_id: str, states: Sequence[str]) -> list[Refund]:
    """Refunds of a locked payment in these states, oldest first, locked."""
    wanted = select(Refund).where(Refund.payment_id == payment_id, Refund.state.in_(states))
    return list(u.session.scalars(wanted.order_by(Refund.id).with_for_update()))


def refunded_fen(u: Unit, payment_id: str, *, but: str = "", states: Collection[str] = (SUCCEEDED,)) -> int:
    """Sum of a payment's refunds in these states, leaving one out."""
    u.flush_rows()
    total = select(func.coalesce(func.sum(Refund.amount_fen), 0))
    mine = total.where(Refund.payment_id == payment_id, Refund.state.in_(states), Refund.id != but)
    return int(u.session.scalar(mine) or 0)


def came_fen(payment: Payment) -> int:
    """What came of a payment that has its money."""
    return payment.amount_fen if payment.received_fen is None else payment.received_fen


def held_refund(u: Unit, refund_id: str) -> tuple[Payment, Refund]:
    """A refund and its payment, locked in the order of this house. Raises PaymentNotFound."""
    seen = u.get(Refund, refund_id)
    payment = held_payment(u, seen.payment_id) if seen else None
    refund = u.get(Refund, refund_id, lock=True)
    if payment is None or refund is None:
        raise PaymentNotFound
    return payment, refund


def refund_view(u: Unit, refund: Refund) -> RefundView:
    """The refund with its steps so far."""
    u.flush()
    return plain_view(refund, steps_of(u, refund.matter, {refund.id})[refund.id])


def plain_view(refund: Refund, steps: Iterable[RefundStep] = ()) -> RefundView:
    return RefundView(
        id=refund.id,
        payment_id=refund.payment_id,
        amount_fen=refund.amount_fen,
        state=refund.state,
        says=REFUND.label(refund.state),
        reason=refund.reason,
        way=refund.way,
        decision=refund.decision,
        requested_at=refund.requested_at,
        returned_at=refund.returned_at,
        steps=tuple(steps),
        withdraw_bill=refund.withdraw_bill,
    )


def steps_of(u: Unit, matter: str, refund_ids: Collection[str]) -> dict[str, list[RefundStep]]:
    """What the journal of a matter tells about these refunds."""
    steps: dict[str, list[RefundStep]] = {refund_id: [] for refund_id in refund_ids}
    for line in u.journal_of(matter):
        if line.subject in steps and line.says:
            steps[line.subject].append(RefundStep(line.says, line.occurred_at))
    return steps


def _may_retry(u: Unit, refund_id: str) -> bool:
    mine = select(may_retry()).select_from(Refund).join(Payment, Payment.id == Refund.payment_id)
    return u.session.scalar(mine.where(Refund.id == refund_id)) is True


def _listed(u: Unit, wanted: Select[Refund, Payment, str | None, bool]) -> list[RefundAtDesk]:
    found = [Desk(*row) for row in u.session.execute(wanted)]
    names = payers_of(u, [one.payment.person_id for one in found])
    return [_at_desk(plain_view(one.refund), one, names) for one in found]


def _at_desk(view: RefundView, found: Desk, names: Mapping[str, str]) -> RefundAtDesk:
    refund, payment = found.refund, found.payment
    return RefundAtDesk(
        refund=view,
        title=payment.title,
        subject=payment.subject,
        payee=payment.payee,
        channel=payment.channel,
        paid_fen=came_fen(payment),
        asked_by=refund.asked_by,
        approved_by=refund.approved_by,
        confirmed_by=refund.confirmed_by,
        failure=refund.failure,
        reference=refund.reference,
        person_id=payment.person_id,
        payer=names[payment.person_id],
        payment_number=payment.number,
        transaction=payment.reference,
        notice_no=found.notice_no,
        paid_at=payment.paid_at,
        retry_of=refund.retry_of,
        may_retry=found.may_retry,
    )


def told_of(payment: Payment, refund: Refund) -> tuple[str, str, str, str, int, str]:
    """What every event about a refund says first."""
    return payment.matter, payment.person_id, payment.id, payment.subject, refund.amount_fen, refund.id
