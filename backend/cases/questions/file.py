"""One case in full: for its citizen, and for the department with person and private answers masked."""

import orjson
from sqlalchemy import select

from backend import catalogue, people
from backend.cases.desk_views import CaseFile, MaterialView, RevealedCase
from backend.cases.machine import CASE
from backend.cases.models import NUMBERS, Material, Result, Upload
from backend.cases.services import desk
from backend.cases.services.filing import open_form
from backend.cases.telling import due_view_of, label_of, legal_view, promised_view, steps_of
from backend.cases.views import ResultView
from backend.kernel.problems import NotYours
from backend.runtime.audience import Principal
from backend.store import vault
from backend.store.journal import entries_of
from backend.store.unit import Unit

HIDDEN = "***"


def file_of(u: Unit, case_id: str, officer: Principal) -> CaseFile:
    """The file with everything masked. Raises NotYours outside the officer's scope."""
    case = desk.handled_case(u, case_id, officer)
    version = catalogue.version(u, case.item_version_id)
    person = people.person_of(u, case.person_id)
    answers = {
        name: HIDDEN if name in version.private_fields else value for name, value in open_form(case).items()
    }
    return CaseFile(
        case_id=case.id,
        number=case.number,
        item_id=case.item_id,
        item_version_id=case.item_version_id,
        item_name=case.item_name,
        department_id=case.department_id,
        region_code=case.region_code,
        state=case.state,
        state_label=label_of(case),
        channel=case.channel,
        person_id=case.person_id,
        person_name=person.name_masked,
        person_id_no=person.id_no_masked,
        person_phone=person.phone_masked,
        form=answers,
        materials=materials_of(u, case.id),
        delivery=case.delivery,
        fee_state=case.fee_state,
        fee_fen=case.fee_fen,
        submitted_at=case.submitted_at,
        pre_review_due_at=case.pre_review_due_at,
        due=due_view_of(case),
        promised=promised_view(case),
        legal=legal_view(case),
        triggers=CASE.triggers(case.state),
        steps=steps_of(entries_of(u.session, case.id)),
    )


def reveal_case(u: Unit, case_id: str, officer: Principal, purpose: str) -> RevealedCase:
    """Person and form in plain words; the look is journalled and the person can see who looked."""
    case = desk.handled_case(u, case_id, officer)
    detail = people.reveal(u, case.person_id, officer, purpose, case.id)
    return RevealedCase(case.id, detail.name, detail.id_no, detail.phone, open_form(case))


def materials_of(u: Unit, case_id: str) -> tuple[MaterialView, ...]:
    """The materials in the order of guide and round, with the files behind them."""
    files: dict[str, list[str]] = {}
    taken = (
        select(Upload.material_id, Upload.id)
        .join(Material)
        .where(Material.case_id == case_id)
        .order_by(Upload.id)
    )
    for material_id, upload_id in u.session.execute(taken):
        files.setdefault(str(material_id), []).append(upload_id)
    rows = u.session.scalars(
        select(Material).where(Material.case_id == case_id).order_by(Material.code, Material.round)
    )
    return tuple(
        MaterialView(m.id, m.code, m.name, m.mode, m.state, m.round, m.copies, tuple(files.get(m.id, ())))
        for m in rows
    )


def own_materials(u: Unit, case_id: str, person_id: str) -> tuple[MaterialView, ...]:
    """The materials of the citizen's own case. Raises NotYours."""
    return materials_of(u, desk.own_case(u, case_id, person_id).id)


def result_of(u: Unit, case_id: str, person_id: str) -> ResultView:
    """The result of the citizen's own case. Raises NotYours, also before there is one."""
    case = desk.own_case(u, case_id, person_id)
    result = u.get(Result, case.id)
    if result is None:
        raise NotYours
    numbers = orjson.loads(vault.open_sealed_bytes(NUMBERS.place, case.id, result.numbers_sealed))
    name = catalogue.version(u, case.item_version_id).result.name
    return ResultView(case.id, name, tuple(numbers), result.upload_id, result.recorded_at)
