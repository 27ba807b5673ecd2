"""The payer's page asks the channel itself: soon at first, ever more rarely, and six times at most."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.runtime import outbound
from backend.store.unit import run_unit
from payments.channels import NAMES
from tests.payments.street import PROVIDER

pytestmark = pytest.mark.usefixtures("street")
PATIENCE = (3, 6, 12, 24, 48, 96)


@pytest.fixture(params=NAMES)
def channel(request) -> str:
    return request.param


def questions(street, channel) -> int:
    return street.town.books(PROVIDER[channel])["calls"].get("query", 0)


def asks(street, order) -> bool:
    """Whether the channel hears of it when the payer looks at the page."""
    before = questions(street, order.channel)
    payments.ask_about(order.payment_id)
    return questions(street, order.channel) == before + 1


def row(order) -> Any:
    asked = text("SELECT asked, asked_by_payer, ask_next_at FROM payments_payment WHERE id = :id")
    return run_unit(lambda u: u.session.execute(asked, {"id": order.payment_id}).one())


def channel_was_asked(order, seconds: float) -> None:
    """Let the last question be so long ago."""
    turned = text("UPDATE payments_payment SET asked_at = :at WHERE id = :id")
    values = {"id": order.payment_id, "at": clock.wire_now() - timedelta(seconds=seconds)}
    run_unit(lambda u: u.session.execute(turned, values))


def test_a_returning_payer_waits_longer_each_time(street, channel):
    order = street.begin(channel)
    for seconds in PATIENCE:
        channel_was_asked(order, seconds - 1)
        assert not asks(street, order), seconds
        channel_was_asked(order, seconds)
        assert asks(street, order), seconds


def test_a_late_return_is_still_answered(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    for _ in range(9):
        channel_was_asked(order, PATIENCE[-1])
        assert asks(street, order)
    street.pay(order)
    channel_was_asked(order, PATIENCE[-1])
    assert asks(street, order)
    assert street.state(order.payment_id) == "paid"


def test_a_channel_that_knows_more_is_asked_at_once(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    asks(street, order)
    street.pay(order)
    assert not asks(street, order)
    payments.ask_about(order.payment_id, at_once=True)
    assert street.state(order.payment_id) == "paid"


def test_the_first_return_asks_at_once(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    assert asks(street, order)
    assert street.state(order.payment_id) == "paid"


def test_the_sweep_finds_what_the_payer_may_not_ask_yet(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    assert asks(street, order)
    street.pay(order)
    assert not asks(street, order)
    street.sweep()
    assert street.state(order.payment_id) == "paid"


def test_a_payers_question_leaves_the_sweeps_ladder_alone(street, channel):
    order = street.begin(channel)
    street.sweep()
    before = row(order)
    channel_was_asked(order, 60)
    street.fault(channel, "query", "5xx")
    payments.ask_about(order.payment_id)
    outbound.reset_breakers()
    after = row(order)
    assert (after.asked, after.ask_next_at) == (before.asked, before.ask_next_at)
    assert after.asked_by_payer == 1


def test_a_page_opened_again_and_again_is_cheap(street):
    order = street.begin("wechat_pay")
    before = questions(street, "wechat_pay")
    for _ in range(40):
        payments.ask_about(order.payment_id)
    assert questions(street, "wechat_pay") == before + 1
