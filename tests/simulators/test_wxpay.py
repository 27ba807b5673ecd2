import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from wechatpayv3 import WeChatPay, WeChatPayType  # type: ignore[import-untyped, unused-ignore]

from tests.simulators.conftest import Outside
from tests.simulators.signers import WxPay

JSAPI, REFUNDS = "/v3/pay/transactions/jsapi", "/v3/refund/domestic/refunds"
NOTICES = "/callbacks/payments/wechat_pay"


@pytest.fixture
def openid(outside: Outside) -> str:
    return str(outside.ask("/control/wechat/login", {"phone": "13900000001"})["openid"])


def prepare(outside: Outside, wxpay: WxPay, openid: str, number: str = "order-1", **more: Any) -> str:
    order = wxpay.order(openid, number, notify_url=outside.product.base_url + NOTICES, **more)
    return str(wxpay.call("POST", JSAPI, order).json()["prepay_id"])


def approve(outside: Outside, wxpay: WxPay, openid: str, prepay_id: str, decision: str = "approve") -> Any:
    answer = {"openid": openid, "decision": decision} | wxpay.client_params(prepay_id)
    return outside.ask("/control/wxpay/pay", answer)


def state(outside: Outside, wxpay: WxPay, number: str = "order-1") -> Any:
    target = f"/v3/pay/transactions/out-trade-no/{number}?mchid={outside.env['WXPAY_MCHID']}"
    return wxpay.call("GET", target).json()


def close(outside: Outside, wxpay: WxPay, number: str = "order-1") -> tuple[int, str]:
    target = f"/v3/pay/transactions/out-trade-no/{number}/close"
    answer = wxpay.call("POST", target, {"mchid": outside.env["WXPAY_MCHID"]})
    return answer.status_code, answer.json()["code"] if answer.content else ""


def give_back(wxpay: WxPay, fen: int, number: str = "refund-1", **more: Any) -> Any:
    doc = {"out_trade_no": "order-1", "out_refund_no": number, "reason": "多缴"} | more
    return wxpay.call(
        "POST", REFUNDS, doc | {"amount": {"refund": fen, "total": 8000, "currency": "CNY"}}
    ).json()


def test_preparing_again_finds_the_same_order(outside: Outside, wxpay: WxPay, openid: str) -> None:
    assert prepare(outside, wxpay, openid) == prepare(outside, wxpay, openid)
    other = wxpay.call("POST", JSAPI, wxpay.order(openid, "order-1", 9000))
    assert (other.status_code, other.json()["code"]) == (403, "OUT_TRADE_NO_USED")


def test_approval_is_told_by_a_sealed_notice(outside: Outside, wxpay: WxPay, openid: str) -> None:
    assert state_after_approval(outside, wxpay, openid)["trade_state"] == "SUCCESS"
    (letter,) = outside.product.wait(1, NOTICES)
    wxpay.check({name.title(): value for name, value in letter.headers.items()}, letter.body)
    told = wxpay.resource(letter.body)
    assert json.loads(letter.body)["event_type"] == "TRANSACTION.SUCCESS"
    assert (told["amount"]["total"], told["payer"]["openid"]) == (8000, openid)


def state_after_approval(outside: Outside, wxpay: WxPay, openid: str) -> Any:
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    return state(outside, wxpay)


def test_refusing_leaves_the_order_open(outside: Outside, wxpay: WxPay, openid: str) -> None:
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid), "refuse")
    assert state(outside, wxpay)["trade_state"] == "NOTPAY"
    outside.product.none_more(0, 0.2)


def test_a_wrong_pay_sign_pays_nothing(outside: Outside, wxpay: WxPay, openid: str) -> None:
    params = wxpay.client_params(prepare(outside, wxpay, openid)) | {"timeStamp": "1"}
    outside.ask("/control/wxpay/pay", {"openid": openid, "decision": "approve"} | params, 403)
    assert state(outside, wxpay)["trade_state"] == "NOTPAY"


def test_nobody_pays_twice(outside: Outside, wxpay: WxPay, openid: str) -> None:
    prepay_id = prepare(outside, wxpay, openid)
    approve(outside, wxpay, openid, prepay_id)
    again = {"openid": openid, "decision": "approve"} | wxpay.client_params(prepay_id)
    outside.ask("/control/wxpay/pay", again, 409)


@pytest.mark.parametrize("spoil", ["body", "old", "early", "serial"])
def test_a_badly_signed_request_is_refused(outside: Outside, wxpay: WxPay, openid: str, spoil: str) -> None:
    wxpay.spoil = "!" if spoil == "body" else ""
    wxpay.age = {"old": 301, "early": -310}.get(spoil, 0)
    wxpay.serial = "0" * 40 if spoil == "serial" else wxpay.serial
    answer = wxpay.call("POST", JSAPI, wxpay.order(openid, "order-1"))
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert "Wechatpay-Signature" not in answer.headers


