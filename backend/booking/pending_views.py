"""What the booking office shows its staff of what waits for them."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DrawPending:
    """A draw whose public value should be known by now (`due_at`).

    `waits_for`: "value" (somebody writes it down), "second" (another confirms it), "draw" (somebody sets it off).
    `late`: its `entries` have been told that it is.
    """

    release_id: str
    site_id: str
    site_name: str
    item_id: str
    item_name: str
    subject: str
    entries: int
    waits_for: str
    due_at: datetime
    late: bool
    says: str


@dataclass(frozen=True, slots=True)
class SupplyPending:
    """A site for which no slots open after `ends_on`, because no working-day calendar is loaded beyond it."""

    site_id: str
    site_name: str
    ends_on: date
    last_slot_on: date | None
    says: str


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits for us: draws that want hands, sites that run out of slots, appeals without an answer."""

    draws: tuple[DrawPending, ...]
    supplies: tuple[SupplyPending, ...]
    appeals: int
