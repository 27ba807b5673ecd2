"""What people hear about their money: paid, on its way back, back, or not."""

from backend.contracts import (
    Event,
    PaymentEvent,
    PaymentRefunded,
    PaymentSucceeded,
    RefundApproved,
    RefundFailed,
    RefundListed,
    RefundRefused,
    SurplusComes,
)
from backend.kernel import money
from backend.runtime.facts import facts_of
from backend.store.outbox import Ear
from backend.store.unit import Unit
from notifications.news import tell_of_matter


def on_payment_succeeded(u: Unit, event: PaymentSucceeded) -> None:
    _tell(u, "payment_succeeded", event, event.payment_id)


def on_payment_refunded(u: Unit, event: PaymentRefunded) -> None:
    _tell(u, "payment_refunded", event, event.refund_id or event.payment_id)


def on_refund_approved(u: Unit, event: RefundApproved) -> None:
    _tell(u, "refund_approved", event, event.refund_id)


def on_refund_listed(u: Unit, event: RefundListed) -> None:
    """Approved as well, but it takes longer: the money is the treasury's."""
    _tell(u, "refund_listed", event, event.refund_id)


def on_refund_refused(u: Unit, event: RefundRefused) -> None:
    """With the reason."""
    _tell(u, "refund_refused", event, event.refund_id)


def on_refund_failed(u: Unit, event: RefundFailed) -> None:
    _tell(u, "refund_failed", event, event.refund_id)


def on_surplus_comes(u: Unit, event: SurplusComes) -> None:
    """Only once it is on its way back: while staff find out what a strange sum is, there is nothing to say."""
    if event.refund_id:
        _tell(u, "surplus_comes", event, event.refund_id)


EARS: dict[type[Event], tuple[Ear, ...]] = {
    PaymentSucceeded: (on_payment_succeeded,),
    PaymentRefunded: (on_payment_refunded,),
    RefundApproved: (on_refund_approved,),
    RefundListed: (on_refund_listed,),
    RefundRefused: (on_refund_refused,),
    RefundFailed: (on_refund_failed,),
    SurplusComes: (on_surplus_comes,),
}


def _tell(u: Unit, kind: str, event: PaymentEvent, fact: str) -> None:
    words = {"amount": money.yuan(event.amount_fen)}
    if why := facts_of(u, fact).get("why"):
        words["why"] = why
    tell_of_matter(u, kind, event.person_id, event.matter, event.payment_id, fact, words)
