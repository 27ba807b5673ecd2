"""Refunds that failed are tried again, and questions of the payer's own are taken back."""

import pytest

import payments
from backend.store.unit import Actor, run_unit
from tests.payments.makers import CLERK, events_of, hear, returned, succeeded
from tests.payments.test_refund_decisions import COLLEAGUE, LARGE, approved, asked, given, refused
from tests.payments.test_treasury import failed as failed_at_treasury
from tests.payments.test_treasury import settled, submitted


def failed(desk, payment, amount_fen=None) -> payments.RefundView:
    refund = given(payment, amount_fen)
    if refund.state == "second":
        refund = approved(refund, COLLEAGUE)
    hear(returned(payment, refund, trigger="refund_failed"))
    return refund


def retried(refund, by=CLERK) -> payments.RefundView:
    return run_unit(lambda u: payments.retry_refund(u, refund.id, by))


def to_retry(desk) -> list[str]:
    every = run_unit(lambda u: payments.refunds_at_desk(u, ("failed",), None, only_retryable=True))
    return [one.refund.id for one in every if one.subject == desk.subject]


def taken_back(desk, refund, person_id=None) -> payments.RefundView:
    person = person_id or desk.person_id
    return run_unit(
        lambda u: payments.withdraw_refund(u, refund.payment_id, refund.id, person, Actor("citizen", person))
    )


def test_a_failed_refund_is_tried_again(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    assert to_retry(desk) == [first.id]
    second = retried(first)
    assert (second.amount_fen, second.state, second.reason) == (3000, "requested", first.reason)
    assert to_retry(desk) == []
    begun = [line for line in run_unit(lambda u: u.journal_of(desk.matter)) if line.subject == second.id]
    assert begun[0].facts["retry_of"] == first.id
    hear(returned(payment, second))
    assert desk.look(payment).refunded_fen == 3000


def test_a_refund_is_tried_again_once_at_a_time(desk):
    payment = desk.paid()
    first = failed(desk, payment, 1000)
    second = retried(first)
    with pytest.raises(payments.RefundDecided):
        retried(first)
    hear(returned(payment, second, trigger="refund_failed"))
    with pytest.raises(payments.RefundDecided):
        retried(first)
    assert to_retry(desk) == [second.id]
    assert retried(second).state == "requested"


def test_a_large_retry_needs_a_second_person(desk):
    payment = desk.paid(amount_fen=LARGE)
    again = retried(failed(desk, payment))
    assert again.state == "second"
    with pytest.raises(payments.AnotherMustConfirm):
        approved(again)
    assert approved(again, COLLEAGUE).state == "requested"


def test_a_refused_retry_may_be_tried_again(desk):
    payment = desk.paid(amount_fen=LARGE)
    first = failed(desk, payment)
    refused(retried(first), COLLEAGUE)
    assert to_retry(desk) == [first.id]
    assert retried(first).state == "second"


def test_only_what_failed_is_tried_again(desk):
    refund = given(desk.paid())
    with pytest.raises(payments.RefundDecided):
        retried(refund)


def test_money_that_left_another_way_is_not_tried_again(desk):
    payment = desk.paid()
    first = failed(desk, payment)
    hear(returned(payment, given(payment)))
    assert to_retry(desk) == []
    with pytest.raises(payments.NotRefundable):
        retried(first)


def test_what_the_treasury_could_not_pay_is_tried_again(desk):
    payment = settled(desk.paid())
    again = retried(failed_at_treasury(submitted(given(payment))))
    assert (again.state, again.way) == ("listed", "treasury")


def test_a_surplus_that_could_not_go_back_is_tried_again(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    [owed] = run_unit(lambda u: payments.refunds_of(u, second.id))
    hear(returned(second, owed, trigger="refund_failed"))
    assert to_retry(desk) == [owed.id]
    again = retried(owed)
    assert (again.amount_fen, again.state, desk.look(second).state) == (8000, "requested", "refunding")
    assert to_retry(desk) == []


def test_an_unanswered_question_is_taken_back(desk):
    payment = desk.paid()
    refund = taken_back(desk, asked(desk, payment))
    assert (refund.state, refund.says, desk.look(payment).state) == ("withdrawn", "已撤回", "paid")
    assert asked(desk, payment).amount_fen == 8000


def test_a_question_between_two_people_is_taken_back(desk):
    payment = desk.paid(amount_fen=LARGE)
    assert taken_back(desk, approved(asked(desk, payment))).state == "withdrawn"


def test_a_decided_question_is_not_taken_back(desk):
    payment = desk.paid()
    refund = approved(asked(desk, payment))
    with pytest.raises(payments.RefundDecided):
        taken_back(desk, refund)


def test_a_question_taken_back_is_not_decided(desk):
    refund = taken_back(desk, asked(desk, desk.paid()))
    for decide in (approved, refused):
        with pytest.raises(payments.RefundDecided):
            decide(refund)


def test_nobody_takes_back_what_others_asked(desk):
    payment = desk.paid(amount_fen=LARGE)
    mine = asked(desk, payment, 1000)
    with pytest.raises(payments.PaymentNotFound):
        taken_back(desk, mine, "ps-other")
    with pytest.raises(payments.PaymentNotFound):
        taken_back(desk, given(payment))


def test_handing_in_at_the_treasury_is_told(desk):
    refund = submitted(given(settled(desk.paid())))
    [told] = events_of(desk.matter, "RefundSubmitted")
    assert (told["refund_id"], told["amount_fen"]) == (refund.id, 8000)


def test_messages_know_which_way_money_went(desk):
    payment = desk.paid()
    over_channel, over_treasury = given(payment, 1000), given(settled(payment))
    ways = [
        run_unit(lambda u, r=one: payments.facts_for(u, r.id))["way"] for one in (over_channel, over_treasury)
    ]
    assert ways == ["channel", "treasury"]