def test_a_refusal_is_signed_like_a_yes(wxpay: WxPay) -> None:
    answer = wxpay.call("GET", REFUNDS + "/refund-1")
    assert answer.status_code == 404
    wxpay.check(answer.headers, answer.content)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": {"total": 0, "currency": "CNY"}},
        {"amount": {"total": "100", "currency": "CNY"}},
        {"payer": {"openid": "o-nobody"}},
        {"out_trade_no": "短"},
        {"notify_url": "http://127.0.0.1/cb?a=1"},
        {"time_expire": "2020-01-01T00:00:00+08:00"},
        {"description": ""},
    ],
)
def test_a_wrong_parameter_is_named(wxpay: WxPay, openid: str, wrong: dict[str, Any]) -> None:
    answer = wxpay.call("POST", JSAPI, wxpay.order(openid, "order-1") | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


def test_an_unknown_order_is_not_found(outside: Outside, wxpay: WxPay) -> None:
    assert state(outside, wxpay, "order-none")["code"] == "ORDER_NOT_EXIST"
    assert close(outside, wxpay, "order-none") == (404, "ORDER_NOT_EXIST")


def test_a_closed_order_cannot_be_paid(outside: Outside, wxpay: WxPay, openid: str) -> None:
    prepay_id = prepare(outside, wxpay, openid)
    assert close(outside, wxpay) == (204, "")
    assert close(outside, wxpay) == (400, "ORDER_CLOSED")
    late = {"openid": openid, "decision": "approve"} | wxpay.client_params(prepay_id)
    outside.ask("/control/wxpay/pay", late, 409)
    assert prepare_code(outside, wxpay, openid) == "ORDER_CLOSED"


def prepare_code(outside: Outside, wxpay: WxPay, openid: str) -> str:
    order = wxpay.order(openid, "order-1", notify_url=outside.product.base_url + NOTICES)
    return str(wxpay.call("POST", JSAPI, order).json()["code"])


def test_a_paid_order_cannot_be_closed(outside: Outside, wxpay: WxPay, openid: str) -> None:
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    assert close(outside, wxpay) == (400, "ORDERPAID")


def test_an_order_past_its_term_is_closed(outside: Outside, wxpay: WxPay, openid: str) -> None:
    prepare(outside, wxpay, openid, time_expire="2099-01-01T00:00:00+08:00")
    assert state(outside, wxpay)["trade_state"] == "NOTPAY"
    outside.move_clock(timedelta(days=30_000))
    assert state(outside, wxpay)["trade_state"] == "CLOSED"


def test_a_refund_succeeds_a_moment_later(outside: Outside, wxpay: WxPay, openid: str) -> None:
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    asked = give_back(wxpay, 3000, notify_url=outside.product.base_url + NOTICES + "_refund")
    assert asked["status"] == "PROCESSING"
    (letter,) = outside.product.wait(1, NOTICES + "_refund")
    assert wxpay.resource(letter.body)["refund_status"] == "SUCCESS"
    assert wxpay.call("GET", REFUNDS + "/refund-1").json()["status"] == "SUCCESS"
    assert state(outside, wxpay)["trade_state"] == "REFUND"


def test_refunds_never_exceed_the_payment(outside: Outside, wxpay: WxPay, openid: str) -> None:
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    assert give_back(wxpay, 5000)["refund_id"] == give_back(wxpay, 5000)["refund_id"]
    assert give_back(wxpay, 4000)["code"] == "INVALID_REQUEST"
    assert give_back(wxpay, 3001, "refund-2")["code"] == "INVALID_REQUEST"
    assert give_back(wxpay, 3000, "refund-3")["status"] == "PROCESSING"


def test_a_held_refund_can_end_abnormally(outside: Outside, wxpay: WxPay, openid: str) -> None:
    outside.ask("/control/preferences", {"wxpay_refund_seconds": None})
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    give_back(wxpay, 8000, notify_url=outside.product.base_url + NOTICES + "_refund")
    outside.ask("/control/wxpay/refunds", {"out_refund_no": "refund-1", "outcome": "ABNORMAL"})
    (letter,) = outside.product.wait(1, NOTICES + "_refund")
    assert json.loads(letter.body)["event_type"] == "REFUND.ABNORMAL"


@pytest.mark.parametrize(("outcome", "code"), [("SUCCESS", "INVALID_REQUEST"), ("CLOSED", None)])
def test_an_abnormal_refund_counts_until_it_is_closed(
    outside: Outside, wxpay: WxPay, openid: str, outcome: str, code: str | None
) -> None:
    outside.ask("/control/preferences", {"wxpay_refund_seconds": None})
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    give_back(wxpay, 8000)
    outside.ask("/control/wxpay/refunds", {"out_refund_no": "refund-1", "outcome": "ABNORMAL"})
    outside.ask("/control/wxpay/refunds", {"out_refund_no": "refund-1", "outcome": "ABNORMAL"}, 409)
    assert give_back(wxpay, 1, "refund-2")["code"] == "INVALID_REQUEST"
    outside.ask("/control/wxpay/refunds", {"out_refund_no": "refund-1", "outcome": outcome})
    assert wxpay.call("GET", REFUNDS + "/refund-1").json()["status"] == outcome
    assert give_back(wxpay, 8000, "refund-3").get("code") == code


def test_an_unpaid_order_has_no_refund(outside: Outside, wxpay: WxPay, openid: str) -> None:
    prepare(outside, wxpay, openid)
    assert give_back(wxpay, 100)["code"] == "INVALID_REQUEST"
    assert wxpay.call("GET", REFUNDS + "/refund-1").json()["code"] == "RESOURCE_NOT_EXISTS"


def bill(outside: Outside, wxpay: WxPay, day: str, kind: str = "tradebill") -> Any:
    return wxpay.call("GET", f"/v3/bill/{kind}?bill_date={day}&tar_type=GZIP").json()


def test_yesterdays_bills_hold_every_payment(outside: Outside, wxpay: WxPay, openid: str) -> None:
    outside.ask("/control/preferences", {"wxpay_refund_seconds": 0})
    day = outside.ask("/phone/state")["clock"][:10]
    approve(outside, wxpay, openid, prepare(outside, wxpay, openid))
    give_back(wxpay, 3000)
    assert bill(outside, wxpay, day)["code"] == "PARAM_ERROR"
    outside.move_clock(timedelta(days=2))
    for kind in ("tradebill", "fundflowbill"):
        offered = bill(outside, wxpay, day, kind)
        target = offered["download_url"].removeprefix(outside.env["WXPAY_BASE_URL"])
        text = gzip.decompress(wxpay.call("GET", target).content)
        assert hashlib.sha1(text).hexdigest() == offered["hash_value"]
        lines = text.decode("utf-8-sig").splitlines()
        assert len(lines) == 5
        assert "`80.00" in lines[1]
        assert "`30.00" in lines[-1]
    assert bill(outside, wxpay, "2020-01-01")["code"] == "NO_STATEMENT_EXIST"


def test_a_browser_payment_goes_to_the_cashier(outside: Outside, wxpay: WxPay) -> None:
    order = wxpay.order("", "order-h5") | {
        "scene_info": {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}
    }
    address = wxpay.call("POST", "/v3/pay/transactions/h5", order).json()["h5_url"]
    number = address.partition("prepay_id=")[2]
    paid = {"provider": "wxpay", "number": number, "decision": "approve"}
    assert outside.ask("/phone/decide", paid) == {"state": "SUCCESS"}
    assert state(outside, wxpay, "order-h5")["trade_type"] == "MWEB"


def test_platform_certificates_are_closed(wxpay: WxPay) -> None:
    assert wxpay.call("GET", "/v3/certificates").status_code == 403


@pytest.fixture
def sdk(outside: Outside) -> Any:
    """The real SDK in public-key mode."""
    env = outside.env
    with open(env["WXPAY_MERCHANT_KEY_FILE"]) as mine, open(env["WXPAY_PUBLIC_KEY_FILE"]) as theirs:
        client = WeChatPay(
            wechatpay_type=WeChatPayType.MINIPROG,
            mchid=env["WXPAY_MCHID"],
            private_key=mine.read(),
            cert_serial_no=env["WXPAY_MERCHANT_SERIAL"],
            appid=env["WECHAT_APPID"],
            apiv3_key=env["WXPAY_APIV3_KEY"],
            notify_url=outside.product.base_url + NOTICES,
            public_key=theirs.read(),
            public_key_id=env["WXPAY_PUBLIC_KEY_ID"],
            timeout=(3, 5),
        )
    client._core._gate_way = env["WXPAY_BASE_URL"]
    return client


def test_the_real_sdk_is_content(outside: Outside, wxpay: WxPay, openid: str, sdk: Any) -> None:
    status, body = sdk.pay("费用 fee", "order-sdk", amount={"total": 100}, payer={"openid": openid})
    assert status == 200
    approve(outside, wxpay, openid, json.loads(body)["prepay_id"])
    assert json.loads(sdk.query(out_trade_no="order-sdk")[1])["trade_state"] == "SUCCESS"
    letter = outside.product.wait(1, NOTICES)[0]  # on a slow machine they repeat it
    told = sdk.callback(letter.headers, letter.body.decode())
    assert told["resource"]["out_trade_no"] == "order-sdk"
    assert sdk.callback(letter.headers, letter.body.decode() + " ") is None


def test_the_real_sdk_can_refund_and_close(outside: Outside, openid: str, sdk: Any) -> None:
    sdk.pay("费用", "order-sdk2", amount={"total": 100}, payer={"openid": openid})
    assert sdk.close("order-sdk2") == (204, "")
    assert sdk.query_refund("refund-none")[0] == 404
