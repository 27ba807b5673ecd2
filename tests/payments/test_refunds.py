"""Ways back of money: never more than came, never twice, told at each step."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import payments
from backend.contracts import FeeNotWanted
from backend.kernel import clock
from backend.store.unit import run_unit
from payments.channels.port import OURS, RETURNED_SO_FAR
from payments.models import Payment
from payments.reactions import on_fee_not_wanted
from tests.payments.makers import CLERK, closed, events_of, hear, returned, succeeded, verdict_of


def ask_back(payment, amount_fen=None) -> payments.RefundView:
    return run_unit(lambda u: payments.request_refund(u, payment.id, amount_fen, "多收费用", CLERK))


def test_a_full_refund_frees_the_subject_and_voids_the_receipt(desk):
    payment = desk.paid()
    refund = ask_back(payment)
    assert desk.look(payment).state == "refunding"
    hear(returned(payment, refund))
    seen = desk.look(payment)
    assert (seen.state, seen.refunded_fen, seen.settles) == ("refunded", 8000, False)
    assert run_unit(lambda u: payments.receipt_of(u, payment.id)).voided_at is not None
    told = events_of(desk.matter, "PaymentRefunded")
    assert [(e["refund_id"], e["amount_fen"]) for e in told] == [(refund.id, 8000)]
    assert desk.open().id != payment.id


def test_a_partial_refund_leaves_the_rest_paid(desk):
    payment = desk.paid()
    hear(returned(payment, ask_back(payment, 3000)))
    seen = desk.look(payment)
    assert (seen.state, seen.refunded_fen, seen.settles) == ("partly_refunded", 3000, True)


def test_two_partial_refunds_end_in_a_whole_one(desk):
    payment = desk.paid()
    first, second = ask_back(payment, 3000), ask_back(payment, 5000)
    hear(returned(payment, second))
    assert desk.look(payment).state == "refunding"
    hear(returned(payment, first))
    assert desk.look(payment).state == "refunded"


@pytest.mark.parametrize("amount", [8001, 0, -5, 1.5])
def test_more_than_is_left_is_refused(desk, amount):
    payment = desk.paid()
    with pytest.raises(payments.RefundTooLarge):
        ask_back(payment, amount)


def test_refunds_at_once_never_exceed_the_payment(desk):
    payment = desk.paid()

    def try_it(_):
        try:
            return ask_back(payment, 3000)
        except payments.RefundTooLarge:
            return None

    with ThreadPoolExecutor(5) as pool:
        granted = [refund for refund in pool.map(try_it, range(5)) if refund]
    assert sum(refund.amount_fen for refund in granted) == 6000


def test_an_unpaid_payment_cannot_be_refunded(desk):
    with pytest.raises(payments.NotRefundable):
        ask_back(desk.awaiting())


def test_a_contested_payment_waits_with_its_refund(desk):
    payment = desk.paid()
    run_unit(lambda u: payments.contest(u, payment.id, "付款人否认", CLERK))
    with pytest.raises(payments.NotRefundable):
        ask_back(payment)
    run_unit(lambda u: payments.clear(u, payment.id, "已核实", CLERK))
    assert ask_back(payment).state == "requested"


def test_a_failed_refund_gives_the_money_to_the_payee_again(desk):
    payment = desk.paid()
    refund = ask_back(payment)
    hear(returned(payment, refund, trigger="refund_failed"))
    assert desk.look(payment).state == "paid"
    assert run_unit(lambda u: payments.refunds_of(u, payment.id))[0].state == "failed"
    again = ask_back(payment)
    hear(returned(payment, again))
    assert desk.look(payment).state == "refunded"


def test_a_repeated_notice_returns_money_once(desk):
    payment = desk.paid()
    refund = ask_back(payment)
    hear(returned(payment, refund))
    again = returned(payment, refund)
    hear(again)
    assert verdict_of(again)[0] == "duplicate"
    assert len(events_of(desk.matter, "PaymentRefunded")) == 1


@pytest.mark.parametrize("twist", [{"amount_fen": 1}, {"ours": False}])
def test_refund_news_that_does_not_fit_changes_nothing(desk, twist):
    payment = desk.paid()
    refund = ask_back(payment)
    notice = returned(payment, refund, **twist)
    hear(notice)
    assert (verdict_of(notice)[0], desk.look(payment).state) == ("mismatch", "refunding")


def test_a_sum_of_refunds_is_proof_of_this_one(desk):
    payment = desk.paid("alipay")
    first = ask_back(payment, 3000)
    too_little = {OURS: True, RETURNED_SO_FAR: 2999}
    notice = returned(payment, first, amount_fen=None, facts=too_little)
    hear(notice)
    assert verdict_of(notice)[0] == "mismatch"
    hear(returned(payment, first, amount_fen=None, facts={OURS: True, RETURNED_SO_FAR: 3000}))
    assert desk.look(payment).state == "partly_refunded"


def test_news_of_an_unknown_refund_is_kept(desk):
    payment = desk.paid()
    refund = ask_back(payment)
    notice = returned(payment, refund, subject="rf00000000000000000000000000")
    hear(notice)
    assert verdict_of(notice)[0] == "unknown"


def test_a_second_payment_ends_as_refunded(desk):
    first, payment = desk.awaiting("alipay"), desk.awaiting()
    hear(succeeded(first))
    hear(succeeded(payment))
    owed = run_unit(lambda u: payments.refunds_of(u, payment.id))[0]
    hear(returned(payment, owed))
    assert desk.look(payment).state == "refunded"


def test_the_ledger_tells_where_every_fen_is(desk):
    before = run_unit(payments.balances)
    payment = desk.paid("wechat_pay", 8000)
    refund = ask_back(payment, 3000)
    promised = run_unit(payments.balances)
    hear(returned(payment, refund))
    after = run_unit(payments.balances)

    def moved(books, account):
        return books.get(account, 0) - before.get(account, 0)

    accounts = ("clearing:wechat_pay", "payee:BZ-TEST", "refund:wechat_pay")
    assert [moved(promised, account) for account in accounts] == [8000, -5000, -3000]
    assert [moved(after, account) for account in accounts] == [5000, -5000, 0]


def test_the_check_of_books_sees_a_stuck_payment(desk):
    payment = desk.awaiting()
    clock.advance(timedelta(days=2))
    assert f"payment {payment.id} should have ended long ago" in run_unit(payments.check_books)
    clock.reset()
    hear(closed(payment))


def not_wanted(desk, payment) -> None:
    """The case says that it does not want the money, twice, as a relay may."""
    for _ in range(2):
        run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(desk.matter, desk.person_id, payment.id)))


def all_is_back(payment) -> bool:
    """The channel returns whatever is under way."""
    for refund in run_unit(lambda u: payments.refunds_of(u, payment.id)):
        if refund.state == "requested":
            hear(returned(payment, refund))
    return run_unit(lambda u: payments.payment_of(u, payment.id)).state == "refunded"


def refunds(payment) -> list[int]:
    return [one.amount_fen for one in run_unit(lambda u: payments.refunds_of(u, payment.id))]


def test_money_for_an_unwanted_fee_goes_back_once(desk):
    payment = desk.paid()
    not_wanted(desk, payment)
    assert (refunds(payment), desk.look(payment).state) == ([8000], "refunding")
    assert all_is_back(payment)


def test_only_what_is_left_of_it_goes_back(desk):
    payment = desk.paid()
    hear(returned(payment, ask_back(payment, 3000)))
    not_wanted(desk, payment)
    assert refunds(payment) == [3000, 5000]
    assert all_is_back(payment)


def test_money_already_on_its_way_back_is_not_asked_for_again(desk):
    payment = desk.paid()
    refund = ask_back(payment)
    not_wanted(desk, payment)
    hear(returned(payment, refund))
    not_wanted(desk, payment)
    assert (refunds(payment), desk.look(payment).state) == ([8000], "refunded")


def test_a_contested_payment_goes_back_once_it_is_cleared(desk):
    payment = desk.paid()
    run_unit(lambda u: payments.contest(u, payment.id, "付款人否认", CLERK))
    not_wanted(desk, payment)
    assert refunds(payment) == []
    run_unit(lambda u: payments.clear(u, payment.id, "已核实", CLERK))
    assert (refunds(payment), desk.look(payment).state) == ([8000], "refunding")
    assert all_is_back(payment)


def test_an_unwanted_fee_of_nobody_is_not_passed_over(desk):
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(desk.matter, desk.person_id, "pay-x")))


def test_the_check_of_books_sees_unwanted_money_that_stays(desk):
    payment = desk.paid()
    run_unit(lambda u: setattr(u.get(Payment, payment.id), "unwanted", True))
    fault = f"payment {payment.id} is no longer wanted, but not on its way back"
    assert fault in run_unit(payments.check_books)
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, None, "申请已经结束", CLERK))
    assert fault not in run_unit(payments.check_books)
    hear(returned(payment, refund, trigger="refund_failed"))
    assert fault not in run_unit(payments.check_books)  # staff see it on their list
    hear(returned(payment, ask_back(payment)))
    assert desk.look(payment).state == "refunded"
