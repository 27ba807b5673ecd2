"""What the bureau asks of every carrier, in our own words.

A carrier that did not answer is *unknown*, neither yes nor no: the errors are those of `backend.runtime.outbound`
(Refused, Unreachable, Silent), and an order is never repeated before `order_known` was asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backend.contracts import Notice


@dataclass(frozen=True, slots=True)
class Contact:
    """One side of the label, in plain text: it leaves the town only on a label (PIPL 21)."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    address: str

    @property
    def phone_tail(self) -> str:
        return self.phone[-4:]

    @property
    def full_address(self) -> str:
        return f"{self.province}{self.city}{self.district}{self.address}"


@dataclass(frozen=True, slots=True)
class PickupOrder:
    """Please fetch this. `code` is ours and never used again."""

    code: str
    sender: Contact
    receiver: Contact
    goods: Sequence[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """The carrier took the order. The waybill number may come later."""

    carrier_order_no: str
    shipper: str | None = None
    waybill_no: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the carrier knows of an order code: `placed` is None for one it never got."""

    placed: Placed | None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Waybill:
    """Which parcel to ask about. Some carriers want the tail of the receiver's phone."""

    number: str
    shipper: str
    order_code: str
    phone_tail: str


class Carrier(Protocol):
    """A telephone to one carrier. No unit may be open while it is used.

    A carrier that pushes its news also is a `backend.runtime.callbacks.Provider`.
    """

    name: str

    def order_pickup(self, order: PickupOrder) -> Placed:
        """Order the pick-up. Raises Refused, Unreachable (certainly not placed) or Silent (unknown)."""
        ...

    def cancel(self, order_code: str, reason: str) -> None:
        """Call the pick-up off. Raises Refused when it is too late."""
        ...

    def order_known(self, order_code: str) -> Known:
        """Ask what became of an order; safe to repeat."""
        ...

    def query(self, waybill: Waybill) -> Notice | None:
        """Ask for the traces; None when there is no news. Same kind of notice as a push; safe to repeat."""
        ...


@dataclass(frozen=True, slots=True)
class RoadNews:
    """One trace in our words. `trigger` is a trigger of the parcel machine or `merge.NOTE`."""

    trigger: str
    happened_at: datetime
    text: str
    place: str = ""
    receipt: str = ""
    """How it was signed for, when that is worth a look: other, locker or exception."""


@dataclass(frozen=True, slots=True)
class News:
    """What one notice of a carrier says, in our words; it travels in `Notice.facts["news"]`."""

    traces: tuple[RoadNews, ...]
    source: str
    shipper: str | None = None
    waybill_no: str | None = None
    carrier_order_no: str | None = None
    fee_fen: int | None = None
    order_is_dead: bool = False
    """The carrier called the order off: it will not come any more."""
