"""The department's verbs: acceptance, silence, review, pauses, extension, decision, result."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from backend import cases, catalogue
from backend.cases import tasks
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove
from backend.store.unit import run_unit, unit
from tests.cases.makers import HOME, LICENCE, SLOW, citizen, file_case, officer

pytestmark = pytest.mark.usefixtures("items")
BOSS = officer()


def progress(case_id: str, who: str) -> cases.Progress:
    return run_unit(lambda u: cases.progress_of(u, case_id, who))


def accepted(item_id: str = LICENCE) -> tuple[str, str]:
    case_id, who = file_case(item_id)
    if item_id == HOME:
        run_unit(lambda u: cases.pass_pre_review(u, case_id, BOSS))
    run_unit(lambda u: cases.accept(u, case_id, BOSS))
    return case_id, who


def reviewing(item_id: str = LICENCE) -> tuple[str, str]:
    case_id, who = accepted(item_id)
    run_unit(lambda u: cases.start_review(u, case_id, BOSS))
    return case_id, who


def test_acceptance_starts_both_clocks_the_next_day() -> None:
    clock.move_to(clock.at_local(date(2026, 9, 18), 16))
    case_id, who = accepted()
    seen = progress(case_id, who)
    assert seen.promised == cases.DueView(date(2026, 10, 9), False, "2026年10月9日前")
    assert seen.legal is not None
    assert seen.legal.on == date(2026, 10, 22)
    assert (seen.state_label, seen.holder) == ("已受理", "department")


def test_pre_review_is_for_items_that_have_one() -> None:
    case_id, _ = file_case(LICENCE)
    with pytest.raises(cases.PreReviewNotOffered):
        run_unit(lambda u: cases.pass_pre_review(u, case_id, BOSS))


def test_an_item_without_pre_review_waits_for_acceptance() -> None:
    case_id, who = file_case(LICENCE)
    assert progress(case_id, who).state_label == "待受理"


def test_pre_review_in_office_hours_waits_for_the_office() -> None:
    clock.move_to(clock.at_local(date(2026, 9, 30), 16))
    case_id, who = file_case(SLOW)
    due = progress(case_id, who).pre_review_due_at
    assert due is not None
    assert due == clock.at_local(date(2026, 10, 12), 10, 30)


def test_silence_of_five_working_days_accepts() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 20), 10))
    case_id, who = file_case(LICENCE)
    clock.move_to(clock.at_local(date(2026, 11, 27), 23))
    tasks.deem_acceptance()
    assert progress(case_id, who).state == "submitted"
    clock.move_to(clock.at_local(date(2026, 11, 28), 0, 5))
    tasks.deem_acceptance()
    seen = progress(case_id, who)
    assert seen.state == "accepted"
    assert seen.steps[-1].facts["deemed"] is True
    # From the day the materials came, not from the day the silence ended.
    assert seen.promised is not None
    assert seen.promised.on == date(2026, 12, 4)


def test_a_correction_stops_the_deemed_acceptance() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = file_case(LICENCE)
    point = cases.Point("field", "building_area", "不一致", "请核对")
    run_unit(lambda u: cases.request_correction(u, case_id, BOSS, (point,)))
    clock.move_to(clock.at_local(date(2026, 11, 12), 10))
    tasks.deem_acceptance()
    assert progress(case_id, who).state == "correcting"


def test_silence_has_no_effect_on_a_provisional_date() -> None:
    clock.move_to(clock.at_local(date(2026, 12, 28), 10))
    case_id, who = file_case(LICENCE)
    due = progress(case_id, who).due
    assert due is not None
    assert due.provisional
    clock.move_to(clock.at_local(date(2027, 2, 1), 10))
    tasks.deem_acceptance()
    assert progress(case_id, who).state == "submitted"


def test_a_special_procedure_stops_the_clock() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = reviewing()
    before = progress(case_id, who)
    clock.move_to(clock.at_local(date(2026, 11, 4), 10))
    run_unit(lambda u: cases.pause(u, case_id, BOSS, "专家评审", 15, "需要专家评审"))
    standing = progress(case_id, who)
    assert (standing.clock_stands, standing.due) == (True, None)
    assert standing.steps[-1].facts["days"] == 15
    clock.move_to(clock.at_local(date(2026, 11, 11), 10))
    run_unit(lambda u: cases.resume(u, case_id, BOSS))
    after = progress(case_id, who)
    assert before.promised is not None
    assert after.promised is not None
    assert (before.promised.on, after.promised.on) == (date(2026, 11, 16), date(2026, 11, 23))
    assert after.paused_days == 5


def test_only_procedures_of_the_guide_stop_the_clock() -> None:
    case_id, _ = reviewing()
    with pytest.raises(cases.ProcedureUnknown):
        run_unit(lambda u: cases.pause(u, case_id, BOSS, "领导出差", 5, "领导不在"))


def test_the_term_is_extended_only_once() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = reviewing()
    run_unit(lambda u: cases.extend(u, case_id, BOSS, "案情复杂"))
    seen = progress(case_id, who)
    assert seen.legal is not None
    assert seen.legal.on == date(2026, 12, 14)
    assert seen.steps[-1].facts == {"reason": "案情复杂", "days": 10}
    with pytest.raises(cases.ExtendedAlready):
        run_unit(lambda u: cases.extend(u, case_id, BOSS, "还是复杂"))


def test_an_item_without_extension_keeps_its_term() -> None:
    case_id, _ = reviewing(HOME)
    with pytest.raises(cases.ExtensionNotOffered):
        run_unit(lambda u: cases.extend(u, case_id, BOSS, "案情复杂"))


def test_a_denial_needs_its_reason() -> None:
    case_id, who = reviewing()
    with pytest.raises(cases.ReasonMissing):
        run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=False, reason=""))
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=False, reason="不符合规划"))
    assert progress(case_id, who).steps[-1].facts["reason"] == "不符合规划"


def test_early_days_are_told_after_the_decision() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = reviewing()
    clock.move_to(clock.at_local(date(2026, 11, 5), 10))
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    assert (progress(case_id, who).days_early, progress(case_id, who).days_unit) == (7, "WD")


def test_the_result_is_fetched_at_the_window() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = reviewing()
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    run_unit(lambda u: cases.finish(u, case_id, BOSS, ("皖亳不动产第0001号",)))
    seen = progress(case_id, who)
    assert (seen.state, seen.holder) == ("finished", "citizen")
    assert seen.due is not None
    assert seen.due.on == date(2026, 11, 16)
    with unit() as u:
        assert cases.result_of(u, case_id, who).numbers == ("皖亳不动产第0001号",)
        assert b"0001" not in bytes(u.session.scalar(text("SELECT numbers_sealed FROM cases_result")))
    run_unit(lambda u: cases.hand_over(u, case_id, BOSS))
    assert (progress(case_id, who).state, progress(case_id, who).holder) == ("delivered", "nobody")


def test_an_electronic_result_is_delivered_with_it() -> None:
    case_id, who = file_case(LICENCE, delivery="e_licence")
    for verb in (cases.accept, cases.start_review):
        run_unit(lambda u, verb=verb: verb(u, case_id, BOSS))  # type: ignore[misc]
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    run_unit(lambda u: cases.finish(u, case_id, BOSS, ("1",)))
    assert progress(case_id, who).state == "delivered"


def test_an_impossible_step_says_where_the_case_is() -> None:
    case_id, _ = file_case()
    with pytest.raises(ImpossibleMove) as refused:
        run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    assert refused.value.extra["state"] == "submitted"


def test_a_case_is_withdrawn_before_the_decision_only() -> None:
    case_id, who = reviewing()
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    with pytest.raises(ImpossibleMove):
        run_unit(lambda u: cases.withdraw_case(u, case_id, who, "", citizen(who)))
    other, owner = reviewing()
    assert (
        run_unit(lambda u: cases.withdraw_case(u, other, owner, "不办了", citizen(owner))).state
        == "withdrawn"
    )


def test_dates_become_firm_when_the_calendar_comes(calendar_of_2027: Path) -> None:
    clock.move_to(clock.at_local(date(2026, 12, 24), 10))
    case_id, who = accepted()
    guessed = progress(case_id, who).promised
    assert guessed is not None
    assert guessed.provisional
    with unit() as u:
        catalogue.load_calendar(u, calendar_of_2027)
    tasks.recompute_dates()
    firm = progress(case_id, who).promised
    assert firm is not None
    assert (firm.on, firm.provisional) == (date(2027, 1, 8), False)
    assert tasks.recompute_dates() == 0


def test_a_pre_review_near_its_end_is_noted_once() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 16), 10))
    case_id, who = file_case(HOME)
    clock.move_to(clock.at_local(date(2026, 11, 17), 6, 30))
    tasks.warn_pre_review()
    tasks.warn_pre_review()
    with unit() as u:
        assert [line.trigger for line in u.journal_of(case_id)] == ["submitted", "pre_review_near_due"]
        assert cases.file_of(u, case_id, BOSS).steps[-1].says == "预审时限将到，请尽快办理"
    assert len(progress(case_id, who).steps) == 1


def test_the_books_of_all_these_cases_are_in_order() -> None:
    with unit() as u:
        assert cases.check_books(u) == []


def test_a_wrong_book_is_found() -> None:
    case_id, _ = file_case()
    with unit() as u:
        u.session.execute(text("UPDATE cases_case SET state = 'accepted' WHERE id = :id"), {"id": case_id})
    with unit() as u:
        assert any(case_id in fault for fault in cases.check_books(u))
        u.session.execute(text("UPDATE cases_case SET state = 'submitted' WHERE id = :id"), {"id": case_id})


def test_explain_names_every_clock() -> None:
    case_id, _ = reviewing()
    with unit() as u:
        told = cases.explain(u, cases.case_number_of(u, case_id).lower())
    for name in ("pre_review_due_at", "deemed_acceptance_on", "promised_on", "legal_on", "delivery_due_on"):
        assert name in told
    assert "测试甲" not in told
