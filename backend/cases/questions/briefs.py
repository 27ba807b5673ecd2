"""Short answers for the other houses' windows: what is due, what travels, what may be booked, what it is called."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from backend import catalogue
from backend.cases import wording
from backend.cases.dates import next_due
from backend.cases.desk_views import (
    CaseBrief,
    DeliveryWish,
    FeeDue,
    FeeItem,
    PaperOriginal,
    VisitGround,
)
from backend.cases.models import Case, Correction, Material
from backend.cases.services import desk
from backend.cases.services.corrections import label_in, points_of
from backend.cases.services.filing import open_form
from backend.cases.telling import label_of, steps_of, takes_booking
from backend.kernel import clock, money
from backend.kernel.problems import NotYours
from backend.runtime.audience import Principal
from backend.store.journal import entries_of
from backend.store.unit import Unit


def fee_due(u: Unit, case_id: str, person_id: str) -> FeeDue:
    """What the citizen's case costs and whether it waits for the money. Raises NotYours."""
    case = desk.own_case(u, case_id, person_id)
    lines = tuple(FeeItem(name, amount) for name, amount in case.fee_lines or ())
    return FeeDue(
        case_id=case.id,
        amount_fen=case.fee_fen,
        lines=lines,
        state=case.fee_state,
        payment_id=case.fee_payment_id,
        department_id=case.department_id,
        region_code=case.region_code,
        item_name=case.item_name,
        title=case.item_name,
    )


def delivery_wish(u: Unit, case_id: str, person_id: str | None = None) -> DeliveryWish:
    """How the citizen wants the result. Without `person_id` for ears and staff. Raises NotYours."""
    case = _case(u, case_id, person_id)
    return DeliveryWish(case.id, case.person_id, case.delivery, case.address_id)


def paper_originals(u: Unit, case_id: str, person_id: str | None = None) -> tuple[PaperOriginal, ...]:
    """The papers that travel to the department by mail. Raises NotYours."""
    case = _case(u, case_id, person_id)
    rows = u.session.scalars(
        select(Material)
        .where(Material.case_id == case.id, Material.mode == "mail", Material.state != "replaced")
        .order_by(Material.code)
    )
    return tuple(PaperOriginal(m.id, m.name, m.copies, m.state) for m in rows)


def case_brief(
    u: Unit, case_id: str, *, person_id: str | None = None, officer: Principal | None = None
) -> CaseBrief:
    """The case in short, for its citizen or an officer of its department. Raises NotYours."""
    case = desk.handled_case(u, case_id, officer) if officer else _case(u, case_id, person_id)
    version = catalogue.version(u, case.item_version_id)
    return CaseBrief(
        case_id=case.id,
        person_id=case.person_id,
        number=case.number,
        item_id=case.item_id,
        item_version_id=case.item_version_id,
        item_name=case.item_name,
        department_id=case.department_id,
        region_code=case.region_code,
        state=case.state,
        mail_in_allowed=version.policy.mail_in,
        result_name=version.result.name,
        delivery=case.delivery,
        address_id=case.address_id,
    )


def visit_ground(u: Unit, case_id: str, person_id: str, *, stays: bool = False) -> VisitGround:
    """Whether the citizen may book a visit for this case now. Raises NotYours.

    `stays`: nobody changes the case before the unit ends, so that whoever ends it then finds what was booked.
    """
    case = desk.own_case(u, case_id, person_id, stays=stays)
    version = catalogue.version(u, case.item_version_id)
    reason = _no_visit(case, version)
    return VisitGround(
        case_id=case.id,
        person_id=case.person_id,
        item_id=case.item_id,
        item_version_id=case.item_version_id,
        department_id=case.department_id,
        region_code=case.region_code,
        state=case.state,
        may_book=reason is None,
        reason=wording.say("visit", reason) if reason else "",
        wants_visit=takes_booking(case, version.policy),
    )


def standing_of(u: Unit, case_ids: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """Number, state and the label of the state of several cases, by id, in one look: for a queue of visits."""
    rows = u.session.scalars(select(Case).where(Case.id.in_(list(case_ids))))
    return {case.id: (case.number, case.state, label_of(case)) for case in rows}


def case_number_of(u: Unit, case_id: str) -> str:
    """The number people know the case by. Raises NotYours."""
    return _case(u, case_id, None).number


def facts_for(u: Unit, case_id: str) -> dict[str, str]:
    """Variables for the wording of messages about a case. Raises NotYours."""
    case = _case(u, case_id, None)
    due = next_due(case)
    told = {
        "number": case.number,
        "item": case.item_name,
        "state": label_of(case),
        "due": wording.say("brief_due", "provisional" if due.provisional else "exact", on=due.on)
        if due
        else "",
        "correction": "、".join(_asked(u, case)),
        "fee": money.yuan(case.fee_fen) if case.fee_fen else "",
        "amount": money.yuan(case.fee_fen) if case.fee_fen else "",
        "result": catalogue.version(u, case.item_version_id).result.name,
        "department_id": case.department_id,
        "case_id": case.id,
    }
    if case.state == "correcting" and case.correction_due_on is not None:
        # A reminder to correct is pointless once the term is over.
        told["not_after"] = clock.start_of_day(case.correction_due_on + timedelta(days=1)).isoformat()
    return told


def export_of(u: Unit, person_id: str) -> list[dict[str, Any]]:
    """Everything the house keeps about a person's cases, in plain words, for the person (PIPL art. 45)."""
    rows = u.session.scalars(select(Case).where(Case.person_id == person_id).order_by(Case.id))
    return [_exported(u, case) for case in rows]


def _case(u: Unit, case_id: str, person_id: str | None) -> Case:
    if person_id is not None:
        return desk.own_case(u, case_id, person_id)
    case = u.get(Case, case_id)
    if case is None:
        raise NotYours
    return case


def _no_visit(case: Case, version: catalogue.ItemVersion) -> str | None:
    """Why a visit cannot be booked now, as a key of the wording; None when it can."""
    policy = version.policy
    if not policy.bookable:
        return "not_bookable"
    if not takes_booking(case, policy):
        return "not_yet"
    return "booked" if case.visit != "none" else None


def _asked(u: Unit, case: Case) -> list[str]:
    """Names of what the newest notice asks for."""
    notice = u.session.scalar(
        select(Correction).where(Correction.case_id == case.id, Correction.round == case.round)
    )
    if notice is None:
        return []
    version = catalogue.version(u, case.item_version_id)
    return list(dict.fromkeys(label_in(version, point) or point.name for point in points_of(notice)))


def _exported(u: Unit, case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "item": case.item_name,
        "state": label_of(case),
        "channel": case.channel,
        "submitted_at": case.submitted_at,
        "form": open_form(case),
        "steps": [{"at": step.at, "says": step.says} for step in steps_of(entries_of(u.session, case.id))],
    }
