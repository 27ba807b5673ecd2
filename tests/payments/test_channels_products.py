"""Paying in a browser: the address, the cashier behind it, and the way back; app and browser never both at once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from payments.channels import NAMES, channel, port
from tests.contracts.test_payment_channels import PROVIDERS, Shop
from tests.payments.street import Street, until
from tests.payments.test_windows import approve, begin, citizen, finance, found, pushed, show
from tests.people.makers import Citizen, slug

__all__ = ["citizen", "finance"]
HOME = "http://127.0.0.1:9/app/done?case=1"


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(town: Any, name: str) -> Iterator[Shop]:
    yield Shop(town, channel(name))
    town.control("/faults", method="DELETE")


def in_browser(order: port.Order, **more: Any) -> port.Order:
    words = {"product": port.H5, "payer_account": "", "payer_ip": "203.0.113.7", "return_url": HOME}
    return replace(order, **(words | more))


def opened(shop: Shop) -> str:
    ticket = shop.line.prepare(in_browser(shop.order))
    assert isinstance(ticket, port.Ticket)
    (url,) = shop.line.client_parameters(ticket.reference, port.H5).values()
    return url


def decide(town: Any, url: str, decision: str = "approve") -> Any:
    return town.control("/h5/pay", {"url": url, "decision": decision})


def test_a_browser_can_pay_without_an_account(shop: Shop) -> None:
    decide(shop.town, opened(shop))
    found = shop.line.query(shop.order.number)
    assert isinstance(found, port.Paid)
    assert (found.amount_fen, found.ours) == (8050, True)


def test_the_cashier_leads_back_to_us(shop: Shop, town: Any) -> None:
    home = f"{town.base_url}/app/done?case=1"
    ticket = shop.line.prepare(in_browser(shop.order, return_url=home))
    assert isinstance(ticket, port.Ticket)
    page = requests.get(ticket.reference, timeout=5)
    assert (page.status_code, home in page.text, "确认支付" in page.text) == (200, True, True)


def test_a_refusing_payer_may_come_back(shop: Shop) -> None:
    url = opened(shop)
    decide(shop.town, url, "refuse")
    assert isinstance(shop.line.query(shop.order.number), port.Waiting)
    decide(shop.town, url)
    assert isinstance(shop.line.query(shop.order.number), port.Paid)


def test_an_address_made_again_pays_the_same_order(shop: Shop) -> None:
    first, second = opened(shop), opened(shop)
    decide(shop.town, first)
    with pytest.raises(AssertionError, match="409"):
        decide(shop.town, second)


def test_a_closed_browser_order_stays_shut(shop: Shop) -> None:
    decide(shop.town, opened(shop), "refuse")
    assert isinstance(shop.line.close(shop.order.number), port.Shut)
    assert isinstance(shop.line.query(shop.order.number), port.Shut)


@pytest.mark.parametrize("name", ["alipay"], indirect=True)
def test_alipay_is_not_asked_before_the_browser_comes(shop: Shop, town: Any) -> None:
    before = town.books("alipay")["calls"]
    url = opened(shop)
    assert town.books("alipay")["calls"] == before
    assert isinstance(shop.line.query(shop.order.number), port.Absent)
    told = dict(parse_qsl(urlsplit(url).query))
    assert (told["method"], told["sign_type"], told["return_url"]) == ("alipay.trade.wap.pay", "RSA2", HOME)


@pytest.mark.parametrize("name", ["alipay"], indirect=True)
def test_a_browser_cannot_change_what_it_pays(shop: Shop, town: Any) -> None:
    with pytest.raises(AssertionError, match="invalid-signature"):
        decide(town, opened(shop).replace("80.50", "00.50"))


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_wechat_wants_to_know_where_the_payer_sits(shop: Shop) -> None:
    assert isinstance(shop.line.prepare(in_browser(shop.order, payer_ip="")), port.Refusal)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
@pytest.mark.parametrize("kind", ["5xx", "5xx_after"])
def test_trouble_in_preparing_a_browser_order_is_unknown(shop: Shop, kind: str) -> None:
    shop.fault("prepare_h5", kind)
    assert isinstance(shop.line.prepare(in_browser(shop.order)), port.Unknown)


# --- through the house ------------------------------------------------------------------------------


def test_the_other_product_retires_the_live_payment(street: Street) -> None:
    app = street.begin("wechat_pay")
    browser = street.begin("wechat_pay", product="h5")
    assert (browser.product, set(browser.parameters)) == ("h5", {"url"})
    assert (app.payment_id != browser.payment_id, street.state(app.payment_id)) == (True, "closing")
    again = street.begin("wechat_pay")
    assert street.state(browser.payment_id) == "closing"
    assert again.product == "mini"


def test_a_browser_asked_twice_gets_one_payment(street: Street, name: str) -> None:
    first, second = street.begin(name, product="h5"), street.begin(name, product="h5")
    assert first.payment_id == second.payment_id
    street.town.control("/h5/pay", {"url": second.parameters["url"], "decision": "approve"})
    until(lambda: street.state(first.payment_id) == "paid")


def test_a_browser_payment_never_begun_is_closed_in_time(street: Street, name: str) -> None:
    order = street.begin(name, product="h5")
    clock.move_to(order.expires_at + timedelta(seconds=1))
    street.sweep()
    assert street.state(order.payment_id) == "closed"


def test_a_fine_is_paid_in_a_browser(town: Any, citizen: Citizen, finance: Any, name: str) -> None:
    bill = found(citizen, pushed(town, finance))
    wish = {"channel": name, "product": "h5", "return_to": "/app/bills?paid=1"}
    order = citizen.ask("POST", f"/bills/{bill['id']}/payments", wish).json()
    decide(town, order["parameters"]["url"])
    until(lambda: show(citizen, order)["payment"]["state"] == "paid")
    assert (
        f"{town.base_url}/app/bills?paid=1".encode()
        in requests.get(order["parameters"]["url"], timeout=5).content.replace(b"&amp;", b"&")
        or PROVIDERS[name] == "alipay"
    )


@pytest.mark.parametrize(
    "more",
    [{"return_to": "//evil.example"}, {"return_to": "https://evil.example"}, {"return_to": "/\\evil"},
     {"return_to": "app"}, {"return_to": "/" + "a" * 200}, {"product": "app"}, {"product": 1}],
)  # fmt: skip
def test_a_wish_that_leads_astray_is_refused(
    town: Any, citizen: Citizen, finance: Any, more: dict[str, Any]
) -> None:
    bill = found(citizen, pushed(town, finance))
    answer = citizen.ask("POST", f"/bills/{bill['id']}/payments", {"channel": "wechat_pay"} | more)
    assert (answer.status_code, slug(answer)) == (422, "invalid-input")


def test_app_then_browser_pays_the_bill_once(town: Any, citizen: Citizen, finance: Any) -> None:
    bill = found(citizen, pushed(town, finance))
    app = begin(citizen, bill).json()
    browser = citizen.ask(
        "POST", f"/bills/{bill['id']}/payments", {"channel": "wechat_pay", "product": "h5"}
    ).json()
    approve(town, citizen, app)
    until(lambda: show(citizen, app)["payment"]["state"] == "paid")
    decide(town, browser["parameters"]["url"])
    until(lambda: show(citizen, browser)["payment"]["state"] in ("refunding", "refunded", "refunded_whole"))
    assert (
        run_unit(lambda u: payments.paid_for(u, payments.subject_of_bill(bill["id"]))).id == app["payment_id"]
    )
