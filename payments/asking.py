"""Asking the channels about what stays silent. Whatever they answer becomes a notice and takes the one door.

Everything here lifts a telephone: no unit may be open. A channel that does not answer changes nothing: it is asked
again, however often it was asked already.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from backend.contracts import Notice
from backend.kernel import clock
from backend.runtime import callbacks
from backend.store.unit import Unit, run_unit
from payments.channels import channel, port
from payments.machine import CLOSING, DISPUTED, OPEN, REFUND, REQUESTED, SENT
from payments.models import Payment, Refund
from payments.refunds.questions import came_fen
from payments.settling import settle
from payments.subjects import provider_actor

log = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=3)
"""A payer who asks again within this time gets what we know: the channel was just asked."""
AGAIN = timedelta(minutes=3)
"""After this time a question is repeated that brought no answer."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A payment nobody has told us the end of."""

    id: str
    number: str
    channel: str
    closing: bool


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
    sent: bool


def ask_about(payment_id: str) -> None:
    """One question to the channel if the payment is still silent and was not asked about just now."""
    silent = run_unit(lambda u: _take(u, payment_id))
    if silent is not None:
        ask(silent)


def silent_one(payment: Payment) -> Silent:
    return Silent(payment.id, payment.number, payment.channel, payment.state == CLOSING)


def underway_one(refund: Refund, payment: Payment) -> Underway:
    return Underway(
        id=refund.id,
        number=refund.number,
        channel=payment.channel,
        payment_number=payment.number,
        amount_fen=refund.amount_fen,
        paid_fen=came_fen(payment),
        reason=refund.reason,
        sent=refund.state == SENT,
    )


def ask(silent: Silent) -> bool:
    """Ask once (and close what is to be closed); True when there was news."""
    line = channel(silent.channel)
    found = line.query(silent.number)
    if silent.closing and isinstance(found, port.Waiting):
        shut = line.close(silent.number)
        found = line.query(silent.number) if isinstance(shut, port.AlreadyPaid) else _as_found(shut)
    news = _news_of(silent, found)
    return news is not None and callbacks.hear(settle, news)


def ask_refund(underway: Underway) -> bool:
    """Send a refund, or ask what became of it; True when there was news."""
    line = channel(underway.channel)
    answer: port.RefundNews = port.Absent()
    if underway.sent:
        answer = line.query_refund(underway.number, underway.payment_number)
    if isinstance(answer, port.Absent):
        answer = line.refund(
            port.RefundOrder(
                number=underway.number,
                payment_number=underway.payment_number,
                amount_fen=underway.amount_fen,
                paid_fen=underway.paid_fen,
                reason=underway.reason,
            )
        )
    if isinstance(answer, port.RefundPending) and not underway.sent:
        run_unit(lambda u: _mark_sent(u, underway.id))
        return True
    news = _refund_news_of(underway, answer)
    return news is not None and callbacks.hear(settle, news)


def _take(u: Unit, payment_id: str) -> Silent | None:
    payment = u.get(Payment, payment_id, lock=True)
    if payment is None or payment.state not in OPEN:
        return None
    at = clock.wire_now()
    if payment.asked_at is not None and at - payment.asked_at < PATIENCE:
        return None
    payment.asked_at = at
    return silent_one(payment)


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
