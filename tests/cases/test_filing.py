"""Filing: what is refused, what is kept, and how few statements it takes."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from backend import cases, catalogue, people
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput, NotYours
from backend.store.unit import run_unit, unit
from tests.cases import makers
from tests.cases.makers import citizen, file_case

pytestmark = pytest.mark.usefixtures("items")


def test_a_filed_case_has_number_and_dates() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        receipt = cases.submit_case(u, makers.application(u, who), citizen(who))
    assert ids.is_case_number(receipt.number)
    assert receipt.state == "submitted"
    assert receipt.state_label == "预审中"
    assert receipt.pre_review_due_at is not None
    assert (receipt.pre_review_due_at - receipt.submitted_at).total_seconds() == 24 * 3600


def test_the_answers_are_sealed_at_rest() -> None:
    case_id, _ = file_case()
    with unit() as u:
        sealed = bytes(
            u.session.scalar(text("SELECT form_sealed FROM cases_case WHERE id = :id"), {"id": case_id})
        )
    assert "测试甲".encode() not in sealed
    assert b"110105" not in sealed


def test_only_a_published_item_can_be_filed() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        with pytest.raises(catalogue.ItemUnknown):
            cases.submit_case(u, replace(makers.application(u, who), item_id="SI999"), citizen(who))


def test_a_citizen_without_real_name_cannot_file() -> None:
    with unit() as u:
        who = makers.make_citizen(u, verified=False)
        with pytest.raises(people.RealNameNeeded):
            cases.submit_case(u, makers.application(u, who), citizen(who))


def test_a_wrong_answer_in_the_form_is_named() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        wrong = {**makers.FORM, "house_kind": "castle", "colour": "red"}
        with pytest.raises(InvalidInput) as refused:
            cases.submit_case(u, makers.application(u, who, form=wrong), citizen(who))
    assert {error["field"] for error in refused.value.errors} == {"house_kind", "colour"}


def test_every_missing_material_is_told_at_once() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        whole = makers.application(u, who)
        with pytest.raises(cases.MaterialsMissing) as refused:
            cases.submit_case(u, replace(whole, materials=whole.materials[:1]), citizen(who))
    assert len(refused.value.errors) == len(whole.materials) - 1


def test_a_material_outside_the_guide_is_refused() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        whole = makers.application(u, who)
        extra = cases.MaterialGiven("户口迁移证", "window")
        with pytest.raises(cases.MaterialUnknown):
            cases.submit_case(u, replace(whole, materials=(*whole.materials, extra)), citizen(who))


def test_a_material_is_given_only_once() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        whole = makers.application(u, who)
        with pytest.raises(cases.MaterialUnknown):
            cases.submit_case(
                u, replace(whole, materials=(*whole.materials, whole.materials[0])), citizen(who)
            )


@pytest.mark.parametrize("mode", ["mail", "upload", "by_pigeon"])
def test_a_material_comes_only_as_the_guide_says(mode: str) -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        whole = makers.application(u, who)
        changed = replace(whole.materials[1], mode=mode)
        with pytest.raises(cases.MaterialModeRefused):
            cases.submit_case(
                u, replace(whole, materials=(whole.materials[0], changed, *whole.materials[2:])), citizen(who)
            )


def test_a_delivery_to_the_door_needs_an_own_address() -> None:
    with unit() as u:
        who, other = makers.make_citizen(u), makers.make_citizen(u)
        foreign = people.add_address(u, other, makers.WHEREABOUTS).id
        wish = makers.application(u, who, delivery="courier")
        with pytest.raises(cases.DeliveryUnknown):
            cases.submit_case(u, wish, citizen(who))
        with pytest.raises(people.AddressNotFound):
            cases.submit_case(u, replace(wish, address_id=foreign), citizen(who))


def test_the_address_of_a_delivery_is_kept() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        address = people.add_address(u, who, makers.WHEREABOUTS).id
    case_id, _ = file_case(person_id=who, delivery="rider", address_id=address)
    with unit() as u:
        wish = cases.delivery_wish(u, case_id, who)
    assert (wish.delivery, wish.address_id) == ("rider", address)


def test_a_county_outside_the_guide_is_refused() -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        with pytest.raises(cases.ItemNotFiledHere):
            cases.submit_case(u, makers.application(u, who, region_code="110105"), citizen(who))


def test_somebody_elses_case_looks_absent() -> None:
    case_id, _ = file_case()
    with unit() as u:
        stranger = makers.make_citizen(u)
        for ask in (
            cases.progress_of,
            cases.fee_due,
            cases.visit_ground,
            cases.own_materials,
            cases.result_of,
        ):
            with pytest.raises(NotYours):
                ask(u, case_id, stranger)
        with pytest.raises(NotYours):
            cases.withdraw_case(u, case_id, stranger, "", citizen(stranger))


def test_a_taken_number_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = file_case()
    with unit() as u:
        taken = cases.case_number_of(u, first)
    drawn = iter([taken, ids.case_number()])
    monkeypatch.setattr(ids, "case_number", lambda: next(drawn))
    second, _ = file_case()
    with unit() as u:
        assert cases.case_number_of(u, second) != taken
        assert len(cases.materials_of(u, second)) == 5


def test_filing_takes_few_statements(statements: list[str]) -> None:
    with unit() as u:
        who = makers.make_citizen(u)
        wish = makers.application(u, who)
    statements.clear()
    run_unit(lambda u: cases.submit_case(u, wish, citizen(who)))
    # The calendar is looked at again once a second by whoever comes first.
    own = [statement for statement in statements if "calendar" not in statement]
    assert len(own) <= 4, own


def test_the_journal_of_a_new_case_is_one_line() -> None:
    case_id, who = file_case()
    with unit() as u:
        lines = u.journal_of(case_id)
    assert [(line.trigger, line.source, line.target) for line in lines] == [
        ("submitted", "draft", "submitted")
    ]
    assert lines[0].actor.id == who
    assert lines[0].occurred_at <= clock.now()
