"""The timeline: the journal read aloud beside the columns of the case. The town's busiest question.

One statement answers session, ownership, case and journal together; no ORM. A unit is opened only where the guide
version or an open correction has a say; sealed columns stay sealed otherwise.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from backend import catalogue, people
from backend.cases import wording
from backend.cases.questions.lean import COLUMNS, LINES, LeanCase, read_lean
from backend.cases.questions.pace import Asking, Pace, pace_of
from backend.cases.services.corrections import correction_view
from backend.cases.telling import (
    BOOKABLE_STATES,
    actions_of,
    due_view_of,
    label_of,
    legal_view,
    promised_view,
    situation,
    takes_booking,
)
from backend.cases.views import CorrectionView, Progress, PublicProgress, Step
from backend.kernel import ids
from backend.kernel.problems import NotYours, SessionEnded
from backend.store import engine
from backend.store.unit import Unit, unit

T = TypeVar("T")
_MINE = f"""
    SELECT {people.folded.SESSION}, {COLUMNS}, {LINES} FROM (SELECT 1) AS one
    LEFT JOIN cases_case c ON c.id = %(case)s AND c.person_id = %(person)s
"""
_OWN = f"SELECT {COLUMNS}, {LINES} FROM cases_case c WHERE c.id = %s AND c.person_id = %s"
_BY_NUMBER = f"SELECT {COLUMNS}, {LINES} FROM cases_case c WHERE c.number = %s"


def my_progress(session_id: str, person_id: str, case_id: str) -> Progress:
    """progress_of for a citizen whose session is looked at in the same statement; opens its own unit at need.

    Raises SessionEnded, NotYours.
    """
    asked = {"session": session_id, "person": person_id, "case": case_id}
    row = engine.ask(_MINE, asked)
    if row is None or not row[0]:
        raise SessionEnded
    if row[1] is None:
        raise NotYours
    case, steps = read_lean(row[1:])
    return _progress(case, steps, _in_own_unit)


def progress_of(u: Unit, case_id: str, person_id: str) -> Progress:
    """Where the citizen's case is, who holds the ball, why it waits and until when. Raises NotYours."""
    row = u.session.connection().exec_driver_sql(_OWN, (case_id, person_id)).one_or_none()
    if row is None:
        raise NotYours
    case, steps = read_lean(tuple(row))
    return _progress(case, steps, lambda ask: ask(u))


def public_progress_of(u: Unit, number: str) -> PublicProgress:
    """The same by case number for somebody who proved to know it; names nobody. Raises NotYours."""
    row = u.session.connection().exec_driver_sql(_BY_NUMBER, (ids.tidy_case_number(number),)).one_or_none()
    if row is None:
        raise NotYours
    case, steps = read_lean(tuple(row))
    pace = pace_of(case, lambda ask: ask(u))
    return PublicProgress(
        number=case.number,
        item_name=case.item_name,
        state=case.state,
        state_label=label_of(case),
        holder_label=wording.say("holder", case.holder),
        why=_why(case, pace, bookable=_is_bookable(u, case)),
        submitted_at=case.submitted_at,
        due=due_view_of(case),
        promised=promised_view(case),
        legal=legal_view(case),
        days_early=pace.days_early,
        days_late=pace.days_late,
        days_unit=pace.days_unit,
        steps=tuple(replace(step, facts={}) for step in steps),
    )


def _in_own_unit(ask: Callable[[Unit], T]) -> T:
    with unit() as u:
        return ask(u)


def _progress(case: LeanCase, steps: tuple[Step, ...], asking: Asking) -> Progress:
    bookable = case.state in BOOKABLE_STATES and asking(lambda u: _is_bookable(u, case))
    correction: CorrectionView | None = None
    if case.state == "correcting":
        correction = asking(lambda u: correction_view(u, case))
    pace = pace_of(case, asking)
    return Progress(
        case_id=case.id,
        number=case.number,
        item_id=case.item_id,
        item_name=case.item_name,
        state=case.state,
        state_label=label_of(case),
        holder=case.holder,
        holder_label=wording.say("holder", case.holder),
        why=_why(case, pace, bookable=bookable),
        submitted_at=case.submitted_at,
        pre_review_due_at=case.pre_review_due_at,
        due=due_view_of(case),
        promised=promised_view(case),
        legal=legal_view(case),
        days_early=pace.days_early,
        days_late=pace.days_late,
        days_unit=pace.days_unit,
        clock_stands=case.state == "special",
        paused_days=case.paused_days,
        fee_state=case.fee_state,
        fee_fen=case.fee_fen,
        delivery=case.delivery,
        correction=correction,
        actions=actions_of(case, bookable=bookable),
        steps=steps,
    )


def _is_bookable(u: Unit, case: LeanCase) -> bool:
    """Whether a visit may be booked for the case now; asked only where it may be, of the cached guide version."""
    if case.state not in BOOKABLE_STATES:
        return False
    return takes_booking(case, catalogue.version(u, case.item_version_id).policy)


def _why(case: LeanCase, pace: Pace, *, bookable: bool) -> str:
    """Why the case waits; and, where the department is late, by how much and what the citizen can do."""
    return wording.say("why", situation(case, bookable=bookable)) + pace.says
