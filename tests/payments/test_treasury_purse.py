"""Whose the money was when it was settled decides its way back; what was not sent by then is listed instead."""

from datetime import timedelta

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from payments import tasks
from payments.models import Payment
from payments.reconciliation import settlements
from payments.refunds import treasury
from tests.payments.makers import enter_payee, events_of, hear, succeeded
from tests.payments.statement_makers import Told, fresh_day, reconciled
from tests.payments.test_treasury import given, moved, paid_back, settled, submitted


def sweep_mine(desk) -> int:
    """Let this payer's refunds be due, and nobody else's."""
    at = clock.wire_now()
    turned = text("UPDATE payments_refund SET ask_next_at = CASE WHEN matter = :m THEN :due ELSE :later END")
    values = {"m": desk.matter, "due": at - timedelta(seconds=1), "later": at + timedelta(hours=1)}
    run_unit(lambda u: u.session.execute(turned, values))
    return tasks.sweep_refunds()


def paid_to(desk, payee) -> payments.PaymentView:
    payment = desk.open(payee=payee)
    hear(succeeded(payment))
    return payment


def purse(payee, whose) -> None:
    turned = text("UPDATE payments_payee SET purse = :whose WHERE department_id = :payee")
    run_unit(lambda u: u.session.execute(turned, {"whose": whose, "payee": payee}))


def told(desk, refund) -> payments.RefundView:
    [mine] = run_unit(lambda u: payments.refunds_of(u, refund.payment_id))
    return mine


def test_what_was_not_sent_before_the_settlement_is_listed(desk):
    before = run_unit(payments.balances)
    payment = desk.paid()
    refund = given(payment)
    assert (refund.state, refund.way) == ("requested", "channel")
    settled(payment)
    assert sweep_mine(desk) == 1
    now = told(desk, refund)
    assert (now.state, now.way, desk.look(payment).state) == ("listed", "treasury", "refunding")
    assert len(events_of(desk.matter, "RefundListed")) == 1
    assert moved(before, "refund:wechat_pay") == -8000
    assert [one for one in run_unit(payments.check_books) if refund.id in one] == []
    paid_back(submitted(refund))
    ends = ("payee:BZ-TEST", "refund:wechat_pay", "clearing:wechat_pay", "bank:BZ-TEST")
    assert [moved(before, account) for account in ends] == [0, 0, 0, 0]
    assert desk.look(payment).state == "refunded"


def test_what_the_channel_may_know_ends_there(desk):
    payment = desk.paid()
    refund = given(payment)
    asked = text("UPDATE payments_refund SET asked = 1 WHERE id = :id")
    run_unit(lambda u: u.session.execute(asked, {"id": refund.id}))
    settled(payment)
    assert run_unit(lambda u: treasury.list_unsent(u, refund.id)) is False
    assert told(desk, refund).state == "requested"


def test_nothing_settled_is_claimed_for_the_channel(desk):
    payment = desk.paid()
    refund = given(payment)
    settled(payment)
    due = text("UPDATE payments_refund SET ask_next_at = now() - interval '1 day' WHERE id = :id")
    run_unit(lambda u: u.session.execute(due, {"id": refund.id}))
    assert refund.id not in [one.id for one in run_unit(tasks._claim_refunds)]


@pytest.mark.parametrize(
    ("then", "later", "way"), [("treasury", "own", "treasury"), ("own", "treasury", "channel")]
)
def test_the_purse_on_the_day_of_settlement_decides(desk, then, later, way):
    payee = enter_payee()
    purse(payee, then)
    payment = paid_to(desk, payee)
    run_unit(lambda u: settlements.mark_one(u, payment.id))
    purse(payee, later)
    assert given(payment).way == way


def test_a_settled_day_keeps_the_purse(town, desk):
    payee = enter_payee()
    purse(payee, "own")
    payment = paid_to(desk, payee)
    reconciled(fresh_day(), [Told(payment.number, 8000)])
    assert run_unit(lambda u: u.get(Payment, payment.id).purse) == "own"


def test_a_payee_without_a_row_is_settled_into_the_treasury(desk):
    payment = desk.paid()
    run_unit(lambda u: settlements.mark_one(u, payment.id))
    assert run_unit(lambda u: u.get(Payment, payment.id).purse) == "treasury"
