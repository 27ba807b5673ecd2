"""Authentic news that cannot be used: finance sees it at once, says what it was, and the log can hear it."""

import logging
from dataclasses import replace
from typing import Any

import pytest

import payments
from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.kernel.problems import NotFound
from backend.runtime import metrics
from backend.store.unit import run_unit
from payments import verdicts, wording
from payments.channels.port import OURS, REFERENCE, RETURNED_SO_FAR
from payments.desk_reach import EVERYWHERE
from tests.payments.makers import CLERK, closed, hear, returned, succeeded
from tests.payments.test_refund_decisions import given

REACH = (EVERYWHERE,)


def stranger(**changes: Any) -> Notice:
    """True news of a payment that nobody here has opened."""
    number = f"pay{ids.digits(20)}"
    facts = {OURS: True, REFERENCE: f"tx{number}"}
    told = Notice("alipay", ids.new_id("ev"), number, "succeeded", clock.now(), 4200, facts, b"secret raw")
    return replace(told, **changes)


def heard(notice: Notice) -> Notice:
    hear(notice)
    return notice


def news(**wanted: Any) -> list[payments.MoneyNews]:
    told = {"is_office": True, "limit": 50} | wanted
    return run_unit(lambda u: payments.news_at_desk(u, REACH, **told))


def told_of(payment: payments.PaymentView) -> payments.MoneyNews:
    [one] = [one for one in news() if one.payment_id == payment.id]
    return one


def warned_of(news_id: str) -> list[str]:
    return [one for one in run_unit(payments.warnings) if f"news {news_id} " in one]


def test_news_of_unknown_money_stands_on_the_list(database):
    notice = heard(stranger())
    [one] = [one for one in news() if one.number == notice.subject]
    assert (one.channel, one.verdict, one.says, one.amount_fen) == ("alipay", "unknown", "查无此单", 4200)
    assert one.why == "渠道通知了一笔支付，但我们没有这个支付单号"
    assert (one.reference, one.payment_id, one.state) == (f"tx{notice.subject}", None, "open")


def test_a_second_transaction_under_one_number_is_told(desk):
    payment = desk.paid()
    hear(succeeded(payment, reference="tx-another"))
    one = told_of(payment)
    assert (one.kind, one.says, one.reference) == ("second_transaction", "内容不符", "tx-another")
    assert "重复扣款" in one.why
    assert (one.payment_says, one.payee) == ("已支付", "BZ-TEST")


def test_a_repetition_is_no_news(desk):
    payment = desk.paid()
    hear(succeeded(payment))
    assert [one for one in news() if one.payment_id == payment.id] == []


def test_a_failed_return_waits_on_another_list(desk):
    first, second = desk.awaiting(), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    [refund] = run_unit(lambda u: payments.refunds_of(u, second.id))
    hear(returned(second, refund, trigger="refund_failed"))
    assert desk.look(second).state == "disputed"
    assert [one for one in news() if one.payment_id == second.id] == []


def a_closing(payment: payments.PaymentView) -> Notice:
    return closed(payment)


def another_sum(payment: payments.PaymentView) -> Notice:
    return succeeded(payment, amount_fen=1)


def no_sum(payment: payments.PaymentView) -> Notice:
    return succeeded(payment, amount_fen=None)


def other_merchants(payment: payments.PaymentView) -> Notice:
    return succeeded(payment, ours=False)


def other_channels(payment: payments.PaymentView) -> Notice:
    return succeeded(payment, provider="alipay")


@pytest.mark.parametrize(
    ("telling", "kind"),
    [
        (a_closing, "payment_impossible"),
        (another_sum, "payment_amount"),
        (no_sum, "no_amount"),
        (other_merchants, "other_merchant"),
        (other_channels, "other_channel"),
    ],
)
def test_odd_news_of_a_payment_has_its_words(desk, telling, kind):
    payment = desk.paid()
    hear(telling(payment))
    assert (told_of(payment).kind, told_of(payment).why) == (kind, wording.NEWS_WHY[kind])


def test_odd_news_of_a_refund_has_its_words(desk):
    payment = desk.paid()
    refund = given(payment, 3000)
    hear(returned(payment, refund, amount_fen=2999))
    assert told_of(payment).kind == "refund_amount"
    hear(returned(payment, refund))
    hear(returned(payment, refund, trigger="refund_failed"))
    assert [one.kind for one in news() if one.payment_id == payment.id] == [
        "refund_impossible",
        "refund_amount",
    ]


