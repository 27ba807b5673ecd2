"""Asking the channels about what stays silent. Whatever they answer becomes a notice and takes the one door.

Everything here lifts a telephone: no unit may be open. A channel that does not answer changes nothing: it is asked
again, however often it was asked already.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from backend.contracts import Notice
from backend.kernel import clock
from backend.runtime import callbacks
from backend.store.unit import Unit, run_unit
from payments import swift
from payments.channels import channel, port
from payments.machine import CLOSING, DISPUTED, FAILED, OPEN, REFUND, REQUESTED, UNDER_WAY
from payments.models import CHANNEL, Payment, Refund
from payments.refunds.questions import came_fen
from payments.settling import settle
from payments.subjects import provider_actor

log = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=3)
"""A payer who asks again within this time gets what we know: the channel was just asked.

It doubles with each of the payer's questions: 3, 6, 12, 24, 48 and then always 96 seconds since anybody asked.
"""
DOUBLINGS = 5
AGAIN = timedelta(minutes=3)
"""After this time a question is repeated that brought no answer."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A payment nobody has told us the end of."""

    id: str
    number: str
    channel: str
    closing: bool
    by_payer: bool = False


@dataclass(frozen=True, slots=True)
class Underway:
    """A refund that has not ended."""

    id: str
    number: str
    channel: str
    payment_number: str
    amount_fen: int
    paid_fen: int
    reason: str
    state: str
    forerunners: tuple[str, ...] = ()
    """Numbers of refunds of the same payment that the channel said no to."""


def ask_about(payment_id: str, *, at_once: bool = False) -> None:
    """The payer's own question to the channel, while the payment is silent: ever further apart.

    An answer that does not come counts too; the sweep asks on its own ladder. `at_once`: the channel has just let
    on that it knows more than we do.
    """
    silent = run_unit(lambda u: _take(u, payment_id, at_once))
    if silent is not None:
        ask(silent)


def silent_one(payment: Payment) -> Silent:
    return Silent(payment.id, payment.number, payment.channel, payment.state == CLOSING)


def underway_one(refund: Refund, payment: Payment, forerunners: Sequence[str] = ()) -> Underway:
    """What the channel is asked about a refund. One that has failed is only asked about, and never sent."""
    return Underway(
        id=refund.id,
        number=refund.number,
        channel=payment.channel,
        payment_number=payment.number,
        amount_fen=refund.amount_fen,
        paid_fen=came_fen(payment),
        reason=refund.reason,
        state=refund.state,
        forerunners=tuple(forerunners),
    )


def may_ask(refund: Refund) -> bool:
    """Whether the channel has something to tell about a refund; what it said no to may have come back since."""
    return refund.state in UNDER_WAY or (refund.state == FAILED and refund.way == CHANNEL)


def ask(silent: Silent) -> bool:
    """Ask once (and close what is to be closed); True when there was news."""
    line = channel(silent.channel)
    found = line.query(silent.number)
    if silent.closing and isinstance(found, port.Waiting):
        shut = line.close(silent.number)
        found = line.query(silent.number) if isinstance(shut, port.AlreadyPaid) else _as_found(shut)
    news = _news_of(silent, found)
    return news is not None and callbacks.hear(settle, news, swift.questions)


def ask_refund(underway: Underway) -> bool:
    """Send a refund, or ask what became of it; True when there was news."""
    line = channel(underway.channel)
    if underway.state == REQUESTED:
        for number in underway.forerunners:
            before = line.query_refund(number, underway.payment_number)
            if not isinstance(before, port.Absent | port.Refusal):
                return _not_now(underway, number, before)
        return _send(line, underway)
    answer = line.query_refund(underway.number, underway.payment_number)
    if isinstance(answer, port.Absent):
        # Of what we hold for failed only money that came back is news.
        return underway.state in UNDER_WAY and _send(line, underway)
    return _hear_of(underway, answer)


def _send(line: port.Channel, underway: Underway) -> bool:
    """Ask for the money to go back. A no counts when the channel, asked again, does not know of it either."""
    order = port.RefundOrder(
        number=underway.number,
        payment_number=underway.payment_number,
        amount_fen=underway.amount_fen,
        paid_fen=underway.paid_fen,
        reason=underway.reason,
    )
    answer = line.refund(order)
    if isinstance(answer, port.Refusal):
        known = line.query_refund(underway.number, underway.payment_number)
        answer = answer if isinstance(known, port.Absent) else known
    if isinstance(answer, port.RefundPending) and underway.state == REQUESTED:
        run_unit(lambda u: _mark_sent(u, underway.id))
        return True
    return _hear_of(underway, answer)


