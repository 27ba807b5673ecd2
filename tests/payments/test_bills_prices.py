"""What a bill costs on which day: the sums by themselves, and what a payment under way does with a growing total."""

from datetime import date, timedelta

import pytest

import payments
from backend.kernel import clock, ids
from backend.store.unit import Actor, run_unit
from payments import wording
from payments.bills.models import Bill
from payments.bills.prices import overdue_fen, penalty_fen
from payments.models import MAX_FEN
from tests.payments.makers import CLERK, expire, hear, returned, succeeded

DUE = date(2026, 3, 16)
LATE = {"kind": "fee", "overdue_ppm": 500}


@pytest.mark.parametrize(
    ("principal", "day", "expected"),
    [
        (20_000, DUE, 0),
        (20_000, DUE + timedelta(days=1), 600),
        (20_000, DUE + timedelta(days=33), 19_800),
        (20_000, DUE + timedelta(days=34), 20_000),
        (20_000, DUE + timedelta(days=400), 20_000),
        (15_050, DUE + timedelta(days=1), 451),
        (1, DUE + timedelta(days=33), 0),
    ],
)
def test_the_penalty_grows_by_three_percent_a_day(principal, day, expected):
    assert penalty_fen(principal, DUE, day) == expected


@pytest.mark.parametrize(
    ("base", "ppm", "late_days", "expected"),
    [
        (0, 500, 0, 0),
        (0, 500, -9, 0),
        (0, 500, 1, 5),
        (0, 555, 1, 5),
        (250, 500, 3, 265),
        (250, 0, 900, 250),
        (0, 100_000, 10, 10_000),
        (0, 100_000, 11, 10_000),
        (9_999, 500, 1, 10_000),
    ],
)
def test_the_overdue_grows_at_its_own_rate_up_to_the_principal(base, ppm, late_days, expected):
    assert overdue_fen(10_000, base, ppm, late_days) == expected


@pytest.fixture
def payer() -> Actor:
    return Actor("citizen", ids.new_id("ps"))


def seen(bill) -> payments.BillView:
    return run_unit(lambda u: payments.bill_of(u, bill.id))


def opened(bill, payer: Actor, channel: str = "wechat_pay") -> payments.PaymentView:
    payments.look_up_bill(payer.id, bill.notice_no, "AB12CD")
    return run_unit(lambda u: payments.open_bill_payment(u, bill.id, payer.id, channel, payer))


def state_of(payment) -> str:
    return run_unit(lambda u: payments.payment_of(u, payment.id)).state


def fee_due_today(bill, **words) -> payments.BillView:
    return bill(issued_on=clock.today() - timedelta(days=20), due_on=clock.today(), **(LATE | words))


def at_noon() -> None:
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 12))


def test_a_notice_cannot_shorten_the_days_of_the_law(bill):
    """A row of before we looked: whatever it says, the sixteenth day is the first with a penalty."""
    issued = bill(issued_on=clock.today() - timedelta(days=5))
    run_unit(lambda u: setattr(u.get(Bill, issued.id, lock=True), "due_on", issued.issued_on))
    assert (seen(issued).penalty_fen, seen(issued).total_fen) == (0, 10_000)
    clock.advance(timedelta(days=10))
    assert seen(issued).penalty_fen == 0
    clock.advance(timedelta(days=1))
    assert seen(issued).penalty_fen == 300


def test_a_later_last_day_puts_the_penalty_off(bill):
    issued = bill(issued_on=clock.today() - timedelta(days=20), due_on=clock.today())
    assert issued.penalty_fen == 0
    clock.advance(timedelta(days=1))
    assert seen(issued).penalty_fen == 300


def test_a_fee_begins_to_grow_after_its_last_day(bill):
    at_noon()
    issued = fee_due_today(bill, overdue_fen=70)
    assert (issued.overdue_fen, issued.total_fen) == (70, 10_070)
    clock.advance(timedelta(days=2))
    assert (seen(issued).overdue_fen, seen(issued).penalty_fen, seen(issued).total_fen) == (80, 0, 10_080)


def test_a_total_never_exceeds_twice_the_principal(bill):
    long_ago = clock.today() - timedelta(days=400)
    fee = bill(issued_on=long_ago, due_on=long_ago, kind="fee", overdue_ppm=100_000)
    fine = bill(issued_on=long_ago, kind="fine", overdue_fen=4_000)
    assert (fee.overdue_fen, fee.total_fen) == (10_000, 20_000)
    assert (fine.overdue_fen, fine.penalty_fen, fine.total_fen) == (4_000, 6_000, 20_000)


def test_what_was_paid_is_frozen(bill, payer):
    issued = bill(issued_on=clock.today() - timedelta(days=17))
    hear(succeeded(opened(issued, payer)))
    clock.advance(timedelta(days=30))
    paid = seen(issued)
    assert (paid.state, paid.penalty_fen, paid.total_fen) == ("paid", 600, 10_600)


def test_a_paid_overdue_is_frozen_too(bill, payer):
    issued = bill(
        issued_on=clock.today() - timedelta(days=9), due_on=clock.today() - timedelta(days=4), **LATE
    )
    hear(succeeded(opened(issued, payer)))
    clock.advance(timedelta(days=30))
    assert (seen(issued).overdue_fen, seen(issued).total_fen) == (20, 10_020)


