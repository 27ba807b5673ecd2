"""What leaves the house of cases: frozen views, never rows. Money in fen, times in UTC, days in Shanghai."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class MaterialGiven:
    """One material of the guide as the citizen gives it. `mode`: upload, e_licence, mail or window."""

    code: str
    mode: str
    uploads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Application:
    """What a citizen (or a clerk for them) files."""

    person_id: str
    item_id: str
    form: Mapping[str, object]
    materials: tuple[MaterialGiven, ...]
    delivery: str
    channel: str
    address_id: str | None = None
    region_code: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionAnswer:
    """The citizen's answer to one notice: form fields by name, materials by code."""

    fields: Mapping[str, object] = field(default_factory=dict)
    materials: tuple[MaterialGiven, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to correct. `kind` is material or field; `name` its code or field name in the guide."""

    kind: str
    name: str
    problem: str
    advice: str


@dataclass(frozen=True, slots=True)
class PointView:
    """A point of an open notice with the label the citizen knows it by."""

    kind: str
    name: str
    label: str
    problem: str
    advice: str


@dataclass(frozen=True, slots=True)
class CaseReceipt:
    """电子受理单: what the citizen holds in hand at once after filing (CY-02)."""

    case_id: str
    number: str
    item_name: str
    state: str
    state_label: str
    submitted_at: datetime
    pre_review_due_at: datetime | None
    says: str


@dataclass(frozen=True, slots=True)
class DueView:
    """One date of a case. `text` is ready to be read aloud; a provisional date begins with 约.

    `late`: the date is over and the department still holds the ball; never so of a provisional date.
    """

    on: date
    provisional: bool
    text: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list."""

    case_id: str
    number: str
    item_name: str
    state: str
    state_label: str
    holder: str
    submitted_at: datetime
    due: DueView | None


@dataclass(frozen=True, slots=True)
class NextAction:
    """Something the citizen can do now. `action` is stable for programs, `says` is read by people."""

    action: str
    says: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the journal read aloud. `at` is when it happened."""

    at: datetime
    says: str
    by: str
    kind: str
    trigger: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """The open notice: everything that is missing, told at once (SH-12)."""

    correction_id: str
    round: int
    due: DueView
    points: tuple[PointView, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where it is, who holds the ball, why it waits, and when it will be done (BZ-35, CY-08).

    `days_early`: how long before its promised (else legal) day it was decided, negative: after it; `days_late`: how
    long the department lets that day pass while the decision is awaited. Both count in `days_unit`, the unit of the
    promise: "WD" working days (工作日), "ND" days by the calendar; None while there is nothing to count. `why` says
    how late any date is, that of the pre-review or of the delivery as well.
    """

    case_id: str
    number: str
    item_id: str
    item_name: str
    state: str
    state_label: str
    holder: str
    holder_label: str
    why: str
    submitted_at: datetime
    pre_review_due_at: datetime | None
    due: DueView | None
    promised: DueView | None
    legal: DueView | None
    days_early: int | None
    days_late: int
    days_unit: str | None
    clock_stands: bool
    paused_days: int
    fee_state: str
    fee_fen: int
    delivery: str
    correction: CorrectionView | None
    actions: tuple[NextAction, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class PublicProgress:
    """The same for somebody who only has the number, the ID tail and a code: nothing that names a person."""

    number: str
    item_name: str
    state: str
    state_label: str
    holder_label: str
    why: str
    submitted_at: datetime
    due: DueView | None
    promised: DueView | None
    legal: DueView | None
    days_early: int | None
    days_late: int
    days_unit: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ResultView:
    """The outcome as the citizen holds it: document numbers, and the id of the file where there is one."""

    case_id: str
    result_name: str
    numbers: tuple[str, ...]
    upload_id: str | None
    recorded_at: datetime
