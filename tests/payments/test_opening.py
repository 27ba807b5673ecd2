"""Opening a payment: one live payment for one subject, payer and channel."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from tests.payments.makers import expire, hear, succeeded


def test_opening_twice_gives_the_same_payment(desk):
    assert desk.open().id == desk.open().id


def test_many_openings_at_once_make_one_payment(desk):
    with ThreadPoolExecutor(8) as pool:
        opened = {payment.id for payment in pool.map(lambda _: desk.open(), range(8))}
    assert len(opened) == 1


def test_another_channel_gets_a_payment_of_its_own(desk):
    assert desk.open("wechat_pay").id != desk.open("alipay").id


def test_a_paid_subject_cannot_be_opened_again(desk):
    desk.paid()
    with pytest.raises(payments.FeeAlreadyPaid):
        desk.open("alipay")


def test_a_changed_amount_retires_the_old_payment(desk):
    old, new = desk.awaiting(amount_fen=8000), desk.open(amount_fen=9000)
    assert (old.id != new.id, desk.look(old).state) == (True, "closing")


def test_an_expired_payment_is_not_offered_again(desk):
    old = desk.awaiting()
    expire(old)
    assert desk.open().id != old.id


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, 100_000_001, "100"])
def test_an_amount_that_is_no_amount_is_refused(desk, amount):
    with pytest.raises(payments.AmountOutOfRange):
        desk.open(amount_fen=amount)


def test_an_unknown_channel_is_refused(desk):
    with pytest.raises(payments.ChannelUnknown):
        desk.open("cash")


def test_a_number_fits_both_providers(desk):
    number = desk.open().number
    assert (number.isalnum(), len(number) <= 32) == (True, True)


def test_a_foreign_payment_looks_absent(desk):
    payment = desk.open()
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: payments.payment_of(u, payment.id, "ps-somebody-else"))


def test_a_ticket_that_comes_after_the_money_is_told_so(desk):
    payment = desk.open()
    hear(succeeded(payment))
    with pytest.raises(payments.FeeAlreadyPaid):
        run_unit(lambda u: payments.attach_ticket(u, payment.id, "late"))


def test_closing_what_is_live_leaves_nothing_payable(desk):
    desk.awaiting("wechat_pay")
    desk.open("alipay")
    assert run_unit(lambda u: payments.close_live(u, desk.subject, desk.payer)) == 2
    states = {payment.state for payment in run_unit(lambda u: payments.payments_for(u, desk.subject))}
    assert states == {"closing"}


def test_payments_are_listed_newest_first(desk):
    first, second = desk.open("wechat_pay"), desk.open("alipay")
    listed = run_unit(lambda u: payments.payments_of(u, desk.person_id))
    assert [payment.id for payment in listed] == [second.id, first.id]
    rest = run_unit(lambda u: payments.payments_of(u, desk.person_id, before=second.id))
    assert [payment.id for payment in rest] == [first.id]


def test_the_words_for_messages_name_amount_and_item(desk):
    payment = desk.open(amount_fen=8050)
    facts = run_unit(lambda u: payments.facts_for(u, payment.id))
    assert (facts["amount"], facts["item_name"], facts["channel"]) == ("80.50", "不动产登记费", "微信支付")


def test_the_payment_ends_half_an_hour_after_it_began(desk):
    left = desk.open().expires_at - clock.now()
    assert 1790 < left.total_seconds() <= 1800
