"""What finance sees: payments to look through, what waits for somebody, the treasury's list, and the ledger."""

from datetime import timedelta
from typing import Any

import pytest

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from tests.payments.makers import CLERK, hear, returned, succeeded
from tests.payments.test_refund_decisions import given
from tests.payments.test_refund_windows import WISH, asked, settle
from tests.payments.test_windows import at_desk, begin, found, paid, pushed, show
from tests.people.makers import Citizen, Officer, by_wechat, officer, slug

ALONE = "BZ-DESK"


@pytest.fixture(scope="module")
def citizen(town: Any) -> Citizen:
    return by_wechat(town)


@pytest.fixture(scope="module")
def finance(town: Any) -> Officer:
    return officer(town, "finance", "window_clerk")


@pytest.fixture(scope="module")
def alone(town: Any) -> Officer:
    """A department whose desk was empty before."""
    return officer(town, "finance", "window_clerk", department_id=ALONE)


@pytest.fixture(scope="module")
def office(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code="341600")


def listed(town: Any, clerk: Officer, query: str = "") -> list[dict[str, Any]]:
    answer = at_desk(town, clerk, "GET", f"/payments?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def pending(town: Any, clerk: Officer) -> dict[str, Any]:
    return at_desk(town, clerk, "GET", "/money-pending").json()


def view(order: dict[str, Any]) -> payments.PaymentView:
    return run_unit(lambda u: payments.payment_of(u, order["payment_id"]))


def held(town: Any, citizen: Citizen, clerk: Officer) -> dict[str, Any]:
    """Another sum came than was asked for."""
    bill = found(citizen, pushed(town, clerk))
    order = begin(citizen, bill).json()
    hear(succeeded(view(order), amount_fen=9_999, reference=f"tx{order['payment_id'][4:]}"))
    return order | {"notice_no": bill["notice_no"]}


def test_held_money_stands_on_the_list(town, citizen, finance, office):
    order = held(town, citizen, finance)
    for clerk in (finance, office):
        [one] = [row for row in listed(town, clerk, "state=disputed") if row["id"] == order["payment_id"]]
        assert (one["received_fen"], one["amount_fen"], one["says"]) == (9_999, 10_000, "有争议")
        assert one["notice_no"] == order["notice_no"]
    assert order["payment_id"] not in [row["id"] for row in listed(town, finance, "state=paid")]


def test_any_of_three_numbers_finds_a_payment(town, citizen, finance):
    order = held(town, citizen, finance)
    seen = view(order)
    for number in (seen.number, seen.id, f"tx{seen.id[4:]}", order["notice_no"]):
        assert [row["id"] for row in listed(town, finance, f"number={number}")] == [seen.id]
    assert listed(town, finance, "number=nobodys") == []


def test_payments_are_narrowed_to_their_days(town, citizen, finance):
    order = held(town, citizen, finance)
    today, tomorrow = clock.today(), clock.today() + timedelta(days=1)
    number = f"number={view(order).number}"
    assert len(listed(town, finance, f"{number}&paid_from={today}&paid_to={today}")) == 1
    assert listed(town, finance, f"{number}&paid_from={tomorrow}") == []
    assert listed(town, finance, f"{number}&paid_to={today - timedelta(days=1)}") == []


def test_the_list_is_paged(town, citizen, alone):
    orders = [held(town, citizen, alone)["payment_id"] for _ in range(3)]
    first = at_desk(town, alone, "GET", "/payments?limit=2").json()
    rest = at_desk(town, alone, "GET", f"/payments?limit=2&cursor={first['next']}").json()
    assert [row["id"] for row in first["items"]] == orders[:0:-1]
    assert rest["items"][0]["id"] == orders[0]


def test_strangers_see_no_payments(town, citizen, finance):
    order = held(town, citizen, finance)
    for stranger in (
        officer(town, "finance", department_id="BZ-OTHER"),
        officer(town, "finance", region_code="341621"),
    ):
        assert listed(town, stranger, f"number={view(order).number}") == []
    clerk = officer(town, "window_clerk")
    for path in ("/payments", "/money-pending"):
        assert slug(at_desk(town, clerk, "GET", path)) == "outside-your-scope"


def test_the_desk_says_what_waits(town, citizen):
    clerk = officer(town, "finance", "window_clerk", department_id="BZ-WAITS")
    assert {one["count"] for one in pending(town, clerk).values()} == {0}
    held(town, citizen, clerk)
    question = asked(citizen, order := paid(town, citizen, clerk)).json()
    seen = pending(town, clerk)
    assert (seen["disputed"]["count"], seen["asked"]["count"], seen["failed"]["count"]) == (1, 1, 0)
    assert seen["asked"]["oldest_at"] == question["requested_at"]
    at_desk(town, clerk, "POST", f"/refunds/{question['id']}/approval")
    hear(
        returned(
            view(order),
            run_unit(lambda u: payments.refunds_of(u, order["payment_id"]))[0],
            trigger="refund_failed",
        )
    )
    seen = pending(town, clerk)
    assert (seen["asked"]["count"], seen["failed"]["count"]) == (0, 1)
    assert seen["differences"] == {"count": 0, "oldest_at": None}


def test_the_check_warns_of_long_held_money(desk):
    payment = desk.awaiting()
    hear(succeeded(payment, amount_fen=7999))
    mine = f"payments: {payment.id} of BZ-TEST is disputed since "

    def warned():
        return [one for one in run_unit(payments.warnings) if one.startswith(mine)]

    assert warned() == []
    clock.advance(timedelta(hours=23))
    assert warned() == []
    clock.advance(timedelta(hours=2))
    assert len(warned()) == 1
    run_unit(lambda u: payments.give_back(u, payment.id, "金额不符", CLERK))
    assert warned() == []


def test_money_contested_today_is_not_held_long(desk):
    payment = desk.paid()
    clock.advance(timedelta(days=3))
    run_unit(lambda u: payments.contest(u, payment.id, "付款人否认", CLERK))
    assert [one for one in run_unit(payments.warnings) if payment.id in one] == []


def test_failed_refunds_are_tried_again_at_the_desk(town, citizen, finance):
    order = paid(town, citizen, finance)
    refund = given(view(order))
    hear(returned(view(order), refund, trigger="refund_failed"))
    waiting = at_desk(town, finance, "GET", "/refunds?state=failed&retryable=true").json()["items"]
    assert refund.id in [one["refund"]["id"] for one in waiting]
    elsewhere = officer(town, "finance", department_id="BZ-OTHER")
    assert slug(at_desk(town, elsewhere, "POST", f"/refunds/{refund.id}/retry")) == "not-found"
    again = at_desk(town, finance, "POST", f"/refunds/{refund.id}/retry")
    assert (again.status_code, again.json()["amount_fen"]) == (201, 10_000)
    assert slug(at_desk(town, finance, "POST", f"/refunds/{refund.id}/retry")) == "refund-decided"
    seen = at_desk(town, finance, "GET", f"/refunds/{again.json()['id']}").json()
    assert (seen["retry_of"], seen["may_retry"]) == (refund.id, False)


def test_a_payer_takes_a_question_back(town, citizen, finance):
    order = paid(town, citizen, finance)
    path = f"/payments/{order['payment_id']}/refunds/{asked(citizen, order).json()['id']}/withdrawal"
    assert slug(by_wechat(town).ask("POST", path)) == "not-found"
    back = citizen.ask("POST", path)
    assert (back.status_code, back.json()["says"]) == (200, "已撤回")
    assert show(citizen, order)["refunds"][0]["steps"][-1]["says"] == "退款申请已撤回"
    assert slug(citizen.ask("POST", path)) == "refund-decided"


def test_the_treasurys_list_has_what_a_return_needs(town, finance, office):
    payer = by_wechat(town).papers()
    assert payer.register().status_code == 200
    bill = found(payer, pushed(town, finance))
    order = begin_and_pay(payer, bill)
    settle(order)
    refund = at_desk(town, finance, "POST", f"/payments/{order['payment_id']}/refunds", WISH).json()["id"]
    rows = at_desk(town, office, "GET", "/treasury/refunds?payee=BZ-TEST").json()["items"]
    [one] = [row for row in rows if row["refund"]["id"] == refund]
    seen = view(order)
    assert (one["payment_number"], one["transaction"]) == (seen.number, f"tx-{seen.number}")
    assert (one["notice_no"], one["title"]) == (bill["notice_no"], seen.title)
    assert one["paid_at"] is not None
    assert one["payer"] != payer.name
    assert one["payer"][0] == payer.name[0]
    shown = at_desk(town, office, "GET", f"/treasury/refunds/{refund}").json()
    assert (shown["payer_name"], shown["refund"]["payer"]) == (payer.name, one["payer"])
    looks = payer.ask("GET", "/me/looks").json()
    assert "办理退付" in str(looks)
    assert slug(at_desk(town, finance, "GET", f"/treasury/refunds/{refund}")) == "outside-your-scope"


def begin_and_pay(payer: Citizen, bill: dict[str, Any]) -> dict[str, Any]:
    opened = run_unit(lambda u: payments.open_bill_payment(u, bill["id"], payer.id, "wechat_pay", CLERK))
    hear(succeeded(opened))
    return {"payment_id": opened.id}


def test_a_page_is_full_though_others_refunds_lie_between(town, citizen, finance, alone):
    mine = [asked(citizen, paid(town, citizen, alone)).json()["id"] for _ in range(2)]
    asked(citizen, paid(town, citizen, finance))
    page = at_desk(town, alone, "GET", "/refunds?state=asked&limit=2").json()["items"]
    assert [one["refund"]["id"] for one in page] == mine[::-1]


def test_the_office_reads_the_ledger(town, citizen, alone, office):
    order = paid(town, citizen, alone)
    accounts = at_desk(town, office, "GET", "/ledger/accounts?kind=payee").json()["items"]
    [mine] = [one for one in accounts if one["account"] == f"payee:{ALONE}"]
    assert mine["balance_fen"] == run_unit(lambda u: payments.balance_of(u, f"payee:{ALONE}"))
    lines = at_desk(town, office, "GET", f"/ledger/accounts/payee:{ALONE}/lines?limit=1").json()
    [line] = lines["items"]
    assert (line["payment_id"], line["amount_fen"]) == (order["payment_id"], -10_000)


def test_the_ledger_is_paged(town, citizen, alone, office):
    for _ in range(2):
        paid(town, citizen, alone)
    path = f"/ledger/accounts/payee:{ALONE}/lines?limit=1"
    first = at_desk(town, office, "GET", path).json()
    second = at_desk(town, office, "GET", f"{path}&cursor={first['next']}").json()
    assert second["items"][0]["id"] < first["items"][0]["id"]
    few = at_desk(town, office, "GET", "/ledger/accounts?limit=1").json()
    more = at_desk(town, office, "GET", f"/ledger/accounts?limit=1&cursor={few['next']}").json()
    assert more["items"][0]["account"] > few["items"][0]["account"]


def test_a_department_reads_no_ledger(town, finance):
    for path in ("/ledger/accounts", "/ledger/accounts/payee:BZ-TEST/lines"):
        assert slug(at_desk(town, finance, "GET", path)) == "outside-your-scope"
