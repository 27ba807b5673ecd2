"""A case and its journal as one lean row: the columns that progress needs, and the lines in one JSON value."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from backend.cases.telling import shown_facts, told_to_citizen
from backend.cases.views import Step


class LeanCase(NamedTuple):
    """The columns of a case that anybody may see who may see the case; the order is that of the statement."""

    id: str
    number: str
    state: str
    person_id: str
    item_id: str
    item_version_id: str
    item_name: str
    delivery: str
    originals: str
    visit: str
    holder: str
    result_sent: bool
    round: int
    submitted_at: datetime
    decided_on: date | None
    paused_days: int
    days_early: int | None
    fee_state: str
    fee_fen: int
    pre_review_due_at: datetime | None
    pre_review_due_at_provisional: bool
    deemed_acceptance_on: date | None
    deemed_acceptance_on_provisional: bool
    correction_due_on: date | None
    correction_due_on_provisional: bool
    promised_on: date | None
    promised_on_provisional: bool
    legal_on: date | None
    legal_on_provisional: bool
    delivery_due_on: date | None
    delivery_due_on_provisional: bool


COLUMNS = ", ".join(f"c.{name}" for name in LeanCase._fields)
LINES = """(
    SELECT json_agg(json_build_array(j.occurred_at, j.says, j.actor_label, split_part(j.subject, '-', 1), j.trigger,
                                     j.facts) ORDER BY j.seq)::text
    FROM store_journal j WHERE j.matter = c.id AND j.says <> ''
)"""


def read_lean(row: Sequence[Any]) -> tuple[LeanCase, tuple[Step, ...]]:
    """The case and its steps, as the citizen reads them, from a row of COLUMNS and LINES."""
    lines = orjson.loads(row[-1]) if row[-1] else ()
    return LeanCase._make(row[:-1]), told_to_citizen(_step(*line) for line in lines)


def _step(at: str, says: str, by: str, kind: str, trigger: str, facts: dict[str, Any] | None) -> Step:
    return Step(datetime.fromisoformat(at), says, by, kind, trigger, shown_facts(facts) if facts else {})
