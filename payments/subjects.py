"""What is paid for, and the one lock that orders everything about it.

A subject is "case:<id>" or "bill:<id>". Whoever opens, settles, closes or gives back holds the subject first,
then the rows of payments, bills and refunds. The partial unique indexes stand behind this as the last word.
"""

from sqlalchemy import or_, select, text

from backend.kernel import clock
from backend.runtime.worker import wake
from backend.store.unit import Actor, Unit
from payments import wording
from payments.machine import LIVE, OPEN, PAYMENT
from payments.models import Payment

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))")
SWEEP = "payments.sweep"


def subject_of_case(case_id: str) -> str:
    return f"case:{case_id}"


def subject_of_bill(bill_id: str) -> str:
    return f"bill:{bill_id}"


def bill_in(subject: str) -> str | None:
    """The bill a subject names, None for a case."""
    kind, _, public_id = subject.partition(":")
    return public_id if kind == "bill" else None


def case_in(subject: str) -> str | None:
    """The case a subject names, None for a bill."""
    kind, _, public_id = subject.partition(":")
    return public_id if kind == "case" else None


def hold_subject(u: Unit, subject: str) -> None:
    """Let nobody else open, settle or close this subject until the unit ends."""
    u.session.execute(_HOLD, {"subject": f"payments:{subject}"})


def held_payment(u: Unit, payment_id: str) -> Payment | None:
    """The payment, locked in the order of this house: its subject, then its row."""
    seen = u.get(Payment, payment_id)
    if seen is None:
        return None
    hold_subject(u, seen.subject)
    return u.get(Payment, payment_id, lock=True)


def settling_payment(u: Unit, subject: str) -> Payment | None:
    """The payment that settles the subject."""
    return u.session.scalars(select(Payment).where(Payment.subject == subject, Payment.settles)).one_or_none()


def live_payments(u: Unit, subject: str) -> list[Payment]:
    """Payments of a held subject that somebody may still pay, locked."""
    wanted = select(Payment).where(Payment.subject == subject, Payment.state.in_(LIVE)).order_by(Payment.id)
    return list(u.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)))


def open_payments(u: Unit, subject: str) -> list[Payment]:
    """Payments of a held subject that may still bring money, those that are being closed among them."""
    return list(u.session.scalars(select(Payment).where(Payment.subject == subject, Payment.state.in_(OPEN))))


def kin_of(u: Unit, payment: Payment) -> list[Payment]:
    """Other payments of a held subject that settle it or may still be paid, locked."""
    kin = select(Payment).where(Payment.subject == payment.subject, Payment.id != payment.id)
    wanted = kin.where(or_(Payment.settles, Payment.state.in_(LIVE))).order_by(Payment.id)
    return list(u.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)))


def close_live(u: Unit, subject: str, by: Actor) -> int:
    """Ask for the closing of every live payment of a subject (its fee fell away); returns how many."""
    hold_subject(u, subject)
    live = live_payments(u, subject)
    for payment in live:
        request_closing(u, payment, by)
    return len(live)


def request_closing(u: Unit, payment: Payment, by: Actor) -> None:
    """Move a locked live payment to closing; the sweep asks the channel first and closes it there."""
    u.step(PAYMENT, payment, "close_requested", by=by)
    payment.ask_next_at = clock.wire_now()
    u.after_commit(lambda: wake(SWEEP))


def provider_actor(channel: str) -> Actor:
    """The channel as the journal names it."""
    return Actor("provider", channel, wording.CHANNELS.get(channel, channel))
