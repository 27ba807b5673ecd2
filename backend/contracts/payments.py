"""Facts of bills and money."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class BillIssued(Event):
    bill_id: str
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class BillWithdrawn(Event):
    """Nobody owes it any more."""

    bill_id: str


@dataclass(frozen=True, slots=True)
class BillReminderDue(Event):
    """Its last day is near (`reminder` due), or the day before a fine begins to grow (`penalty`)."""

    bill_id: str
    person_id: str
    reminder: str


@dataclass(frozen=True, slots=True)
class PaymentEvent(Event):
    """`subject` is what was paid for: "case:<id>" or "bill:<id>"."""

    person_id: str
    payment_id: str
    subject: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PaymentSucceeded(PaymentEvent):
    pass


@dataclass(frozen=True, slots=True)
class PaymentClosed(PaymentEvent):
    pass


@dataclass(frozen=True, slots=True)
class PaymentRefunded(PaymentEvent):
    refund_id: str = ""


@dataclass(frozen=True, slots=True)
class RefundEvent(PaymentEvent):
    """A step of one way back of money; `amount_fen` is the refund's."""

    refund_id: str = ""


@dataclass(frozen=True, slots=True)
class RefundAsked(RefundEvent):
    """The payer or staff asked for money back; somebody must decide."""


@dataclass(frozen=True, slots=True)
class RefundApproved(RefundEvent):
    """It is decided: the channel is asked next."""


@dataclass(frozen=True, slots=True)
class RefundListed(RefundEvent):
    """It is decided, but the money is the treasury's already: it stands on the finance office's list (退付)."""


@dataclass(frozen=True, slots=True)
class RefundSubmitted(RefundEvent):
    """The finance office has handed it in at the treasury, which pays within days."""


@dataclass(frozen=True, slots=True)
class RefundRefused(RefundEvent):
    """Somebody decided against it; the reason stands on the refund."""


@dataclass(frozen=True, slots=True)
class RefundFailed(RefundEvent):
    """The channel could not return the money: staff find another way."""


@dataclass(frozen=True, slots=True)
class SurplusComes(RefundEvent):
    """Money came that nobody owes (late, twice, another amount): it goes back by itself or staff look at it."""


@dataclass(frozen=True, slots=True)
class ReceiptIssued(Event):
    person_id: str
    payment_id: str
    receipt_id: str


@dataclass(frozen=True, slots=True)
class ReceiptVoided(Event):
    person_id: str
    payment_id: str
    receipt_id: str


@dataclass(frozen=True, slots=True)
class DifferenceFound(Event):
    """A channel's statement and our ledger do not agree: the finance office has a task."""

    difference_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class MoneyUnexplained(Event):
    """Authentic money news that fits nothing we know: staff must look."""

    payment_id: str
    notice_id: str
