"""Views for windows and neighbours: the department's file and queue, fees, deliveries, visits, files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from backend.cases.views import DueView, Step


@dataclass(frozen=True, slots=True)
class FeeItem:
    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class FeeDue:
    """`state`: none, due, paid, refunded or void (the case ended unpaid).

    A case that was withdrawn after paying stays paid until the money is back.
    """

    case_id: str
    amount_fen: int
    lines: tuple[FeeItem, ...]
    state: str
    payment_id: str | None
    department_id: str
    region_code: str
    item_name: str
    title: str


@dataclass(frozen=True, slots=True)
class DeliveryWish:
    """`delivery`: window, courier, rider or e_licence."""

    case_id: str
    person_id: str
    delivery: str
    address_id: str | None


@dataclass(frozen=True, slots=True)
class PaperOriginal:
    """A paper that travels by mail. `state`: awaited, travelling, arrived, checked or missing."""

    material_id: str
    name: str
    copies: int
    state: str


@dataclass(frozen=True, slots=True)
class CaseBrief:
    """What other houses' windows need to know of a case before they act."""

    case_id: str
    person_id: str
    number: str
    item_id: str
    item_version_id: str
    item_name: str
    department_id: str
    region_code: str
    state: str
    mail_in_allowed: bool
    result_name: str
    delivery: str
    address_id: str | None


@dataclass(frozen=True, slots=True)
class VisitGround:
    """Whether this case may be booked for a visit now, and if not why.

    `wants_visit`: its state asks for one, whether or not one is booked already.
    """

    case_id: str
    person_id: str
    item_id: str
    item_version_id: str
    department_id: str
    region_code: str
    state: str
    may_book: bool
    reason: str
    wants_visit: bool


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material of a case as the department sees it."""

    material_id: str
    code: str
    name: str
    mode: str
    state: str
    round: int
    copies: int
    uploads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One case in a department's queue."""

    case_id: str
    number: str
    item_name: str
    state: str
    state_label: str
    holder: str
    region_code: str
    submitted_at: datetime
    due: DueView | None
    fee_state: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case as the department handles it: the person masked, private answers masked."""

    case_id: str
    number: str
    item_id: str
    item_version_id: str
    item_name: str
    department_id: str
    region_code: str
    state: str
    state_label: str
    channel: str
    person_id: str
    person_name: str
    person_id_no: str
    person_phone: str
    form: Mapping[str, object]
    materials: tuple[MaterialView, ...]
    delivery: str
    fee_state: str
    fee_fen: int
    submitted_at: datetime
    pre_review_due_at: datetime | None
    due: DueView | None
    promised: DueView | None
    legal: DueView | None
    triggers: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RevealedCase:
    """Person and answers in plain words, after the look was journalled."""

    case_id: str
    name: str
    id_no: str
    phone: str
    form: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class UploadView:
    """A file that was checked and stored. Unused ones are thrown away after `keep_until`."""

    upload_id: str
    media_type: str
    size: int
    pages: int
    keep_until: datetime | None


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A way to one file for one viewer, for five minutes."""

    path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UploadFile:
    """The file itself, opened for one viewer."""

    upload_id: str
    media_type: str
    content: bytes
