"""The channel said no to a refund and gave the money back all the same: it is in the books, and not sent again."""

import pytest
from sqlalchemy import text

import payments
from backend.contracts import FeeNotWanted
from backend.kernel import ids
from backend.store.unit import run_unit
from payments import asking
from payments.models import Refund
from payments.reactions import on_fee_not_wanted
from tests.payments.makers import CLERK, Desk, events_of, hear, returned, succeeded, verdict_of
from tests.payments.test_refund_decisions import LARGE, asked, given
from tests.payments.test_refund_retries import failed, retried, to_retry
from tests.payments.test_treasury import settled


def one(refund) -> Refund:
    return run_unit(lambda u: u.get(Refund, refund.id))


def left(payment) -> tuple[str, int]:
    seen = run_unit(lambda u: payments.payment_of(u, payment.id))
    return seen.state, seen.refunded_fen


def sent(refund) -> payments.RefundView:
    run_unit(lambda u: asking._mark_sent(u, refund.id))
    return refund


def comes_back(payment, refund) -> tuple[str, str]:
    news = returned(payment, refund)
    hear(news)
    return verdict_of(news)


def movements(refund) -> list[str]:
    wanted = text("SELECT DISTINCT movement FROM payments_ledger_entry WHERE movement ^@ :id ORDER BY 1")
    return [
        movement.partition(":")[2]
        for movement in run_unit(lambda u: list(u.session.scalars(wanted, {"id": f"{refund.id}:"})))
    ]


def test_money_that_comes_back_after_a_no_is_in_the_books(desk):
    payment = desk.paid()
    refund = failed(desk, payment, 3000)
    before = run_unit(payments.balances)
    assert comes_back(payment, refund)[0] == "used"
    assert (one(refund).state, one(refund).failure, left(payment)) == (
        "succeeded",
        None,
        ("partly_refunded", 3000),
    )
    assert movements(refund) == ["failed", "promised", "promised_again", "returned"]
    assert run_unit(payments.balances)["clearing:wechat_pay"] - before["clearing:wechat_pay"] == -3000
    [told] = events_of(desk.matter, "PaymentRefunded")
    assert (told["refund_id"], told["amount_fen"]) == (refund.id, 3000)
    assert to_retry(desk) == []


def test_the_whole_back_after_a_no_frees_the_bill(bill):
    fine = bill()
    person = ids.new_id("ps")
    payments.look_up_bill(person, fine.notice_no, "AB12CD")
    desk = Desk(person, payments.subject_of_bill(fine.id), fine.id)
    payment = desk.paid(amount_fen=10_000)
    refund = failed(desk, payment)
    comes_back(payment, refund)
    assert left(payment) == ("refunded", 10_000)
    assert run_unit(lambda u: payments.bill_of(u, fine.id)).state == "due"
    assert run_unit(lambda u: payments.receipt_of(u, payment.id)).voided_at is not None


@pytest.mark.parametrize("amount", [3000, 8000])
def test_a_retry_not_sent_yet_is_not_sent_any_more(desk, amount):
    payment = desk.paid()
    first = failed(desk, payment, amount)
    again = retried(first)
    assert comes_back(payment, first)[0] == "used"
    assert (one(first).state, one(again).state, one(again).failure) == (
        "succeeded",
        "failed",
        "原退款已到账，不再重复退",
    )
    assert left(payment)[1] == amount
    assert to_retry(desk) == []
    with pytest.raises(payments.RefundDecided):
        retried(again)


