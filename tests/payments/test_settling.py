"""News of money: used once, kept with a verdict when it does not fit, never believed twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import payments
from backend.store.unit import run_unit
from tests.payments.makers import closed, events_of, hear, succeeded, verdict_of


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
        ({"amount_fen": 1}, "another amount"),
        ({"amount_fen": None}, "another amount"),
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


def test_money_for_a_closed_payment_goes_back(desk):
    payment = desk.awaiting()
    hear(closed(payment))
    hear(succeeded(payment))
    assert desk.look(payment).state == "refunding"
    refunds = run_unit(lambda u: payments.refunds_of(u, payment.id))
    assert [(refund.amount_fen, refund.state) for refund in refunds] == [(8000, "requested")]
    assert events_of(desk.matter, "PaymentSucceeded") == []


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


def test_a_payment_has_a_receipt_of_ours(desk):
    payment = desk.paid()
    receipt = run_unit(lambda u: payments.receipt_of(u, payment.id, desk.person_id))
    assert (len(receipt.code), len(receipt.number), len(receipt.check_code)) == (8, 10, 6)
    assert (receipt.code[:2], receipt.amount_fen, receipt.voided_at) == ("99", 8000, None)


def test_an_unpaid_payment_has_no_receipt(desk):
    payment = desk.awaiting()
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: payments.receipt_of(u, payment.id))
