"""The windows over HTTP: a citizen with a phone, a department with a desk, and everything they may get wrong."""

from datetime import timedelta
from typing import Any

import pytest

import payments
from backend.contracts import CaseWithdrawn
from backend.kernel import clock, ids
from backend.store.unit import run_unit
from payments.reactions import on_case_withdrawn
from payments.receipts import tasks as receipt_tasks
from tests.payments.street import until
from tests.people.makers import Citizen, Officer, ask, by_wechat, officer, slug

FACTOR = "AB12CD"


@pytest.fixture(scope="module")
def citizen(town: Any) -> Citizen:
    return by_wechat(town)


@pytest.fixture(scope="module")
def finance(town: Any) -> Officer:
    return officer(town, "finance", "window_clerk")


def at_desk(town: Any, clerk: Officer, method: str, path: str, body: Any = None) -> Any:
    return ask(town, method, f"/dept/v1{path}", body, token=clerk.token)


def notice(**changes: Any) -> dict[str, Any]:
    told = {
        "notice_no": ids.digits(20), "kind": "fine", "executing_unit": "测试交警支队", "region_code": "341602",
        "item": "机动车违反规定停放", "principal_fen": 10_000, "issued_on": clock.today().isoformat(),
        "second_factor": FACTOR, "window_name": "测试窗口", "window_address": "测试路 1 号",
    }  # fmt: skip
    return told | changes


