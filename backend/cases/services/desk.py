"""Opens a case for whoever may see it, and moves it: state, journal, dates and event in one go."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from backend import catalogue, people
from backend.cases.clocks import Pause
from backend.cases.dates import NOT_HERE_YET, set_dates
from backend.cases.machine import CASE
from backend.cases.models import Case, Correction, PauseRow
from backend.cases.terms import terms_of
from backend.contracts import Event
from backend.kernel import clock, privacy
from backend.kernel.problems import Forbidden, NotYours
from backend.runtime.audience import Principal
from backend.store.unit import Actor, Unit

HANDLING_ROLES = frozenset({"handler", "window_clerk", "system"})


def own_case(u: Unit, case_id: str, person_id: str, *, lock: bool = False, stays: bool = False) -> Case:
    """The citizen's case. Raises NotYours for a foreign or absent one alike.

    `stays`: nobody changes it before the unit ends, though others may look at it in the same way.
    """
    case = _that_stays(u, case_id) if stays else u.get(Case, case_id, lock=lock)
    if case is None or case.person_id != person_id:
        raise NotYours
    return case


def _that_stays(u: Unit, case_id: str) -> Case | None:
    return u.session.get(Case, case_id, with_for_update={"read": True}, populate_existing=True)


def handled_case(u: Unit, case_id: str, officer: Principal, *, lock: bool = False) -> Case:
    """A case that the officer's role, department and region reach. Raises NotYours for any other."""
    case = u.get(Case, case_id, lock=lock)
    if case is None or not _reaches(officer, case):
        raise NotYours
    return case


def reach_of(officer: Principal) -> list[people.Scope]:
    """Where the officer handles cases; administrators and auditors do nowhere. Raises Forbidden then."""
    reach = [scope for scope in people.scopes_of(officer) if scope.role in HANDLING_ROLES]
    if not reach:
        raise Forbidden
    return reach


def _reaches(officer: Principal, case: Case) -> bool:
    return any(
        people.may_handle(officer, case.department_id, case.region_code, role) for role in HANDLING_ROLES
    )


def locked(u: Unit, case_id: str) -> Case:
    """The case for an ear or a chore. Raises NotYours when it is not there."""
    case = u.get(Case, case_id, lock=True)
    if case is None:
        raise NotYours
    return case


def move(
    u: Unit,
    case: Case,
    trigger: str,
    by: Actor,
    event: Event | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Step the locked case, compute its dates anew and tell the town. Raises ImpossibleMove."""
    # The journal is kept for ever and in plain words: numbers of people that somebody typed into a reason stay out.
    told = {
        name: privacy.scrub(fact) if isinstance(fact, str) else fact for name, fact in (facts or {}).items()
    }
    u.step(CASE, case, trigger, by=by, facts=told)
    redate(u, case)
    if event is not None:
        u.record(event)


def put_originals(u: Unit, case: Case, now: str) -> None:
    """Note where the originals are. Until they came nothing was received, so the term of silence runs from then."""
    waiting = case.state in ("submitted", "preapproved")
    if waiting and case.originals in NOT_HERE_YET and now not in NOT_HERE_YET:
        case.received_at = clock.now()
    case.originals = now
    redate(u, case)


def redate(u: Unit, case: Case) -> None:
    """Compute every date of the case from its facts and the present calendar."""
    version = catalogue.version(u, case.item_version_id)
    set_dates(case, terms_of(version), catalogue.calendar(u), pauses_of(u, case.id))


def pauses_of(u: Unit, case_id: str) -> list[Pause]:
    rows = u.session.scalars(select(PauseRow).where(PauseRow.case_id == case_id).order_by(PauseRow.number))
    return [Pause(row.started_on, row.ended_on) for row in rows]


def open_correction(u: Unit, case_id: str) -> Correction | None:
    """The notice that waits for an answer."""
    return u.session.scalar(
        select(Correction).where(Correction.case_id == case_id, Correction.closed_at.is_(None))
    )
