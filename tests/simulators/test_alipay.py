import base64
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.simulators.conftest import Outside
from tests.simulators.signers import Alipay, rsa_check

NOTICES = "/callbacks/payments/alipay"
BILL = "alipay.data.dataservice.bill.downloadurl.query"
SEND = "alipay.open.app.mini.templatemessage.send"


@pytest.fixture
def buyer(outside: Outside) -> str:
    return str(outside.ask("/control/alipay/login", {"phone": "13900000002"})["open_id"])


def create(outside: Outside, alipay: Alipay, buyer: str, **more: Any) -> dict[str, Any]:
    biz = {"out_trade_no": "trade-1", "total_amount": "10.00", "subject": "工本费", "buyer_open_id": buyer}
    biz |= {"product_code": "JSAPI_PAY", "op_app_id": outside.env["ALIPAY_APPID"]} | more
    return alipay.call("alipay.trade.create", biz, notify_url=outside.product.base_url + NOTICES)


def approve(outside: Outside, trade_no: str, decision: str = "approve") -> Any:
    return outside.ask("/control/alipay/pay", {"trade_no": trade_no, "decision": decision})


def query(alipay: Alipay, number: str = "trade-1") -> dict[str, Any]:
    return alipay.call("alipay.trade.query", {"out_trade_no": number})


def give_back(alipay: Alipay, amount: str, number: str = "back-1") -> dict[str, Any]:
    biz = {"out_trade_no": "trade-1", "refund_amount": amount, "out_request_no": number}
    return alipay.call("alipay.trade.refund", biz)


def test_an_authorisation_code_serves_once(outside: Outside, alipay: Alipay) -> None:
    login = outside.ask("/control/alipay/login", {"name": "测试乙"})
    said = [
        alipay.call("alipay.system.oauth.token", grant_type="authorization_code", code=login["auth_code"])
        for _ in "12"
    ]
    assert said[0]["open_id"] == login["open_id"]
    assert said[1]["sub_code"] == "isv.code-invalid"


def test_the_phone_number_comes_sealed(outside: Outside) -> None:
    login = outside.ask("/control/alipay/login", {"name": "测试乙"})
    sealed = login["encrypted_phone"]
    rsa_check(outside.env["ALIPAY_PUBLIC_KEY_FILE"], f'"{sealed["response"]}"'.encode(), sealed["sign"])
    key = base64.b64decode(outside.env["ALIPAY_AES_KEY"])
    opener = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    plain = opener.update(base64.b64decode(sealed["response"])) + opener.finalize()
    assert json.loads(plain[: -plain[-1]])["mobile"] == "13900000002"


def test_a_payment_is_told_by_a_signed_form(outside: Outside, alipay: Alipay, buyer: str) -> None:
    trade = create(outside, alipay, buyer)
    assert approve(outside, trade["trade_no"])["result_code"] == "9000"
    (letter,) = outside.product.wait(1, NOTICES)
    alipay.check_notice(letter.form)
    told = letter.form
    assert (told["trade_status"], told["total_amount"]) == ("TRADE_SUCCESS", "10.00")
    assert (told["app_id"], told["seller_id"]) == (
        outside.env["ALIPAY_APPID"],
        outside.env["ALIPAY_SELLER_ID"],
    )
    assert query(alipay)["trade_status"] == "TRADE_SUCCESS"


def test_refusing_leaves_the_trade_open(outside: Outside, alipay: Alipay, buyer: str) -> None:
    trade = create(outside, alipay, buyer)
    assert approve(outside, trade["trade_no"], "refuse")["result_code"] == "6001"
    assert query(alipay)["trade_status"] == "WAIT_BUYER_PAY"


def test_common_parameters_may_ride_in_the_query(alipay: Alipay) -> None:
    said = alipay.call("alipay.trade.query", {"out_trade_no": "none"}, in_query=True)
    assert (said["code"], said["sub_code"]) == ("40004", "ACQ.TRADE_NOT_EXIST")


def test_creating_again_finds_the_same_trade(outside: Outside, alipay: Alipay, buyer: str) -> None:
    first, second = (create(outside, alipay, buyer)["trade_no"] for _ in "12")
    assert first == second
    assert create(outside, alipay, buyer, total_amount="11.00")["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    approve(outside, first)
    assert create(outside, alipay, buyer)["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_amount": "1.001"},
        {"total_amount": "0.00"},
        {"subject": "a=b"},
        {"product_code": "OTHER"},
        {"out_trade_no": "中文"},
        {"timeout_express": "soon"},
    ],
)
def test_a_wrong_parameter_is_refused(
    outside: Outside, alipay: Alipay, buyer: str, wrong: dict[str, str]
) -> None:
    assert create(outside, alipay, buyer, **wrong)["sub_code"] == "ACQ.INVALID_PARAMETER"


def test_a_badly_signed_call_is_refused(outside: Outside, alipay: Alipay, buyer: str) -> None:
    alipay.spoil = "!"
    said = create(outside, alipay, buyer)
    assert (said["code"], said["sub_code"]) == ("40002", "isv.invalid-signature")


def test_a_clock_in_another_zone_is_found_out(alipay: Alipay) -> None:
    alipay.age = 8 * 3600
    assert query(alipay)["sub_code"] == "isv.invalid-timestamp"


