"""Filing: a citizen's application becomes a case with a number, whoever types it in (CY-02, SH-09)."""

from typing import Any

import orjson

from backend import catalogue, people
from backend.cases import wording
from backend.cases.dates import set_dates
from backend.cases.fresh import FreshCase
from backend.cases.machine import CASE
from backend.cases.models import FORM, Case
from backend.cases.problems import (
    DeliveryUnknown,
    ItemNotFiledHere,
    MaterialModeRefused,
    MaterialsMissing,
    MaterialUnknown,
    UploadUnusable,
)
from backend.cases.services.giving import Piece, pieces_of, require_complete
from backend.cases.services.writing import write_case
from backend.cases.telling import label_of
from backend.cases.terms import terms_of
from backend.cases.views import Application, CaseReceipt
from backend.contracts import CaseSubmitted
from backend.kernel import clock, ids
from backend.kernel.problems import FieldError, NotFound
from backend.store import vault
from backend.store.unit import Actor, Unit

REAL_NAME = 2
CITY = "341600"
FILING_PROBLEMS = (
    NotFound,
    catalogue.ItemUnknown,
    catalogue.ItemNotPublished,
    people.RealNameNeeded,
    people.PhoneNeeded,
    people.AddressNotFound,
    ItemNotFiledHere,
    DeliveryUnknown,
    MaterialUnknown,
    MaterialModeRefused,
    MaterialsMissing,
    UploadUnusable,
)
"""What a window that takes applications must be ready to tell."""
_POLICY_WORD = {"window": "pickup", "courier": "courier", "rider": "courier", "e_licence": "e_licence"}
_TO_THE_DOOR = frozenset({"courier", "rider"})


def submit_case(u: Unit, application: Application, by: Actor) -> CaseReceipt:
    """File a case on the item's published version; number and receipt at once.

    Raises what the register of items says of the item and the form, RealNameNeeded, ItemNotFiledHere,
    MaterialUnknown, MaterialModeRefused, MaterialsMissing, UploadUnusable, DeliveryUnknown.
    """
    version = catalogue.published_version(u, application.item_id)
    people.require_level(u, application.person_id, REAL_NAME)
    _require_filed_here(version, application)
    _require_delivery(u, version, application)
    answers = catalogue.validate_form(version, application.form)
    pieces = pieces_of(version, application.materials)
    require_complete(version, pieces)
    case = _new_case(version, application, answers, pieces)
    u.step(CASE, case, "submitted", by=by, fresh=True, facts={"channel": case.channel})
    set_dates(case, terms_of(version), catalogue.calendar(u))
    write_case(u, case, pieces, by.id)
    u.record(CaseSubmitted(case.id, case.person_id))
    return receipt_of(case)


def receipt_of(case: FreshCase) -> CaseReceipt:
    due = case.pre_review_due_at
    says = wording.say(
        "receipt", "pre_review" if due else "direct", moment=wording.moment(due) if due else ""
    )
    return CaseReceipt(
        case_id=case.id,
        number=case.number,
        item_name=case.item_name,
        state=case.state,
        state_label=label_of(case),
        submitted_at=case.submitted_at,
        pre_review_due_at=due,
        says=says,
    )


def seal_form(case_id: str, answers: dict[str, Any]) -> bytes:
    return vault.seal_bytes(FORM.place, case_id, orjson.dumps(answers))


def open_form(case: Case) -> dict[str, Any]:
    answers: dict[str, Any] = orjson.loads(vault.open_sealed_bytes(FORM.place, case.id, case.form_sealed))
    return answers


def _require_filed_here(version: catalogue.ItemVersion, application: Application) -> None:
    policy = version.policy
    if policy.served_by != "case" or (application.channel != "window" and not policy.online_apply):
        raise ItemNotFiledHere


def _require_delivery(u: Unit, version: catalogue.ItemVersion, application: Application) -> None:
    offered = version.policy.deliveries or ("pickup",)
    if _POLICY_WORD.get(application.delivery) not in offered:
        raise DeliveryUnknown(errors=[FieldError(field="delivery", message="该事项不支持这种领取方式")])
    if application.delivery not in _TO_THE_DOOR:
        return
    if application.address_id is None:
        raise DeliveryUnknown(errors=[FieldError(field="address_id", message="请选择收件地址")])
    people.address_of(u, application.person_id, application.address_id)


def _new_case(
    version: catalogue.ItemVersion, application: Application, answers: dict[str, Any], pieces: list[Piece]
) -> FreshCase:
    case_id, at = ids.new_id("cs"), clock.now()
    to_the_door = application.delivery in _TO_THE_DOOR
    return FreshCase(
        id=case_id,
        number=ids.case_number(),
        state=CASE.start,
        person_id=application.person_id,
        item_id=version.item_id,
        item_version_id=version.id,
        item_name=version.name,
        department_id=version.department_id,
        region_code=_region(version, application.region_code),
        channel=application.channel,
        delivery=application.delivery,
        address_id=application.address_id if to_the_door else None,
        form_sealed=seal_form(case_id, answers),
        originals="awaited" if any(piece.mode == "mail" for piece in pieces) else "none",
        submitted_at=at,
        received_at=at,
    )


def _region(version: catalogue.ItemVersion, wanted: str | None) -> str:
    """Where it is handled: the county chosen, else the first the guide names, else the city."""
    offered = version.region_ids or (CITY,)
    if wanted is None:
        return offered[0]
    if not any(people.covers(region, wanted) for region in offered):
        raise ItemNotFiledHere("所选地区不办理该事项，请选择办事指南列出的地区。")
    return wanted
