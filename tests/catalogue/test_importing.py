import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from backend import catalogue
from backend.catalogue.importing import import_catalogue
from backend.catalogue.models import ItemRow, VersionRow
from backend.store.unit import run_unit, unit
from tests.catalogue.makers import CLERK, as_file, given_record, numbered

CODES = ("basic_code_test", "implement_code_test", "handle_item_code_test")


@pytest.fixture(autouse=True)
def _register(register: None) -> None:
    """Every test here needs the register."""


def _refused(path: Path) -> catalogue.CatalogueFileRefused:
    with pytest.raises(catalogue.CatalogueFileRefused) as caught:
        import_catalogue(path, CLERK)
    return caught.value


def _counted() -> tuple[int | None, ...]:
    with unit() as u:
        return tuple(
            u.session.scalar(select(func.count()).select_from(table)) for table in (ItemRow, VersionRow)
        )


def _states(item_id: str) -> list[tuple[int, str]]:
    with unit() as u:
        return [(one.number, one.state) for one in catalogue.versions_of(u, item_id)]


def test_one_bad_row_in_a_thousand_imports_nothing(tmp_path: Path) -> None:
    records = [numbered(f"TA{serial:04d}") for serial in range(1, 1001)]
    code = records[776]["implement_code_test"]
    records[776]["implement_code_test"] = code[:17] + ("0" if code[17] != "0" else "1") + code[18:]
    records[776]["handle_item_code_test"] = records[776]["implement_code_test"] + "01"
    before = _counted()
    refusal = _refused(as_file(tmp_path, records))
    assert [(error["row"], error["item"], error["field"]) for error in refusal.rows] == [
        (777, "TA0777", "implement_code_test")
    ]
    assert "777" in str(refusal)
    assert _counted() == before


def test_a_hundred_good_rows_are_imported(tmp_path: Path) -> None:
    records = [numbered(f"TB{serial:04d}") for serial in range(1, 101)]
    outcome = import_catalogue(as_file(tmp_path, records), CLERK)
    assert len(outcome.new) == 100
    assert outcome.findings == ()


def test_every_error_of_a_file_is_told(tmp_path: Path) -> None:
    missing = numbered("TC0002")
    missing.pop("name")
    records = [
        numbered("TC0001", colour="red", visits="one", dept_id="BZ-NOWHERE"),
        missing,
        numbered("TC0001"),
        numbered("TC0004", item_type="行政确定", basic_code_test="12"),
        "not a record",
        numbered("TC0006", handle_item_code_test="1" * 33, themes=["no-such"], regions=["999999"]),
        numbered("TC0007", materials=[{"name": "身份证", "form": "X", "source": "gov", "copies": 0}]),
        numbered("TC0008", is_fee=1, promise_days=True, visits=1.5),
    ]
    told = {(error["row"], error["field"]) for error in _refused(as_file(tmp_path, records)).rows}
    assert told == {
        (1, "colour"), (1, "visits"), (1, "dept_id"),
        (2, "name"),
        (3, "item_id"), (3, "handle_item_code_test"),
        (4, "item_type_code"), (4, "basic_code_test"), (4, "implement_code_test"),
        (5, ""),
        (6, "handle_item_code_test"), (6, "themes"), (6, "regions"),
        (7, "materials[0].form"), (7, "materials[0].copies"), (7, "materials[0].required"),
        (8, "is_fee"), (8, "promise_days"), (8, "visits"),
    }  # fmt: skip


def test_every_error_is_told_in_plain_chinese(tmp_path: Path) -> None:
    records = [numbered("TC0001", colour="red", visits="one", use_level="区级", legal_unit="天")]
    for error in _refused(as_file(tmp_path, records)).rows:
        assert error["message"].endswith("。")
        assert "{" not in error["message"]


def test_a_form_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    record = numbered("TC0001")
    fields = record["form"]["fields"]
    fields[0]["options"] = []
    fields[2]["pattern"] = "(a+)+$"
    fields[10]["min"] = 900
    told = [error["field"] for error in _refused(as_file(tmp_path, [record])).rows]
    assert told == ["form.fields[0]", "form.fields[10]", "form.fields[2].pattern"]


@pytest.mark.parametrize("second", ["house_kind", "owner_kind"])
def test_a_form_with_namesakes_is_refused(tmp_path: Path, second: str) -> None:
    record = numbered("TC0001")
    record["form"]["fields"][-1]["name"] = second
    assert [error["field"] for error in _refused(as_file(tmp_path, [record])).rows] == ["form"]


