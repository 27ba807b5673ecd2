"""What other houses and windows see of the payments bureau: frozen, worded, and free of provider words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


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

    @property
    def is_silent(self) -> bool:
        """Whether its end is still unknown."""
        return self.state in ("created", "awaiting", "closing")


@dataclass(frozen=True, slots=True)
class PayOrder:
    """What the phone needs to show the provider's payment sheet."""

    payment_id: str
    channel: str
    title: str
    amount_fen: int
    expires_at: datetime
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefundView:
    """One way back of money."""

    id: str
    payment_id: str
    amount_fen: int
    state: str
    says: str
    reason: str
    requested_at: datetime
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt; `kind` says plainly that it is not yet one of the finance office."""

    id: str
    payment_id: str
    kind: str
    code: str
    number: str
    check_code: str
    payee: str
    title: str
    amount_fen: int
    issued_at: datetime
    voided_at: datetime | None


@dataclass(frozen=True, slots=True)
class WindowView:
    """Where a bill is handled in person."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class BillView:
    """One bill as of today; `total_fen` is what paying it now costs."""

    id: str
    notice_no: str
    kind: str
    executing_unit: str
    region_code: str
    department_id: str
    item: str
    principal_fen: int
    overdue_fen: int
    penalty_fen: int
    total_fen: int
    due_on: date
    state: str
    says: str
    must_visit_window: bool
    window: WindowView


@dataclass(frozen=True, slots=True)
class BillDraft:
    """What a department pushes. `factor` is the second factor the payer must know (it is kept sealed)."""

    notice_no: str
    kind: str
    executing_unit: str
    region_code: str
    department_id: str
    item: str
    principal_fen: int
    overdue_fen: int
    issued_on: date
    factor: str
    window_name: str
    window_address: str
    due_on: date | None = None
