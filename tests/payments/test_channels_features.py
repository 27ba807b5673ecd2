"""The matrix of channels, verbs and products says what the code does: it is compared with the calls that are made."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.kernel import clock
from backend.runtime import outbound
from payments.channels import NAMES, channel, features, port
from tests.contracts.test_payment_channels import Shop, ended
from tests.payments.test_channels_bills import fetched
from tests.payments.test_channels_products import decide, in_browser

VERBS = [name for name, value in vars(port.Channel).items() if callable(value) and not name.startswith("_")]
NUMBERED = re.compile("(out-trade-no|refunds)/[^/]+")
NOT_CALLED = {"client_parameters", "read_notice", "acknowledge"}


def spy(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the providers from now on, as the matrix writes it."""
    heard: list[str] = []
    real = outbound.Telephone.request

    def request(self: Any, method: str, path: str, **more: Any) -> Any:
        data = more.get("data")
        if isinstance(data, dict):
            heard.append(data["method"])
        else:
            place = NUMBERED.sub(r"\1/{no}", path.partition("?")[0])
            heard.append(f"{method} {place}")
        return real(self, method, path, **more)

    monkeypatch.setattr(outbound.Telephone, "request", request)
    return heard


def test_the_matrix_has_every_channel_verb_and_product() -> None:
    assert tuple(features.CALLS) == NAMES
    assert tuple(features.PRODUCTS_SAY) == port.PRODUCTS
    for verbs in features.CALLS.values():
        assert sorted(verbs) == sorted(VERBS)
        assert {tuple(words) for words in verbs.values()} == {port.PRODUCTS}


@pytest.mark.parametrize("product", port.PRODUCTS)
@pytest.mark.parametrize("name", NAMES)
def test_each_verb_makes_the_call_it_names(
    town: Any, name: str, product: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(town, channel(name))
    if product == port.H5:
        shop.order = in_browser(shop.order)
    unpaid, refund, day = Shop(town, shop.line), shop.refund_order(), clock.today()
    unpaid.prepared()
    heard, calls = spy(monkeypatch), features.CALLS[name]
    steps: dict[str, Callable[[], Any]] = {
        "prepare": shop.prepared,
        "query": lambda: shop.line.query(shop.order.number),
        "close": lambda: unpaid.line.close(unpaid.order.number),
        "refund": lambda: shop.line.refund(refund),
        "query_refund": lambda: ended(shop.line, refund),
        "fetch_bill": lambda: fetched(name, day),
    }
    assert set(steps) == set(VERBS) - NOT_CALLED
    for verb, step in steps.items():
        if verb == "query":
            pay(shop, product)
        if verb == "fetch_bill":
            clock.move_to(clock.at_local(day + timedelta(days=1), 12))
        heard.clear()
        step()
        for called in set(heard):
            assert calls[verb][product].startswith(called), (verb, heard)
        assert heard or "nobody is called" in calls[verb][product]


def pay(shop: Shop, product: str) -> None:
    if product == port.H5:
        decide(shop.town, shop.line.client_parameters(shop.prepared(), product)["url"])
    else:
        shop.paid()
