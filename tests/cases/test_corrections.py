"""Corrections: within the guide, all at once, answered as a whole, lapsing and opened again."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from backend import cases
from backend.cases import tasks
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.runtime.audience import Principal
from backend.store.unit import run_unit, unit
from tests.cases import makers
from tests.cases.makers import HOME, LICENCE, citizen, file_case, officer

pytestmark = pytest.mark.usefixtures("items")
CARD = cases.Point("material", "居民身份证", "照片模糊", "请重新拍照")
AREA = cases.Point("field", "building_area", "与验收材料不一致", "请按验收材料填写")
ANSWER = cases.CorrectionAnswer({"building_area": "99.00"}, (cases.MaterialGiven("居民身份证", "window"),))


def ask(case_id: str, *points: cases.Point, by: Principal | None = None) -> cases.CaseLine:
    return run_unit(lambda u: cases.request_correction(u, case_id, by or officer(), points or (CARD, AREA)))


def answer(case_id: str, who: str, given: cases.CorrectionAnswer = ANSWER) -> cases.CaseLine:
    return run_unit(lambda u: cases.answer_correction(u, case_id, who, given, citizen(who)))


def progress(case_id: str, who: str) -> cases.Progress:
    return run_unit(lambda u: cases.progress_of(u, case_id, who))


def test_a_notice_tells_everything_at_once() -> None:
    case_id, who = file_case()
    ask(case_id)
    seen = progress(case_id, who)
    assert (seen.state, seen.holder) == ("correcting", "citizen")
    assert seen.correction is not None
    assert [(p.kind, p.label) for p in seen.correction.points] == [
        ("material", "居民身份证"),
        ("field", "建筑面积（平方米）"),
    ]
    assert seen.actions[0].action == "answer_correction"
    assert seen.steps[-1].facts["items"] == ["居民身份证", "建筑面积（平方米）"]


@pytest.mark.parametrize(
    "point",
    [cases.Point("material", "户口簿", "缺少", "请补"), cases.Point("field", "income", "缺少", "请补")],
)
def test_nothing_outside_the_guide_may_be_asked(point: cases.Point) -> None:
    case_id, who = file_case()
    with pytest.raises(cases.PointOutsideGuide) as refused:
        ask(case_id, CARD, point)
    assert refused.value.errors[0]["field"] == "points.1.name"
    assert progress(case_id, who).state == "submitted"


def test_a_second_notice_while_one_is_open_is_refused() -> None:
    case_id, _ = file_case()
    ask(case_id)
    with pytest.raises(cases.CorrectionOpen):
        ask(case_id)


def test_the_database_keeps_one_notice_open() -> None:
    case_id, _ = file_case()
    ask(case_id)
    with pytest.raises(Exception, match="uq_cases_correction_open"), unit() as u:
        u.session.execute(
            text(
                "INSERT INTO cases_correction (id, case_id, round, points_sealed, asked_at)"
                " VALUES ('co-x', :id, 9, '', '2026-01-01T00:00Z')"
            ),
            {"id": case_id},
        )


def test_an_answer_must_cover_everything_asked() -> None:
    case_id, who = file_case()
    ask(case_id)
    with pytest.raises(cases.AnswerIncomplete) as refused:
        answer(case_id, who, cases.CorrectionAnswer({"building_area": "99.00"}))
    assert [error["field"] for error in refused.value.errors] == ["materials.m2"]


def test_an_answer_brings_nothing_unasked() -> None:
    case_id, who = file_case()
    ask(case_id, CARD)
    with pytest.raises(cases.AnswerIncomplete):
        answer(case_id, who)


def test_an_answer_puts_the_case_back_into_pre_review() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 16), 10))
    case_id, who = file_case()
    ask(case_id)
    clock.advance(timedelta(days=2))
    answer(case_id, who)
    seen = progress(case_id, who)
    assert (seen.state, seen.holder, seen.correction) == ("submitted", "department", None)
    assert seen.pre_review_due_at is not None
    assert clock.day_of(seen.pre_review_due_at) == date(2026, 11, 19)
    with unit() as u:
        states = {m.code + str(m.round): m.state for m in cases.materials_of(u, case_id)}
    assert (states["m20"], states["m21"]) == ("replaced", "given")


def test_a_second_round_may_follow_the_answer() -> None:
    case_id, who = file_case()
    ask(case_id)
    answer(case_id, who)
    ask(case_id, AREA)
    correction = progress(case_id, who).correction
    assert correction is not None
    assert correction.round == 2


def test_an_answer_without_a_notice_is_impossible() -> None:
    case_id, who = file_case()
    with pytest.raises(ImpossibleMove):
        answer(case_id, who)


def test_an_officer_of_another_department_sees_nothing() -> None:
    case_id, _ = file_case()
    for stranger in (officer(makers.POLICE), officer(region=makers.COUNTY), officer(role="planner")):
        with pytest.raises(NotYours):
            ask(case_id, by=stranger)


def test_an_unanswered_correction_closes_and_opens_again() -> None:
    clock.move_to(clock.at_local(date(2026, 10, 12), 10))
    case_id, who = file_case(LICENCE)
    ask(case_id)
    assert progress(case_id, who).due == cases.DueView(date(2026, 10, 26), False, "2026年10月26日前")
    clock.move_to(clock.at_local(date(2026, 10, 26), 23))
    tasks.lapse_corrections()
    assert progress(case_id, who).state == "correcting"
    clock.move_to(clock.at_local(date(2026, 10, 27), 1))
    tasks.lapse_corrections()
    closed = progress(case_id, who)
    assert (closed.state, [a.action for a in closed.actions]) == ("closed", ["reopen"])
    run_unit(lambda u: cases.reopen_case(u, case_id, who, citizen(who)))
    again = progress(case_id, who)
    assert again.correction is not None
    assert again.correction.due.on == date(2026, 11, 10)
    assert answer(case_id, who).state == "submitted"


def test_a_closed_case_rests_after_its_term() -> None:
    clock.move_to(clock.at_local(date(2026, 3, 2), 10))
    case_id, who = file_case(HOME)
    ask(case_id)
    clock.move_to(clock.at_local(date(2026, 4, 10), 1))
    tasks.lapse_corrections()
    clock.move_to(clock.at_local(date(2026, 6, 1), 1))
    with pytest.raises(cases.NotReopenable):
        run_unit(lambda u: cases.reopen_case(u, case_id, who, citizen(who)))


def test_no_correction_lapses_on_a_provisional_date() -> None:
    clock.move_to(clock.at_local(date(2026, 12, 30), 10))
    case_id, who = file_case(LICENCE)
    ask(case_id)
    due = progress(case_id, who).due
    assert due is not None
    assert due.provisional
    assert due.text.startswith("约")
    clock.move_to(clock.at_local(date(2027, 3, 1), 10))
    tasks.lapse_corrections()
    assert progress(case_id, who).state == "correcting"


def test_a_case_keeps_the_guide_it_was_filed_under(tmp_path: Path) -> None:
    case_id, _ = file_case(makers.CHANGING)
    record = makers.changing_record()
    card = next(one for one in record["materials"] if one["name"] == "居民身份证")
    fresh = {**card, "name": "新要求的证明", "e_licence": None}
    changed = [one for one in record["materials"] if one is not card]
    makers.publish_records(tmp_path, [makers.changing_record(materials=[*changed, fresh])])
    with pytest.raises(cases.PointOutsideGuide):
        ask(case_id, cases.Point("material", "新要求的证明", "缺少", "请补"))
    assert ask(case_id, CARD).state == "correcting"


def test_the_words_of_a_notice_are_sealed() -> None:
    case_id, _ = file_case()
    ask(case_id)
    with unit() as u:
        sealed = u.session.scalar(
            text("SELECT points_sealed FROM cases_correction WHERE case_id = :id"), {"id": case_id}
        )
        facts = cases.facts_for(u, case_id)
    assert "照片模糊".encode() not in bytes(sealed)
    assert (facts["state"], facts["correction"]) == ("待补正", "居民身份证、建筑面积（平方米）")
    assert "not_after" in facts
