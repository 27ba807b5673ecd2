"""Money back over HTTP: a payer asks, finance decides, the finance office hands in, and strangers see nothing."""

from typing import Any

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from tests.payments.makers import hear, succeeded
from tests.payments.test_windows import at_desk, begin, found, paid, pushed, show
from tests.people.makers import Citizen, Officer, by_wechat, officer, slug

LARGE = {"principal_fen": 120_000, "kind": "fee"}
WISH = {"reason": "重复缴费"}


@pytest.fixture(scope="module")
def citizen(town: Any) -> Citizen:
    return by_wechat(town)


@pytest.fixture(scope="module")
def finance(town: Any) -> Officer:
    return officer(town, "finance", "window_clerk")


@pytest.fixture(scope="module")
def colleague(town: Any) -> Officer:
    return officer(town, "finance")


@pytest.fixture(scope="module")
def office(town: Any) -> Officer:
    """The finance office: over every department."""
    return officer(town, "finance", department_id=None, region_code="341600")


def asked(citizen: Citizen, order: dict[str, Any], **wish: Any) -> Any:
    return citizen.ask("POST", f"/payments/{order['payment_id']}/refunds", WISH | wish)


def settle(order: dict[str, Any]) -> None:
    told = text("UPDATE payments_payment SET settled_at = :at WHERE id = :id")
    run_unit(lambda u: u.session.execute(told, {"at": clock.now(), "id": order["payment_id"]}))


def test_a_payer_asks_and_finance_decides(town, citizen, finance):
    order = paid(town, citizen, finance)
    refund = asked(citizen, order)
    assert (refund.status_code, refund.json()["says"]) == (201, "待审核")
    path = f"/refunds/{refund.json()['id']}"
    listed = at_desk(town, finance, "GET", "/refunds?state=asked").json()["items"]
    assert refund.json()["id"] in [one["refund"]["id"] for one in listed]
    decided = at_desk(town, finance, "POST", f"{path}/approval")
    assert (decided.status_code, decided.json()["says"]) == (200, "待退款")
    steps = show(citizen, order)["refunds"][0]["steps"]
    assert [step["says"] for step in steps] == ["退款申请已登记", "退款申请已通过，即将原路退回"]
    assert slug(at_desk(town, finance, "POST", f"{path}/approval")) == "refund-decided"


def test_a_refusal_shows_its_reason(town, citizen, finance):
    order = paid(town, citizen, finance)
    path = f"/refunds/{asked(citizen, order).json()['id']}/refusal"
    assert slug(at_desk(town, finance, "POST", path, {})) == "invalid-input"
    at_desk(town, finance, "POST", path, {"reason": "罚款决定有效"})
    [shown] = show(citizen, order)["refunds"]
    assert (shown["says"], shown["decision"]) == ("未通过", "罚款决定有效")


def test_a_large_refund_needs_a_second_person(town, citizen, finance, colleague):
    order = paid(town, citizen, finance, **LARGE)
    path = f"/refunds/{asked(citizen, order).json()['id']}"
    assert at_desk(town, finance, "POST", f"{path}/approval").json()["says"] == "待复核"
    assert slug(at_desk(town, finance, "POST", f"{path}/approval")) == "another-must-confirm"
    assert at_desk(town, colleague, "POST", f"{path}/approval").json()["says"] == "待退款"
    seen = at_desk(town, finance, "GET", path).json()
    assert (seen["approved_by"], seen["confirmed_by"]) == (finance.id, colleague.id)


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"amount_fen": 10_001}, "refund-too-large"),
        ({"amount_fen": 0}, "invalid-input"),
        ({"amount_fen": -1}, "invalid-input"),
        ({"amount_fen": 1.5}, "invalid-input"),
        ({"amount_fen": "1"}, "invalid-input"),
        ({"reason": ""}, "invalid-input"),
        ({"unheard_of": 1}, "invalid-input"),
    ],
)
def test_a_strange_wish_for_money_is_refused(town, citizen, finance, wish, refusal):
    assert slug(asked(citizen, paid(town, citizen, finance), **wish)) == refusal


def test_a_second_question_waits_for_the_first(town, citizen, finance):
    order = paid(town, citizen, finance)
    asked(citizen, order, amount_fen=1)
    assert slug(asked(citizen, order, amount_fen=1)) == "refund-under-review"


def test_a_stranger_cannot_ask_or_decide(town, citizen, finance):
    order, stranger = paid(town, citizen, finance), by_wechat(town)
    assert slug(asked(stranger, order)) == "not-found"
    path = f"/refunds/{asked(citizen, order).json()['id']}"
    elsewhere = officer(town, "finance", department_id="BZ-OTHER")
    assert slug(at_desk(town, elsewhere, "GET", path)) == "not-found"
    for step, body in (("approval", None), ("refusal", {"reason": "测试"})):
        assert slug(at_desk(town, elsewhere, "POST", f"{path}/{step}", body)) == "not-found"
    listed = at_desk(town, elsewhere, "GET", "/refunds?state=asked").json()["items"]
    assert listed == []


def test_a_clerk_without_finance_sees_no_refunds(town):
    assert slug(at_desk(town, officer(town, "window_clerk"), "GET", "/refunds")) == "outside-your-scope"