def test_a_failed_retry_of_money_that_is_back_is_over(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    again = retried(first)
    hear(returned(payment, again, trigger="refund_failed"))
    comes_back(payment, first)
    assert to_retry(desk) == []
    with pytest.raises(payments.RefundDecided):
        retried(again)


def test_a_retry_waiting_for_a_colleague_is_dropped(desk):
    payment = desk.paid(amount_fen=LARGE)
    first = failed(desk, payment)
    again = retried(first)
    assert again.state == "second"
    comes_back(payment, first)
    assert (one(again).state, left(payment)) == ("withdrawn", ("refunded", LARGE))


def test_a_retry_on_the_treasurys_list_is_taken_off(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    settled(payment)
    again = retried(first)
    assert again.state == "listed"
    comes_back(payment, first)
    assert (one(first).state, one(again).state, left(payment)) == (
        "succeeded",
        "failed",
        ("partly_refunded", 3000),
    )


def test_a_retry_on_its_way_leaves_no_room(desk):
    payment = desk.paid()
    first = failed(desk, payment)
    again = sent(retried(first))
    assert comes_back(payment, first)[0] == "impossible"
    assert (one(first).state, one(again).state) == ("failed", "sent")
    assert len(events_of(desk.matter, "MoneyUnexplained")) == 1


def test_what_went_back_twice_is_told_twice(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    again = sent(retried(first))
    comes_back(payment, first)
    comes_back(payment, again)
    assert left(payment) == ("partly_refunded", 6000)


def test_another_promise_gives_way_when_there_is_no_room(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    whole = given(payment)
    comes_back(payment, first)
    assert (one(whole).state, left(payment)) == ("failed", ("partly_refunded", 3000))
    assert len(events_of(desk.matter, "RefundFailed")) == 2


def test_the_rest_of_unwanted_money_still_goes_back(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(desk.matter, desk.person_id, payment.id)))
    comes_back(payment, first)
    states = [
        (back.state, back.amount_fen) for back in run_unit(lambda u: payments.refunds_of(u, payment.id))
    ]
    assert states == [("succeeded", 3000), ("failed", 8000), ("requested", 5000)]


def test_a_question_about_money_that_is_back_is_answered(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    question = asked(desk, payment, 6000)
    comes_back(payment, first)
    assert (one(question).state, one(question).decision) == ("refused", "原退款已到账，不再重复退")
    assert len(events_of(desk.matter, "RefundRefused")) == 1


def test_a_question_that_still_fits_waits_on(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    question = asked(desk, payment, 5000)
    comes_back(payment, first)
    assert one(question).state == "asked"


@pytest.mark.parametrize(("amount", "state"), [(3000, "disputed"), (8000, "refunded")])
def test_a_contested_payment_stays_contested_for_its_rest(desk, amount, state):
    payment = desk.paid()
    first = failed(desk, payment, amount)
    run_unit(lambda u: payments.contest(u, payment.id, "付款人否认", CLERK))
    comes_back(payment, first)
    assert left(payment) == (state, amount)


def test_a_surplus_that_came_back_after_a_no_is_settled(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    [owed] = run_unit(lambda u: payments.refunds_of(u, second.id))
    hear(returned(second, owed, trigger="refund_failed"))
    assert left(second) == ("disputed", 0)
    comes_back(second, owed)
    assert left(second) == ("refunded", 8000)
    assert run_unit(payments.balances).get(f"citizen:{desk.person_id}", 0) == 0


def test_a_part_beside_another_on_its_way_waits_for_it(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    other = sent(given(payment, 2000))
    comes_back(payment, first)
    assert left(payment) == ("refunding", 3000)
    comes_back(payment, other)
    assert left(payment) == ("partly_refunded", 5000)


def test_held_money_that_was_cleared_comes_back_as_the_payees(desk):
    payment = desk.awaiting()
    hear(succeeded(payment, amount_fen=7999))
    held = run_unit(lambda u: payments.give_back(u, payment.id, "金额不符", CLERK))
    hear(returned(payment, held, trigger="refund_failed"))
    hear(succeeded(payment))
    assert left(payment) == ("paid", 0)
    comes_back(payment, held)
    assert left(payment) == ("partly_refunded", 7999)
    assert run_unit(payments.balances).get(f"citizen:{desk.person_id}", 0) == 0
