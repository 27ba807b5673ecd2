"""The department's desk for bills over HTTP: many at once, lists, corrections, and whom a bill names."""

from datetime import timedelta
from typing import Any

import pytest

from backend.kernel import clock, ids
from tests.payments.makers import enter_payee
from tests.payments.test_windows import at_desk, begin, found, notice, pushed
from tests.people.makers import Citizen, Officer, by_wechat, fresh_id_no, officer, slug


@pytest.fixture(scope="module")
def finance(town: Any) -> Officer:
    return officer(town, "finance")


@pytest.fixture
def own(town: Any) -> Officer:
    """Staff of a department without any other bills."""
    return officer(town, "finance", department_id=f"BZ-{ids.digits(8)}")


@pytest.fixture
def verified(town: Any) -> Citizen:
    citizen = by_wechat(town).papers()
    assert citizen.register().status_code == 200
    return citizen


def listed(town: Any, clerk: Officer, query: str = "") -> list[str]:
    answer = at_desk(town, clerk, "GET", f"/bills?{query}")
    assert answer.status_code == 200, answer.text
    return [bill["id"] for bill in answer.json()["items"]]


def test_a_bill_carries_lines_unit_and_rate(town):
    lines = [
        {"code": "F-1", "name": "登记费", "fee_fen": 8000},
        {"code": "F-2", "name": "工本费", "fee_fen": 2000},
    ]
    code = f"U-{ids.digits(8)}"
    clerk = officer(town, "finance", department_id=enter_payee(code))
    bill = pushed(town, clerk, kind="fee", items=lines, unit_code=code, overdue_ppm=500)
    assert (bill["items"], bill["unit_code"], bill["overdue_ppm"]) == (lines, code, 500)
    assert "factor" not in str(bill)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"items": [{"name": "工本费", "fee_fen": 9_999}]}, "bill-items-do-not-add-up"),
        ({"overdue_fen": 10_001}, "amount-out-of-range"),
        ({"overdue_ppm": 1}, "overdue-rate-out-of-range"),
        ({"kind": "fee", "overdue_ppm": 100_001}, "overdue-rate-out-of-range"),
        ({"overdue_ppm": 0.5}, "invalid-input"),
        ({"items": [{"name": "工本费", "fee_fen": 10_000.0}]}, "invalid-input"),
        ({"items": [{"name": "工本费", "fee_fen": -1}]}, "invalid-input"),
        ({"payer_id_no": "341602199001010010"}, "invalid-input"),
        ({"unit_code": "?"}, "invalid-input"),
        ({"unit_code": "U-NOBODY"}, "invalid-input"),
        ({"due_on": clock.today().isoformat()}, "invalid-input"),
        ({"notice_no": "1" * 18}, "invalid-input"),
    ],
)
def test_each_fault_of_a_push_is_told(town, finance, change, told):
    answer = at_desk(town, finance, "POST", "/bills", notice(**change))
    assert slug(answer) == told
    assert answer.json()["errors"]


def test_a_batch_answers_line_by_line(town, own):
    known = notice()
    bad = notice(items=[{"name": "工本费", "fee_fen": 1}])
    lines = [notice(), known, known | {"principal_fen": 7}, bad, notice(region_code="341623")]
    told = at_desk(town, own, "POST", "/bills/batch", {"bills": lines}).json()
    assert [line["problem"] for line in told] == [
        None, None, "bill-number-taken", "bill-items-do-not-add-up", "outside-your-scope",
    ]  # fmt: skip
    assert sorted(listed(town, own)) == sorted(line["bill_id"] for line in told[:2])


def test_two_hundred_bills_come_in_one_batch(town, own):
    told = at_desk(town, own, "POST", "/bills/batch", {"bills": [notice() for _ in range(200)]}).json()
    assert (len(told), {line["problem"] for line in told}) == (200, {None})
    too_many = at_desk(town, own, "POST", "/bills/batch", {"bills": [notice() for _ in range(201)]})
    assert slug(too_many) == "invalid-input"


def test_an_unreadable_line_is_named(town, own):
    answer = at_desk(town, own, "POST", "/bills/batch", {"bills": [notice(), notice(principal_fen=1.5)]})
    assert [fault["field"] for fault in answer.json()["errors"]] == ["bills.1.principal_fen"]


