from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from backend import catalogue
from backend.kernel.problems import InvalidInput
from tests.catalogue.makers import shaped, whole_record

GOOD = {
    "house_kind": "residential",
    "owner_kind": "person",
    "owner_name": " 测试甲 ",
    "owner_id_no": "11010519491231002x",
    "owner_phone": "+86 138 0013 8000",
    "house_address": "谯城区测试路1号1幢101室",
    "building_area": "89.5",
    "certificate_count": 1,
}
VERSION = shaped(whole_record())


def _errors(answers: dict[str, Any], version: catalogue.ItemVersion = VERSION) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        catalogue.validate_form(version, answers)
    return {error["field"]: error["message"] for error in caught.value.errors}


def test_good_answers_are_kept_tidy() -> None:
    kept = catalogue.validate_form(VERSION, GOOD)
    assert kept == {
        **GOOD,
        "owner_name": "测试甲",
        "owner_id_no": "11010519491231002X",
        "owner_phone": "13800138000",
        "building_area": "89.50",
    }


def test_tidy_answers_pass_again_unchanged() -> None:
    kept = catalogue.validate_form(VERSION, GOOD)
    assert catalogue.validate_form(VERSION, kept) == kept


def test_every_wrong_field_is_told_at_once() -> None:
    wrong = {
        "house_kind": "ship",
        "owner_kind": "person",
        "owner_id_no": "110105194912310021",
        "colour": "红",
    }
    errors = _errors(wrong)
    assert set(errors) == {
        "house_kind", "owner_id_no", "colour", "owner_name", "owner_phone", "house_address", "building_area",
        "certificate_count",
    }  # fmt: skip
    assert errors["owner_name"] == "请填写权利人姓名或名称。"


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        ("owner_name", 7),
        ("owner_name", "甲"),
        ("owner_name", "甲" * 61),
        ("owner_name", "测试\x00甲"),
        ("owner_name", "测试\ud800"),
        ("owner_phone", "12345"),
        ("house_address", "太短"),
        ("building_area", "89.555"),
        ("building_area", "NaN"),
        ("building_area", float("inf")),
        ("building_area", 0),
        ("building_area", True),
        ("certificate_count", 1.5),
        ("certificate_count", 21),
        ("certificate_count", "一本"),
        ("certificate_count", [1]),
        ("completed_on", "2026-02-30"),
        ("completed_on", "20260131"),
        ("completed_on", "2026-W01-1"),
        ("owner_kind", ["person"]),
        ("owner_kind", None),
    ],
)
def test_a_wrong_answer_is_refused_by_name(field: str, answer: object) -> None:
    assert list(_errors({**GOOD, field: answer})) == [field]


def test_hidden_questions_need_no_answer() -> None:
    firm = {**GOOD, "owner_kind": "enterprise", "owner_uscc": "11100000000013338w", "owner_id_no": ""}
    kept = catalogue.validate_form(VERSION, firm)
    assert kept["owner_uscc"] == "11100000000013338W"
    assert "owner_id_no" not in kept


def test_answers_to_hidden_questions_are_refused() -> None:
    errors = _errors({**GOOD, "owner_uscc": "11100000000013338W"})
    assert list(errors) == ["owner_uscc"]


def test_shown_questions_must_be_answered() -> None:
    assert list(_errors({**GOOD, "owner_kind": "enterprise", "owner_id_no": None})) == ["owner_uscc"]


def test_a_pattern_is_told_with_its_help() -> None:
    version = shaped(whole_record(of="SI024"))
    good = {
        "reason": "damaged",
        "plate_no": "皖S12345",
        "vehicle_kind": "small",
        "vin_tail": "A12345",
        "owner_name": "测试甲",
        "owner_phone": "13800138000",
    }
    assert catalogue.validate_form(version, good) == good
    assert "皖S12345" in _errors({**good, "plate_no": "1234567"}, version)["plate_no"]


def test_private_answers_are_named_for_sealing() -> None:
    assert {"owner_name", "owner_id_no", "owner_phone"} <= VERSION.private_fields
    assert "house_kind" not in VERSION.private_fields


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()))


@drawn(st.dictionaries(st.sampled_from([*GOOD, "remark", "colour"]), ANYTHING))
def test_no_answer_can_break_the_check(answers: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        catalogue.validate_form(VERSION, answers)
