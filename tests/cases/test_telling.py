"""The words: every situation a case can be in has a sentence, a holder and fitting actions."""

from datetime import UTC, date, datetime
from itertools import product

import pytest

from backend.cases import telling, wording
from backend.cases.dates import holder_of, next_due
from backend.cases.fresh import FreshCase
from backend.cases.machine import CASE
from backend.kernel.workdays import Due

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
STATES = sorted(CASE.states - {"draft"})
ORIGINALS = ("none", "awaited", "ordered", "travelling", "arrived", "checked", "missing")


def standing(
    state: str, originals: str, fee: str, visit: str, delivery: str, *, pre_review: bool, sent: bool = False
) -> FreshCase:
    return FreshCase(
        id="cs-x", number="BZ", person_id="ps-x", item_id="SI901", item_version_id="iv-x", item_name="测试事项",
        department_id="BZ-GT", region_code="341600", channel="wechat", delivery=delivery, address_id=None,
        form_sealed=b"", submitted_at=NOW, received_at=NOW, originals=originals, state=state, fee_state=fee,
        visit=visit, pre_review_due_at=NOW if pre_review else None, result_sent=sent,
    )  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_every_situation_has_its_words(state: str) -> None:
    deliveries = ("window", "courier", "rider", "e_licence")
    for originals, fee, visit, delivery in product(
        ORIGINALS, ("none", "due", "paid"), ("none", "booked", "arrived"), deliveries
    ):
        on_its_way = (False, True) if delivery in ("courier", "rider") else (False,)
        for pre_review, bookable, sent in product((True, False), (True, False), on_its_way):
            case = standing(state, originals, fee, visit, delivery, pre_review=pre_review, sent=sent)
            assert wording.say("why", telling.situation(case, bookable=bookable))
            assert wording.say("holder", holder_of(case))
            assert len(telling.label_of(case)) <= 5


@pytest.mark.parametrize("originals", ["awaited", "ordered", "missing"])
@pytest.mark.parametrize("state", ["submitted", "preapproved"])
def test_while_the_originals_are_with_the_citizen_nobody_is_told_to_wait_for_the_department(
    state: str, originals: str
) -> None:
    case = standing(state, originals, "none", "none", "window", pre_review=False)
    assert holder_of(case) == "citizen"
    said = wording.say("why", telling.situation(case, bookable=False))
    assert "部门正在" not in said
    assert "寄" in said or "快递" in said


def test_a_finished_life_offers_nothing_but_its_result() -> None:
    for state in CASE.terminal:
        case = standing(state, "none", "none", "none", "window", pre_review=False)
        offered = [one.action for one in telling.actions_of(case, bookable=False)]
        assert offered == (["view_result"] if state == "delivered" else [])


def test_a_provisional_date_is_told_as_about() -> None:
    told = telling.due_view(Due(date(2027, 1, 5), provisional=True))
    assert told is not None
    assert told.text.startswith("约2027年1月5日")


def test_a_standing_clock_has_no_next_date() -> None:
    case = standing("special", "none", "none", "none", "window", pre_review=False)
    case.promised_on = date(2026, 12, 1)
    assert next_due(case) is None
