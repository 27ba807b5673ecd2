"""What this house hands out: frozen pictures of a version, of departments and regions. Rows never leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from backend.catalogue.policy import Policy, Term


@dataclass(frozen=True, slots=True)
class Material:
    """One material of the guide (名称、依据、格式、份数、签名签章). `code` holds within its version."""

    code: str
    name: str
    form: str
    source: str
    copies: int
    required: bool
    e_licence: str | None
    basis: str | None
    format: str | None
    signature: str | None
    note: str | None

    @property
    def paper_only(self) -> bool:
        """Whether only the paper original will do."""
        return self.form == "P"


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    office: str
    limit: Term
    says: str


@dataclass(frozen=True, slots=True)
class Contacts:
    consult_phone: str
    complaint_phone: str
    address: str | None
    hours: str | None
    remark: str | None


@dataclass(frozen=True, slots=True)
class Question:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Show the field only when `field` holds one of these values."""

    field: str
    equals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. `min` and `max`: length of a text, value of a number. `private` answers are sealed."""

    name: str
    label: str
    kind: str
    required: bool
    min: int | None
    max: int | None
    decimals: int
    pattern: str | None
    options: tuple[Option, ...]
    help: str | None
    private: bool
    visible_when: Condition | None


@dataclass(frozen=True, slots=True)
class FeeRule:
    """A price and when it is due. `amount_fen` None: set per bill. `counted_by` minus `beyond` is the quantity."""

    name: str
    amount_fen: int | None
    unit: str
    basis: str | None
    condition: str | None
    applies_when: Mapping[str, tuple[str, ...]]
    counted_by: str | None
    beyond: int


@dataclass(frozen=True, slots=True)
class FeeLine:
    """What is due under one rule. `amount_fen` is the total of the line; None: set per bill."""

    name: str
    amount_fen: int | None
    basis: str | None
    unit: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    kind: str
    e_licence: str | None


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """A version of an item, whole and unchangeable: what a case was filed under (BZ-31, BZ-34).

    `region_ids` names the districts that offer the item; empty: the whole city does. The codes are synthetic test
    data and `staff_notes` remarks of the compilers: neither is for citizens.
    """

    id: str
    item_id: str
    number: int
    name: str
    short_name: str
    item_type_code: str
    item_type: str
    department_id: str
    department_name: str
    service_targets: tuple[str, ...]
    use_level: str
    handle_scope: str
    implement_code: str
    handle_item_code: str
    legal_basis: str | None
    accept_conditions: tuple[str, ...]
    notices: tuple[str, ...]
    staff_notes: str | None
    visits: int
    visit_reason: str | None
    zero_run_mode: str | None
    negative_list: bool
    online_depth: int | None
    channels: tuple[str, ...]
    themes: tuple[str, ...]
    region_ids: tuple[str, ...]
    materials: tuple[Material, ...]
    steps: tuple[Step, ...]
    contacts: Contacts | None
    faq: tuple[Question, ...]
    form: tuple[FormField, ...]
    is_fee: bool
    fees: tuple[FeeRule, ...]
    result: Result
    policy: Policy
    provenance: Mapping[str, str]

    @property
    def private_fields(self) -> frozenset[str]:
        """Names of the form fields whose answers must be sealed."""
        return frozenset(field.name for field in self.form if field.private)

    def material(self, code: str) -> Material | None:
        """The material of this code or name; None when the guide asks for no such thing."""
        return next((one for one in self.materials if code in (one.code, one.name)), None)


@dataclass(frozen=True, slots=True)
class ItemCard:
    """A published item as lists show it."""

    item_id: str
    version_id: str
    name: str
    short_name: str
    item_type: str
    department_id: str
    department_name: str
    service_targets: tuple[str, ...]
    themes: tuple[str, ...]
    served_by: str
    online_apply: bool
    bookable: bool
    visits: int
    promise: str
    is_fee: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    """Why a draft cannot be published: where it stood in the file, the field, the rule, and what to do."""

    row: int
    field: str
    label: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version as staff see it in lists."""

    id: str
    item_id: str
    number: int
    name: str
    department_id: str
    state: str
    state_label: str
    digest: str
    imported_at: datetime
    published_at: datetime | None
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class Department:
    """A unit under its current name; `seed_name` and `aliases` are what it was called before."""

    id: str
    name: str
    seed_name: str
    aliases: tuple[str, ...]
    category: str
    region_id: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A county, the city or a functional zone; `parent_id` leads up to the city."""

    id: str
    name: str
    level: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Theme:
    code: str
    name: str
    audience: tuple[str, ...]
