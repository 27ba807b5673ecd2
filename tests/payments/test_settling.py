"""News of money: used once, kept with a verdict when it does not fit, never believed twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import payments
from backend.store.unit import run_unit
from tests.payments.makers import CLERK, closed, events_of, hear, returned, succeeded, verdict_of


def test_true_news_of_success_settles_the_subject(desk):
    payment = desk.paid()
    assert (payment.state, payment.settles) == ("paid", True)
    assert run_unit(lambda u: payments.paid_for(u, desk.subject)).id == payment.id
    told = events_of(desk.matter, "PaymentSucceeded")
    assert [(e["payment_id"], e["subject"], e["amount_fen"]) for e in told] == [
        (payment.id, desk.subject, 8000)
    ]


def test_the_journal_of_the_case_tells_the_payment(desk):
    desk.paid()
    lines = run_unit(lambda u: [line.trigger for line in u.journal_of(desk.matter)])
    assert lines == ["begun", "prepared", "succeeded"]


def test_a_second_notice_of_the_same_payment_changes_nothing(desk):
    payment = desk.awaiting()
    notice = succeeded(payment)
    assert (hear(notice), hear(notice)) == (True, False)
    other_envelope = succeeded(payment)
    hear(other_envelope)
    assert verdict_of(other_envelope)[0] == "duplicate"
    assert len(events_of(desk.matter, "PaymentSucceeded")) == 1


def test_the_same_news_at_once_counts_once(desk):
    payment = desk.awaiting()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hear, [succeeded(payment) for _ in range(6)]))
    assert desk.look(payment).state == "paid"
    assert len(events_of(desk.matter, "PaymentSucceeded")) == 1


def test_success_is_believed_before_the_ticket_is_known(desk):
    payment = desk.open()
    hear(succeeded(payment))
    assert desk.look(payment).state == "paid"


@pytest.mark.parametrize(
    ("twist", "why"),
    [
        ({"amount_fen": None}, "no usable amount"),
        ({"amount_fen": 0}, "no usable amount"),
        ({"amount_fen": -8000}, "no usable amount"),
        ({"amount_fen": 80.0}, "no usable amount"),
        ({"ours": False}, "another merchant"),
        ({"provider": "alipay"}, "another channel"),
    ],
)
def test_news_that_does_not_fit_is_kept_and_changes_nothing(desk, twist, why):
    payment = desk.awaiting()
    notice = succeeded(payment, **twist)
    hear(notice)
    assert desk.look(payment).state == "awaiting"
    verdict, reason = verdict_of(notice)
    assert (verdict, why in reason) == ("mismatch", True)
    assert len(events_of(desk.matter, "MoneyUnexplained")) == 1


def test_news_of_an_unknown_payment_alarms_staff(desk):
    notice = succeeded(desk.open(), subject="pay00000000000000000000000000")
    hear(notice)
    assert verdict_of(notice)[0] == "unknown"


def test_another_transaction_under_the_same_number_is_held(desk):
    payment = desk.paid()
    notice = succeeded(payment, reference="tx-another")
    hear(notice)
    assert (verdict_of(notice)[0], desk.look(payment).state) == ("mismatch", "paid")


def test_a_closed_payment_is_told_as_closed(desk):
    payment = desk.awaiting()
    hear(closed(payment))
    assert desk.look(payment).state == "closed"
    assert len(events_of(desk.matter, "PaymentClosed")) == 1


def test_closing_news_of_a_paid_payment_is_impossible(desk):
    payment = desk.paid()
    notice = closed(payment)
    hear(notice)
    assert (verdict_of(notice)[0], desk.look(payment).state) == ("impossible", "paid")


def test_late_money_is_honoured_while_it_is_still_due(desk):
    payment = desk.awaiting()
    hear(closed(payment))
    hear(succeeded(payment))
    seen = desk.look(payment)
    assert (seen.state, seen.settles, seen.received_fen) == ("paid", True, 8000)
    assert run_unit(lambda u: u.journal_of(desk.matter))[-1].trigger == "paid_late_honoured"
    assert len(events_of(desk.matter, "PaymentSucceeded")) == 1


def test_late_money_goes_back_when_somebody_has_paid(desk):
    late = desk.awaiting("alipay")
    hear(closed(late))
    desk.paid("wechat_pay")
    hear(succeeded(late))
    refunds = run_unit(lambda u: payments.refunds_of(u, late.id))
    assert desk.look(late).state == "refunding"
    assert [(refund.amount_fen, refund.state) for refund in refunds] == [(8000, "requested")]
    [told] = events_of(desk.matter, "SurplusComes")
    assert (told["payment_id"], told["refund_id"]) == (late.id, refunds[0].id)


def test_late_money_for_a_withdrawn_bill_goes_back(desk, bill):
    issued = bill()
    words = {"subject": payments.subject_of_bill(issued.id), "matter": issued.id}
    payment = desk.open(amount_fen=10_000, **words)
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, None, "撤销处罚", CLERK))
    hear(closed(payment))
    hear(succeeded(payment))
    assert desk.look(payment).state == "refunding"


def test_whoever_pays_first_closes_the_others(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    assert desk.look(second).state == "closing"


def test_another_amount_is_held_for_its_payer(desk):
    payment = desk.awaiting()
    notice = succeeded(payment, amount_fen=7000)
    hear(notice)
    seen = desk.look(payment)
    assert (seen.state, seen.received_fen, seen.settles) == ("disputed", 7000, False)
    assert verdict_of(notice) == ("mismatch", "another amount")
    assert run_unit(payments.balances)[f"citizen:{desk.person_id}"] == -7000
    alarms = (events_of(desk.matter, "MoneyUnexplained"), events_of(desk.matter, "SurplusComes"))
    assert ([len(one) for one in alarms], alarms[1][0]["amount_fen"]) == ([1, 1], 7000)


def test_another_amount_told_twice_is_held_once(desk):
    payment = desk.awaiting()
    again = succeeded(payment, amount_fen=7000)
    hear(succeeded(payment, amount_fen=7000))
    hear(again)
    assert verdict_of(again)[0] == "duplicate"
    third = succeeded(payment, amount_fen=6000)
    hear(third)
    assert (verdict_of(third)[0], desk.look(payment).received_fen) == ("mismatch", 7000)


def test_a_channel_that_corrects_itself_is_believed(desk):
    payment = desk.awaiting()
    hear(succeeded(payment, amount_fen=7000))
    hear(succeeded(payment))
    assert desk.look(payment).state == "paid"
    books = run_unit(payments.balances)
    assert books.get(f"citizen:{desk.person_id}", 0) == 0
    assert len(events_of(desk.matter, "PaymentSucceeded")) == 1


def test_a_correction_that_comes_second_goes_back(desk):
    wrong = desk.awaiting("alipay")
    hear(succeeded(wrong, amount_fen=7000))
    desk.paid("wechat_pay")
    hear(succeeded(wrong))
    refunds = run_unit(lambda u: payments.refunds_of(u, wrong.id))
    assert (desk.look(wrong).state, [one.amount_fen for one in refunds]) == ("refunding", [8000])


def test_held_money_leaves_its_subject_open(desk):
    hear(succeeded(desk.awaiting(), amount_fen=7000))
    assert desk.paid("alipay").settles


def test_held_money_can_only_be_given_back(desk):
    payment = desk.awaiting()
    hear(succeeded(payment, amount_fen=7000))
    with pytest.raises(payments.NotRefundable):
        run_unit(lambda u: payments.clear(u, payment.id, "已核实", CLERK))
    with pytest.raises(payments.NotRefundable):
        run_unit(lambda u: payments.request_refund(u, payment.id, None, "金额不符", CLERK))
    refund = run_unit(lambda u: payments.give_back(u, payment.id, "金额不符", CLERK))
    assert (refund.amount_fen, refund.state) == (7000, "requested")
    hear(returned(payment, refund))
    assert (desk.look(payment).state, desk.look(payment).refunded_fen) == ("refunded", 7000)


def test_a_good_payment_is_not_given_back_as_surplus(desk):
    payment = desk.paid()
    run_unit(lambda u: payments.contest(u, payment.id, "付款人否认", CLERK))
    with pytest.raises(payments.NotRefundable):
        run_unit(lambda u: payments.give_back(u, payment.id, "金额不符", CLERK))


def test_surplus_that_cannot_be_returned_waits_for_staff(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    [owed] = run_unit(lambda u: payments.refunds_of(u, second.id))
    hear(returned(second, owed, trigger="refund_failed"))
    assert desk.look(second).state == "disputed"
    again = run_unit(lambda u: payments.give_back(u, second.id, "重新退回", CLERK))
    hear(returned(second, again))
    assert desk.look(second).state == "refunded"


def test_paying_twice_gives_the_second_back(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    assert (desk.look(first).state, desk.look(second).state) == ("paid", "refunding")
    assert run_unit(lambda u: payments.paid_for(u, desk.subject)).id == first.id


def test_two_payments_at_once_settle_one_and_return_one(desk):
    both = [desk.awaiting("wechat_pay"), desk.awaiting("alipay")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda payment: hear(succeeded(payment)), both))
    assert sorted(desk.look(payment).state for payment in both) == ["paid", "refunding"]


def test_an_unpaid_payment_has_no_receipt(desk):
    payment = desk.awaiting()
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: payments.receipt_of(u, payment.id))
