"""Refunds that are stuck at the channel: still promised, asked about each hour, seen by staff, never sent anew."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from payments import tasks
from tests.payments.makers import hear, returned, verdict_of
from tests.payments.street import until
from tests.payments.test_held_money import REACH
from tests.payments.test_refund_decisions import given
from tests.payments.test_refund_retries import retried
from tests.payments.test_refunds_after_all import comes_back, left, movements, one


def stuck(payment, amount_fen=None) -> payments.RefundView:
    refund = given(payment, amount_fen)
    hear(returned(payment, refund, trigger="refund_stuck"))
    return refund


def test_a_stuck_refund_is_still_promised(desk):
    payment = desk.paid()
    refund = stuck(payment)
    assert (one(refund).state, left(payment), movements(refund)) == ("stuck", ("refunding", 0), ["promised"])
    with pytest.raises(payments.RefundDecided):
        retried(refund)
    with pytest.raises(payments.NotRefundable):
        given(payment)
    [seen] = run_unit(lambda u: payments.refunds_of(u, payment.id))
    assert (seen.says, seen.steps[-1].says) == ("退款异常", "退款异常，工作人员正在与支付渠道核实")


@pytest.mark.parametrize(("trigger", "state"), [("refund_succeeded", "refunded"), ("refund_failed", "paid")])
def test_a_stuck_refund_ends_as_the_channel_says(desk, trigger, state):
    payment = desk.paid()
    hear(returned(payment, stuck(payment), trigger=trigger))
    assert desk.look(payment).state == state


def test_a_stuck_refund_is_asked_about_every_hour(desk):
    refund = stuck(desk.paid())
    gap = one(refund).ask_next_at - clock.wire_now()
    assert timedelta(minutes=59) < gap <= timedelta(hours=1)
    due = text("UPDATE payments_refund SET ask_next_at = :at WHERE id = :id")
    run_unit(lambda u: u.session.execute(due, {"at": clock.wire_now(), "id": refund.id}))
    run_unit(tasks._claim_refunds)
    assert one(refund).ask_next_at - clock.wire_now() > timedelta(minutes=59)


def test_staff_see_what_is_stuck(desk):
    def waiting() -> int:
        return run_unit(lambda u: payments.money_pending(u, REACH, is_office=False)).stuck.count

    before, refund = waiting(), stuck(desk.paid())
    assert waiting() == before + 1
    listed = run_unit(lambda u: payments.refunds_at_desk(u, ("stuck",), None))
    assert refund.id in [each.refund.id for each in listed]
    assert not any(refund.id in told for told in run_unit(payments.warnings))
    clock.advance(timedelta(days=2))
    assert any(refund.id in told for told in run_unit(payments.warnings))


def test_older_news_of_trouble_changes_nothing(desk):
    payment = desk.paid()
    refund = given(payment)
    comes_back(payment, refund)
    late = replace(returned(payment, refund), trigger="refund_stuck", amount_fen=None)
    hear(late)
    assert (verdict_of(late)[0], left(payment)) == ("duplicate", ("refunded", 8000))


@pytest.mark.parametrize(("outcome", "state", "payment_state"), [
    ("SUCCESS", "succeeded", "refunded"), ("CLOSED", "failed", "paid"),
])  # fmt: skip
def test_wechats_abnormal_refund_waits_for_its_end(street, outcome, state, payment_state):
    street.town.control("/preferences", {"wxpay_refund_seconds": None})
    try:
        order = street.begin("wechat_pay")
        street.pay(order)
        until(lambda: street.state(order.payment_id) == "paid")
        payment = run_unit(lambda u: payments.payment_of(u, order.payment_id))
        refund = given(payment)
        street.sweep_refunds()
        number = one(refund).number
        street.town.control("/wxpay/refunds", {"out_refund_no": number, "outcome": "ABNORMAL"})
        until(lambda: one(refund).state == "stuck")
        street.sweep_refunds()
        assert one(refund).state == "stuck"
        street.town.control("/wxpay/refunds", {"out_refund_no": number, "outcome": outcome})
        until(lambda: street.sweep_refunds() >= 0 and one(refund).state == state)
        assert street.state(order.payment_id) == payment_state
    finally:
        street.town.control("/preferences", {"wxpay_refund_seconds": 0.2})