def test_a_form_condition_must_look_back(tmp_path: Path) -> None:
    record = numbered("TC0001")
    record["form"]["fields"][0]["visible_when"] = {"field": "owner_kind", "equals": ["person"]}
    assert [error["field"] for error in _refused(as_file(tmp_path, [record])).rows] == ["form"]


def test_the_same_handling_code_twice_is_refused(tmp_path: Path) -> None:
    first = numbered("TC0001")
    refusal = _refused(as_file(tmp_path, [first, {**first, "item_id": "TC0002"}]))
    assert [(error["row"], error["field"]) for error in refusal.rows] == [(2, "handle_item_code_test")]


def test_the_handling_code_of_another_item_is_refused(tmp_path: Path) -> None:
    first = numbered("TC0003")
    import_catalogue(as_file(tmp_path, [first]), CLERK)
    (error,) = _refused(as_file(tmp_path, [{**first, "item_id": "TC0004"}])).rows
    assert (error["row"], error["field"]) == (1, "handle_item_code_test")
    assert "TC0003" in error["message"]
    moved = [
        {**first, "item_id": "TC0004"},
        numbered("TC0003", **{field: numbered("TC0005")[field] for field in CODES}),
    ]
    assert import_catalogue(as_file(tmp_path, moved), CLERK).new == ("TC0004",)


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    path = as_file(tmp_path, {"items": [numbered("TD0001"), given_record("SI074")]})
    import_catalogue(path, CLERK)
    before = _counted()
    outcome = import_catalogue(path, CLERK)
    assert (outcome.new, outcome.changed, set(outcome.unchanged)) == ((), (), {"TD0001", "SI074"})
    assert _counted() == before


def test_gaps_are_kept_with_the_draft(tmp_path: Path) -> None:
    record = numbered("TD0002", contacts=None, faq=None)
    outcome = import_catalogue(as_file(tmp_path, [numbered("TD0003"), record]), CLERK)
    assert [(one.row, one.item_id, one.gap.field) for one in outcome.findings] == [
        (2, "TD0002", "contacts"), (2, "TD0002", "faq"),
    ]  # fmt: skip
    with unit() as u:
        (draft,) = catalogue.versions_of(u, "TD0002")
    assert [(gap.row, gap.label) for gap in draft.findings] == [(2, "联系方式"), (2, "常见问题")]


def test_a_changed_item_becomes_a_new_draft(tmp_path: Path) -> None:
    import_catalogue(as_file(tmp_path, [numbered("TE0001")]), CLERK)
    first = run_unit(lambda u: catalogue.publish(u, "TE0001", CLERK))
    outcome = import_catalogue(as_file(tmp_path, [numbered("TE0001", name="新名称")]), CLERK)
    assert outcome.changed == ("TE0001",)
    assert _states("TE0001") == [(2, "draft"), (1, "published")]
    with unit() as u:
        assert catalogue.published_version(u, "TE0001") == first


def test_a_newer_draft_replaces_an_older_one(tmp_path: Path) -> None:
    for name in ("甲", "乙", "甲"):
        import_catalogue(as_file(tmp_path, [numbered("TE0002", name=f"名称{name}")]), CLERK)
    assert _states("TE0002") == [(3, "draft"), (2, "superseded"), (1, "superseded")]


def test_the_journal_tells_who_imported(tmp_path: Path) -> None:
    import_catalogue(as_file(tmp_path, [numbered("TE0003")]), CLERK)
    with unit() as u:
        (line,) = u.journal_of("TE0003")
    assert (line.actor, line.target, line.facts) == (CLERK, "draft", {"findings": 0})


def test_our_completion_fills_only_what_is_open(tmp_path: Path) -> None:
    record = {**given_record("SI025"), "faq": [{"question": "问", "answer": "答"}], "notices": []}
    import_catalogue(as_file(tmp_path, [record]), CLERK)
    with unit() as u:
        newest = catalogue.version(u, catalogue.versions_of(u, "SI025")[0].id)
    assert [one.question for one in newest.faq] == ["问"]
    assert newest.notices == ()
    assert newest.provenance["steps"] == "ours"
    assert "faq" not in newest.provenance


def test_two_imports_at_once_make_one_version(tmp_path: Path) -> None:
    path = as_file(tmp_path, [numbered(f"TF{serial:04d}") for serial in range(1, 31)])
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(import_catalogue(path, CLERK))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(outcome.new) for outcome in outcomes) == [0, 0, 0, 30]
    assert _states("TF0017") == [(1, "draft")]
