"""Money over real HTTP: callbacks, silence, faults and deaths; both books agree in the end."""

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.kernel.problems import ChannelSilent
from backend.runtime import outbound
from backend.store.unit import run_unit
from payments import services
from payments.channels import NAMES
from tests.payments.makers import CLERK, expire
from tests.payments.street import PROVIDER, until

pytestmark = pytest.mark.usefixtures("street")


@pytest.fixture(params=NAMES)
def channel(request) -> str:
    return request.param


def counted(question: str, **values) -> int:
    return run_unit(lambda u: u.session.scalar(text(question), values))


def test_a_payment_is_told_by_the_channel(street, channel):
    order = street.begin(channel)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    assert run_unit(lambda u: payments.paid_for(u, street.desk.subject)).id == order.payment_id


def test_beginning_again_gives_the_same_ticket(street, channel):
    first, second = street.begin(channel), street.begin(channel)
    assert first.payment_id == second.payment_id
    street.pay(second)
    until(lambda: street.state(first.payment_id) == "paid")


def test_a_refusing_payer_leaves_the_payment_awaiting(street, channel):
    order = street.begin(channel)
    street.pay(order, "refuse")
    street.sweep()
    assert street.state(order.payment_id) == "awaiting"


def test_a_dropped_callback_is_healed_by_the_sweep(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    assert street.sweep() >= 1
    assert street.state(order.payment_id) == "paid"


def test_the_returning_payer_heals_a_silent_payment(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    payments.ask_about(order.payment_id)
    assert street.state(order.payment_id) == "paid"


def test_a_payer_who_asks_again_at_once_asks_nobody(street, channel):
    order = street.begin(channel)
    provider = PROVIDER[channel]
    before = street.town.books(provider)["calls"].get("query", 0)
    payments.ask_about(order.payment_id)
    payments.ask_about(order.payment_id)
    assert street.town.books(provider)["calls"]["query"] == before + 1


def test_doubled_callbacks_count_once(street, channel):
    street.fault(channel, "*", "duplicate", times=1)
    order = street.begin(channel)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    street.sweep()
    lines = run_unit(lambda u: [line.trigger for line in u.journal_of(street.desk.matter)])
    assert lines.count("succeeded") == 1


@pytest.mark.parametrize("code", ["signature", "signtest", "stale", "serial"])
def test_forged_callbacks_leave_no_trace(street, code):
    heard = "SELECT count(*) FROM store_notice WHERE subject = :number"
    street.fault("wechat_pay", "transaction", "forged", code=code)
    order = street.begin("wechat_pay")
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    number = run_unit(lambda u: payments.payment_of(u, order.payment_id)).number
    assert counted(heard, number=number) == 1


@pytest.mark.parametrize(
    ("channel", "code"),
    [("wechat_pay", "amount"), ("alipay", "amount"), ("alipay", "app"), ("alipay", "seller")],
)
def test_authentic_news_that_does_not_fit_is_kept(street, channel, code):
    mismatches = "SELECT count(*) FROM store_notice WHERE subject = :number AND verdict = 'mismatch'"
    street.fault(channel, "*", "forged", code=code)
    order = street.begin(channel)
    street.pay(order)
    number = run_unit(lambda u: payments.payment_of(u, order.payment_id)).number
    until(lambda: counted(mismatches, number=number) == 1)
    street.sweep()
    assert street.state(order.payment_id) == "paid"


def test_a_channel_in_trouble_keeps_the_payment_for_later(street, channel):
    verb = {"wechat_pay": "prepare", "alipay": "create"}[channel]
    street.fault(channel, verb, "5xx")
    with pytest.raises(ChannelSilent) as told:
        street.begin(channel)
    assert told.value.retry_after
    [kept] = run_unit(lambda u: payments.payments_for(u, street.desk.subject))
    assert kept.state == "created"
    assert street.begin(channel).payment_id == kept.id


def test_an_answer_that_got_lost_is_asked_for_again(street, channel):
    verb = {"wechat_pay": "prepare", "alipay": "create"}[channel]
    street.fault(channel, verb, "5xx_after")
    with pytest.raises(ChannelSilent):
        street.begin(channel)
    order = street.begin(channel)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")


def test_a_death_before_the_ticket_is_remembered_loses_nothing(street, channel):
    street.drop_news(channel)
    words = {"subject": street.desk.subject, "matter": street.desk.matter, "payee": "BZ-TEST"}
    opened = street.desk.open(channel, **words)
    ticket = services.prepare(opened, street.account(channel))
    parameters = services.channel(channel).client_parameters(ticket)
    lost = payments.PayOrder(opened.id, channel, "", 8000, opened.expires_at, parameters)
    street.pay(lost)
    with pytest.raises(payments.FeeAlreadyPaid):
        street.begin(channel)
    assert street.state(opened.id) == "paid"


def test_an_expired_payment_is_closed_on_both_sides(street, channel):
    order = street.begin(channel)
    expire(run_unit(lambda u: payments.payment_of(u, order.payment_id)))
    street.sweep()
    until(lambda: street.state(order.payment_id) == "closed")


def test_a_forgotten_fee_is_closed_at_the_channel(street, channel):
    order = street.begin(channel)
    run_unit(lambda u: payments.close_live(u, street.desk.subject, street.desk.payer))
    street.sweep()
    until(lambda: street.state(order.payment_id) == "closed")
    with pytest.raises(AssertionError, match="409"):
        street.pay(order)


def test_money_at_the_last_moment_is_asked_for_before_closing(street, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    expire(run_unit(lambda u: payments.payment_of(u, order.payment_id)))
    street.sweep()
    assert street.state(order.payment_id) == "paid"


def test_a_created_payment_nobody_prepared_is_closed(street, channel):
    payment = street.desk.open(channel)
    expire(payment)
    street.sweep()
    assert street.state(payment.id) == "closed"


def test_paying_on_both_phones_gives_one_back(street):
    one, two = street.begin("wechat_pay"), street.begin("alipay")
    street.pay(one)
    until(lambda: street.state(one.payment_id) == "paid")
    street.pay(two)
    until(lambda: street.state(two.payment_id) == "refunding")
    street.sweep_refunds()
    until(lambda: street.state(two.payment_id) == "refunded")
    assert street.state(one.payment_id) == "paid"


def refund_of(street, order, amount_fen=None) -> payments.RefundView:
    return run_unit(lambda u: payments.request_refund(u, order.payment_id, amount_fen, "多收费用", CLERK))


def paid_order(street, channel) -> payments.PayOrder:
    order = street.begin(channel)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    return order


def test_a_refund_goes_all_the_way(street, channel):
    order = paid_order(street, channel)
    refund_of(street, order)
    street.sweep_refunds()
    until(lambda: street.state(order.payment_id) == "refunded")


def test_two_partial_refunds_add_up(street, channel):
    order = paid_order(street, channel)
    refund_of(street, order, 3000)
    refund_of(street, order, 5000)
    street.sweep_refunds()
    until(lambda: street.state(order.payment_id) == "refunded")


def test_a_refund_whose_news_is_lost_is_asked_about(street, channel):
    street.fault(channel, "refund", "drop", times=5)
    order = paid_order(street, channel)
    refund_of(street, order, 3000)
    street.sweep_refunds()
    until(lambda: street.sweep_refunds() >= 0 and street.state(order.payment_id) == "partly_refunded")


def test_a_refund_whose_answer_is_lost_happens_once(street, channel):
    order = paid_order(street, channel)
    street.fault(channel, "refund", "5xx_after")
    refund = refund_of(street, order, 3000)
    street.sweep_refunds()
    outbound.reset_breakers()
    until(lambda: street.sweep_refunds() >= 0 and street.state(order.payment_id) == "partly_refunded")
    told = [r for r in street.town.books(PROVIDER[channel])["refund"] if refund.id.replace("-", "") in str(r)]
    assert len(told) == 1


def test_a_refund_the_channel_refuses_is_told_as_failed(street):
    order = paid_order(street, "wechat_pay")
    street.fault("wechat_pay", "refund", "refuse", code="INVALID_REQUEST")
    refund_of(street, order)
    street.sweep_refunds()
    assert street.state(order.payment_id) == "paid"
    assert run_unit(lambda u: payments.refunds_of(u, order.payment_id))[0].state == "failed"


def test_an_empty_purse_only_delays_a_refund(street):
    order = paid_order(street, "wechat_pay")
    street.fault("wechat_pay", "refund", "refuse", code="NOT_ENOUGH")
    refund_of(street, order)
    street.sweep_refunds()
    assert street.state(order.payment_id) == "refunding"
    street.sweep_refunds()
    until(lambda: street.state(order.payment_id) == "refunded")


def test_both_books_agree_to_the_fen(street, channel):
    provider, number = PROVIDER[channel], {}
    for amount in (1, 8050, 99_999):
        order = street.begin(channel, amount, subject=f"case:{clock.monotonic()}")
        street.pay(order)
        number[order.payment_id] = amount
    until(lambda: all(street.state(payment_id) == "paid" for payment_id in number))
    books = street.town.books(provider)["order" if provider == "wxpay" else "trade"]
    theirs = {doc["out_trade_no"]: doc.get("amount", doc.get("fen")) for doc in books}
    for payment_id, amount in number.items():
        assert theirs[payment_id.replace("-", "")] == amount
