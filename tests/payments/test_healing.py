"""Silence is asked about: on a ladder, at most six times, before the end, and again where no answer came."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.runtime import outbound
from backend.store.unit import run_unit
from payments import tasks
from payments.channels import NAMES
from tests.payments.makers import closed, events_of, expire, hear, succeeded
from tests.payments.street import PROVIDER, until

pytestmark = pytest.mark.usefixtures("street")


@pytest.fixture(params=NAMES)
def channel(request) -> str:
    return request.param


def view(payment_id: str) -> payments.PaymentView:
    return run_unit(lambda u: payments.payment_of(u, payment_id))


def row(payment_id: str) -> Any:
    asked = text("SELECT asked, ask_next_at, asked_at FROM payments_payment WHERE id = :id")
    return run_unit(lambda u: u.session.execute(asked, {"id": payment_id}).one())


def gap(payment_id: str) -> float:
    """Seconds from the last question to the next."""
    one = row(payment_id)
    return (one.ask_next_at - one.asked_at).total_seconds()


def time_goes_on(street) -> int:
    """The next rung is reached, if it is one of minutes."""
    soon = clock.wire_now() + timedelta(minutes=10)
    turned = text(
        "UPDATE payments_payment SET ask_next_at = CASE WHEN matter = :mine AND ask_next_at < :soon"
        " THEN CAST(:now AS timestamptz) ELSE CAST(:later AS timestamptz) END"
    )
    values = {
        "mine": street.desk.matter,
        "soon": soon,
        "now": clock.wire_now(),
        "later": soon + timedelta(hours=9),
    }
    run_unit(lambda u: u.session.execute(turned, values))
    return tasks.sweep()


def an_empty_street() -> None:
    """What other tests left open waits until they are all over, so that every question counted is ours."""
    parked = text(
        "UPDATE payments_payment SET expires_at = :later, ask_next_at = :later"
        " WHERE state IN ('created', 'awaiting', 'closing', 'disputed')"
    )
    later = max(clock.now(), clock.wire_now()) + timedelta(days=1_000)
    run_unit(lambda u: u.session.execute(parked, {"later": later}))


def questions(street, channel) -> int:
    return street.town.books(PROVIDER[channel])["calls"].get("query", 0)


def test_the_ladder_climbs_from_seconds_to_minutes(street, channel):
    order = street.begin(channel)
    first = (row(order.payment_id).ask_next_at - clock.wire_now()).total_seconds()
    gaps = []
    for _ in range(5):
        street.sweep()
        gaps.append(gap(order.payment_id))
    assert (3 < first <= 5, gaps) == (True, [10, 30, 60, 180, 86_400])


def test_a_payment_is_asked_about_six_times_in_its_life(street, channel):
    an_empty_street()
    before, order = questions(street, channel), street.begin(channel)
    for _ in range(12):
        time_goes_on(street)
    assert (questions(street, channel) - before, street.state(order.payment_id)) == (5, "awaiting")
    expire(view(order.payment_id))
    time_goes_on(street)
    assert (questions(street, channel) - before, street.state(order.payment_id)) == (6, "closed")
    time_goes_on(street)
    assert questions(street, channel) - before == 6


def test_a_payment_without_a_ticket_is_asked_about_once(street, channel):
    an_empty_street()
    before, payment = questions(street, channel), street.desk.open(channel)
    for _ in range(4):
        time_goes_on(street)
    assert questions(street, channel) - before == 1
    expire(payment)
    street.sweep()
    assert street.state(payment.id) == "closed"


def test_a_new_ticket_begins_the_ladder_again(street, channel):
    payment = street.desk.open(channel)
    street.sweep()
    assert gap(payment.id) == 86_400
    run_unit(lambda u: payments.attach_ticket(u, payment.id, "a-ticket"))
    assert (row(payment.id).ask_next_at - clock.wire_now()).total_seconds() <= 5
    expire(payment)
    street.sweep()


def test_a_question_without_an_answer_does_not_count(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.fault(channel, "query", "5xx", times=6)
    for _ in range(6):
        street.sweep()
        outbound.reset_breakers()
    assert (row(order.payment_id).asked, gap(order.payment_id) <= 180) == (0, True)
    street.pay(order)
    street.sweep()
    assert street.state(order.payment_id) == "paid"


def test_nothing_is_closed_while_the_channel_is_silent(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    expire(view(order.payment_id))
    street.fault(channel, "query", "5xx", times=2)
    for _ in range(2):
        street.sweep()
        outbound.reset_breakers()
        assert street.state(order.payment_id) == "closing"
    street.sweep()
    assert street.state(order.payment_id) == "paid"


def test_a_strange_sum_is_asked_about_until_it_is_clear(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    hear(succeeded(view(order.payment_id), amount_fen=7000))
    assert street.state(order.payment_id) == "disputed"
    street.sweep()
    assert street.state(order.payment_id) == "paid"


def test_a_contested_payment_is_not_asked_about(street, channel):
    order = street.begin(channel)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    run_unit(lambda u: payments.contest(u, order.payment_id, "付款人否认", street.desk.payer))
    before = questions(street, channel)
    street.sweep()
    assert questions(street, channel) == before


def test_money_after_the_closing_is_honoured(street):
    order = street.begin("wechat_pay")
    hear(closed(view(order.payment_id)))
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    assert len(events_of(street.desk.matter, "PaymentSucceeded")) == 1
