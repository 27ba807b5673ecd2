"""The end of a case: decision, result, delivery, or the citizen's withdrawal."""

from collections.abc import Sequence

import orjson
from sqlalchemy import update

from backend.cases.machine import CASE
from backend.cases.models import NUMBERS, Case, Result, Upload
from backend.cases.problems import FeeStillDue, ReasonMissing, UploadUnusable
from backend.cases.services import desk, fees
from backend.cases.telling import line_of
from backend.cases.views import CaseLine
from backend.contracts import CaseDecided, CaseDelivered, CaseFinished, CaseWithdrawn
from backend.kernel import clock
from backend.runtime.audience import Principal
from backend.store import vault
from backend.store.unit import SYSTEM, Actor, Unit


def decide(u: Unit, case_id: str, officer: Principal, *, granted: bool, reason: str) -> CaseLine:
    """Grant or deny; a denial needs its reason. Raises FeeStillDue, ReasonMissing, ImpossibleMove."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    if not granted and not reason:
        raise ReasonMissing
    if case.fee_state == "due" and CASE.can(case.state, "granted"):
        raise FeeStillDue
    case.decided_on = clock.today()
    event = CaseDecided(case.id, case.person_id, granted=granted)
    facts = {"reason": reason} if reason else {}
    desk.move(u, case, "granted" if granted else "denied", officer.actor, event, facts)
    return line_of(case)


def finish(
    u: Unit, case_id: str, officer: Principal, numbers: Sequence[str], upload_id: str | None = None
) -> CaseLine:
    """Record the result. An electronic one is delivered with it; others go the way the citizen chose.

    `numbers` are document numbers, `upload_id` a file the officer uploaded. Raises UploadUnusable.
    """
    case = desk.handled_case(u, case_id, officer, lock=True)
    event = CaseFinished(case.id, case.person_id, delivery=case.delivery, deliver_to=case.address_id)
    desk.move(u, case, "finished", officer.actor, event, {"delivery": case.delivery})
    if upload_id is not None:
        _keep_file(u, case, officer, upload_id)
    u.add(
        Result(
            case_id=case.id,
            numbers_sealed=vault.seal_bytes(NUMBERS.place, case.id, orjson.dumps(list(numbers))),
            upload_id=upload_id,
            recorded_at=clock.now(),
        )
    )
    if case.delivery == "e_licence":
        desk.move(u, case, "delivered", SYSTEM, CaseDelivered(case.id, case.person_id))
    return line_of(case)


def hand_over(u: Unit, case_id: str, officer: Principal) -> CaseLine:
    """The citizen fetched the result at the window."""
    case = desk.handled_case(u, case_id, officer, lock=True)
    desk.move(u, case, "delivered", officer.actor, CaseDelivered(case.id, case.person_id))
    return line_of(case)


def withdraw_case(u: Unit, case_id: str, person_id: str, reason: str, by: Actor) -> CaseLine:
    """The citizen takes the application back before the decision. Raises ImpossibleMove afterwards."""
    case = desk.own_case(u, case_id, person_id, lock=True)
    notice = desk.open_correction(u, case.id)
    if notice is not None:
        notice.closed_at = clock.now()
    case.asked_on = None
    facts = {"reason": reason} if reason else {}
    desk.move(u, case, "withdrawn", by, CaseWithdrawn(case.id, case.person_id), facts)
    fees.give_up(u, case)
    return line_of(case)


def _keep_file(u: Unit, case: Case, officer: Principal, upload_id: str) -> None:
    taken = u.session.execute(
        update(Upload)
        .where(
            Upload.id == upload_id,
            Upload.owner_id == officer.id,
            Upload.material_id.is_(None),
            Upload.result_of.is_(None),
        )
        .values(result_of=case.id, purge_at=None)
        .returning(Upload.id)
    ).first()
    if taken is None:
        raise UploadUnusable
