from typing import Any

import pytest

from backend.catalogue import given
from backend.catalogue.record import ItemRecord
from backend.catalogue.rules import gaps_of
from tests.catalogue.makers import whole_record


def _rules(record: dict[str, Any]) -> set[tuple[str, str]]:
    gaps = gaps_of(ItemRecord.model_validate(record), given.audiences())
    assert all(gap.message.endswith("。") and "{" not in gap.message for gap in gaps)
    return {(gap.field, gap.rule) for gap in gaps}


def _fee(**changes: Any) -> list[dict[str, Any]]:
    fee = {
        "name": "工本费",
        "amount_yuan": 10,
        "amount_fen": 1000,
        "unit": "本",
        "basis": "收费文件",
        "confidence": "general",
    }
    return [{**fee, **changes}]


CONTACTS = {"consult_phone": "0558-5550125", "complaint_phone": "0558-5559125"}
STEPS = [{"name": "受理", "office": "窗口", "days": 0, "unit": "WD", "says": "受理"}]


@pytest.mark.parametrize("item_id", given.completed_ids())
def test_a_completed_item_has_no_gaps(item_id: str) -> None:
    assert _rules(whole_record(item_id, of=item_id)) == set()


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"legal_basis": "一般知识"}, ("legal_basis", "missing")),
        ({"steps": None}, ("steps", "missing")),
        ({"faq": []}, ("faq", "missing")),
        ({"contacts": None}, ("contacts", "missing")),
        ({"form": None}, ("form", "missing")),
        ({"notices": []}, ("notices", "missing")),
        ({"accept_conditions": None}, ("accept_conditions", "missing")),
        ({"themes": None}, ("themes", "missing")),
        ({"promise_days": 0}, ("promise_days", "immediate_kind")),
        ({"result_name": "登记证", "result_kind": "其他"}, ("result_kind", "result_kind")),
        ({"result_name": "登记公文", "result_kind": "出证办结"}, ("result_kind", "result_kind")),
        ({"result_name": "登记批复", "result_kind": "出文办结"}, ("result_kind", "result_kind")),
        ({"visit_reason": None}, ("visit_reason", "visit_reason_missing")),
        ({"visits": 0, "zero_run_mode": "online"}, ("visit_reason", "visit_reason_needless")),
        ({"visits": 0, "online_apply": False}, ("mail_materials", "zero_visit_mail")),
        ({"zero_run_mode": "online"}, ("zero_run_mode", "zero_run_mode")),
        ({"online_depth": 4}, ("online_depth", "depth_visits")),
        ({"negative_list": True}, ("negative_list_reason", "negative_reason")),
        ({"zero_run_mode": "two_way_mail"}, ("mail_materials", "two_way_mail")),
        ({"is_fee": True, "fees": []}, ("fees", "fee_items")),
        ({"pay_online": False}, ("pay_online", "fee_pay_online")),
        ({"is_fee": False}, ("pay_online", "no_fee_pay_online")),
        ({"is_fee": False, "pay_online": False}, ("fees[0].amount_fen", "no_fee_amount")),
        ({"fees": _fee(basis=None)}, ("fees[0].basis", "fee_basis")),
        ({"fees": _fee(basis="一般知识")}, ("fees[0].basis", "fee_basis")),
        ({"fees": _fee(amount_yuan=11)}, ("fees[0].amount_fen", "fee_amounts")),
        ({"fees": _fee(amount_yuan=None)}, ("fees[0].amount_fen", "fee_amounts")),
        ({"fees": _fee(condition="住宅")}, ("fees[0].applies_when", "fee_undecidable")),
        ({"fees": _fee(applies_when={"colour": ["red"]})}, ("fees[0].applies_when", "fee_field")),
        ({"fees": _fee(applies_when={"house_kind": ["ship"]})}, ("fees[0].applies_when", "fee_field")),
        ({"fees": _fee(quantity={"field": "building_area"})}, ("fees[0].applies_when", "fee_field")),
        (
            {"contacts": {**CONTACTS, "complaint_phone": "0558-5550125"}},
            ("contacts.complaint_phone", "phones_same"),
        ),
        (
            {"contacts": {**CONTACTS, "consult_phone": "5550125"}},
            ("contacts.consult_phone", "phone_area_code"),
        ),
        ({"item_type_code": "01", "item_type": "行政许可", "steps": STEPS}, ("steps", "licence_steps")),
        ({"booking": None}, ("booking", "booking_rules")),
        ({"legal_unit": None}, ("legal_days", "legal_incomplete")),
        ({"promise_days": 40}, ("promise_days", "promise_longer")),
        ({"compress_ratio": 0.5}, ("compress_ratio", "compress_ratio")),
        ({"service_target": "法人", "themes": ["identity"]}, ("themes", "foreign_theme")),
        ({"service_target": "个人,法人", "themes": ["identity"]}, ("themes", "target_theme")),
    ],
)
def test_a_spoilt_record_shows_its_gap(changes: dict[str, Any], gap: tuple[str, str]) -> None:
    assert gap in _rules(whole_record(**changes))


def test_a_bookless_booking_item_shows_its_gap() -> None:
    policy = {**whole_record()["policy"], "served_by": "booking"}
    gaps = _rules(whole_record(policy=policy, bookable=False, booking=None))
    assert ("bookable", "booking_served") in gaps


def test_a_proof_is_not_taken_for_a_certificate() -> None:
    assert _rules(whole_record(result_name="登记证明", result_kind="出文办结")) == set()


def test_mail_without_paper_shows_its_gap() -> None:
    record = whole_record(of="SI024")
    record["materials"] = [one for one in record["materials"] if one["form"] == "E"]
    assert ("materials", "nothing_to_mail") in _rules(record)


def test_each_open_part_of_a_material_is_named() -> None:
    record = whole_record()
    record["materials"][2].pop("signature")
    assert _rules(record) == {("materials[2].signature", "missing")}