def test_settled_money_goes_over_the_finance_offices_list(town, citizen, finance, office):
    order = paid(town, citizen, finance)
    settle(order)
    refund = asked(citizen, order).json()["id"]
    assert at_desk(town, finance, "POST", f"/refunds/{refund}/approval").json()["says"] == "待退付"
    listed = at_desk(town, office, "GET", "/treasury/refunds?payee=BZ-TEST").json()["items"]
    assert refund in [one["refund"]["id"] for one in listed]
    path = f"/treasury/refunds/{refund}"
    assert (
        slug(at_desk(town, finance, "POST", f"{path}/submission", {"reference": "TF-1"}))
        == "outside-your-scope"
    )
    assert slug(at_desk(town, office, "POST", f"{path}/submission", {"reference": ""})) == "invalid-input"
    assert (
        at_desk(town, office, "POST", f"{path}/submission", {"reference": "TF-1"}).json()["says"] == "退付中"
    )
    assert at_desk(town, office, "POST", f"{path}/payment").json()["says"] == "已到账"
    shown = show(citizen, order)
    assert (shown["payment"]["says"], shown["refunds"][0]["way"]) == ("已退款", "treasury")
    assert len(shown["refunds"][0]["steps"]) == 4


def test_the_office_takes_a_return_off_its_list(town, citizen, finance, office):
    order = paid(town, citizen, finance)
    settle(order)
    refund = at_desk(town, finance, "POST", f"/payments/{order['payment_id']}/refunds", WISH).json()["id"]
    path = f"/treasury/refunds/{refund}"
    off = at_desk(town, office, "POST", f"{path}/failure", {"reason": "账号有误"})
    assert (off.status_code, off.json()["state"]) == (200, "failed")
    assert at_desk(town, finance, "GET", f"/refunds/{refund}").json()["failure"] == "账号有误"
    listed = at_desk(town, office, "GET", "/treasury/refunds?payee=BZ-TEST").json()["items"]
    assert refund not in [one["refund"]["id"] for one in listed]


def test_the_treasurys_no_is_told_to_the_payer(town, citizen, finance, office):
    order = paid(town, citizen, finance)
    settle(order)
    refund = at_desk(town, finance, "POST", f"/payments/{order['payment_id']}/refunds", WISH).json()["id"]
    path = f"/treasury/refunds/{refund}"
    assert slug(at_desk(town, office, "POST", f"{path}/payment")) == "refund-decided"
    at_desk(town, office, "POST", f"{path}/submission", {"reference": "TF-2"})
    at_desk(town, office, "POST", f"{path}/failure", {"reason": "账号有误"})
    shown = show(citizen, order)
    assert (shown["payment"]["says"], shown["refunds"][0]["says"]) == ("已支付", "未成功")


def test_the_office_hands_in_nothing_of_the_channels(town, citizen, finance, office):
    order = paid(town, citizen, finance)
    refund = at_desk(town, finance, "POST", f"/payments/{order['payment_id']}/refunds", WISH).json()["id"]
    step = at_desk(town, office, "POST", f"/treasury/refunds/{refund}/submission", {"reference": "TF-3"})
    assert slug(step) == "not-found"


def test_the_right_sum_needs_no_note(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    order = begin(citizen, bill).json()
    waiting = show(citizen, order)["payment"]
    assert (waiting["received_fen"], waiting["note"]) == (None, None)
    hear(succeeded(run_unit(lambda u: payments.payment_of(u, order["payment_id"]))))
    paid_now = show(citizen, order)["payment"]
    assert (paid_now["received_fen"], paid_now["note"]) == (10_000, None)


def test_the_desk_never_sees_the_payers_ticket(town, citizen, finance):
    """The ticket is what the payer's phone pays with: whoever has it could show the payment sheet."""
    order = paid(town, citizen, finance)
    asked_for = text("SELECT ticket FROM payments_payment WHERE id = :id")
    ticket = run_unit(lambda u: u.session.scalar(asked_for, {"id": order["payment_id"]}))
    path = f"/payments/{order['payment_id']}"
    answers = [at_desk(town, finance, "GET", path)]
    answers += [at_desk(town, finance, "POST", f"{path}/{step}", WISH) for step in ("dispute", "dispute-end")]
    answers.append(at_desk(town, finance, "GET", "/payments"))
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert order["payment_id"] in answer.text
        assert ticket not in answer.text
        assert "ticket" not in answer.text


def test_a_strange_sum_is_given_back_at_the_desk(town, citizen, finance):
    bill = found(citizen, pushed(town, finance))
    order = begin(citizen, bill).json()
    hear(succeeded(run_unit(lambda u: payments.payment_of(u, order["payment_id"])), amount_fen=9_999))
    path = f"/payments/{order['payment_id']}"
    assert at_desk(town, finance, "GET", path).json()["payment"]["received_fen"] == 9_999
    shown = show(citizen, order)["payment"]
    assert (shown["received_fen"], shown["amount_fen"], shown["says"]) == (9_999, 10_000, "有争议")
    assert shown["note"] == "实际收到 99.99 元，应缴 100.00 元，两者不一致"
    assert shown in citizen.ask("GET", "/payments").json()["items"]
    assert slug(at_desk(town, finance, "POST", f"{path}/dispute-end", WISH)) == "not-refundable"
    back = at_desk(town, finance, "POST", f"{path}/surplus-return", WISH)
    assert (back.status_code, back.json()["amount_fen"]) == (201, 9_999)
    assert slug(at_desk(town, finance, "POST", f"{path}/surplus-return", WISH)) == "not-refundable"
