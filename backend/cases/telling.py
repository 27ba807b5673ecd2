"""Reads a case aloud: from columns and journal lines to the words, dates and next actions a citizen sees."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from backend import catalogue
from backend.cases import wording
from backend.cases.dates import COURIER, DEPARTMENT, Standing, holder_of, is_late, next_due
from backend.cases.machine import CASE, RUNNING_STATES
from backend.cases.models import Case
from backend.cases.views import CaseLine, DueView, NextAction, Step
from backend.kernel import clock
from backend.kernel.workdays import Due
from backend.store.journal import JournalEntry

SHOWN_FACTS = frozenset({"reason", "items", "procedure", "days", "until", "amount_fen", "deemed", "delivery"})
_WITHDRAWABLE = frozenset({"submitted", "correcting", "preapproved", "accepted", "reviewing", "special"})
_BOOKABLE = {"pre_review": ("preapproved",), "filing": ("submitted", "accepted")}
BOOKABLE_STATES = frozenset(state for states in _BOOKABLE.values() for state in states)
_FEE_STATES = frozenset({"accepted", "reviewing"})
_ORIGINALS_WITH_CITIZEN = {"awaited": "submitted.originals_wanted", "ordered": "submitted.originals_ordered"}


def label_of(case: Standing) -> str:
    """The state in at most five characters; an item without pre-review waits for acceptance (待受理)."""
    if case.state == "submitted" and case.pre_review_due_at is None:
        return wording.say("label", "submitted.direct")
    return CASE.label(case.state)


def situation(case: Standing, *, bookable: bool) -> str:
    """The key of the sentence that says why the case waits."""
    if case.state in ("submitted", "preapproved", *_FEE_STATES) and case.originals in (
        "travelling",
        "missing",
    ):
        return f"originals_{case.originals}"
    if case.state in _FEE_STATES and case.fee_state == "due":
        return "fee_due"
    if case.state == "submitted":
        return _while_submitted(case)
    if case.state == "preapproved":
        return f"preapproved.{_while_preapproved(case, bookable)}"
    if case.state == "finished":
        return f"finished.{case.delivery}{'.sent' if holder_of(case) == COURIER else ''}"
    return case.state


def actions_of(case: Standing, *, bookable: bool) -> tuple[NextAction, ...]:
    """What the citizen can do now, most urgent first."""
    offered = {
        "answer_correction": case.state == "correcting",
        "reopen": case.state == "closed",
        "pay": case.state in (*_FEE_STATES, "special") and case.fee_state == "due",
        "order_pickup": case.state in ("submitted", "preapproved")
        and case.originals in ("awaited", "missing"),
        "book": bookable and case.visit == "none",
        "view_result": case.state in ("finished", "delivered"),
        "withdraw": case.state in _WITHDRAWABLE,
    }
    return tuple(NextAction(name, wording.say("action", name)) for name, offer in offered.items() if offer)


def takes_booking(case: Standing, policy: catalogue.Policy) -> bool:
    """Whether the item takes visits by booking in the state the case is in."""
    return policy.bookable and case.state in _BOOKABLE.get(policy.booking_after or "", ())


def due_view(due: Due | None, *, late: bool = False) -> DueView | None:
    if due is None:
        return None
    kind = "provisional" if due.provisional else "exact"
    return DueView(due.on, due.provisional, wording.say("due", kind, date=wording.day(due.on)), late)


def due_view_of(case: Standing) -> DueView | None:
    return due_view(next_due(case), late=is_late(case))


def promised_view(case: Standing) -> DueView | None:
    return _decision_view(case, case.promised_on, case.promised_on_provisional)


def legal_view(case: Standing) -> DueView | None:
    return _decision_view(case, case.legal_on, case.legal_on_provisional)


def line_of(case: Case) -> CaseLine:
    """The case in one line, as lists and verbs answer it."""
    return CaseLine(
        case_id=case.id,
        number=case.number,
        item_name=case.item_name,
        state=case.state,
        state_label=label_of(case),
        holder=case.holder,
        submitted_at=case.submitted_at,
        due=due_view_of(case),
    )


def steps_of(entries: Iterable[JournalEntry]) -> tuple[Step, ...]:
    """Journal lines that have words, for staff and export; notes without words are for the house itself."""
    return tuple(
        Step(e.occurred_at, e.says, e.actor.label, e.subject_kind, e.trigger, shown_facts(e.facts))
        for e in entries
        if e.says
    )


def told_to_citizen(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The timeline without lines for staff, and without those that a later line of their kind has overtaken."""
    every = tuple(steps)
    newest = {step.kind: step for step in every}
    return tuple(
        step
        for step in every
        if not wording.is_folded(step.kind, step.trigger, overtaken=newest[step.kind] is not step)
    )


def shown_facts(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those facts of a journal line that are meant for the citizen."""
    return {name: value for name, value in facts.items() if name in SHOWN_FACTS}


def _decision_view(case: Standing, on: date | None, provisional: bool) -> DueView | None:
    if on is None:
        return None
    awaited = case.state in RUNNING_STATES and holder_of(case) == DEPARTMENT
    return due_view(Due(on, provisional), late=awaited and not provisional and clock.today() > on)


def _while_submitted(case: Standing) -> str:
    if case.pre_review_due_at is not None:
        return "submitted.pre_review"
    return _ORIGINALS_WITH_CITIZEN.get(case.originals, "submitted.direct")


def _while_preapproved(case: Standing, bookable: bool) -> str:
    if case.visit in ("booked", "arrived"):
        return case.visit
    if case.originals in ("arrived", "checked"):
        return "wait"
    if case.originals == "ordered":
        return "ordered"
    if bookable:
        return "book"
    return "mail" if case.originals == "awaited" else "bring"
