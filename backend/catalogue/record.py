"""One service item as a file may state it: fields and types that must hold for it to be read at all.

Codes and references are checked beside it (`codes`). What is merely missing or contradictory is not refused but
found later (`rules`), so that a half-finished record can be kept as a draft. The `*_test` codes are synthetic, of
the right shape, and keep their given names.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from backend.catalogue.form_record import FormRecord, Line, Name, Strict, Text

Days = Annotated[int, Field(ge=0, le=3650)]
Count = Annotated[int, Field(ge=1, le=1000)]
Fen = Annotated[int, Field(ge=0, le=100_000_000_00)]
Unit = Literal["WD", "ND"]


class TermRecord(Strict):
    """A limit in working (WD) or calendar (ND) days."""

    days: Days
    unit: Unit


class MaterialRecord(Strict):
    name: Line
    form: Literal["E", "P", "EP"]
    source: Literal["self", "gov", "third"]
    copies: Count
    required: bool
    e_licence: Line | None = None
    basis: Line | None = None
    format: Line | None = None
    signature: Literal["none", "sign", "seal", "sign_and_seal"] | None = None
    note: Line | None = None


class QuantityRecord(Strict):
    """How often a fee is due: the number in a form field, less those that are free."""

    field: Name
    beyond: Annotated[int, Field(ge=0)] = 0


class FeeRecord(Strict):
    """A price; a null amount is set per bill and never computed."""

    name: Line
    amount_yuan: Annotated[int | float, Field(ge=0)] | None = None
    amount_fen: Fen | None = None
    unit: Line
    basis: Line | None = None
    confidence: Line | None = None
    condition: Line | None = None
    applies_when: dict[Name, Annotated[list[Line], Field(min_length=1)]] | None = None
    quantity: QuantityRecord | None = None


class BookingRecord(Strict):
    slot_minutes: Annotated[int, Field(ge=5, le=480)]
    capacity_per_slot: Count
    open_days_ahead: Annotated[int, Field(ge=1, le=366)]
    min_lead_days: Annotated[int, Field(ge=0, le=90)]
    cancel_before_hours: Annotated[int, Field(ge=0, le=720)]


class StepRecord(Strict):
    name: Line
    office: Line
    days: Days
    unit: Unit
    says: Line


class ContactsRecord(Strict):
    consult_phone: Line
    complaint_phone: Line
    address: Line | None = None
    hours: Line | None = None
    remark: Line | None = None


class QuestionRecord(Strict):
    question: Line
    answer: Text


class PolicyRecord(Strict):
    """How the offices treat cases of the item; frozen with the version a case was filed under."""

    served_by: Literal["case", "booking", "bill"]
    pre_review_unit: Literal["clock", "working"]
    deemed_acceptance_workdays: Days | None
    correction_term: TermRecord
    extension: TermRecord | None
    delivery_within: TermRecord
    fee_before: Literal["decision"] | None
    pickup: bool
    booking_after: Literal["pre_review", "filing"] | None


class ItemRecord(Strict):
    """A record with every field named as in the given file, then those added by us or by a clerk."""

    item_id: Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{3,8}$")]
    name: Line
    short_name: Line
    item_type_code: Line
    item_type: Line
    dept_id: Line
    dept_name: Line
    basic_code_test: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    implement_code_test: Annotated[str, Field(min_length=31, max_length=31)]
    handle_item_code_test: Annotated[str, Field(min_length=33, max_length=33)]
    use_level_code: Line
    use_level: Line
    handle_scope: Line
    service_target: Annotated[str, Field(pattern=r"^(个人|法人)(,(个人|法人))?$")]
    project_type_code: Line
    project_type: Line
    legal_days: Days | None = None
    legal_unit: Unit | None = None
    legal_basis: Line | None = None
    promise_days: Days
    promise_unit: Unit
    compress_ratio: float | None = None
    visits: Annotated[int, Field(ge=0, le=20)]
    visit_reason: Line | None = None
    zero_run_mode: Literal["online", "two_way_mail"] | None = None
    negative_list: bool
    negative_list_reason: Line | None = None
    channels: Annotated[
        list[Literal["app", "wechat", "alipay", "web", "window", "terminal"]], Field(min_length=1)
    ]
    online_apply: bool
    bookable: bool
    booking: BookingRecord | None = None
    pre_review_hours: Annotated[int, Field(ge=1, le=720)] | None = None
    materials: Annotated[list[MaterialRecord], Field(max_length=60)]
    is_fee: bool
    fees: Annotated[list[FeeRecord], Field(max_length=60)]
    pay_online: bool
    result_name: Line
    result_kind: Line
    result_e_licence: Line | None = None
    mail_materials: bool
    mail_result: bool
    notes: Text | None = None
    source: list[dict[str, Text]] | None = None
    value_confidence: dict[str, Line] | None = None
    special_procedures: list[Line] | None = None
    second_step_window_days: Days | None = None
    fine_online_handle_max_fen: Fen | None = None
    cooling_off_days: Days | None = None
    booking_subjects: list[Line] | None = None
    # Not in the given file: ours, or a clerk's.
    keywords: list[Line] | None = None
    themes: list[Line] | None = None
    regions: list[Line] | None = None
    online_depth: Annotated[int, Field(ge=1, le=4)] | None = None
    accept_conditions: list[Line] | None = None
    steps: list[StepRecord] | None = None
    notices: list[Line] | None = None
    contacts: ContactsRecord | None = None
    faq: list[QuestionRecord] | None = None
    form: FormRecord | None = None
    policy: PolicyRecord
    provenance: dict[str, Line] | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Whom the item serves: persons (个人), legal persons (法人) or both."""
        return tuple(self.service_target.split(","))

    def content(self) -> dict[str, Any]:
        """What is stored and compared: what the record says, without what it leaves open."""
        kept: dict[str, Any] = self.model_dump(exclude_none=True)
        kept["policy"] = self.policy.model_dump()
        return kept
