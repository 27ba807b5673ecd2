"""Who decides about money that goes back: the payer asks, one person says yes, above the threshold a second one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import payments
from backend.contracts import FeeNotWanted
from backend.store.unit import Actor, run_unit
from payments.reactions import on_fee_not_wanted
from tests.payments.makers import CLERK, events_of, hear, returned

COLLEAGUE = Actor("staff", "st-colleague", "缴费窗口")
LARGE = 100_001


def asked(desk, payment, amount_fen=None) -> payments.RefundView:
    return run_unit(
        lambda u: payments.ask_for_refund(u, payment.id, desk.person_id, amount_fen, "重复办理", desk.payer)
    )


def given(payment, amount_fen=None) -> payments.RefundView:
    return run_unit(lambda u: payments.request_refund(u, payment.id, amount_fen, "多收费用", CLERK))


def approved(refund, by=CLERK) -> payments.RefundView:
    return run_unit(lambda u: payments.approve_refund(u, refund.id, by))


def refused(refund, by=CLERK) -> payments.RefundView:
    return run_unit(lambda u: payments.refuse_refund(u, refund.id, "材料已经受理", by))


def said(payment) -> list[str]:
    [one] = run_unit(lambda u: payments.refunds_of(u, payment.id))
    return [step.says for step in one.steps]


def test_a_payers_question_waits_for_a_decision(desk):
    payment = desk.paid()
    before = run_unit(payments.balances)
    refund = asked(desk, payment)
    assert (refund.state, refund.amount_fen, desk.look(payment).state) == ("asked", 8000, "paid")
    assert run_unit(payments.balances) == before
    [told] = events_of(desk.matter, "RefundAsked")
    assert told["refund_id"] == refund.id


def test_one_yes_is_enough_up_to_the_threshold(desk):
    payment = desk.paid(amount_fen=100_000)
    refund = approved(asked(desk, payment))
    assert (refund.state, desk.look(payment).state) == ("requested", "refunding")
    assert len(events_of(desk.matter, "RefundApproved")) == 1
    hear(returned(payment, refund))
    assert desk.look(payment).state == "refunded"


def test_above_the_threshold_another_must_confirm(desk):
    payment = desk.paid(amount_fen=LARGE)
    refund = approved(asked(desk, payment))
    assert (refund.state, desk.look(payment).state) == ("second", "paid")
    with pytest.raises(payments.AnotherMustConfirm):
        approved(refund)
    assert approved(refund, COLLEAGUE).state == "requested"
    seen = run_unit(lambda u: payments.refund_at_desk(u, refund.id))
    assert (seen.asked_by, seen.approved_by, seen.confirmed_by) == (desk.person_id, CLERK.id, COLLEAGUE.id)


def test_staff_cannot_confirm_what_they_asked_for(desk):
    payment = desk.paid(amount_fen=LARGE)
    refund = given(payment)
    assert refund.state == "second"
    with pytest.raises(payments.AnotherMustConfirm):
        approved(refund)
    assert approved(refund, COLLEAGUE).state == "requested"


def test_small_parts_do_not_slip_below_the_threshold(desk):
    payment = desk.paid(amount_fen=LARGE)
    assert given(payment, 60_000).state == "requested"
    assert given(payment, 40_001).state == "second"


def test_two_confirmations_at_once_promise_once(desk):
    payment = desk.paid()
    refund = asked(desk, payment)

    def try_it(by):
        try:
            return approved(refund, by).state
        except payments.RefundDecided:
            return "decided"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(try_it, (CLERK, COLLEAGUE)))
    assert sorted(outcomes) == ["decided", "requested"]


def test_a_refused_question_leaves_the_money(desk):
    payment = desk.paid()
    refund = refused(asked(desk, payment))
    assert (refund.state, refund.decision, desk.look(payment).state) == ("refused", "材料已经受理", "paid")
    assert len(events_of(desk.matter, "RefundRefused")) == 1
    assert asked(desk, payment).amount_fen == 8000


def test_a_decided_refund_is_not_decided_again(desk):
    payment = desk.paid()
    refund = refused(asked(desk, payment))
    for decide in (approved, refused):
        with pytest.raises(payments.RefundDecided):
            decide(refund, COLLEAGUE)


def test_the_second_pair_of_eyes_may_refuse(desk):
    payment = desk.paid(amount_fen=LARGE)
    refund = given(payment)
    assert refused(refund, COLLEAGUE).state == "refused"
    assert desk.look(payment).state == "paid"


def test_a_payer_asks_one_question_at_a_time(desk):
    payment = desk.paid()
    asked(desk, payment, 3000)
    with pytest.raises(payments.RefundUnderReview):
        asked(desk, payment, 1000)


def test_what_is_asked_for_counts_as_gone(desk):
    payment = desk.paid()
    asked(desk, payment, 3000)
    with pytest.raises(payments.RefundTooLarge) as told:
        given(payment, 5001)
    assert told.value.extra["left_fen"] == 5000


def test_a_stranger_asks_for_nothing(desk):
    payment = desk.paid()
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: payments.ask_for_refund(u, payment.id, "ps-other", None, "测试原因", desk.payer))


@pytest.mark.parametrize("amount", [0, -1, 8001, 1.5])
def test_a_payer_cannot_ask_for_a_strange_amount(desk, amount):
    payment = desk.paid()
    with pytest.raises(payments.RefundTooLarge):
        asked(desk, payment, amount)


def test_an_unpaid_payment_has_nothing_to_ask_for(desk):
    with pytest.raises(payments.NotRefundable):
        asked(desk, desk.awaiting())


def test_a_contested_payment_is_not_approved_away(desk):
    payment = desk.paid()
    refund = asked(desk, payment)
    run_unit(lambda u: payments.contest(u, payment.id, "付款人否认", CLERK))
    with pytest.raises(payments.NotRefundable):
        approved(refund)
    run_unit(lambda u: payments.clear(u, payment.id, "已核实", CLERK))
    assert approved(refund).state == "requested"


def test_a_payer_reads_every_step_in_words(desk):
    payment = desk.paid(amount_fen=LARGE)
    refund = asked(desk, payment)
    approved(refund)
    approved(refund, COLLEAGUE)
    hear(returned(payment, refund))
    assert said(payment) == [
        "退款申请已登记",
        "初审通过，金额较大，等待另一人复核",
        "退款申请已通过，即将原路退回",
        "退款已到账",
    ]


def test_an_unwanted_fee_needs_nobodys_yes(desk):
    payment = desk.paid(amount_fen=LARGE)
    refund = asked(desk, payment, 3000)
    run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(desk.matter, desk.person_id, payment.id)))
    back = run_unit(lambda u: payments.refunds_of(u, payment.id))
    assert [(one.amount_fen, one.state) for one in back] == [(3000, "requested"), (LARGE - 3000, "requested")]
    assert back[0].id == refund.id


def test_news_of_an_undecided_refund_changes_nothing(desk):
    payment = desk.paid()
    refund = asked(desk, payment)
    hear(returned(payment, refund))
    assert (desk.look(payment).state, desk.look(payment).refunded_fen) == ("paid", 0)


def test_refund_news_of_another_channel_changes_nothing(desk):
    payment = desk.paid()
    refund = given(payment)
    hear(returned(payment, refund, provider="alipay"))
    assert desk.look(payment).state == "refunding"


def test_a_failed_refund_is_told_and_may_be_asked_again(desk):
    payment = desk.paid()
    hear(returned(payment, given(payment), trigger="refund_failed"))
    assert len(events_of(desk.matter, "RefundFailed")) == 1
    assert asked(desk, payment).amount_fen == 8000
