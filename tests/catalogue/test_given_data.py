"""The real input: what was given is kept as it was given, and what we added is ours and whole."""

import json
from collections import Counter

import pytest

from backend import catalogue
from backend.catalogue import given
from backend.catalogue.completion import complete
from backend.catalogue.record import ItemRecord
from backend.catalogue.rules import gaps_of
from backend.catalogue.vocabulary import AREA_CODED, LICENCE, LICENCE_STEPS
from backend.kernel import identifiers
from backend.store.unit import run_unit, unit
from tests.catalogue.makers import CLERK, given_ids, given_record, whole_record

COMPLETED = given.completed_ids()
DEPARTMENTS = given.read_json(given.DATA / "departments.json")


def test_the_register_was_given_in_full() -> None:
    types = Counter(given_record(item_id)["item_type"] for item_id in given_ids())
    assert types == {"行政确认": 19, "其他行政权力": 6, "行政许可": 22, "公共服务": 25, "行政给付": 2}
    assert len(DEPARTMENTS) == 62
    assert all(identifiers.is_uscc(department["uscc_test"]) for department in DEPARTMENTS)
    assert len(given.read_json(given.DATA / "districts.json")) == 7


def test_the_asked_items_are_completed() -> None:
    assert {"SI018", "SI020", "SI024", "SI025"} < set(COMPLETED)
    assert len(COMPLETED) == 12


@pytest.mark.parametrize("item_id", COMPLETED)
def test_every_added_value_is_marked_ours(item_id: str) -> None:
    addition = given.completion_of(item_id)
    assert addition is not None
    parts = [
        addition,
        *addition["added"].values(),
        *addition["materials"].values(),
        *addition["fees"].values(),
    ]
    assert all(part["provenance"] == "ours" for part in parts)
    added = {*addition["added"], "materials.basis", "materials.format", "materials.signature"}
    assert added <= complete(given_record(item_id))["provenance"].keys()


@pytest.mark.parametrize("item_id", COMPLETED)
def test_completing_changes_nothing_that_was_given(item_id: str) -> None:
    before, after = given_record(item_id), complete(given_record(item_id))
    told = {
        field: value for field, value in before.items() if value is not None and not isinstance(value, list)
    }
    assert {field: after[field] for field in told} == told
    assert [one["name"] for one in after["materials"]] == [one["name"] for one in before["materials"]]
    assert [one["amount_fen"] for one in after["fees"]] == [one["amount_fen"] for one in before["fees"]]


@pytest.mark.parametrize("item_id", COMPLETED)
def test_a_completed_guide_is_whole(item_id: str) -> None:
    record = whole_record(item_id, of=item_id)
    assert len(record["steps"]) >= 5
    assert len(record["faq"]) >= 3
    assert len(record["form"]["fields"]) >= 2
    assert record["accept_conditions"]
    contacts = record["contacts"]
    assert contacts["consult_phone"] != contacts["complaint_phone"]
    assert AREA_CODED.fullmatch(contacts["consult_phone"])
    assert "测试" in contacts["remark"]
    if record["item_type_code"] == LICENCE:
        told = "".join(step["name"] for step in record["steps"])
        assert all(name in told for name in LICENCE_STEPS)


@pytest.mark.parametrize("item_id", COMPLETED)
def test_the_steps_keep_within_the_promise(item_id: str) -> None:
    record = whole_record(item_id, of=item_id)
    spent = sum(step["days"] for step in record["steps"] if "送达" not in step["name"])
    assert spent <= record["promise_days"]


def test_no_two_completed_items_share_a_telephone() -> None:
    numbers = [
        whole_record(item_id, of=item_id)["contacts"][field]
        for item_id in COMPLETED
        for field in ("consult_phone", "complaint_phone")
    ]
    assert len(set(numbers)) == len(numbers)


def test_contradictions_of_the_given_records_are_found() -> None:
    found = set()
    for item_id in given_ids():
        record = ItemRecord.model_validate(complete(given_record(item_id)))
        found |= {(item_id, gap.rule) for gap in gaps_of(record, given.audiences()) if gap.rule != "missing"}
    assert found == {
        ("SI015", "result_kind"),  # 预约凭证, but 其他
        ("SI043", "result_kind"),  # 参保凭证, but 出文办结
        ("SI004", "fee_undecidable"),
        ("SI013", "fee_undecidable"),
        ("SI016", "fee_undecidable"),
        ("SI027", "fee_undecidable"),
    }


def test_an_open_fee_ground_is_a_gap_without_our_completion() -> None:
    raw = {**given_record("SI018"), "item_id": "TX0018"}
    gaps = gaps_of(ItemRecord.model_validate(complete(raw)), given.audiences())
    assert ("fees[0].basis", "fee_basis") in {(gap.field, gap.rule) for gap in gaps}


def test_opening_imports_all_and_publishes_the_whole_ones(register: None) -> None:
    catalogue.open_catalogue(CLERK)
    with unit() as u:
        states = {item_id: catalogue.versions_of(u, item_id)[0].state for item_id in given_ids()}
    assert {item_id for item_id, state in states.items() if state == "published"} >= set(COMPLETED) - {
        "SI025"
    }
    assert {states[item_id] for item_id in given_ids() if item_id not in COMPLETED} == {"draft"}


def test_opening_again_respects_what_clerks_did(register: None) -> None:
    catalogue.open_catalogue(CLERK)
    run_unit(lambda u: catalogue.withdraw(u, "SI048", CLERK, "系统维护"))
    again = catalogue.open_catalogue(CLERK)
    assert (again.new, again.changed) == ((), ())
    with unit() as u:
        assert catalogue.versions_of(u, "SI048")[0].state == "withdrawn"
    run_unit(lambda u: catalogue.publish(u, "SI048", CLERK))


def test_departments_bear_their_current_names(register: None) -> None:
    with unit() as u:
        land = catalogue.department(u, "BZ-GT")
        assert (land.name, land.seed_name) == ("市自然资源和规划局", "市国土资源局")
        assert len(catalogue.departments(u)) == 62
        with pytest.raises(catalogue.DepartmentUnknown):
            catalogue.department(u, "BZ-NONE")


def test_zones_without_a_national_code_are_regions_too(register: None) -> None:
    with unit() as u:
        zone = catalogue.region(u, "341602403")
        assert (zone.name, zone.parent_id) == ("亳芜现代产业园区", "341602")
        assert len(catalogue.regions(u)) == 7


def test_base_data_may_be_loaded_again(register: None) -> None:
    run_unit(catalogue.load_base_data)
    with unit() as u:
        assert len(catalogue.departments(u)) == 62


def test_the_data_hold_no_person() -> None:
    text = json.dumps([given_record(item_id) for item_id in given_ids()], ensure_ascii=False)
    for path in (given.DATA / "catalogue" / "completions").glob("*.json"):
        text += path.read_text("utf-8")
    assert not any(identifiers.is_id_no(text[at : at + 18]) for at in range(len(text)) if text[at].isdigit())
