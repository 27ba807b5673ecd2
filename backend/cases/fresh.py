"""A case that is being filed: plain values that become one row, without the cost of the ORM on the busiest write."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(slots=True)
class FreshCase:
    """The columns of a new case. Those after `pre_review_due_at_provisional` cannot hold anything yet: see WRITTEN."""

    id: str
    number: str
    person_id: str
    item_id: str
    item_version_id: str
    item_name: str
    department_id: str
    region_code: str
    channel: str
    delivery: str
    address_id: str | None
    form_sealed: bytes
    originals: str
    submitted_at: datetime
    received_at: datetime
    state: str
    holder: str = ""
    due_on: date | None = None
    deemed_acceptance_on: date | None = None
    deemed_acceptance_on_provisional: bool = False
    pre_review_due_at: datetime | None = None
    pre_review_due_at_provisional: bool = False
    visit: str = "none"
    result_sent: bool = False
    fee_state: str = "none"
    asked_on: date | None = None
    accepted_on: date | None = None
    decided_on: date | None = None
    extended_by: int = 0
    paused_days: int = 0
    days_early: int | None = None
    correction_due_on: date | None = None
    correction_due_on_provisional: bool = False
    promised_on: date | None = None
    promised_on_provisional: bool = False
    legal_on: date | None = None
    legal_on_provisional: bool = False
    delivery_due_on: date | None = None
    delivery_due_on_provisional: bool = False

    @property
    def matter(self) -> str:
        return self.id


_FIELDS = tuple(FreshCase.__dataclass_fields__)
WRITTEN = _FIELDS[: _FIELDS.index("pre_review_due_at_provisional") + 1]
"""Columns of the INSERT; the others begin with the defaults of the table."""
