"""Chores: ask about payments that stay silent, and bring refunds to their end.

Claiming is moving `ask_next_at` to the next rung of the ladder, committed before the telephone is lifted: a
worker that dies leaves a row that is simply asked about one rung later.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import and_, or_, select

from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store.unit import CLOCK, Unit, run_unit
from payments import asking, subjects
from payments.asking import Silent, Underway
from payments.bills.pay_links import forget_old_links
from payments.bills.reminding import remind_batch
from payments.guesses import forget_old_guesses
from payments.machine import CLOSING, CREATED, DISPUTED, LIVE, OPEN, REQUESTED, STUCK, UNDER_WAY
from payments.models import Payment, Refund
from payments.refunds import refunds, treasury
from payments.refunds.hearing import STUCK_AGAIN
from payments.refunds.questions import failed_numbers

log = logging.getLogger(__name__)
T = TypeVar("T")
LADDER = tuple(timedelta(seconds=s) for s in (5, 10, 30, 60, 180))
"""Gaps before each question while a payer may still pay; the sixth and last is asked when the time is over."""
LAST = len(LADDER) + 1
NEVER = timedelta(days=1)
CLOSING_AGAIN = timedelta(seconds=30)
REFUND_LADDER = tuple(timedelta(seconds=s) for s in (5, 15, 30, 60, 180, 600, 3600))
DAY_BEGINS, DAY_ENDS = 9, 20
"""Hours in which people are reminded of bills. Our choice."""
BATCH = 50
LINES = 4


@chore(subjects.SWEEP, every=timedelta(seconds=5))
def sweep() -> int:
    """Ask about silent payments, and close those whose time is over; returns how many had news."""
    return _each(asking.ask, run_unit(_claim_payments))


@chore(refunds.SWEEP, every=timedelta(seconds=5))
def sweep_refunds() -> int:
    """Send refunds that were promised, and ask about those on their way; returns how many had news.

    What was promised before its day was settled and never sent is the treasury's by now: it is listed instead.
    """
    unsent = run_unit(partial(treasury.settled_unsent, most=BATCH))
    listed = _each(lambda one: run_unit(partial(treasury.list_unsent, refund_id=one)), unsent)
    return listed + _each(asking.ask_refund, run_unit(_claim_refunds))


@chore("payments.forget_guesses", every=timedelta(hours=1))
def forget_guesses() -> int:
    """Drop the counts of failed lookups whose hour is over, and pay links that ended long ago."""
    run_unit(forget_old_guesses)
    run_unit(forget_old_links)
    return 0


@chore("payments.remind_of_bills", every=timedelta(minutes=30))
def remind_of_bills() -> int:
    """Remind, by day, whoever a bill names of its last day to pay; returns how many were reminded."""
    if not DAY_BEGINS <= clock.local(clock.now()).hour < DAY_ENDS:
        return 0
    done, after = 0, ""
    while True:
        told, last = run_unit(partial(remind_batch, after=after))
        done += told
        if last is None:
            return done
        after = last


def _claim_payments(u: Unit) -> list[Silent]:
    expired = and_(Payment.state.in_(LIVE), Payment.expires_at <= clock.now())
    # Another sum came than the one asked for: the channel may put right what it said.
    odd = and_(Payment.state == DISPUTED, Payment.received_fen != Payment.amount_fen, Payment.asked < LAST)
    due = and_(or_(Payment.state.in_(OPEN), odd), Payment.ask_next_at <= clock.wire_now())
    wanted = select(Payment).where(or_(expired, due)).order_by(Payment.ask_next_at).limit(BATCH)
    return [_claimed(u, row) for row in u.session.scalars(wanted.with_for_update(skip_locked=True))]


def _claimed(u: Unit, payment: Payment) -> Silent:
    if payment.state in LIVE and payment.expires_at <= clock.now():
        subjects.request_closing(u, payment, CLOCK)
    payment.asked, payment.asked_at = payment.asked + 1, clock.wire_now()
    payment.ask_next_at = payment.asked_at + _gap_after(payment)
    return asking.silent_one(payment)


def _gap_after(payment: Payment) -> timedelta:
    """How long until the next question. After the last rung the expiry asks; until then the payer's own question."""
    if payment.state == CLOSING:
        return CLOSING_AGAIN if payment.asked <= 2 * LAST else asking.AGAIN
    if payment.state == CREATED or payment.asked >= len(LADDER):
        return NEVER  # nobody can pay what has no ticket: with the ticket the ladder begins
    return LADDER[payment.asked]


def _claim_refunds(u: Unit) -> list[Underway]:
    wanted = (
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.state.in_(UNDER_WAY), Refund.ask_next_at <= clock.wire_now())
        .order_by(Refund.ask_next_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Refund)
    )
    claimed = []
    for refund, payment in u.session.execute(wanted):
        if treasury.is_for_list(u, payment, refund):
            continue
        refund.ask_next_at = clock.wire_now() + _gap_after_refund(refund)
        refund.asked += 1
        forerunners = failed_numbers(u, payment.id) if refund.state == REQUESTED else []
        claimed.append(asking.underway_one(refund, payment, forerunners))
    return claimed


def _gap_after_refund(refund: Refund) -> timedelta:
    return STUCK_AGAIN if refund.state == STUCK else REFUND_LADDER[min(refund.asked, len(REFUND_LADDER) - 1)]


def _each(work: Callable[[T], bool], things: Sequence[T]) -> int:
    """Do all at once over a few lines; one that fails is told and does not hold up the others."""

    def quietly(thing: T) -> bool:
        try:
            return work(thing)
        except Exception:
            log.exception("asking a payment channel failed")
            return False

    if not things:
        return 0
    with ThreadPoolExecutor(max_workers=LINES) as lines:
        return sum(lines.map(quietly, things))
