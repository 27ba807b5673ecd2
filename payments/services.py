"""Verbs of paying: remember, ask outside, remember. A death between the steps loses nothing.

A payment without a ticket is prepared again under the same number; one that succeeded before we knew its ticket
is paid all the same, since the machine takes `succeeded` from `created`.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from backend.kernel import clock
from backend.kernel.problems import ChannelRefused, ChannelSilent, FieldError, Problem
from backend.store.unit import Actor, Unit, retry_on, run_unit
from payments import wording
from payments.asking import ask_about
from payments.bills import questions as bill_questions
from payments.bills.payees import require_active
from payments.channels import NAMES, channel, port
from payments.machine import AWAITING, CREATED, DUE, LIVE, PAYMENT
from payments.models import MAX_FEN, Payment
from payments.problems import (
    AmountOutOfRange,
    BillNotDue,
    ChannelUnknown,
    FeeAlreadyPaid,
    PayerUnknown,
    PaymentNotFound,
    PaymentOver,
)
from payments.questions import payment_view
from payments.subjects import (
    held_payment,
    hold_subject,
    provider_actor,
    request_closing,
    settling_payment,
    subject_of_bill,
)
from payments.views import PaymentView, PayOrder, Visitor

LIFE = timedelta(minutes=30)
LAST_CALL = timedelta(minutes=2)
"""A payment that ends sooner than this is not offered again: nobody could pay it in time."""
FIRST_ASK = timedelta(seconds=5)
NOBODY = Visitor()

retry_on("uq_payments_payment_live")
retry_on("uq_payments_payment_settles")


def open_payment(
    u: Unit, *, subject: str, matter: str, person_id: str, payee: str, amount_fen: int, channel: str,
    title: str, by: Actor, product: str = port.MINI, owed_by: str | None = None, region_code: str | None = None,
) -> PaymentView:  # fmt: skip
    """A payment that can be paid now: the live one of this payer, channel and product, else a new one.

    `owed_by`: whose debt it is when another pays it. `region_code`: where the case belongs, for the desks of regions.
    Raises AmountOutOfRange, ChannelUnknown, FeeAlreadyPaid, PayeeInactive.
    """
    _check(amount_fen, channel)
    require_active(u, payee)
    owed_by = None if owed_by == person_id else owed_by
    hold_subject(u, subject)
    if settling_payment(u, subject) is not None:
        raise FeeAlreadyPaid
    live = _live(u, subject, person_id, channel)
    if live is not None:
        if _is_payable(live, amount_fen, product, owed_by):
            return payment_view(live, 0)
        request_closing(u, live, by)
        u.flush()
    now, wire = clock.now(), clock.wire_now()
    payment = Payment.opened(opened_at=now, expires_at=now + LIFE, ask_next_at=wire + FIRST_ASK)
    payment.subject, payment.matter, payment.person_id, payment.payee = subject, matter, person_id, payee
    payment.channel, payment.title, payment.amount_fen = channel, wording.fitting(title), amount_fen
    payment.product, payment.owed_by, payment.region_code = product, owed_by, region_code
    u.add(payment)
    facts = {"amount_fen": amount_fen, "channel": channel, "product": product}
    u.begin(PAYMENT, payment, by=by, says=wording.OPENED, facts=facts)
    return payment_view(payment, 0)


def open_bill_payment(
    u: Unit, bill_id: str, person_id: str, channel: str, by: Actor, product: str = port.MINI,
    owed_by: str | None = None,
) -> PaymentView:  # fmt: skip
    """A payment of everything a bill costs today, for somebody who has found the bill, or was asked by one who has.

    Raises BillNotFound, BillNotDue, MustVisitWindow, FeeAlreadyPaid.
    """
    hold_subject(u, subject_of_bill(bill_id))
    bill = bill_questions.bill_of(u, bill_id, person_id=owed_by or person_id)
    bill_questions.require_online(bill)
    if settling_payment(u, subject_of_bill(bill_id)) is not None:
        raise FeeAlreadyPaid
    if bill.state != DUE:
        raise BillNotDue(state=bill.state)
    return open_payment(
        u,
        subject=subject_of_bill(bill_id),
        matter=bill_id,
        person_id=person_id,
        payee=bill.department_id,
        amount_fen=bill.total_fen,
        channel=channel,
        title=wording.BILL_TITLE.format(item=bill.item, unit=bill.executing_unit),
        by=by,
        product=product,
        owed_by=owed_by,
    )


def prepare(payment: PaymentView, payer_account: str, visitor: Visitor = NOBODY) -> str:
    """Lift the telephone: the channel's ticket for this payment. No unit may be open.

    Raises ChannelSilent (the payment stays and can be prepared again), ChannelRefused, FeeAlreadyPaid.
    """
    order = port.Order(
        number=payment.number,
        title=payment.title,
        amount_fen=payment.amount_fen,
        payer_account=payer_account,
        expires_at=payment.expires_at,
        product=payment.product,
        payer_ip=visitor.address,
        return_url=visitor.return_url,
    )
    answer = channel(payment.channel).prepare(order)
    if isinstance(answer, port.Ticket):
        return answer.reference
    if isinstance(answer, port.Unknown):
        raise ChannelSilent(retry_after=5)
    raise _refusal_of(payment, answer)


def attach_ticket(u: Unit, payment_id: str, ticket: str) -> PaymentView:
    """Remember the ticket; created becomes awaiting. Raises FeeAlreadyPaid or PaymentOver when outrun."""
    payment = held_payment(u, payment_id)
    if payment is None:
        raise PaymentNotFound
    if payment.settles:
        raise FeeAlreadyPaid
    if payment.state not in LIVE:
        raise PaymentOver(state=payment.state)
    if payment.state == CREATED:
        u.step(PAYMENT, payment, "prepared", by=provider_actor(payment.channel))
        payment.ask_next_at = clock.wire_now() + FIRST_ASK
    payment.ticket = ticket
    return payment_view(payment, 0)


def pay(
    open_it: Callable[[Unit], PaymentView],
    payer_account: Callable[[Unit, str], str | None],
    visitor: Visitor = NOBODY,
) -> PayOrder:
    """Remember, ask, remember: what a window does for a payer. `payer_account` knows the payer by platform.

    Raises what `open_it`, `prepare` and `attach_ticket` raise, and PayerUnknown: an app must know its payer.
    """
    payment, account, ticket = run_unit(lambda u: _with_account(u, open_it, payer_account))
    # The address a browser opens lives for minutes only: it is asked for anew each time.
    if ticket is not None and payment.product != port.H5:
        return pay_order(payment, ticket)
    given = prepare(payment, account, visitor)
    return pay_order(run_unit(lambda u: attach_ticket(u, payment.id, given)), given)


def pay_order(payment: PaymentView, ticket: str) -> PayOrder:
    """What the phone needs, signed now. Raises PaymentOver once nobody can pay it any more."""
    if payment.state != AWAITING:
        raise PaymentOver(state=payment.state)
    return PayOrder(
        payment_id=payment.id,
        channel=payment.channel,
        title=payment.title,
        amount_fen=payment.amount_fen,
        expires_at=payment.expires_at,
        parameters=channel(payment.channel).client_parameters(ticket, payment.product),
        product=payment.product,
    )


def _refusal_of(payment: PaymentView, answer: port.AlreadyPaid | port.Refusal) -> Problem:
    """The channel knows the order better than we do: ask, and tell what we have learnt."""
    ask_about(payment.id, at_once=True)
    known = run_unit(lambda u: u.get(Payment, payment.id))
    if known is not None and known.settles:
        return FeeAlreadyPaid()
    if known is None or known.state not in LIVE:
        return PaymentOver()
    return (
        ChannelRefused(code=answer.code) if isinstance(answer, port.Refusal) else ChannelSilent(retry_after=5)
    )


def _with_account(
    u: Unit, open_it: Callable[[Unit], PaymentView], payer_account: Callable[[Unit, str], str | None]
) -> tuple[PaymentView, str, str | None]:
    payment = open_it(u)
    if payment.product == port.H5:
        return payment, "", None
    row = u.get(Payment, payment.id)
    account = payer_account(u, channel(payment.channel).platform)
    if not account:
        raise PayerUnknown(errors=[FieldError(field="channel", message="未绑定这种支付方式的账号")])
    return payment, account, row.ticket if row else None


def _check(amount_fen: object, channel_name: str) -> None:
    if channel_name not in NAMES:
        raise ChannelUnknown(errors=[FieldError(field="channel", message="不在可选范围内")])
    if type(amount_fen) is not int or amount_fen < 1:
        raise AmountOutOfRange(errors=[FieldError(field="amount_fen", message="应当是以分为单位的正整数")])
    if amount_fen > MAX_FEN:
        message = f"超过线上单笔上限（{wording.LIMIT}）"
        raise AmountOutOfRange(errors=[FieldError(field="amount_fen", message=message)])


def _is_payable(live: Payment, amount_fen: int, product: str, owed_by: str | None) -> bool:
    in_time = live.expires_at > clock.now() + LAST_CALL
    return in_time and (live.amount_fen, live.product, live.owed_by) == (amount_fen, product, owed_by)


def _live(u: Unit, subject: str, person_id: str, channel_name: str) -> Payment | None:
    wanted = select(Payment).where(
        Payment.subject == subject,
        Payment.person_id == person_id,
        Payment.channel == channel_name,
        Payment.state.in_(LIVE),
    )
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    return u.session.scalars(locked).one_or_none()