def test_a_withdrawn_bill_grows_no_more(bill):
    issued = bill(issued_on=clock.today() - timedelta(days=60), kind="fee", overdue_fen=30)
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "重复开具", CLERK))
    clock.advance(timedelta(days=30))
    assert seen(issued).total_fen == 10_030


def test_a_returned_bill_costs_what_today_says(bill, payer):
    issued = bill(issued_on=clock.today() - timedelta(days=17))
    payment = opened(issued, payer)
    hear(succeeded(payment))
    give_all_back(payment)
    clock.advance(timedelta(days=1))
    assert (seen(issued).state, seen(issued).penalty_fen) == ("due", 900)
    row = run_unit(lambda u: u.get(Bill, issued.id))
    assert row is not None
    assert (row.paid_overdue_fen, row.paid_penalty_fen) == (None, None)


def test_days_on_which_it_was_paid_cost_nothing(bill, payer):
    issued = bill(issued_on=clock.today())
    payment = opened(issued, payer)
    hear(succeeded(payment))
    clock.advance(timedelta(days=60))
    give_all_back(payment)
    assert (seen(issued).state, seen(issued).penalty_fen) == ("due", 0)
    clock.advance(timedelta(days=16))
    assert seen(issued).penalty_fen == 300


def give_all_back(payment) -> None:
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, None, "缴错", CLERK))
    hear(returned(payment, refund))


def test_midnight_asks_for_a_new_payment(bill, payer):
    at_noon()
    issued = bill(issued_on=clock.today() - timedelta(days=16))
    clock.move_to(clock.at_local(clock.today(), 23, 55))
    before = opened(issued, payer)
    clock.advance(timedelta(minutes=6))
    after = opened(issued, payer)
    assert (before.amount_fen, after.amount_fen) == (10_300, 10_600)
    assert (state_of(before), state_of(after)) == ("closing", "created")
    assert opened(issued, payer).id == after.id


def test_yesterdays_price_is_honoured_while_its_payment_lives(bill, payer):
    at_noon()
    issued = bill(issued_on=clock.today() - timedelta(days=16))
    clock.move_to(clock.at_local(clock.today(), 23, 55))
    before = opened(issued, payer)
    clock.advance(timedelta(minutes=6))
    after = opened(issued, payer)
    hear(succeeded(before))
    assert (state_of(before), seen(issued).state, seen(issued).total_fen) == ("paid", "paid", 10_300)
    hear(succeeded(after))
    assert state_of(after) == "refunding"


def test_late_money_for_a_corrected_bill_goes_back(bill, payer):
    issued = bill()
    payment = opened(issued, payer)
    expire(payment)
    hear(closed_news(payment))
    amounts = payments.BillCorrection(9_000, 0, 0, issued.due_on)
    run_unit(lambda u: payments.correct_bill(u, issued.id, "BZ-TEST", amounts, "金额有误", CLERK))
    hear(succeeded(payment))
    assert (state_of(payment), seen(issued).state) == ("refunding", "due")


def closed_news(payment):
    return succeeded(payment, trigger="closed", amount_fen=None)


def test_the_limit_is_what_the_words_say():
    assert f"{MAX_FEN // 1_000_000} 万元" == wording.LIMIT


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "fee", "principal_fen": MAX_FEN, "overdue_fen": 1},
        {"kind": "fine", "principal_fen": 60_000_000, "issued_on": clock.today() - timedelta(days=60)},
    ],
)
def test_more_than_the_limit_is_paid_at_the_window(bill, payer, words):
    issued = bill(**words)
    run_unit(lambda u: payments.mark_window_handled(u, issued.id, "BZ-TEST", CLERK))
    with pytest.raises(payments.MustVisitWindow) as told:
        opened(issued, payer)
    view = seen(issued)
    assert (view.must_visit_window, view.window_reason) == (True, told.value.detail)
    assert wording.LIMIT in view.window_reason
    assert told.value.extra["window"] == {"name": "测试服务大厅 8 号窗口", "address": "测试路 1 号"}


def test_the_limit_itself_is_paid_online(bill, payer):
    issued = bill(kind="fee", principal_fen=MAX_FEN)
    assert (seen(issued).must_visit_window, seen(issued).window_reason) == (False, "")
    assert opened(issued, payer).amount_fen == MAX_FEN


def test_what_is_withdrawn_sends_nobody_to_the_window(bill):
    issued = bill(kind="fee", principal_fen=MAX_FEN, overdue_fen=1)
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "重复开具", CLERK))
    assert (seen(issued).must_visit_window, seen(issued).window_reason) == (False, "")


def test_a_push_above_the_limit_is_told_the_limit(bill, desk):
    with pytest.raises(payments.AmountOutOfRange) as pushed:
        bill(principal_fen=MAX_FEN + 1)
    with pytest.raises(payments.AmountOutOfRange) as begun:
        desk.open(amount_fen=MAX_FEN + 1)
    for told in (pushed.value, begun.value):
        assert wording.LIMIT in told.title
        assert wording.LIMIT in told.errors[0]["message"]
