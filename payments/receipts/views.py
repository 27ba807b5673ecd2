"""What others see of receipts: the payer, whoever verifies one, and the finance office."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt as its owner sees it; without code and number while it is being issued.

    `kind`: "fiscal" from the finance office's receipt system; "zhangban" one of ours from before it was asked.
    """

    id: str
    payment_id: str
    edition: int
    kind: str
    state: str
    says: str
    code: str | None
    number: str | None
    check_code: str | None
    payee: str
    unit: str | None
    title: str
    amount_fen: int
    amount_in_words: str
    issued_at: datetime | None
    voided_at: datetime | None
    verify_url: str | None


@dataclass(frozen=True, slots=True)
class ReceiptWords:
    """Everything a receipt on paper says; `says` is empty while it is valid."""

    code: str
    number: str
    check_code: str
    payer: str
    unit: str
    item: str
    amount_fen: int
    paid_number: str
    issued_on: date
    edition: int
    says: str
    verify_url: str


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What whoever holds a receipt may verify: nothing of it speaks of a person."""

    valid: bool
    says: str
    code: str
    number: str
    unit: str
    item: str
    amount_fen: int
    amount_in_words: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class TroubledReceipt:
    """A receipt that the finance office should look at."""

    id: str
    payment_id: str
    payee: str
    region_code: str | None
    title: str
    amount_fen: int
    state: str
    says: str
    code: str | None
    number: str | None
    asked: int
    failure: str | None
    wanted_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptStanding:
    """What the receipt system itself says of a receipt: valid, void, absent, or unknown when it did not answer."""

    receipt_id: str
    result: str
    amount_fen: int | None
