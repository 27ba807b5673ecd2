"""Weather that is about somebody, letters that are let go, and money that comes after the closing."""

import json
import time

import pytest

from tests.simulators.conftest import Outside
from tests.simulators.signers import Alipay, WxPay
from tests.simulators.test_alipay import create, query
from tests.simulators.test_letters import settled
from tests.simulators.test_wxpay import NOTICES, approve, close, prepare, state


@pytest.fixture
def openid(outside: Outside) -> str:
    return str(outside.ask("/control/wechat/login", {"phone": "13900000001"})["openid"])


def test_a_call_suffers_only_what_is_about_it(outside: Outside, wxpay: WxPay, openid: str) -> None:
    outside.fault("wxpay", "5xx", "query", about="order-2")
    for number in ("order-1", "order-2"):
        prepare(outside, wxpay, openid, number)
    assert state(outside, wxpay, "order-1")["trade_state"] == "NOTPAY"
    target = f"/v3/pay/transactions/out-trade-no/order-2?mchid={outside.env['WXPAY_MCHID']}"
    assert wxpay.call("GET", target).status_code == 503
    assert wxpay.call("GET", target).status_code == 200


def test_what_a_form_says_is_read_decoded(outside: Outside, alipay: Alipay) -> None:
    buyer = str(outside.ask("/control/alipay/login", {"phone": "13900000002"})["open_id"])
    outside.fault("alipay", "refuse", "create", code="ACQ.SYSTEM_ERROR", about="行驶证工本费")
    outside.fault("alipay", "refuse", "create", code="ACQ.SYSTEM_ERROR", about=buyer)
    said = [
        create(outside, alipay, buyer, subject=f"{what}工本费").get("sub_code") for what in ("行驶证", "", "")
    ]
    assert said == ["ACQ.SYSTEM_ERROR", "ACQ.SYSTEM_ERROR", None]


def test_a_letter_suffers_only_what_is_about_it(outside: Outside, wxpay: WxPay, openid: str) -> None:
    outside.fault("wxpay", "drop", "transaction", about="order-2")
    for number in ("order-1", "order-2"):
        approve(outside, wxpay, openid, prepare(outside, wxpay, openid, number))
    assert settled(outside, 2) == ["delivered", "dropped"]
    assert outside.ask("/control/faults") == {"faults": [], "struck": {"drop": 1}}


def test_letters_put_off_are_let_go_together(outside: Outside, wxpay: WxPay, openid: str) -> None:
    for kind in ("delay", "reorder"):
        outside.fault("wxpay", kind, "transaction", seconds=3600, about=kind)
        approve(outside, wxpay, openid, prepare(outside, wxpay, openid, f"order-{kind}"))
    outside.product.none_more(0, 0.2)
    assert outside.ask("/control/outbox/release", {}) == {"released": 2}
    told = [wxpay.resource(letter.body)["out_trade_no"] for letter in outside.product.wait(2, NOTICES)]
    assert sorted(told) == ["order-delay", "order-reorder"]
    assert settled(outside, 2) == ["delivered", "delivered"]
    time.sleep(0.2)
    outside.product.none_more(2, 0.2)


def test_late_money_comes_for_a_closed_order(outside: Outside, wxpay: WxPay, openid: str) -> None:
    prepay_id = prepare(outside, wxpay, openid)
    assert close(outside, wxpay)[0] == 204
    answer = {"openid": openid, "decision": "approve"} | wxpay.client_params(prepay_id)
    outside.ask("/control/wxpay/pay", answer, 409)
    outside.ask("/control/wxpay/pay", answer | {"late": True})
    assert state(outside, wxpay)["trade_state"] == "SUCCESS"
    (letter,) = outside.product.wait(1, NOTICES)
    assert json.loads(letter.body)["event_type"] == "TRANSACTION.SUCCESS"


def test_late_money_comes_once_for_a_closed_trade(outside: Outside, alipay: Alipay) -> None:
    buyer = str(outside.ask("/control/alipay/login", {"phone": "13900000002"})["open_id"])
    trade = create(outside, alipay, buyer)
    alipay.call("alipay.trade.close", {"out_trade_no": "trade-1"})
    answer = {"trade_no": trade["trade_no"], "decision": "approve"}
    outside.ask("/control/alipay/pay", answer, 409)
    outside.ask("/control/alipay/pay", answer | {"late": True})
    assert query(alipay)["trade_status"] == "TRADE_SUCCESS"
    alipay.call("alipay.trade.refund", {"out_trade_no": "trade-1", "refund_amount": "10.00"})
    outside.ask("/control/alipay/pay", answer | {"late": True}, 409)
