import pytest
import requests

from tests.simulators.conftest import Outside
from tests.simulators.signers import BROWSER, Alipay, WxPay, kdniao, sms
from tests.simulators.test_alipay import create
from tests.simulators.test_kdniao import ORDERS, wish
from tests.simulators.test_wechat import Platform
from tests.simulators.test_wxpay import prepare, state

PHONE = "13900000001"


def look(outside: Outside, phone: str = PHONE) -> dict[str, list[dict[str, object]]]:
    shown: dict[str, list[dict[str, object]]] = outside.ask(f"/phone/state?phone={phone}")
    return shown


def test_the_page_needs_nothing_from_outside(outside: Outside) -> None:
    page = requests.get(outside.base_url + "/phone", timeout=5)
    assert "http" not in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("phone.js", "phone.css", "cashier.js"):
        assert requests.get(f"{outside.base_url}/phone/static/{name}", timeout=5).ok


def test_messages_of_all_kinds_lie_together(outside: Outside) -> None:
    openid = outside.ask("/control/wechat/login", {"phone": PHONE})["openid"]
    outside.ask("/control/wechat/accept", {"openid": openid, "template_ids": ["tmpl-correction"]})
    sms(outside.env, PHONE, "SMS_1001", {"code": "123456"})
    Platform(outside).send(openid)
    assert [message["kind"] for message in look(outside)["messages"]] == ["wechat", "sms"]
    assert look(outside, "13900000009")["messages"] == []


def test_payments_wait_for_their_payer_only(outside: Outside, wxpay: WxPay, alipay: Alipay) -> None:
    openid = outside.ask("/control/wechat/login", {"phone": PHONE})["openid"]
    buyer = outside.ask("/control/alipay/login", {"phone": PHONE})["open_id"]
    prepare(outside, wxpay, openid)
    create(outside, alipay, buyer)
    shown = look(outside)["payments"]
    assert [(each["provider"], each["amount"]) for each in shown] == [("wxpay", "80.00"), ("alipay", "10.00")]
    assert look(outside, "13900000002")["payments"] == []


@pytest.mark.parametrize(("decision", "after"), [("approve", "SUCCESS"), ("refuse", "NOTPAY")])
def test_a_button_answers_the_cashier(outside: Outside, wxpay: WxPay, decision: str, after: str) -> None:
    openid = outside.ask("/control/wechat/login", {"phone": PHONE})["openid"]
    number = prepare(outside, wxpay, openid)
    outside.ask("/phone/decide", {"provider": "wxpay", "number": number, "decision": decision})
    assert state(outside, wxpay)["trade_state"] == after


def test_a_courier_can_be_played_to_the_end(outside: Outside) -> None:
    kdniao(outside.env, ORDERS, "1801", wish())
    steps: list[str] = []
    while (parcel := look(outside)["parcels"][0])["next"]:
        following = parcel["next"]
        assert isinstance(following, list)
        steps.append(following[0])
        outside.ask("/phone/step", {"order_code": "par-1", "to": following[0]})
    assert steps[0] == "accepted"
    assert steps[-1] == "signed"
    assert len(look(outside, "13900000002")["parcels"]) == 1


def test_a_cashier_goes_back_to_the_product_only(outside: Outside, wxpay: WxPay) -> None:
    order = wxpay.order("", "order-h5", scene_info=BROWSER)
    address = wxpay.call("POST", "/v3/pay/transactions/h5", order).json()["h5_url"]
    home, away = outside.product.base_url + "/app", "http://elsewhere.invalid/app"
    pages = [requests.get(address, params={"redirect_url": url}, timeout=5).text for url in (home, away)]
    assert home in pages[0]
    assert away not in pages[1]


def test_a_name_with_markup_stays_text(outside: Outside, wxpay: WxPay) -> None:
    order = wxpay.order("", "order-h5", scene_info=BROWSER) | {"description": "<script>alert(1)</script>"}
    address = wxpay.call("POST", "/v3/pay/transactions/h5", order).json()["h5_url"]
    assert "<script>alert" not in requests.get(address, timeout=5).text
