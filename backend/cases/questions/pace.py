"""How a case keeps its dates: decided early, or late by how much and what the citizen can do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend import catalogue
from backend.cases import wording
from backend.cases.clocks import NATURAL, Term, Terms, days_between
from backend.cases.dates import is_late
from backend.cases.machine import RUNNING_STATES
from backend.cases.questions.lean import LeanCase
from backend.cases.terms import terms_of
from backend.kernel import clock
from backend.kernel.workdays import WorkCalendar
from backend.store.unit import Unit

Asking = Callable[[Callable[[Unit], Any]], Any]
"""Finds a unit for the few questions that need one."""

HOUR = timedelta(hours=1)
MOST_HOURS = 48
"""Beyond this people count in days."""


@dataclass(frozen=True, slots=True)
class Pace:
    """See Progress for the days; `says` is empty while nothing is late."""

    days_early: int | None = None
    days_late: int = 0
    days_unit: str | None = None
    says: str = ""


def pace_of(case: LeanCase, asking: Asking) -> Pace:
    """The pace of a case; guide version and calendar are asked only when there is something to count."""
    if case.days_early is None and not is_late(case):
        return Pace()
    pace: Pace = asking(lambda u: _measured(u, case))
    return pace


def _measured(u: Unit, case: LeanCase) -> Pace:
    terms = terms_of(catalogue.version(u, case.item_version_id))
    days_late, says = 0, ""
    if is_late(case):
        name, amount, unit = _overrun(case, terms, catalogue.calendar(u))
        by = wording.say("late", unit, amount=amount) if amount else ""
        says = wording.say("late", "says", term=wording.say("late", name), by=by)
        days_late = amount if case.state in RUNNING_STATES else 0
    measure = terms.promise or terms.legal
    counted = case.days_early is not None or case.state in RUNNING_STATES
    return Pace(case.days_early, days_late, measure.unit if measure and counted else None, says)


def _overrun(case: LeanCase, terms: Terms, calendar: WorkCalendar) -> tuple[str, int, str]:
    """Which term is over, by how much (0: not by a whole one yet), and in which unit."""
    if case.state == "submitted" and case.pre_review_due_at is not None:
        hours = (clock.now() - case.pre_review_due_at) // HOUR
        return ("pre_review", hours, "hours") if hours < MOST_HOURS else ("pre_review", hours // 24, NATURAL)
    name, on, term = _running(case, terms)
    unit = term.unit if term else NATURAL
    return name, days_between(calendar, unit, on or clock.today(), clock.today())[0], unit


def _running(case: LeanCase, terms: Terms) -> tuple[str, date | None, Term | None]:
    """The term that runs now, in the order of next_due."""
    if case.state in ("submitted", "preapproved"):
        return "acceptance", case.deemed_acceptance_on, terms.deemed_acceptance
    if case.state not in RUNNING_STATES:
        return "delivery", case.delivery_due_on, terms.delivery
    if case.promised_on is not None:
        return "promise", case.promised_on, terms.promise
    return "legal", case.legal_on, terms.legal
