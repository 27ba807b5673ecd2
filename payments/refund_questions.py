"""What may be asked about ways back of money."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Select, func, select

from backend.runtime import paging
from backend.store.unit import Unit
from payments.machine import REFUND, SUCCEEDED
from payments.models import Payment, Refund
from payments.problems import PaymentNotFound
from payments.subjects import held_payment
from payments.views import RefundAtDesk, RefundStep, RefundView


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
    return _at_desk(refund_view(u, refund), refund, payment)


def refunds_at_desk(
    u: Unit, states: Collection[str], payee: str | None, after: str | None = None, limit: int = 20
) -> list[RefundAtDesk]:
    """Refunds in these states of one payee (None: of all), newest first, without their steps."""
    wanted = select(Refund, Payment).join(Payment, Payment.id == Refund.payment_id)
    wanted = wanted.where(Refund.state.in_(states))
    if payee is not None:
        wanted = wanted.where(Payment.payee == payee)
    return _listed(u, paging.newest_first(wanted, Refund.id, after, limit))


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
    )


def steps_of(u: Unit, matter: str, refund_ids: Collection[str]) -> dict[str, list[RefundStep]]:
    """What the journal of a matter tells about these refunds."""
    steps: dict[str, list[RefundStep]] = {refund_id: [] for refund_id in refund_ids}
    for line in u.journal_of(matter):
        if line.subject in steps and line.says:
            steps[line.subject].append(RefundStep(line.says, line.occurred_at))
    return steps


def _listed(u: Unit, wanted: Select[Refund, Payment]) -> list[RefundAtDesk]:
    return [_at_desk(plain_view(refund), refund, payment) for refund, payment in u.session.execute(wanted)]


def _at_desk(view: RefundView, refund: Refund, payment: Payment) -> RefundAtDesk:
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
    )
