"""The published language of the town: every event, and the Notice a provider sends.

Houses on one floor never import each other; they speak through these facts. An event carries ids and
small values that are not private, so that it may be stored and replayed by anyone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class Event:
    """A fact of the past. `matter` is the case (or the thing itself) whose timeline it belongs to."""

    matter: str

    kinds: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        Event.kinds[cls.__name__] = cls

    def as_payload(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        return cls(**payload)


@dataclass(frozen=True, slots=True)
class Notice:
    """News from a provider, pushed or asked for: both are one kind of news.

    `key` is the provider's identity of this piece of news (unique per provider), `subject` our own number
    that it speaks of, `raw` the bytes as they came (kept encrypted).
    """

    provider: str
    key: str
    subject: str
    trigger: str
    occurred_at: datetime | None
    amount_fen: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes = b""


# --- people and catalogue ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonRegistered(Event):
    person_id: str


@dataclass(frozen=True, slots=True)
class ItemPublished(Event):
    item_version_id: str


# --- cases ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseEvent(Event):
    person_id: str


@dataclass(frozen=True, slots=True)
class CaseSubmitted(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CorrectionRequested(CaseEvent):
    correction_id: str


@dataclass(frozen=True, slots=True)
class CaseResubmitted(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CorrectionLapsed(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseReopened(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class PreReviewPassed(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseAccepted(CaseEvent):
    deemed: bool = False


@dataclass(frozen=True, slots=True)
class CaseNotAccepted(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class FeeDemanded(CaseEvent):
    amount_fen: int


@dataclass(frozen=True, slots=True)
class FeeNotWanted(CaseEvent):
    """Money was paid for a fee that the case no longer wants."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class CasePaused(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseResumed(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseExtended(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseDecided(CaseEvent):
    granted: bool


@dataclass(frozen=True, slots=True)
class CaseFinished(CaseEvent):
    """`delivery` is courier, rider or window; `deliver_to` an address id where one is needed."""

    delivery: str
    deliver_to: str | None = None


@dataclass(frozen=True, slots=True)
class CaseDelivered(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseWithdrawn(CaseEvent):
    pass


# --- booking ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BookingEvent(Event):
    person_id: str
    booking_id: str


@dataclass(frozen=True, slots=True)
class BookingConfirmed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingCancelled(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingLapsed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingCheckedIn(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingServed(BookingEvent):
    pass


@dataclass(frozen=True, slots=True)
class BookingMissed(BookingEvent):
    pass


# --- payments ---------------------------------------------------------------------------------------


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


# --- courier ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParcelEvent(Event):
    """`direction` is inbound (citizen to department) or outbound (department to citizen).

    `purpose` is materials, result, or return (originals on their way home).
    """

    person_id: str
    parcel_id: str
    direction: str
    purpose: str = "result"


@dataclass(frozen=True, slots=True)
class ParcelOrdered(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelCollected(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelDelivered(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelTroubled(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelChecked(ParcelEvent):
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ParcelCancelled(ParcelEvent):
    pass


# --- notifications ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageDead(Event):
    message_id: str
