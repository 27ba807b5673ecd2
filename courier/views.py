"""What leaves the courier bureau: frozen views, masked unless said otherwise."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PieceWish:
    """A document to be packed."""

    name: str
    copies: int = 1


@dataclass(frozen=True, slots=True)
class PieceFinding:
    """What the department found of one piece: received, missing or extra."""

    name: str
    state: str
    copies: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class PieceView:
    name: str
    copies: int
    state: str
    state_label: str
    note: str


@dataclass(frozen=True, slots=True)
class TraceView:
    happened_at: datetime
    says: str
    place: str


@dataclass(frozen=True, slots=True)
class CustodyStep:
    """From `at` on it was in the hands of `holder`: citizen, department, carrier or nobody."""

    at: datetime
    holder: str
    says: str


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel as its citizen and its department may see it; names, phones and addresses are masked."""

    id: str
    case_id: str
    person_id: str
    department_id: str | None
    direction: str
    purpose: str
    state: str
    state_label: str
    holder: str
    carrier: str
    waybill_no: str | None
    contact: str
    pieces: tuple[PieceView, ...]
    packed: bool
    needs_holder: bool
    receipt_doubt: str | None
    fee_fen: int | None
    created_at: datetime
    changed_at: datetime
    collected_at: datetime | None
    delivered_at: datetime | None
    can_cancel: bool
    has_code: bool


@dataclass(frozen=True, slots=True)
class ParcelDetail:
    """A parcel with all that was heard of it, oldest first."""

    parcel: ParcelView
    traces: tuple[TraceView, ...]
    custody: tuple[CustodyStep, ...]


@dataclass(frozen=True, slots=True)
class HandoverCode:
    """Six digits to show to whoever hands the parcel over. A new request makes a new code."""

    code: str
    good_until: datetime


@dataclass(frozen=True, slots=True)
class TaskView:
    """A parcel as a courier sees it: least data (PIPL 21), nothing of the case."""

    id: str
    direction: str
    state: str
    state_label: str
    name: str
    phone: str
    address: str
    office: str
    pieces: tuple[PieceView, ...]
    mine: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TaskContact:
    """Where to go and whom to call, in full: shown once asked for, and written down that it was."""

    name: str
    phone: str
    address: str
    office: str
