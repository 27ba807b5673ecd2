"""What windows see and say of bills, payees and pay links: frozen, worded, nothing private in the clear."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class WindowView:
    """Where a bill is handled in person."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill: what is charged, under which code of the fee catalogue."""

    code: str
    name: str
    fee_fen: int


@dataclass(frozen=True, slots=True)
class BillView:
    """One bill as of today; `total_fen` is what paying it now costs, or what was paid for it.

    `payment_id` is the payment that settled it, for the desk, for who paid and for who owed; `has_receipt` tells
    that a valid receipt of it can be shown. `window_reason` says why it cannot be paid online now, if it must visit
    the window.
    """

    id: str
    notice_no: str
    kind: str
    executing_unit: str
    unit_code: str
    region_code: str
    department_id: str
    item: str
    items: tuple[BillLine, ...]
    principal_fen: int
    overdue_fen: int
    overdue_ppm: int
    penalty_fen: int
    total_fen: int
    issued_on: date
    due_on: date
    state: str
    says: str
    must_visit_window: bool
    window_reason: str
    window: WindowView
    payment_id: str | None = None
    paid_at: datetime | None = None
    has_receipt: bool = False


@dataclass(frozen=True, slots=True)
class BillDraft:
    """What a department pushes. `factor` is the second factor the payer must know (it is kept sealed).

    Without `items` the bill has one line: its item. `overdue_ppm`: millionths of the principal that a fee grows by
    for each day late. `payer_id_no`: whoever owns this identity number sees the bill without looking it up.
    """

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
    unit_code: str = ""
    overdue_ppm: int = 0
    items: tuple[BillLine, ...] = ()
    payer_id_no: str = ""


@dataclass(frozen=True, slots=True)
class BillCorrection:
    """What a correction puts in the place of a bill's amounts; without `items` the bill has one line again.

    `factor` and `payer_id_no` stay as they are when they are None; with an empty number the bill names nobody.
    """

    principal_fen: int
    overdue_fen: int
    overdue_ppm: int
    due_on: date
    items: tuple[BillLine, ...] = ()
    factor: str | None = None
    payer_id_no: str | None = None


@dataclass(frozen=True, slots=True)
class LineFault:
    """One wrong field of a line, and what to write instead."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What became of one line of a batch: the bill's id, or the problem that kept it out."""

    line: int
    notice_no: str
    bill_id: str | None = None
    problem: str | None = None
    title: str | None = None
    errors: tuple[LineFault, ...] = ()


@dataclass(frozen=True, slots=True)
class PayeeDraft:
    """An executing unit as the finance office enters it; `purse` is "treasury" or "own"."""

    department_id: str
    unit_code: str
    name: str
    region_code: str
    purse: str
    bank_name: str
    bank_account: str


@dataclass(frozen=True, slots=True)
class PayeeView:
    """An executing unit; of its bank account only the last four digits are shown."""

    department_id: str
    unit_code: str
    name: str
    region_code: str
    purse: str
    bank_name: str
    bank_account_masked: str
    active: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PayLinkMade:
    """A pay link as its owner gets it, once: the code is told here and never again."""

    id: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PayLinkView:
    """A pay link as its owner sees it afterwards. `payment_id`: the payment by which another settled the debt."""

    id: str
    subject: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class LinkFound:
    """What a right code opens, for windows only, since payers see less: a bill or a case, whose it is, until when."""

    link_id: str
    bill_id: str | None
    case_id: str | None
    owner_id: str
    expires_at: datetime
