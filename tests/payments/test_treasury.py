"""退付: what the channel has paid out is the treasury's, and goes back over the finance office's list only."""

import pytest
from sqlalchemy import text

import payments
from backend.contracts import FeeNotWanted
from backend.kernel import clock, ids
from backend.store.unit import Actor, run_unit
from payments import tasks
from payments.ledger import ledger
from payments.reactions import on_fee_not_wanted
from tests.payments.makers import CLERK, enter_payee, events_of, hear, returned, succeeded

OFFICE = Actor("staff", "st-office", "财政部门")


def settled(payment: payments.PaymentView) -> payments.PaymentView:
    """The channel has paid its day out to the payee."""

    def work(u):
        ledger.enter_settlement(
            u, settlement_id=ids.new_id("set"), channel=payment.channel, department_id=payment.payee,
            net_fen=payment.amount_fen, fee_fen=0,
        )  # fmt: skip
        told = text("UPDATE payments_payment SET settled_at = :at WHERE id = :id")
        u.session.execute(told, {"at": clock.now(), "id": payment.id})

    run_unit(work)
    return payment


def given(payment, amount_fen=None) -> payments.RefundView:
    return run_unit(lambda u: payments.request_refund(u, payment.id, amount_fen, "多收费用", CLERK))


def submitted(refund) -> payments.RefundView:
    return run_unit(lambda u: payments.submit_to_treasury(u, refund.id, "TF-2026-1", OFFICE))


def paid_back(refund) -> payments.RefundView:
    return run_unit(lambda u: payments.treasury_paid(u, refund.id, OFFICE))


def failed(refund) -> payments.RefundView:
    return run_unit(lambda u: payments.treasury_failed(u, refund.id, "账号有误", OFFICE))


def moved(before, account) -> int:
    return run_unit(payments.balances).get(account, 0) - before.get(account, 0)


def test_settled_money_waits_on_the_treasurys_list(desk):
    payment = settled(desk.paid())
    refund = given(payment)
    assert (refund.state, refund.way, desk.look(payment).state) == ("listed", "treasury", "refunding")
    assert len(events_of(desk.matter, "RefundListed")) == 1
    assert events_of(desk.matter, "RefundApproved") == []


def test_before_the_settlement_the_channel_returns_it(desk):
    assert given(desk.paid()).way == "channel"


def test_a_unit_with_its_own_purse_returns_it_itself(desk):
    payment = desk.open(payee=enter_payee(purse="own"))
    hear(succeeded(payment))
    assert given(settled(payment)).way == "channel"


def test_the_treasurys_way_is_told_step_by_step(desk):
    payment = settled(desk.paid())
    before = run_unit(payments.balances)
    refund = given(payment)
    assert submitted(refund).state == "submitted"
    assert paid_back(refund).state == "succeeded"
    seen = desk.look(payment)
    assert (seen.state, seen.refunded_fen, seen.settles) == ("refunded", 8000, False)
    [one] = run_unit(lambda u: payments.refunds_of(u, payment.id))
    assert [step.says for step in one.steps] == [
        "退款申请已登记",
        "退款申请已通过，款项已入国库，已列入退付",
        "退付申请已提交国库",
        "退款已到账",
    ]
    assert [moved(before, account) for account in ("bank:BZ-TEST", "clearing:wechat_pay")] == [-8000, 0]
    assert len(events_of(desk.matter, "PaymentRefunded")) == 1


def test_what_the_treasury_cannot_pay_may_be_asked_again(desk):
    payment = settled(desk.paid())
    refund = failed(submitted(given(payment)))
    assert (refund.state, desk.look(payment).state) == ("failed", "paid")
    assert len(events_of(desk.matter, "RefundFailed")) == 1
    assert given(payment).state == "listed"


def test_the_office_takes_a_refund_off_its_list(desk):
    payment = settled(desk.paid())
    before = run_unit(payments.balances)
    refund = failed(given(payment))
    assert (refund.state, desk.look(payment).state) == ("failed", "paid")
    assert run_unit(lambda u: payments.refund_at_desk(u, refund.id)).failure == "账号有误"
    assert run_unit(payments.balances) == before
    assert len(events_of(desk.matter, "RefundFailed")) == 1
    with pytest.raises(payments.RefundDecided):
        submitted(refund)


def test_no_step_of_the_treasury_comes_twice(desk):
    payment = settled(desk.paid())
    refund = given(payment)
    with pytest.raises(payments.RefundDecided):
        paid_back(refund)
    submitted(refund)
    with pytest.raises(payments.RefundDecided):
        submitted(refund)
    paid_back(refund)
    for too_late in (submitted, paid_back, failed):
        with pytest.raises(payments.RefundDecided):
            too_late(refund)


def test_the_channel_is_never_asked_for_the_treasurys_money(desk):
    payment = settled(desk.paid())
    refund = given(payment)
    run_unit(
        lambda u: u.session.execute(text("UPDATE payments_refund SET ask_next_at = now() - interval '1 day'"))
    )
    claimed = run_unit(tasks._claim_refunds)
    assert refund.id not in [one.id for one in claimed]
    hear(returned(payment, refund))
    assert desk.look(payment).state == "refunding"


def test_an_unwanted_settled_fee_is_listed_by_itself(desk):
    payment = settled(desk.paid())
    run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(desk.matter, desk.person_id, payment.id)))
    [refund] = run_unit(lambda u: payments.refunds_of(u, payment.id))
    assert (refund.state, refund.amount_fen) == ("listed", 8000)


def test_surplus_goes_over_the_channel_even_when_settled(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    settled(second)
    [owed] = run_unit(lambda u: payments.refunds_of(u, second.id))
    hear(returned(second, owed, trigger="refund_failed"))
    again = run_unit(lambda u: payments.give_back(u, second.id, "重新退回", CLERK))
    assert (again.way, again.state) == ("channel", "requested")


def test_part_over_the_channel_and_part_over_the_treasury(desk):
    payment = desk.paid()
    first = given(payment, 3000)
    second = given(settled(payment))
    assert (first.way, second.way, second.amount_fen) == ("channel", "treasury", 5000)
    hear(returned(payment, first))
    assert desk.look(payment).state == "refunding"
    paid_back(submitted(second))
    assert desk.look(payment).state == "refunded"


def test_the_list_shows_what_waits_newest_first(desk):
    payment = settled(desk.paid())
    first, second = given(payment, 1000), given(payment, 2000)
    listed = run_unit(lambda u: payments.refunds_at_desk(u, ("listed",), "BZ-TEST"))
    assert [one.refund.id for one in listed[:2]] == [second.id, first.id]
    rest = run_unit(lambda u: payments.refunds_at_desk(u, ("listed",), None, second.id, 1))
    assert [one.refund.id for one in rest] == [first.id]