def test_an_unknown_method_is_refused(alipay: Alipay) -> None:
    assert alipay.call("alipay.trade.dance", {})["sub_code"] == "isv.invalid-method"


def test_closing_ends_an_unpaid_trade(outside: Outside, alipay: Alipay, buyer: str) -> None:
    trade = create(outside, alipay, buyer)
    assert alipay.call("alipay.trade.close", {"out_trade_no": "trade-1"})["trade_no"] == trade["trade_no"]
    again = alipay.call("alipay.trade.close", {"out_trade_no": "trade-1"})
    assert again["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    outside.ask("/control/alipay/pay", {"trade_no": trade["trade_no"], "decision": "approve"}, 409)


def test_a_trade_past_its_term_is_closed(outside: Outside, alipay: Alipay, buyer: str) -> None:
    create(outside, alipay, buyer, timeout_express="30m")
    outside.move_clock(timedelta(minutes=31))
    assert query(alipay)["trade_status"] == "TRADE_CLOSED"


def test_a_refund_happens_once_per_request_number(outside: Outside, alipay: Alipay, buyer: str) -> None:
    approve(outside, create(outside, alipay, buyer)["trade_no"])
    first, second = give_back(alipay, "4.00"), give_back(alipay, "4.00")
    assert (first["fund_change"], second["fund_change"]) == ("Y", "N")
    assert first["refund_fee"] == second["refund_fee"] == "4.00"
    assert give_back(alipay, "5.00")["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert give_back(alipay, "6.01", "back-2")["sub_code"] == "ACQ.REASON_TRADE_REFUND_FEE_ERR"
    assert give_back(alipay, "6.00", "back-3")["refund_fee"] == "10.00"
    assert query(alipay)["trade_status"] == "TRADE_CLOSED"


def test_refunds_are_told_and_can_be_asked(outside: Outside, alipay: Alipay, buyer: str) -> None:
    approve(outside, create(outside, alipay, buyer)["trade_no"])
    give_back(alipay, "4.00")
    told = outside.product.wait(2, NOTICES)[1].form
    assert (told["refund_fee"], told["out_biz_no"]) == ("4.00", "back-1")
    method = "alipay.trade.fastpay.refund.query"
    known = alipay.call(method, {"out_trade_no": "trade-1", "out_request_no": "back-1"})
    assert known["refund_status"] == "REFUND_SUCCESS"
    unknown = alipay.call(method, {"out_trade_no": "trade-1", "out_request_no": "back-9"})
    assert (unknown["code"], "refund_status" in unknown) == ("10000", False)


@pytest.mark.parametrize("kind", ["trade", "signcustomer"])
def test_yesterdays_bill_is_a_zip_of_gbk(outside: Outside, alipay: Alipay, buyer: str, kind: str) -> None:
    day = outside.ask("/phone/state")["clock"][:10]
    approve(outside, create(outside, alipay, buyer)["trade_no"])
    give_back(alipay, "4.00")
    outside.move_clock(timedelta(days=2))
    address = alipay.call(BILL, {"bill_type": kind, "bill_date": day})["bill_download_url"]
    packed = zipfile.ZipFile(io.BytesIO(requests.get(address, timeout=5).content))
    lines = packed.read(packed.namelist()[0]).decode("gbk").splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    assert len(rows) == 3
    assert "trade-1\t" in rows[1]
    assert "-4.00\t" in rows[2]
    missing = alipay.call(BILL, {"bill_type": kind, "bill_date": "2020-01-01"})
    assert missing["sub_code"] == "isp.bill_not_exist"


def test_a_template_message_needs_consent(outside: Outside, alipay: Alipay, buyer: str) -> None:
    biz = {"to_open_id": buyer, "user_template_id": "ali-correction", "page": "pages/case", "data": "{}"}
    biz["data"] = json.dumps({"keyword1": {"value": "不动产登记"}}, ensure_ascii=False)
    assert alipay.call(SEND, biz)["sub_code"] == "USER_NOT_SUBSCRIBE"
    outside.ask("/control/alipay/accept", {"open_id": buyer, "template_ids": ["ali-correction"]})
    assert alipay.call(SEND, biz)["code"] == "10000"
    (card,) = outside.ask(f"/control/alipay/inbox?open_id={buyer}")["messages"]
    assert card["fields"][0]["value"] == "不动产登记"


def test_a_browser_payment_is_sent_to_the_cashier(outside: Outside, alipay: Alipay) -> None:
    biz = {
        "out_trade_no": "trade-w",
        "total_amount": "1.00",
        "subject": "罚款",
        "product_code": "QUICK_WAP_WAY",
        "quit_url": outside.product.base_url + "/",
    }
    params = alipay.params("alipay.trade.wap.pay", biz, return_url=outside.product.base_url + "/back")
    answer = requests.post(outside.env["ALIPAY_GATEWAY_URL"], data=params, allow_redirects=False, timeout=5)
    page = requests.get(answer.headers["Location"], timeout=5)
    assert answer.status_code == 302
    assert "¥ 1.00" in page.text
    assert outside.product.base_url + "/back" in page.text
