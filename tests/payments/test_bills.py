"""Bills: what a notice costs on which day, who may find it, and the window that comes first above 200 yuan."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

import payments
from backend import catalogue
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput, TooMany
from backend.store import unit
from backend.store.unit import run_unit
from tests.payments.makers import CLERK, events_of, hear, returned, succeeded


def find(bill, person_id, factor="AB12CD") -> payments.BillView:
    return payments.look_up_bill(person_id, bill.notice_no, factor)


def open_for(bill, person_id, channel="wechat_pay") -> payments.PaymentView:
    by = unit.Actor("citizen", person_id)
    return run_unit(lambda u: payments.open_bill_payment(u, bill.id, person_id, channel, by))


@pytest.fixture
def person_id() -> str:
    return ids.new_id("ps")


def test_the_sixteenth_day_is_the_first_with_a_penalty(bill):
    issued = bill(issued_on=clock.today() - timedelta(days=15))
    assert issued.penalty_fen == 0
    clock.advance(timedelta(days=1))
    later = run_unit(lambda u: payments.bill_of(u, issued.id))
    assert (later.penalty_fen, later.total_fen) == (300, 10_300)


def test_a_fee_carries_its_overdue_but_no_penalty(bill):
    issued = bill(kind="fee", overdue_fen=250, issued_on=clock.today() - timedelta(days=90))
    assert (issued.penalty_fen, issued.total_fen) == (0, 10_250)


def test_a_bill_opens_its_own_timeline(bill):
    issued = bill()
    assert [line.trigger for line in run_unit(lambda u: u.journal_of(issued.id))] == ["begun"]
    assert len(events_of(issued.id, "BillIssued")) == 1


def test_the_same_bill_pushed_again_is_the_same(bill):
    number = ids.digits(20)
    assert bill(notice_no=number).id == bill(notice_no=number).id


def test_bills_pushed_at_once_become_one(bill):
    number = ids.digits(20)
    with ThreadPoolExecutor(4) as pool:
        assert len({b.id for b in pool.map(lambda _: bill(notice_no=number), range(4))}) == 1


def test_another_bill_under_the_same_number_is_refused(bill):
    number = ids.digits(20)
    bill(notice_no=number)
    with pytest.raises(payments.BillNumberTaken):
        bill(notice_no=number, principal_fen=1)


@pytest.mark.parametrize(
    "words",
    [
        {"notice_no": "1" * 19},
        {"notice_no": "1" * 17},
        {"notice_no": "1" * 19 + "x"},
        {"notice_no": "１" * 20},
        {"principal_fen": 0},
        {"principal_fen": 100.0},
        {"principal_fen": -5},
        {"principal_fen": 100_000_001},
        {"overdue_fen": -1},
        {"kind": "tax"},
        {"factor": " 1 "},
        {"issued_on": date(2999, 1, 1)},
        {"due_on": date(2000, 1, 1)},
    ],
)
def test_a_malformed_bill_is_refused(bill, words):
    with pytest.raises(InvalidInput) as told:
        bill(**words)
    assert told.value.errors[0]["field"] in {"factor": "second_factor"}.get(*words, *words)


def test_a_bill_is_found_by_number_and_factor(bill, person_id):
    issued = bill()
    assert find(issued, person_id, " ab12cd ").id == issued.id
    assert [b.id for b in run_unit(lambda u: payments.bills_of(u, person_id))] == [issued.id]


def test_unknown_number_and_wrong_factor_look_the_same(bill, person_id):
    issued = bill()
    with pytest.raises(payments.BillNotFound) as wrong_factor:
        find(issued, person_id, "WRONG1")
    with pytest.raises(payments.BillNotFound) as unknown:
        payments.look_up_bill(person_id, "9" * 20, "AB12CD")
    assert wrong_factor.value.as_dict("") == unknown.value.as_dict("")


def test_a_bill_nobody_found_looks_absent(bill, person_id):
    issued = bill()
    with pytest.raises(payments.BillNotFound):
        run_unit(lambda u: payments.bill_of(u, issued.id, person_id=person_id))
    with pytest.raises(payments.BillNotFound):
        open_for(issued, person_id)


def test_walking_numbers_ends_after_five_tries(database, person_id):
    for _ in range(5):
        with pytest.raises(payments.BillNotFound):
            payments.look_up_bill(person_id, ids.digits(20), "AB12CD")
    with pytest.raises(TooMany) as told:
        payments.look_up_bill(person_id, ids.digits(20), "AB12CD")
    assert 0 < told.value.retry_after <= 3600


def test_strangers_lock_only_themselves_out_of_a_bill(bill, person_id):
    issued, guessers = bill(), [ids.new_id("ps") for _ in range(40)]
    for guesser in guessers:
        with pytest.raises(payments.BillNotFound):
            find(issued, guesser, "WRONG1")
    with pytest.raises(TooMany):
        find(issued, guessers[0])
    assert find(issued, person_id).id == issued.id


def test_one_address_guesses_sixty_times_an_hour(bill, person_id):
    issued, sender = bill(), ids.digits(24)
    for _ in range(60):
        with pytest.raises(payments.BillNotFound):
            payments.look_up_bill(ids.new_id("ps"), ids.digits(20), "WRONG1", sender)
    with pytest.raises(TooMany) as told:
        payments.look_up_bill(person_id, issued.notice_no, "AB12CD", sender)
    assert 0 < told.value.retry_after <= 3600
    assert payments.look_up_bill(person_id, issued.notice_no, "AB12CD", ids.digits(24)).id == issued.id


def test_guesses_at_once_are_all_counted(bill, person_id):
    issued, refused = bill(), []

    def guess(_):
        try:
            find(issued, person_id, "WRONG1")
        except (payments.BillNotFound, TooMany) as problem:
            refused.append(type(problem))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(16)))
    assert refused.count(payments.BillNotFound) == 5


def test_finding_costs_no_tries(bill, person_id):
    issued = bill()
    for _ in range(12):
        find(issued, person_id)


def test_a_found_bill_is_paid_and_receipted(bill, person_id):
    issued = bill()
    find(issued, person_id)
    payment = open_for(issued, person_id)
    assert (payment.amount_fen, payment.matter) == (10_000, issued.id)
    hear(succeeded(payment))
    paid = run_unit(lambda u: payments.bill_of(u, issued.id))
    assert (paid.state, paid.says, paid.penalty_fen) == ("paid", "已缴款", 0)
    assert run_unit(lambda u: payments.receipt_of(u, payment.id, person_id)).amount_fen == 10_000
    with pytest.raises(payments.FeeAlreadyPaid):
        open_for(issued, person_id)


def test_a_large_fine_goes_to_the_window_first(bill, person_id):
    issued = bill(principal_fen=20_001)
    find(issued, person_id)
    with pytest.raises(payments.MustVisitWindow) as told:
        open_for(issued, person_id)
    assert told.value.extra["window"] == {"name": "测试服务大厅 8 号窗口", "address": "测试路 1 号"}
    assert "200 元" in (told.value.detail or "")
    handled = run_unit(lambda u: payments.mark_window_handled(u, issued.id, "BZ-TEST", CLERK))
    assert handled.must_visit_window is False
    assert open_for(issued, person_id).amount_fen == 20_001


def test_two_hundred_yuan_sharp_needs_no_window(bill, person_id):
    issued = bill(principal_fen=20_000)
    assert find(issued, person_id).must_visit_window is False


def test_a_penalty_does_not_send_to_the_window(bill, person_id):
    issued = bill(principal_fen=20_000, issued_on=clock.today() - timedelta(days=60))
    assert find(issued, person_id).must_visit_window is False
    assert open_for(issued, person_id).amount_fen == 40_000


def test_a_withdrawn_bill_cannot_be_paid(bill, person_id):
    issued = bill()
    find(issued, person_id)
    payment = open_for(issued, person_id)
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "处罚决定撤销", CLERK))
    assert run_unit(lambda u: payments.payment_of(u, payment.id)).state == "closing"
    with pytest.raises(payments.BillNotDue):
        open_for(issued, person_id)


def test_money_for_a_withdrawn_bill_goes_back(bill, person_id):
    issued = bill()
    find(issued, person_id)
    payment = open_for(issued, person_id)
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "处罚决定撤销", CLERK))
    hear(succeeded(payment))
    assert run_unit(lambda u: payments.payment_of(u, payment.id)).state == "refunding"
    assert run_unit(lambda u: payments.bill_of(u, issued.id)).state == "withdrawn"


def test_a_paid_bill_cannot_be_withdrawn(bill, person_id):
    issued = bill()
    find(issued, person_id)
    hear(succeeded(open_for(issued, person_id)))
    with pytest.raises(payments.BillNotDue):
        run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "处罚决定撤销", CLERK))


def test_a_returned_bill_is_due_again(bill, person_id):
    issued = bill()
    find(issued, person_id)
    payment = open_for(issued, person_id)
    hear(succeeded(payment))
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, None, "缴错", CLERK))
    hear(returned(payment, refund))
    assert run_unit(lambda u: payments.bill_of(u, issued.id)).state == "due"


def test_another_department_sees_no_bill(bill):
    issued = bill()
    with pytest.raises(payments.BillNotFound):
        run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-OTHER", "处罚决定撤销", CLERK))
    with pytest.raises(payments.BillNotFound):
        run_unit(lambda u: payments.bill_of(u, issued.id, department_id="BZ-OTHER"))


def test_two_payers_of_one_bill_settle_it_once(bill):
    issued, payers = bill(), [ids.new_id("ps"), ids.new_id("ps")]
    for payer in payers:
        find(issued, payer)
    opened = [open_for(issued, payer) for payer in payers]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda payment: hear(succeeded(payment)), opened))
    states = [run_unit(lambda u, p=p: payments.payment_of(u, p.id)).state for p in opened]
    assert sorted(states) == ["paid", "refunding"]


def test_the_words_for_messages_name_unit_and_sum(bill):
    issued = bill()
    facts = run_unit(lambda u: payments.bill_facts_for(u, issued.id))
    assert (facts["amount"], facts["unit"]) == ("100.00", "测试交警支队")


def test_the_bills_of_the_demo_town_load_once(database, person_id):
    rows = json.loads(Path("data/bills.json").read_text("utf-8"))["bills"]
    payees = json.loads(Path("data/payees.json").read_text("utf-8"))["payees"]
    run_unit(catalogue.load_base_data)
    run_unit(lambda u: payments.load_payees(u, payees, CLERK))
    first = run_unit(lambda u: payments.load_bills(u, rows, CLERK))
    assert first in (0, len(rows))
    assert run_unit(lambda u: payments.load_bills(u, rows, CLERK)) == 0
    large = payments.look_up_bill(person_id, rows[2]["notice_no"], rows[2]["factor"])
    assert (large.principal_fen > 20_000, large.must_visit_window) == (True, True)