def test_less_returned_than_known_has_its_words(desk):
    payment = desk.paid()
    refund = given(payment, 3000)
    facts = {OURS: True, REFERENCE: "tx", RETURNED_SO_FAR: 2999}
    hear(returned(payment, refund, facts=facts))
    assert told_of(payment).kind == "less_returned"


def test_a_refund_nobody_asked_for_has_its_words(database):
    notice = heard(stranger(trigger="refund_succeeded"))
    [one] = [one for one in news() if one.number == notice.subject]
    assert (one.kind, one.why) == ("refund_unknown", "渠道通知了一笔退款，但我们没有这个退款单号")


def test_every_kind_has_words():
    kinds = {*verdicts._KINDS.values(), "other"}
    kinds |= {
        f"{about}_{what}" for about in ("payment", "refund") for what in ("unknown", "impossible", "amount")
    }
    assert kinds == set(wording.NEWS_WHY)
    assert set(verdicts.LISTED) == set(wording.NEWS_SAYS)


def test_a_reason_without_a_name_still_has_words():
    assert verdicts.kind_of(stranger(), "mismatch", "some new reason") == "other"


def test_the_check_warns_at_once_until_somebody_looked(desk):
    payment = desk.paid()
    hear(succeeded(payment, reference="tx-another"))
    one = told_of(payment)
    [warning] = warned_of(one.id)
    assert f"about {payment.id} was set aside (mismatch, second_transaction)" in warning
    before = set(run_unit(payments.check_books))
    run_unit(lambda u: payments.see_news(u, one.id, "已核实", CLERK))
    assert warned_of(one.id) == []
    assert set(run_unit(payments.check_books)) == before


def test_many_warnings_end_with_a_number(database):
    for _ in range(22):
        hear(stranger())
    told = [one for one in run_unit(payments.warnings) if "set aside" in one]
    count = run_unit(lambda u: payments.money_pending(u, REACH, is_office=True)).news.count
    assert len(told) == 21
    assert told[-1].startswith(f"payments: {count - 20} more news were set aside")


def test_whoever_looked_is_written_down(desk):
    payment = desk.paid()
    hear(succeeded(payment, reference="tx-another"))
    one = told_of(payment)
    seen = run_unit(lambda u: payments.see_news(u, one.id, "渠道确认重复扣款，已退回", CLERK))
    assert (seen.state, seen.seen_by, seen.reason) == ("seen", CLERK.id, "渠道确认重复扣款，已退回")
    assert seen.seen_at is not None
    [line] = [one for one in run_unit(lambda u: u.journal_of(payment.matter)) if one.trigger == "news_seen"]
    assert (line.subject, line.actor.id, line.facts["reason"]) == (seen.id, CLERK.id, seen.reason)


def test_a_look_at_unknown_news_is_journaled(database):
    notice = heard(stranger())
    [one] = [one for one in news(state="open") if one.number == notice.subject]
    run_unit(lambda u: payments.see_news(u, one.id, "已核实", CLERK))
    assert [line.trigger for line in run_unit(lambda u: u.journal_of(one.id))] == ["news_seen"]
    assert one.id in [seen.id for seen in news(state="seen")]
    assert one.id not in [still.id for still in news(state="open")]


def test_news_is_looked_into_once(desk):
    payment = desk.paid()
    hear(succeeded(payment, reference="tx-another"))
    one = told_of(payment)
    run_unit(lambda u: payments.see_news(u, one.id, "已核实", CLERK))
    with pytest.raises(payments.NewsAlreadySeen):
        run_unit(lambda u: payments.see_news(u, one.id, "再核实", CLERK))
    assert told_of(payment).reason == "已核实"
    with pytest.raises(NotFound):
        run_unit(lambda u: payments.see_news(u, "nw-nothing", "已核实", CLERK))


def test_the_log_hears_it_once_and_learns_no_secret(desk, caplog):
    payment = desk.paid()
    before = counted("wechat_pay", "second_transaction")
    with caplog.at_level(logging.WARNING, "payments.verdicts"):
        hear(notice := succeeded(payment, reference="tx-another", raw=b"secret raw"))
        hear(notice)
    [record] = caplog.records
    assert (record.kind, record.provider, record.payment) == ("second_transaction", "wechat_pay", payment.id)
    assert payment.person_id not in str(record.__dict__)
    assert "secret" not in str(record.__dict__)
    assert counted("wechat_pay", "second_transaction") == before + 1


def counted(provider: str, kind: str) -> float:
    return float(metrics.SET_ASIDE.labels(provider, kind)._value.get())
