"""Facts of bills and money."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class BillIssued(Event):
    bill_id: str
    person_id: str | None = None


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
class MoneyUnexplained(Event):
    """Authentic money news that fits nothing we know: staff must look."""

    payment_id: str
    notice_id: str
