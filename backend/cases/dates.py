"""Puts the clocks' answers on the case row: every date follows from the row's facts, however often asked.

The same function serves a move, the chore that waits for a calendar, and the nightly check.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from backend.cases import clocks
from backend.cases.clocks import DueMoment, Pause, Terms
from backend.cases.fresh import FreshCase
from backend.cases.models import Case
from backend.kernel import clock
from backend.kernel.workdays import Due, WorkCalendar

CITIZEN, DEPARTMENT, COURIER, NOBODY = "citizen", "department", "courier", "nobody"
NOT_HERE_YET = frozenset({"awaited", "ordered", "travelling", "missing"})
"""Originals that the department does not have: nothing was received that silence could accept."""
_WITH_CITIZEN = NOT_HERE_YET - {"travelling"}
_HERE = frozenset({"arrived", "checked"})
_DECIDED = frozenset({"granted", "denied", "finished"})


class Standing(Protocol):
    """The columns that tell where a case stands: a row of the ORM, or of a lean query."""

    @property
    def id(self) -> str: ...
    @property
    def item_version_id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def fee_state(self) -> str: ...
    @property
    def originals(self) -> str: ...
    @property
    def delivery(self) -> str: ...
    @property
    def visit(self) -> str: ...
    @property
    def result_sent(self) -> bool: ...
    @property
    def pre_review_due_at(self) -> datetime | None: ...
    @property
    def deemed_acceptance_on(self) -> date | None: ...
    @property
    def deemed_acceptance_on_provisional(self) -> bool: ...
    @property
    def correction_due_on(self) -> date | None: ...
    @property
    def correction_due_on_provisional(self) -> bool: ...
    @property
    def promised_on(self) -> date | None: ...
    @property
    def promised_on_provisional(self) -> bool: ...
    @property
    def legal_on(self) -> date | None: ...
    @property
    def legal_on_provisional(self) -> bool: ...
    @property
    def delivery_due_on(self) -> date | None: ...
    @property
    def delivery_due_on_provisional(self) -> bool: ...
    @property
    def pre_review_due_at_provisional(self) -> bool: ...


def set_dates(
    case: Case | FreshCase, terms: Terms, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> None:
    """Compute every date of the row anew, then who holds the ball and what is due next."""
    waiting = case.state == "submitted"
    received_on = clock.day_of(case.received_at)
    _put_moment(case, clocks.pre_review_due(calendar, terms, case.received_at) if waiting else None)
    _put(
        case,
        "deemed_acceptance_on",
        clocks.deemed_acceptance_due(calendar, terms, received_on) if _owes_acceptance(case) else None,
    )
    _put(
        case,
        "correction_due_on",
        clocks.correction_due(calendar, terms, case.asked_on) if case.asked_on else None,
    )
    _put_decision_dates(case, terms, calendar, pauses)
    _put(
        case,
        "delivery_due_on",
        clocks.delivery_due(calendar, terms, case.decided_on) if case.decided_on else None,
    )
    settle(case)


def settle(case: Case | FreshCase) -> None:
    """Set the holder of the ball and the next due day from the other columns."""
    case.holder = holder_of(case)
    due = next_due(case)
    case.due_on = due.on if due else None


def holder_of(case: Standing) -> str:
    """Who holds the ball: citizen, department, courier, or nobody when it is over."""
    if case.state in ("correcting", "closed"):
        return CITIZEN
    if case.state in ("delivered", "withdrawn", "not_accepted"):
        return NOBODY
    if case.state == "finished":
        return _holder_of_result(case)
    if case.state in ("special", "granted", "denied"):
        return DEPARTMENT
    return _holder_while_open(case)


def next_due(case: Standing) -> Due | None:
    """The date that matters now; none while the clock stands still or the case is over."""
    if case.state == "submitted" and case.pre_review_due_at is not None:
        return Due(clock.day_of(case.pre_review_due_at), case.pre_review_due_at_provisional)
    if case.state in ("submitted", "preapproved"):
        return _due(case.deemed_acceptance_on, case.deemed_acceptance_on_provisional)
    if case.state == "correcting":
        return _due(case.correction_due_on, case.correction_due_on_provisional)
    if case.state in ("accepted", "reviewing"):
        promised = _due(case.promised_on, case.promised_on_provisional)
        return promised or _due(case.legal_on, case.legal_on_provisional)
    if case.state in _DECIDED:
        return _due(case.delivery_due_on, case.delivery_due_on_provisional)
    return None


def is_late(case: Standing) -> bool:
    """Whether the department lets its next date pass. By a guessed date, or with the ball elsewhere, nobody is late."""
    due = next_due(case)
    if due is None or due.provisional or holder_of(case) != DEPARTMENT:
        return False
    if case.state == "submitted" and case.pre_review_due_at is not None:
        return clock.now() > case.pre_review_due_at
    return clock.today() > due.on


def _holder_of_result(case: Standing) -> str:
    """A finished result is the department's until somebody has really fetched it."""
    if case.delivery == "window":
        return CITIZEN
    return COURIER if case.result_sent else DEPARTMENT


def _holder_while_open(case: Standing) -> str:
    if case.originals == "travelling":
        return COURIER
    if case.fee_state == "due":
        return CITIZEN
    if case.state == "submitted" and case.pre_review_due_at is not None:
        return DEPARTMENT
    if case.originals in _WITH_CITIZEN:
        return CITIZEN
    if case.state == "preapproved":
        return DEPARTMENT if case.originals in _HERE else CITIZEN
    return DEPARTMENT


def _owes_acceptance(case: Case | FreshCase) -> bool:
    """Everything was received: the department must say whether it accepts. After a pre-review that is by mail only."""
    if case.state == "preapproved":
        return case.originals in _HERE
    return case.state == "submitted" and case.originals not in NOT_HERE_YET


def _put_decision_dates(
    case: Case | FreshCase, terms: Terms, calendar: WorkCalendar, pauses: Sequence[Pause]
) -> None:
    for name, term in (("promised_on", terms.promise), ("legal_on", terms.legal)):
        due = None
        if case.accepted_on is not None and term is not None:
            due = clocks.decision_due(calendar, term, case.accepted_on, case.extended_by, pauses)
        _put(case, name, due)
    measure = terms.promise or terms.legal
    if measure is None:
        return
    case.paused_days = clocks.paused_days(calendar, measure.unit, pauses)[0]
    due_on = case.promised_on or case.legal_on
    if case.decided_on is not None and due_on is not None:
        case.days_early = clocks.days_early(calendar, measure.unit, due_on, case.decided_on)


def _put(case: Case | FreshCase, name: str, due: Due | None) -> None:
    setattr(case, name, due.on if due else None)
    setattr(case, f"{name}_provisional", bool(due and due.provisional))


def _put_moment(case: Case | FreshCase, due: DueMoment | None) -> None:
    case.pre_review_due_at = due.at if due else None
    case.pre_review_due_at_provisional = bool(due and due.provisional)


def _due(on: date | None, provisional: bool) -> Due | None:
    return None if on is None else Due(on, provisional)
