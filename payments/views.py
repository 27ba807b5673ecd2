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
    """One way back of money, step by step; `decision` is why it was refused, `way` channel or treasury (退付).

    `withdraw_bill`: the bill it was paid for was wrong, and is withdrawn once its money is back.
    """

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
    withdraw_bill: bool = False


@dataclass(frozen=True, slots=True)
class RefundAtDesk:
    """A way back as staff see it: who asked and said yes, and what the channel or the treasury answered.

    `payer` is masked; `transaction` is the channel's reference of the payment, `reference` that of the way back.
    `may_retry`: it failed, the payment still holds its money, and nobody tries it again yet.
    """

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
    person_id: str
    payer: str
    payment_number: str
    transaction: str | None
    notice_no: str | None
    paid_at: datetime | None
    retry_of: str | None
    may_retry: bool


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What staff look for. `number`: ours, the channel's reference, or a bill's notice number; days are in Shanghai."""

    state: str | None = None
    number: str | None = None
    paid_from: date | None = None
    paid_to: date | None = None


@dataclass(frozen=True, slots=True)
class PaymentListed:
    """A payment on the list of its payee; `payer` is masked, `reference` is the channel's."""

    id: str
    number: str
    reference: str | None
    notice_no: str | None
    subject: str
    title: str
    payee: str
    payer: str
    channel: str
    amount_fen: int
    received_fen: int | None
    state: str
    says: str
    settles: bool
    opened_at: datetime
    paid_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many things wait for somebody, and since when the oldest does."""

    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class MoneyPending:
    """What waits for finance. `second`: one person has said yes; `failed`: not tried again, and the money still held.

    `stuck`: the channel cannot pass it on, and staff finish it there. `listed` and `submitted` are 退付.
    `differences` only the finance office sees; `receipts` are in trouble.
    `news`: what channels told and could not be used, and nobody has looked at yet.
    """

    disputed: Waiting
    asked: Waiting
    second: Waiting
    listed: Waiting
    submitted: Waiting
    stuck: Waiting
    failed: Waiting
    differences: Waiting
    receipts: Waiting
    news: Waiting


@dataclass(frozen=True, slots=True)
class MoneyNews:
    """News of a channel that was set aside: `says` and `why` in words, `reference` the channel's own number.

    `number` is ours as the channel told it, of a payment or a refund; of a payment we know, `payment_says` is its
    present state. `state` is open until somebody has seen it and given a reason.
    """

    id: str
    heard_at: datetime
    state: str
    channel: str
    verdict: str
    says: str
    kind: str
    why: str
    number: str
    reference: str | None
    amount_fen: int | None
    payment_id: str | None
    payment_says: str | None
    payee: str | None
    subject: str | None
    seen_at: datetime | None
    seen_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """Fen on one account of the ledger: debit positive, credit negative."""

    account: str
    balance_fen: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry on an account of the ledger: debit positive, credit negative."""

    id: int
    movement: str
    amount_fen: int
    payment_id: str | None
    matter: str
    entered_at: datetime
