"""Lateness: whenever the department lets a date pass, the citizen reads by how much and whom to call."""

from datetime import date, datetime

import pytest

from backend import cases
from backend.cases.services import desk
from backend.kernel import clock
from backend.store.unit import run_unit, unit
from tests.cases.makers import HOME, LICENCE, SLOW, file_case, officer

pytestmark = pytest.mark.usefixtures("items")
BOSS = officer()
MONDAY = clock.at_local(date(2026, 11, 2), 10)


def filed(item_id: str, *verbs: str) -> tuple[str, str]:
    """A case filed on a Monday morning, and what the department did with it at once."""
    clock.move_to(MONDAY)
    case_id, who = file_case(item_id)
    for verb in verbs:
        run_unit(lambda u, verb=verb: getattr(cases, verb)(u, case_id, BOSS))  # type: ignore[misc]
    return case_id, who


def seen_at(case_id: str, who: str, at: datetime) -> cases.Progress:
    """What the citizen reads then; a seeker with the number reads the same."""
    clock.move_to(at)
    with unit() as u:
        mine = cases.progress_of(u, case_id, who)
        other = cases.public_progress_of(u, mine.number)
    assert (other.why, other.due, other.days_late, other.days_unit) == (
        mine.why, mine.due, mine.days_late, mine.days_unit,
    )  # fmt: skip
    return mine


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (clock.at_local(date(2026, 11, 3), 10, 20), "已超过预审时限，可拨打 12345 催办。"),
        (clock.at_local(date(2026, 11, 3), 13, 1), "已超过预审时限 3 小时，可拨打 12345 催办。"),
        (clock.at_local(date(2026, 11, 6), 11), "已超过预审时限 3 天，可拨打 12345 催办。"),
    ],
)
def test_an_overdue_pre_review_says_by_how_much(at: datetime, told: str) -> None:
    case_id, who = filed(HOME)
    seen = seen_at(case_id, who, at)
    assert seen.why.endswith(told)
    assert seen.due is not None
    assert seen.due.late


def test_a_pre_review_in_time_is_not_called_late() -> None:
    case_id, who = filed(HOME)
    seen = seen_at(case_id, who, clock.at_local(date(2026, 11, 3), 9, 59))
    assert "12345" not in seen.why
    assert seen.due is not None
    assert not seen.due.late


def test_office_hours_of_a_pre_review_are_waited_for() -> None:
    case_id, who = filed(SLOW)
    in_time, late = (seen_at(case_id, who, clock.at_local(date(2026, 11, day), 18)) for day in (4, 5))
    assert ("12345" in in_time.why, "12345" in late.why) == (False, True)


def test_an_overdue_acceptance_is_told_in_working_days() -> None:
    case_id, who = filed(LICENCE)
    seen = seen_at(case_id, who, clock.at_local(date(2026, 11, 11), 9))
    assert seen.why.endswith("已超过受理时限 2 个工作日，可拨打 12345 催办。")


def test_an_acceptance_owed_after_the_pre_review_is_told_too() -> None:
    case_id, who = filed(HOME, "pass_pre_review")
    run_unit(lambda u: desk.put_originals(u, desk.locked(u, case_id), "awaited"))
    assert seen_at(case_id, who, clock.at_local(date(2026, 11, 4), 9)).due is None
    run_unit(lambda u: desk.put_originals(u, desk.locked(u, case_id), "arrived"))
    seen = seen_at(case_id, who, clock.at_local(date(2026, 11, 13), 9))
    assert seen.due is not None
    assert (seen.due.on, seen.due.late) == (date(2026, 11, 11), True)
    assert seen.why.endswith("已超过受理时限 2 个工作日，可拨打 12345 催办。")


def test_a_late_decision_counts_in_the_unit_of_its_promise() -> None:
    case_id, who = filed(LICENCE, "accept", "start_review")
    seen = seen_at(case_id, who, clock.at_local(date(2026, 11, 23), 10))
    assert (seen.days_late, seen.days_unit, seen.days_early) == (5, "WD", None)
    assert seen.why.endswith("已超过承诺办结时限 5 个工作日，可拨打 12345 催办。")
    assert [one.late for one in (seen.due, seen.promised, seen.legal) if one] == [True, True, False]


def test_a_late_decision_counts_as_many_days_before_as_after() -> None:
    case_id, who = filed(LICENCE, "accept", "start_review")
    waiting = seen_at(case_id, who, clock.at_local(date(2026, 11, 23), 10))
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    decided = seen_at(case_id, who, clock.at_local(date(2026, 11, 23), 11))
    assert decided.days_early == -waiting.days_late
    assert (decided.days_late, decided.days_unit) == (0, waiting.days_unit)


def test_a_weekend_adds_no_working_day() -> None:
    case_id, who = filed(LICENCE)
    seen = seen_at(case_id, who, clock.at_local(date(2026, 11, 14), 9))
    assert "4 个工作日" in seen.why


def test_a_citizen_who_holds_the_ball_makes_nobody_late() -> None:
    case_id, who = filed(HOME, "pass_pre_review", "accept")
    seen = seen_at(case_id, who, clock.at_local(date(2026, 12, 30), 9))
    assert (seen.holder, seen.days_late, "12345" in seen.why) == ("citizen", 0, False)
    assert seen.due is not None
    assert not seen.due.late


def test_a_guessed_date_makes_nobody_late() -> None:
    clock.move_to(clock.at_local(date(2026, 12, 28), 10))
    case_id, who = file_case(LICENCE)
    seen = seen_at(case_id, who, clock.at_local(date(2027, 2, 1), 10))
    assert seen.due is not None
    assert (seen.due.provisional, seen.due.late, "12345" in seen.why) == (True, False, False)


def test_a_result_kept_too_long_is_told() -> None:
    case_id, who = filed(LICENCE, "accept", "start_review")
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    seen = seen_at(case_id, who, clock.at_local(date(2026, 11, 18), 9))
    assert "已超过送达时限 2 个工作日" in seen.why
    assert (seen.days_late, seen.days_unit) == (0, "WD")


def test_lists_flag_what_is_late() -> None:
    case_id, who = filed(HOME)
    clock.move_to(clock.at_local(date(2026, 11, 4), 9))
    with unit() as u:
        mine = cases.cases_of(u, who).items[0].due
        theirs = [
            one.due
            for one in cases.queue_of(u, BOSS, due="overdue", limit=100).items
            if one.case_id == case_id
        ]
    assert mine is not None
    assert mine.late
    assert theirs == [mine]