def pushed(town: Any, finance: Officer, **changes: Any) -> dict[str, Any]:
    answer = at_desk(town, finance, "POST", "/bills", notice(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


def found(citizen: Citizen, bill: dict[str, Any]) -> dict[str, Any]:
    answer = citizen.ask("POST", "/bills/lookup", {"notice_no": bill["notice_no"], "second_factor": FACTOR})
    assert answer.status_code == 200, answer.text
    return answer.json()


def begin(citizen: Citizen, bill: dict[str, Any], channel: Any = "wechat_pay", **more: str) -> Any:
    return citizen.ask("POST", f"/bills/{bill['id']}/payments", {"channel": channel}, **more)


def approve(town: Any, citizen: Citizen, order: dict[str, Any]) -> None:
    openid = town.control("/wechat/login", {"phone": citizen.phone})["openid"]
    town.control("/wxpay/pay", {"decision": "approve", "openid": openid, "params": order["parameters"]})


def paid(town: Any, citizen: Citizen, finance: Officer, **changes: Any) -> dict[str, Any]:
    bill = found(citizen, pushed(town, finance, **changes))
    order = begin(citizen, bill).json()
    approve(town, citizen, order)
    until(lambda: show(citizen, order)["payment"]["state"] == "paid")
    return order


def show(citizen: Citizen, order: dict[str, Any]) -> dict[str, Any]:
    return citizen.ask("GET", f"/payments/{order['payment_id']}").json()


def test_a_parking_fine_from_notice_to_receipt(town, citizen, finance):
    order = paid(town, citizen, finance)
    shown = show(citizen, order)["payment"]
    assert (shown["says"], shown["amount_fen"], shown["refunded_fen"]) == ("已支付", 10_000, 0)
    receipt_tasks.issue_receipts()
    receipt = citizen.ask("GET", f"/payments/{order['payment_id']}/receipt").json()
    assert (len(receipt["code"]), len(receipt["number"]), receipt["amount_fen"]) == (8, 10, 10_000)
    listed = citizen.ask("GET", "/payments?limit=1").json()
    assert [one["id"] for one in listed["items"]] == [order["payment_id"]]


def test_the_same_key_gives_the_same_answer(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    first, second = (begin(citizen, bill, key="one-key-for-two").json() for _ in range(2))
    assert first == second


def test_paying_twice_is_told_politely(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    order = begin(citizen, bill).json()
    approve(town, citizen, order)
    until(lambda: show(citizen, order)["payment"]["state"] == "paid")
    assert slug(begin(citizen, bill)) == "fee-already-paid"


def test_a_large_fine_names_the_window(town, citizen, finance):
    bill = found(citizen, pushed(town, finance, principal_fen=20_001))
    refused = begin(citizen, bill)
    assert (slug(refused), refused.json()["window"]["name"]) == ("must-visit-window", "测试窗口")
    handled = at_desk(town, finance, "POST", f"/bills/{bill['id']}/window-handling")
    assert handled.json()["must_visit_window"] is False
    assert begin(citizen, bill).status_code == 201


def test_a_foreign_payment_looks_absent(town, citizen, finance):
    order, stranger = paid(town, citizen, finance), by_wechat(town)
    for path in (f"/payments/{order['payment_id']}", f"/payments/{order['payment_id']}/receipt"):
        assert slug(stranger.ask("GET", path)) == "not-found"


def test_a_bill_i_did_not_find_looks_absent(town, citizen, finance):
    bill, stranger = pushed(town, finance), by_wechat(town)
    assert slug(begin(stranger, bill)) == "bill-not-found"
    assert slug(stranger.ask("GET", f"/bills/{bill['id']}")) == "bill-not-found"


def test_a_wrong_factor_looks_like_an_unknown_number(town, finance):
    bill, stranger = pushed(town, finance), by_wechat(town)
    wrong = stranger.ask("POST", "/bills/lookup", {"notice_no": bill["notice_no"], "second_factor": "XX99"})
    absent = stranger.ask("POST", "/bills/lookup", {"notice_no": "9" * 20, "second_factor": FACTOR})
    told = [{k: v for k, v in one.json().items() if k != "instance"} for one in (wrong, absent)]
    assert (slug(wrong), told[0]) == ("bill-not-found", told[1])


def test_guessing_is_stopped(town, finance):
    stranger = by_wechat(town)
    wish = {"notice_no": ids.digits(20), "second_factor": "XX99"}
    slugs = [slug(stranger.ask("POST", "/bills/lookup", wish)) for _ in range(6)]
    assert slugs == ["bill-not-found"] * 5 + ["too-many-requests"]


def test_looking_for_a_bill_needs_a_proven_phone(town, finance):
    bill, visitor = pushed(town, finance), by_wechat(town, with_phone=False)
    wish = {"notice_no": bill["notice_no"], "second_factor": FACTOR}
    assert slug(visitor.ask("POST", "/bills/lookup", wish)) == "phone-needed"


@pytest.mark.parametrize(
    "body", [{"channel": "cash"}, {"channel": ""}, {"channel": 1}, {}, {"channel": "alipay", "amount_fen": 1}]
)
def test_a_strange_wish_to_pay_is_refused(town, citizen, finance, body):
    bill = found(citizen, pushed(town, finance))
    answer = citizen.ask("POST", f"/bills/{bill['id']}/payments", body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_a_payer_unknown_to_the_channel_is_told_where_to_go(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    assert slug(begin(citizen, bill, "alipay")) == "payer-unknown"


def test_a_silent_channel_asks_for_patience(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    town.control("/faults", {"provider": "wxpay", "verb": "prepare", "kind": "5xx"})
    silent = begin(citizen, bill, key="a-key-for-later")
    assert (slug(silent), silent.headers["Retry-After"]) == ("channel-silent", "5")
    assert begin(citizen, bill, key="a-key-for-later").status_code == 201


def test_a_case_that_is_not_mine_looks_absent(town, citizen):
    answer = citizen.ask("POST", f"/cases/{ids.new_id('cs')}/payments", {"channel": "wechat_pay"})
    assert slug(answer) == "not-found"


@pytest.mark.parametrize(
    "change",
    [
        {"principal_fen": 100.5},
        {"principal_fen": 0},
        {"principal_fen": -1},
        {"principal_fen": "100"},
        {"principal_fen": 10**13},
        {"notice_no": "123"},
        {"kind": "tax"},
        {"unheard_of": 1},
        {"issued_on": "yesterday"},
    ],
)
def test_a_malformed_bill_is_refused_at_the_desk(town, finance, change):
    assert slug(at_desk(town, finance, "POST", "/bills", notice(**change))) == "invalid-input"


def test_the_same_bill_pushed_again_is_the_same_bill(town, finance):
    told = notice()
    first, second = (at_desk(town, finance, "POST", "/bills", told).json() for _ in range(2))
    assert first["id"] == second["id"]
    changed = at_desk(town, finance, "POST", "/bills", told | {"principal_fen": 1})
    assert slug(changed) == "bill-number-taken"


def test_a_withdrawn_bill_cannot_be_paid(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    at_desk(town, finance, "POST", f"/bills/{bill['id']}/withdrawal", {"reason": "处罚决定撤销"})
    assert slug(begin(citizen, bill)) == "bill-not-due"


def test_another_departments_desk_sees_nothing(town, citizen, finance):
    stranger = officer(town, "finance", "window_clerk", department_id="BZ-OTHER")
    order = paid(town, citizen, finance)
    bill = pushed(town, finance)
    assert slug(at_desk(town, stranger, "GET", f"/bills/{bill['id']}")) == "bill-not-found"
    refund = at_desk(town, stranger, "POST", f"/payments/{order['payment_id']}/refunds", {"reason": "测试"})
    assert slug(refund) == "not-found"


def test_a_clerk_without_the_finance_role_gives_nothing_back(town, citizen, finance):
    order, clerk = paid(town, citizen, finance), officer(town, "window_clerk")
    refund = at_desk(town, clerk, "POST", f"/payments/{order['payment_id']}/refunds", {"reason": "多收费用"})
    assert slug(refund) == "not-found"


def test_finance_of_another_region_gives_nothing_back(town, citizen):
    everywhere = officer(town, "finance", "window_clerk", region_code="341600")
    order = paid(town, citizen, everywhere, region_code="341623")
    elsewhere, path = officer(town, "finance"), f"/payments/{order['payment_id']}"
    refused = at_desk(town, elsewhere, "POST", f"{path}/refunds", {"reason": "多收费用"})
    assert slug(refused) == "not-found"
    assert slug(at_desk(town, elsewhere, "POST", f"{path}/dispute", {"reason": "付款人否认"})) == "not-found"
    assert at_desk(town, everywhere, "GET", path).status_code == 200


def test_numbers_typed_into_a_reason_are_not_kept(town, citizen, finance):
    order = paid(town, citizen, finance)
    wish = {"reason": "退给 13812345678", "amount_fen": 1}
    asked = at_desk(town, finance, "POST", f"/payments/{order['payment_id']}/refunds", wish)
    assert asked.json()["reason"] == "退给 138****5678"


def test_a_refund_is_asked_for_and_shown(town, citizen, finance):
    order = paid(town, citizen, finance)
    path = f"/payments/{order['payment_id']}/refunds"
    too_much = at_desk(town, finance, "POST", path, {"reason": "多收费用", "amount_fen": 10_001})
    assert (slug(too_much), too_much.json()["left_fen"]) == ("refund-too-large", 10_000)
    asked = at_desk(town, finance, "POST", path, {"reason": "多收费用", "amount_fen": 4_000})
    assert asked.status_code == 201
    shown = show(citizen, order)
    assert [(one["amount_fen"], one["says"]) for one in shown["refunds"]] == [(4_000, "待退款")]


def test_a_contested_payment_is_held_and_freed(town, citizen, finance):
    order = paid(town, citizen, finance)
    path = f"/payments/{order['payment_id']}"
    assert (
        at_desk(town, finance, "POST", f"{path}/dispute", {"reason": "付款人否认"}).json()["says"] == "有争议"
    )
    assert slug(at_desk(town, finance, "POST", f"{path}/refunds", {"reason": "多收费用"})) == "not-refundable"
    assert (
        at_desk(town, finance, "POST", f"{path}/dispute-end", {"reason": "已核实"}).json()["says"] == "已支付"
    )


def test_pages_of_payments_follow_each_other(town, finance):
    payer = by_wechat(town)
    made = [begin(payer, found(payer, pushed(town, finance))).json()["payment_id"] for _ in range(3)]
    first = payer.ask("GET", "/payments?limit=2").json()
    rest = payer.ask("GET", f"/payments?limit=2&cursor={first['next']}").json()
    assert [one["id"] for page in (first, rest) for one in page["items"]] == made[::-1]
    assert rest["next"] is None


def test_a_withdrawn_case_closes_its_payments(desk):
    payment = desk.awaiting()
    event = CaseWithdrawn(desk.matter, desk.person_id)
    for _ in range(2):
        run_unit(lambda u: on_case_withdrawn(u, event))
    assert run_unit(lambda u: payments.payment_of(u, payment.id)).state == "closing"


def test_the_clock_of_a_bill_is_the_business_clock(town, citizen, finance):
    bill = pushed(town, finance)
    clock.advance(timedelta(days=17))
    assert run_unit(lambda u: payments.bill_of(u, bill["id"])).penalty_fen == 600
