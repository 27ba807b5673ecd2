"""What the bureau needs of any receipt system, and the few answers it may bring back.

Codes and numbers follow the rule of fiscal e-receipts (财政电子票据): a code of 8 digits (region of the supervisor,
class, kind, year), a serial number of 10 digits, a check code of 6 characters. No public interface exists, so the
one behind this port is invented: see `http_office`. Amounts are fen.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

__all__ = ["FiscalOffice", "Found", "Genuine", "Issued", "Issuing", "Order", "Refusal", "Stranger", "Unknown"]


@dataclass(frozen=True, slots=True)
class Order:
    """What a receipt says. The same request number with the same words is the same receipt, however often asked.

    `kind` is "fee" or "fine"; `unit_…` and `region_code` name the executing unit (执收单位).
    """

    request_no: str
    unit_code: str
    unit_name: str
    region_code: str
    payer: str
    kind: str
    item: str
    amount_fen: int
    paid_on: date


@dataclass(frozen=True, slots=True)
class Issued:
    """The receipt is there; `reference` is the system's own name of it."""

    code: str
    number: str
    check_code: str
    reference: str


@dataclass(frozen=True, slots=True)
class Voided:
    """The receipt is void, or there was none and there never will be one under this request number."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """The system knows the receipt."""

    amount_fen: int
    is_void: bool


@dataclass(frozen=True, slots=True)
class Stranger:
    """The system has no such receipt."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The system understood and said no: asking again changes nothing."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or none that proves anything."""

    why: str


Issuing = Issued | Refusal | Unknown
Voiding = Voided | Refusal | Unknown
Found = Genuine | Stranger | Unknown


class FiscalOffice(Protocol):
    """One receipt system. Every method lifts the telephone: no unit may be open. None raises for what it answers."""

    def issue(self, order: Order) -> Issuing:
        """Ask for a receipt; repeating the same order is harmless."""

    def void(self, request_no: str, reason: str) -> Voiding:
        """Ask that a receipt be void; a request number unknown so far will never be issued."""

    def verify(self, code: str, number: str, check_code: str) -> Found:
        """Ask whether a receipt is genuine."""