def test_bills_are_listed_by_state_unit_and_day(town):
    today, code = clock.today(), f"U-{ids.digits(8)}"
    own = officer(town, "finance", department_id=enter_payee(code))
    soon = pushed(town, own, kind="fee", due_on=(today + timedelta(days=2)).isoformat())
    later = pushed(town, own, kind="fee", unit_code=code, due_on=(today + timedelta(days=9)).isoformat())
    gone = pushed(town, own, unit_code=code)
    at_desk(town, own, "POST", f"/bills/{gone['id']}/withdrawal", {"reason": "重复开具"})
    assert listed(town, own) == [gone["id"], later["id"], soon["id"]]
    assert listed(town, own, "state=due") == [later["id"], soon["id"]]
    assert listed(town, own, f"unit_code={code}&state=withdrawn") == [gone["id"]]
    assert listed(town, own, f"state=due&due_to={today + timedelta(days=8)}") == [soon["id"]]
    assert listed(town, own, f"state=due&due_from={today + timedelta(days=3)}") == [later["id"]]
    assert listed(town, own, f"notice_no={soon['notice_no']}") == [soon["id"]]


def test_pages_of_bills_follow_each_other(town, own):
    made = [pushed(town, own)["id"] for _ in range(3)]
    first = at_desk(town, own, "GET", "/bills?limit=2").json()
    rest = at_desk(town, own, "GET", f"/bills?limit=2&cursor={first['next']}").json()
    assert [bill["id"] for page in (first, rest) for bill in page["items"]] == made[::-1]
    assert rest["next"] is None


def test_a_list_ends_at_department_and_region(town, own):
    bill = pushed(town, own)
    department_id = bill["department_id"]
    elsewhere = officer(town, "finance", department_id=department_id, region_code="341623")
    planner = officer(town, "planner", department_id=department_id)
    city = officer(town, "finance", department_id=None, region_code="341600")
    assert (listed(town, elsewhere), listed(town, planner)) == ([], [])
    assert bill["id"] in listed(town, city, "limit=100")


def test_a_correction_shows_the_payer_the_new_sum(town, own):
    citizen, bill = by_wechat(town), pushed(town, own)
    found(citizen, bill)
    path, wish = f"/bills/{bill['id']}/correction", {"principal_fen": 6_000, "due_on": bill["due_on"]}
    corrected = at_desk(town, own, "POST", path, wish | {"reason": "裁量有误"})
    assert (corrected.status_code, corrected.json()["total_fen"]) == (200, 6_000)
    assert begin(citizen, bill).json()["amount_fen"] == 6_000
    refused = at_desk(town, own, "POST", path, wish | {"reason": "再次更正"})
    assert slug(refused) == "bill-being-paid"


def test_another_department_corrects_nothing(town, own, finance):
    bill = pushed(town, own)
    wish = {"principal_fen": 6_000, "due_on": bill["due_on"], "reason": "裁量有误"}
    assert slug(at_desk(town, finance, "POST", f"/bills/{bill['id']}/correction", wish)) == "bill-not-found"


def test_whom_a_bill_names_needs_no_lookup(town, own, verified):
    bill = pushed(town, own, payer_id_no=verified.id_no.lower())
    assert [one["id"] for one in verified.ask("GET", "/bills").json()] == [bill["id"]]
    assert begin(verified, bill).status_code == 201
    assert verified.id_no not in str(bill)


def test_a_name_on_a_bill_needs_a_verified_number(town, own):
    visitor = by_wechat(town).papers()
    bill = pushed(town, own, payer_id_no=visitor.id_no)
    assert visitor.ask("GET", "/bills").json() == []
    assert slug(visitor.ask("GET", f"/bills/{bill['id']}")) == "bill-not-found"
    assert visitor.register().status_code == 200
    assert [one["id"] for one in visitor.ask("GET", "/bills").json()] == [bill["id"]]


def test_a_bill_that_names_another_stays_hidden(town, own, verified):
    bill = pushed(town, own, payer_id_no=fresh_id_no())
    assert verified.ask("GET", "/bills").json() == []
    assert slug(begin(verified, bill)) == "bill-not-found"
    assert found(verified, bill)["id"] == bill["id"]


def test_a_push_above_the_limit_is_refused_with_the_limit(town, own):
    above = notice(principal_fen=100_000_001)
    answer = at_desk(town, own, "POST", "/bills", above)
    assert (answer.status_code, slug(answer)) == (422, "amount-out-of-range")
    assert "100 万元" in answer.json()["errors"][0]["message"]
    told = at_desk(town, own, "POST", "/bills/batch", {"bills": [above, notice()]}).json()
    assert [line["problem"] for line in told] == ["amount-out-of-range", None]


def test_a_sum_above_the_limit_names_the_window_online(town, own):
    citizen = by_wechat(town)
    bill = found(citizen, pushed(town, own, kind="fee", principal_fen=100_000_000, overdue_fen=1))
    assert (bill["must_visit_window"], "100 万元" in bill["window_reason"]) == (True, True)
    refused = begin(citizen, bill)
    assert (refused.status_code, slug(refused)) == (409, "must-visit-window")
    assert (refused.json()["detail"], refused.json()["window"]["name"]) == (bill["window_reason"], "测试窗口")
