"""What the department does with a case until it decides: review, acceptance, pauses, extension.

Every verb opens the case within the officer's scope and takes its lock first; a foreign case looks absent.
"""

from collections.abc import Sequence

from sqlalchemy import select

from backend import catalogue
from backend.cases.dates import NOT_HERE_YET
from backend.cases.machine import CASE
from backend.cases.models import Case, Material, PauseRow
from backend.cases.problems import (
    ExtendedAlready,
    ExtensionNotOffered,
    MaterialUnknown,
    OriginalsAwaited,
    PreReviewNotOffered,
    ProcedureUnknown,
)
from backend.cases.services import desk, fees
from backend.cases.telling import line_of
from backend.cases.views import CaseLine
from backend.contracts import (
    CaseAccepted,
    CaseExtended,
    CaseNotAccepted,
    CasePaused,
    CaseResumed,
    PreReviewPassed,
)
from backend.kernel import clock
from backend.runtime.audience import Principal
from backend.store.unit import CLOCK, Actor, Unit


def pass_pre_review(u: Unit, case_id: str, officer: Principal) -> CaseLine:
    """Let a submitted case pass its pre-review. Raises PreReviewNotOffered when the item has none."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    if catalogue.version(u, case.item_version_id).policy.pre_review_hours is None:
        raise PreReviewNotOffered
    desk.move(u, case, "preapproved", officer.actor, PreReviewPassed(case.id, case.person_id))
    return line_of(case)


def not_accept(u: Unit, case_id: str, officer: Principal, reason: str) -> CaseLine:
    """Refuse acceptance, with the reason the citizen reads."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    event = CaseNotAccepted(case.id, case.person_id)
    desk.move(u, case, "not_accepted", officer.actor, event, {"reason": reason})
    return line_of(case)


def accept(u: Unit, case_id: str, officer: Principal) -> CaseLine:
    """Accept the case: the promised and the legal clock start, the fee is demanded.

    Raises OriginalsAwaited while papers that travel by mail are not here, ImpossibleMove.
    """
    case = desk.handled_case(u, case_id, officer, lock=True)
    if case.originals in NOT_HERE_YET and CASE.can(case.state, "accepted"):
        raise OriginalsAwaited
    case.accepted_on = clock.today()
    desk.move(u, case, "accepted", officer.actor, CaseAccepted(case.id, case.person_id, deemed=False))
    _originals_checked_at_the_window(u, case)
    fees.demand(u, case, officer.actor)
    return line_of(case)


def deem_accepted(u: Unit, case: Case) -> None:
    """Silence beyond the term accepts the locked case from the day its materials came (行政许可法 art. 32)."""
    case.accepted_on, case.deemed = clock.day_of(case.received_at), True
    event = CaseAccepted(case.id, case.person_id, deemed=True)
    desk.move(u, case, "deemed_accepted", CLOCK, event, {"deemed": True})
    fees.demand(u, case, CLOCK)


def start_review(u: Unit, case_id: str, officer: Principal) -> CaseLine:
    """Begin the review."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    desk.move(u, case, "review_started", officer.actor)
    return line_of(case)


def pause(u: Unit, case_id: str, officer: Principal, procedure: str, days: int, reason: str) -> CaseLine:
    """Begin a special procedure: the clock stands still, its length is told (行政许可法 art. 45).

    `days` are the days told to the applicant. Raises ProcedureUnknown when the guide names no such procedure.
    """
    case = desk.handled_case(u, case_id, officer, lock=True)
    if procedure not in catalogue.version(u, case.item_version_id).policy.special_procedures:
        raise ProcedureUnknown
    number = len(desk.pauses_of(u, case.id)) + 1
    told = {"procedure": procedure, "days": days, "reason": reason}
    desk.move(u, case, "paused", officer.actor, CasePaused(case.id, case.person_id), told)
    u.add(
        PauseRow(
            case_id=case.id, number=number, procedure=procedure, told_days=days, started_on=clock.today()
        )
    )
    return line_of(case)


def resume(u: Unit, case_id: str, officer: Principal) -> CaseLine:
    """End the special procedure: its days are not counted, the new dates are set."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    running = u.session.scalar(
        select(PauseRow).where(PauseRow.case_id == case.id, PauseRow.ended_on.is_(None))
    )
    if running is not None:
        running.ended_on = clock.today()
        u.session.flush()
    desk.move(u, case, "resumed", officer.actor, CaseResumed(case.id, case.person_id))
    return line_of(case)


def extend(u: Unit, case_id: str, officer: Principal, reason: str) -> CaseLine:
    """Prolong the term once, by what the law allows the item, with the reason told (行政许可法 art. 42).

    Raises ExtendedAlready, ExtensionNotOffered.
    """
    case = desk.handled_case(u, case_id, officer, lock=True)
    policy = catalogue.version(u, case.item_version_id).policy
    if case.extended_by:
        raise ExtendedAlready
    if policy.extension is None:
        raise ExtensionNotOffered
    case.extended_by = policy.extension.days
    told = {"reason": reason, "days": case.extended_by}
    desk.move(u, case, "extended", officer.actor, CaseExtended(case.id, case.person_id), told)
    return line_of(case)


def confirm_materials(
    u: Unit, case_id: str, officer: Principal, checked: Sequence[str], missing: Sequence[str]
) -> CaseLine:
    """Tick off originals against the material list; ids are of materials. Raises MaterialUnknown."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    rows = {m.id: m for m in u.session.scalars(select(Material).where(Material.case_id == case.id))}
    if not {*checked, *missing} <= rows.keys() or set(checked) & set(missing):
        raise MaterialUnknown
    for material_id, state in [*((m, "checked") for m in checked), *((m, "missing") for m in missing)]:
        rows[material_id].state = state
    by_mail = [m.state for m in rows.values() if m.mode == "mail" and m.state != "replaced"]
    if by_mail:
        desk.put_originals(u, case, "missing" if "missing" in by_mail else _slowest(by_mail))
    _note_check(u, case, officer.actor, [rows[m].name for m in checked], [rows[m].name for m in missing])
    return line_of(case)


def _note_check(u: Unit, case: Case, by: Actor, checked: list[str], missing: list[str]) -> None:
    says = "核对原件，发现不齐" if missing else "核对了材料原件"
    u.note(case.id, case.id, "materials_checked", by=by, says=says, facts={"items": missing or checked})


def _slowest(states: Sequence[str]) -> str:
    return "awaited" if "awaited" in states else "checked"


def _originals_checked_at_the_window(u: Unit, case: Case) -> None:
    """Acceptance at the window is the check of what was brought there."""
    brought = select(Material).where(
        Material.case_id == case.id, Material.mode == "window", Material.state == "given"
    )
    for material in u.session.scalars(brought):
        material.state = "checked"
