"""The telephone every payment channel offers, and the few answers it may bring back.

An answer that never came, or cannot be trusted, is `Unknown`: neither yes nor no, it is asked again. Provider
words stop here; what leaves this folder is a `Notice` or one of the answers below. Amounts are fen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Protocol

from backend.contracts import Notice
from backend.runtime.callbacks import Forged, Reply

__all__ = ["Channel", "Forged", "Reply"]

MINI, H5 = "mini", "h5"
PRODUCTS = (MINI, H5)
"""Where somebody pays: in the platform's own app (a mini-program), or in any browser."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a channel must know to let somebody pay. The same number with the same words is the same order.

    An app wants to know the payer's account. A browser (`product` h5) has none: one channel wants the address the
    payer comes from instead, which is kept nowhere, and `return_url` is where the browser goes afterwards.
    """

    number: str
    title: str
    amount_fen: int
    payer_account: str
    expires_at: datetime
    product: str = MINI
    payer_ip: str = ""
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """`amount_fen` of `paid_fen` goes back; the same number is never given back twice."""

    number: str
    payment_number: str
    amount_fen: int
    paid_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a phone can pay with: the provider's reference, or the address that a browser opens."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider understood and said no: asking again changes nothing."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or none that proves anything."""

    why: str


@dataclass(frozen=True, slots=True)
class Paid:
    """The money is there. `amount_fen` is None when the provider named no usable amount."""

    reference: str
    amount_fen: int | None
    paid_at: datetime | None
    ours: bool
    raw: bytes


@dataclass(frozen=True, slots=True)
class AlreadyPaid:
    """The provider refuses to act because the order is paid: ask for the particulars."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The provider knows the order and waits for the payer."""


@dataclass(frozen=True, slots=True)
class Shut:
    """The order is closed at the provider; nobody can pay it any more."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider has never heard of this number."""


@dataclass(frozen=True, slots=True)
class RefundPending:
    """The provider has taken the refund and works on it."""


@dataclass(frozen=True, slots=True)
class RefundStuck:
    """The provider holds the money and cannot pass it on (the payer's account is gone): staff finish it there."""


@dataclass(frozen=True, slots=True)
class RefundDone:
    """The money went back. `amount_fen` is None when the provider named no usable amount."""

    reference: str
    amount_fen: int | None
    returned_at: datetime | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class BillFile:
    """The provider's statement of a day: unpacked, at its start, to be closed by whoever gets it.

    Its bytes are the provider's own, in `encoding`; `digest` is their SHA-256. A hash that the provider declared
    has been compared.
    """

    file: IO[bytes]
    encoding: str
    digest: str


@dataclass(frozen=True, slots=True)
class NoBill:
    """Nothing happened on that day."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """The provider has not finished the statement of that day."""


@dataclass(frozen=True, slots=True)
class Corrupt:
    """A file came that is not what it should be: another hash, cut off, no archive, too large."""

    why: str


Prepared = Ticket | AlreadyPaid | Refusal | Unknown
Found = Paid | Waiting | Shut | Absent | Unknown
Closing = Shut | AlreadyPaid | Absent | Unknown
RefundNews = RefundDone | RefundPending | RefundStuck | Refusal | Absent | Unknown
DayBill = BillFile | NoBill | NotYet | Unknown | Corrupt

OURS = "ours"
REFERENCE = "reference"
RETURNED_SO_FAR = "returned_so_far_fen"


def envelope_key(envelope: str, trigger: str, amount_fen: int | None, *, ours: bool) -> str:
    """What makes a notice the same one: a stranger's, or one that says something else, never hides the genuine one."""
    return f"{envelope[:100]}:{trigger}:{amount_fen}" + ("" if ours else ":foreign")


class Channel(Protocol):
    """One way to pay. All methods but `client_parameters`, `read_notice`, `acknowledge` lift the telephone:
    no unit may be open. None of them raises for what a provider says or fails to say."""

    name: str
    platform: str

    def prepare(self, order: Order) -> Prepared:
        """Make the order known; repeating it with the same words is harmless."""

    def client_parameters(self, ticket: str, product: str = MINI) -> Mapping[str, str]:
        """What the phone hands to the provider's own payment sheet, signed now; {"url"} for a browser."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify, decrypt, translate. Raises Forged for whatever does not prove its origin."""

    def acknowledge(self, *, accepted: bool) -> Reply:
        """Yes or no in the provider's own words."""

    def query(self, number: str) -> Found:
        """Ask what became of an order."""

    def close(self, number: str) -> Closing:
        """Ask that nobody may pay this order any more."""

    def refund(self, order: RefundOrder) -> RefundNews:
        """Ask for money to go back; repeating the same number is harmless."""

    def query_refund(self, number: str, payment_number: str) -> RefundNews:
        """Ask what became of a refund."""

    def fetch_bill(self, day: date) -> DayBill:
        """The provider's statement of a past day, streamed to a temporary file."""
