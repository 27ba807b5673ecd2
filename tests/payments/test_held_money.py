"""Held money needs four eyes too, and money nobody wants that cannot go back is shown until somebody sees to it."""

from datetime import timedelta

import pytest

import payments
from backend import people
from backend.contracts import FeeNotWanted
from backend.kernel import clock
from backend.store.unit import run_unit
from payments.reactions import on_fee_not_wanted
from tests.payments.makers import CLERK, events_of, hear, returned, succeeded
from tests.payments.test_refund_decisions import COLLEAGUE, LARGE, approved, refused
from tests.payments.test_refund_retries import retried, to_retry
from tests.payments.test_treasury import failed as failed_at_treasury
from tests.payments.test_treasury import settled

REACH = (people.Scope("finance", "BZ-TEST", None),)


def held(desk, came=LARGE, asked=8000) -> payments.PaymentView:
    """Another sum came than was asked for."""
    payment = desk.awaiting(amount_fen=asked)
    hear(succeeded(payment, amount_fen=came))
    return payment


def given_back(payment, by=CLERK) -> payments.RefundView:
    return run_unit(lambda u: payments.give_back(u, payment.id, "金额不符", by))


def unwanted(desk, payment) -> payments.RefundView:
    """Its matter gives it up: it goes back by itself."""
    run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(desk.matter, desk.person_id, payment.id)))
    [refund] = run_unit(lambda u: payments.refunds_of(u, payment.id))
    return refund


def fails(payment, refund) -> None:
    """Whoever was to give it back cannot."""
    if refund.way == "treasury":
        failed_at_treasury(refund)
    else:
        hear(returned(payment, refund, trigger="refund_failed"))


def told_of(payment, look) -> list[str]:
    return [one for one in run_unit(look) if payment.id in one]


def test_much_held_money_needs_a_second_person(desk):
    payment = held(desk)
    before = run_unit(payments.balances)
    refund = given_back(payment)
    assert (refund.state, desk.look(payment).state) == ("second", "disputed")
    assert run_unit(payments.balances) == before
    assert told_of(payment, payments.check_books) == []
    with pytest.raises(payments.AnotherMustConfirm):
        approved(refund)
    assert approved(refund, COLLEAGUE).state == "requested"
    assert desk.look(payment).state == "refunding"
    seen = run_unit(lambda u: payments.refund_at_desk(u, refund.id))
    assert (seen.approved_by, seen.confirmed_by) == (CLERK.id, COLLEAGUE.id)
    assert len(events_of(desk.matter, "RefundApproved")) == 1
    hear(returned(payment, refund))
    assert (desk.look(payment).state, desk.look(payment).refunded_fen) == ("refunded", LARGE)


def test_little_held_money_needs_one_person(desk):
    payment = held(desk, came=LARGE - 1)
    assert (given_back(payment).state, desk.look(payment).state) == ("requested", "refunding")


def test_held_money_is_asked_for_once(desk):
    payment = held(desk)
    given_back(payment)
    with pytest.raises(payments.NotRefundable):
        given_back(payment, COLLEAGUE)
    assert len(run_unit(lambda u: payments.refunds_of(u, payment.id))) == 1


def test_the_second_person_may_keep_it_held(desk):
    payment = held(desk)
    assert refused(given_back(payment), COLLEAGUE).state == "refused"
    assert desk.look(payment).state == "disputed"
    assert given_back(payment, COLLEAGUE).state == "second"


def test_a_correction_withdraws_the_question(desk):
    payment = held(desk)
    refund = given_back(payment)
    hear(succeeded(payment))
    assert (desk.look(payment).state, desk.look(payment).settles) == ("paid", True)
    [now] = run_unit(lambda u: payments.refunds_of(u, payment.id))
    assert now.state == "withdrawn"
    with pytest.raises(payments.RefundDecided):
        approved(refund, COLLEAGUE)
    assert told_of(payment, payments.check_books) == []


def test_a_correction_to_surplus_goes_back_once(desk):
    payment = held(desk)
    given_back(payment)
    desk.paid("alipay")
    hear(succeeded(payment))
    states = [(one.state, one.amount_fen) for one in run_unit(lambda u: payments.refunds_of(u, payment.id))]
    assert states == [("withdrawn", LARGE), ("requested", 8000)]


def test_a_large_held_retry_needs_a_second_person(desk):
    payment = held(desk)
    first = approved(given_back(payment), COLLEAGUE)
    fails(payment, first)
    assert desk.look(payment).state == "disputed"
    again = retried(first)
    assert (again.state, desk.look(payment).state) == ("second", "disputed")
    assert approved(again, COLLEAGUE).state == "requested"


@pytest.mark.parametrize("way", ["channel", "treasury"])
def test_unwanted_money_that_stays_waits_for_staff(desk, way):
    payment = settled(desk.paid()) if way == "treasury" else desk.paid()
    waiting = run_unit(lambda u: payments.money_pending(u, REACH, is_office=False)).failed.count
    refund = unwanted(desk, payment)
    assert refund.way == way
    fails(payment, refund)
    assert (desk.look(payment).state, to_retry(desk)) == ("paid", [refund.id])
    assert run_unit(lambda u: payments.money_pending(u, REACH, is_office=False)).failed.count == waiting + 1
    assert told_of(payment, payments.check_books) == []
    assert retried(refund).way == way
    assert to_retry(desk) == []


def test_the_check_warns_of_unwanted_money_that_stays(desk):
    payment = desk.paid()
    clock.advance(timedelta(days=3))
    refund = unwanted(desk, payment)
    fails(payment, refund)
    assert told_of(payment, payments.warnings) == []
    clock.advance(timedelta(hours=25))
    [warning] = told_of(payment, payments.warnings)
    assert "no longer wanted, but could not go back" in warning
    retried(refund)
    assert told_of(payment, payments.warnings) == []


def test_unwanted_money_under_decision_is_no_fault(desk):
    payment = desk.paid(amount_fen=LARGE)
    refund = unwanted(desk, payment)
    fails(payment, refund)
    assert retried(refund).state == "second"
    assert told_of(payment, payments.check_books) == []