def _not_now(underway: Underway, number: str, before: port.RefundNews) -> bool:
    """What was taken for failed is not: nothing is sent after it. If it is back, what was to follow it ends."""
    log.warning("a failed refund lives", extra={"refund": underway.id, "earlier": number})
    if not isinstance(before, port.RefundDone):
        return False
    news = _refund_news_of(underway, before)
    if news is None:
        return False
    # Asked for each one that was to follow: whatever was impossible then may be possible now.
    return callbacks.hear(settle, replace(news, subject=number, key=f"{news.key}:before:{number}"))


def _hear_of(underway: Underway, answer: port.RefundNews) -> bool:
    news = _refund_news_of(underway, answer)
    return news is not None and callbacks.hear(settle, news, swift.questions)


def _take(u: Unit, payment_id: str, at_once: bool) -> Silent | None:
    payment = u.get(Payment, payment_id, lock=True)
    if payment is None or payment.state not in OPEN:
        return None
    at = clock.wire_now()
    patience = PATIENCE * 2 ** min(payment.asked_by_payer, DOUBLINGS)
    if not at_once and payment.asked_at is not None and at - payment.asked_at < patience:
        return None
    payment.asked_by_payer, payment.asked_at = payment.asked_by_payer + 1, at
    return replace(silent_one(payment), by_payer=True)


def _ask_again(u: Unit, payment_id: str) -> None:
    """A question without an answer does not count: the next one comes soon, whatever the ladder says."""
    payment = u.get(Payment, payment_id, lock=True)
    if payment is not None and payment.state in (*OPEN, DISPUTED):
        payment.asked = max(0, payment.asked - 1)
        payment.ask_next_at = min(payment.ask_next_at, clock.wire_now() + AGAIN)


def _as_found(shut: port.Closing) -> port.Found:
    return port.Unknown("paid while it was being closed") if isinstance(shut, port.AlreadyPaid) else shut


def _news_of(silent: Silent, found: port.Found) -> Notice | None:
    if isinstance(found, port.Paid):
        return Notice(
            provider=silent.channel,
            key=f"asked:{silent.number}:paid:{found.reference}:{found.amount_fen}",
            subject=silent.number,
            trigger="succeeded",
            occurred_at=found.paid_at,
            amount_fen=found.amount_fen,
            facts={port.OURS: found.ours, port.REFERENCE: found.reference},
            raw=found.raw,
        )
    if isinstance(found, port.Shut) or (isinstance(found, port.Absent) and silent.closing):
        return _plain(silent.channel, silent.number, "closed", {port.OURS: True})
    if isinstance(found, port.Unknown):
        log.info("channel gave no proof", extra={"payment": silent.id, "why": found.why})
        if not silent.by_payer:
            run_unit(lambda u: _ask_again(u, silent.id))
    return None


def _refund_news_of(underway: Underway, answer: port.RefundNews) -> Notice | None:
    if isinstance(answer, port.RefundDone):
        return Notice(
            provider=underway.channel,
            key=f"asked:{underway.number}:returned:{answer.amount_fen}",
            subject=underway.number,
            trigger="refund_succeeded",
            occurred_at=answer.returned_at,
            amount_fen=answer.amount_fen,
            facts={port.OURS: True, port.REFERENCE: answer.reference},
            raw=answer.raw,
        )
    if isinstance(answer, port.RefundStuck):
        return _plain(underway.channel, underway.number, "refund_stuck", {port.OURS: True})
    if isinstance(answer, port.Refusal):
        facts = {port.OURS: True, "why": f"{answer.code} {answer.why}".strip()}
        return _plain(underway.channel, underway.number, "refund_failed", facts)
    if isinstance(answer, port.Unknown):
        log.info("channel gave no proof", extra={"refund": underway.id, "why": answer.why})
    return None


def _plain(provider: str, number: str, trigger: str, facts: dict[str, object]) -> Notice:
    return Notice(provider, f"asked:{number}:{trigger}", number, trigger, None, facts=facts)


def _mark_sent(u: Unit, refund_id: str) -> None:
    refund = u.get(Refund, refund_id, lock=True)
    if refund is not None and refund.state == REQUESTED:
        payment = u.get(Payment, refund.payment_id)
        u.step(REFUND, refund, "sent", by=provider_actor(payment.channel if payment else ""))
