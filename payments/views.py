"""What other houses and windows see of the payments bureau: frozen, worded, and free of provider words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment; `says` is its state in at most five Chinese characters."""

    id: str
    number: str
    subject: str
    matter: str
    person_id: str
    payee: str
    channel: str
    title: str
    amount_fen: int
    state: str
    says: str
    opened_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    refunded_fen: int
    settles: bool
    ticket: str | None
    product: str = "mini"
    owed_by: str | None = None
    received_fen: int | None = None
    settled_at: datetime | None = None

    @property
    def is_silent(self) -> bool:
        """Whether its end is still unknown."""
        return self.state in ("created", "awaiting", "closing")


@dataclass(frozen=True, slots=True)
class PayOrder:
    """What the phone needs to show the provider's payment sheet; for a browser (`product` h5) an address, `url`."""

    payment_id: str
    channel: str
    title: str
    amount_fen: int
    expires_at: datetime
    parameters: Mapping[str, str]
    product: str = "mini"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a browser comes from, and where on our own site it goes after paying. Kept nowhere."""

    address: str = ""
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class RefundStep:
    """One step of a way back, in the words of its machine."""

    says: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundView:
    """One way back of money, step by step; `decision` is why it was refused, `way` channel or treasury (退付)."""

    id: str
    payment_id: str
    amount_fen: int
    state: str
    says: str
    reason: str
    way: str
    decision: str | None
    requested_at: datetime
    returned_at: datetime | None
    steps: tuple[RefundStep, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundAtDesk:
    """A way back as staff see it: who asked and said yes, and what the channel or the treasury answered."""

    refund: RefundView
    title: str
    subject: str
    payee: str
    channel: str
    paid_fen: int
    asked_by: str
    approved_by: str | None
    confirmed_by: str | None
    failure: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry on an account of the ledger: debit positive, credit negative."""

    id: int
    movement: str
    amount_fen: int
    payment_id: str | None
    matter: str
    entered_at: datetime
