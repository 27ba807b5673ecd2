"""A day goes wrong: the channel tells a line of another day again, names another payment, or heals while we decide."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

import payments
from backend.kernel import clock, ids
from backend.store.unit import run_unit
from payments import reconciliation
from payments.reconciliation import credits, fetching, tasks
from tests.payments.makers import CLERK, hear, succeeded
from tests.payments.statement_makers import (
    Told,
    file_of,
    found,
    fresh_day,
    reconciled,
    settled,
    wechat_text,
    wish,
)
from tests.payments.test_books import faults_after, tells
from tests.payments.test_differences_end import explain, look_now, moved_since, seen
from tests.payments.test_reconciliation import (
    FINANCE,
    SECOND,
    decide,
    given_back,
    own_payee,
    paid,
    somebody,
    told,
    told_back,
)
from tests.payments.test_reconciliation_desk import at_desk
from tests.people.makers import Officer, officer, slug

_LINE = """
    INSERT INTO payments_statement_line (statement_id, line, kind, number, payment_number, reference, amount_fen,
        fee_fen, happened_at)
    SELECT statement_id, 99, kind, number, payment_number, reference, amount_fen, fee_fen, happened_at
    FROM payments_statement_line WHERE statement_id = %(statement)s AND kind = %(kind)s
"""


@pytest.fixture(scope="module")
def county(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code="341602")


@pytest.fixture(scope="module")
def city(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code="341600")


def test_a_line_on_two_days_pays_out_once(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    first = reconciled(day, [told(payment)])
    second = reconciled(day + timedelta(days=1), [told(payment)])
    assert found(first) == {}
    one = found(second)["told_twice", payment.number]
    assert (one.ours_fen, one.theirs_fen, len(found(second))) == (8000, 16000, 1)
    assert ([made.net_fen for made in settled(first)], settled(second)) == ([8000], [])
    assert moved_since(before) == {"bank:BZ-TEST": 8000, "payee:BZ-TEST": -8000}


def test_a_refund_line_on_two_days_counts_once(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    refund = given_back(payment, 3000)
    reconciled(day, [told(payment), told_back(payment, refund)])
    second = reconciled(day + timedelta(days=1), [told_back(payment, refund)])
    one = found(second)["told_twice", refund.id.replace("-", "")]
    assert (one.refund_id, one.ours_fen, one.theirs_fen) == (refund.id, 3000, 6000)
    assert moved_since(before) == {"bank:BZ-TEST": 5000, "payee:BZ-TEST": -5000}


def test_a_line_twice_on_one_day_pays_out_once(database):
    day = fresh_day()
    payment = paid()
    statement_id = reconciled(day, [told(payment), told(payment)])
    (made,) = settled(statement_id)
    assert (made.payments, made.net_fen) == (1, 8000)
    assert len(run_unit(lambda u: reconciliation.lines_of(u, made.id))) == 1


def test_days_fetched_together_settle_a_line_once(database):
    day = fresh_day()
    payment, days = paid(), [wish("wechat_pay", one) for one in (day, day + timedelta(days=1))]
    for one in days:
        assert fetching.take_in(one, file_of(wechat_text(one.day, [told(payment)])))
    for one in reversed(days):
        assert tasks.compare(one)
    assert [[made.net_fen for made in settled(one.id)] for one in days] == [[8000], []]


def test_a_line_told_again_keeps_nothing_from_healing(database, monkeypatch):
    day = fresh_day()
    payment = somebody().awaiting()
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    again = found(reconciled(day + timedelta(days=1), [told(payment)]))
    assert list(again) == [("told_twice", payment.number)]
    hear(succeeded(payment))
    look_now(one, monkeypatch)
    assert seen(one).state == "solved"
    assert seen(again["told_twice", payment.number]).state == "open"


def test_what_waited_for_its_line_is_not_told_twice(database):
    day = fresh_day()
    payment = paid()
    one = decide(found(reconciled(day, []))["missing_there", payment.number], "wait")
    second = reconciled(day + timedelta(days=1), [told(payment)])
    assert (found(second), seen(one).state) == ({}, "solved")
    assert [made.net_fen for made in settled(second)] == [8000]


@pytest.mark.parametrize("kind", ["paid", "returned"])
def test_books_tell_what_is_settled_twice(database, kind):
    day = fresh_day()
    payment = paid()
    refund = given_back(payment, 3000)
    statement_id = reconciled(day, [told(payment), told_back(payment, refund)])
    faults = faults_after(_LINE, statement=statement_id, kind=kind)
    assert tells(faults, "is settled with more than", payment.id if kind == "paid" else refund.id)


def test_a_return_that_names_another_payment_differs(database):
    day = fresh_day()
    payment, other = paid(), own_payee(8000, f"BZ-{ids.digits(6)}")
    refund = given_back(payment, 3000)
    lines = [told(payment), told(other), told_back(other, refund)]
    statement_id = reconciled(day, lines)
    (one,) = found(statement_id).values()
    assert (one.kind, one.refund_id, one.ours_fen, one.theirs_fen, one.proposal) == (
        "refund_differs", refund.id, 3000, 3000, "book",
    )  # fmt: skip
    made = {each.payee: (each.returned_fen, each.id) for each in settled(statement_id)}
    assert (made["BZ-TEST"][0], made[other.payee][0]) == (3000, 0)
    shown = run_unit(lambda u: reconciliation.lines_of(u, made["BZ-TEST"][1]))
    assert [line.payment_id for line in shown] == [payment.id, payment.id]


def test_a_foreign_return_does_not_heal_by_itself(database, monkeypatch):
    day = fresh_day()
    payment, other = paid(), paid()
    refund = given_back(payment, 3000)
    (one,) = found(reconciled(day, [told(payment), told(other), told_back(other, refund)])).values()
    look_now(one, monkeypatch)
    assert decide(one, "book").state == "booked"
    explain(one)
    assert seen(one).state == "solved"


@pytest.mark.parametrize("decision", ["book", "wait"])
def test_what_agrees_meanwhile_is_not_decided(database, decision):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = somebody().awaiting()
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    hear(succeeded(payment))
    after = decide(one, decision)
    assert (after.state, after.decision) == ("solved", None)
    assert moved_since(before) == {"bank:BZ-TEST": 8000, "payee:BZ-TEST": -8000}


def test_what_agrees_meanwhile_is_not_confirmed(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = somebody().awaiting(amount_fen=200_000)
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    assert decide(one, "book").state == "second"
    hear(succeeded(payment))
    run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))
    assert seen(one).state == "solved"
    assert moved_since(before) == {"bank:BZ-TEST": 200_000, "payee:BZ-TEST": -200_000}


def test_money_heard_of_late_is_the_treasurys_at_once(database):
    day = fresh_day()
    payment = somebody().awaiting()
    reconciled(day, [told(payment)])
    hear(succeeded(payment))
    back = run_unit(lambda u: payments.request_refund(u, payment.id, 500, "多收费用", CLERK))
    assert back.state == "listed"


def test_one_credit_told_twice_at_once_is_one(database, monkeypatch):
    draft = reconciliation.CreditDraft(f"BZ-{ids.digits(6)}", "wechat_pay", "AT-ONCE", clock.today(), 1234)
    together, make = threading.Barrier(2), ids.new_id
    waits = iter((together.wait, together.wait))

    def meet(prefix: str) -> str:
        if prefix == "bc":
            next(waits, lambda timeout: 0)(timeout=20)
        return make(prefix)

    monkeypatch.setattr(credits.ids, "new_id", meet)
    with ThreadPoolExecutor(2) as both:
        tell = [
            both.submit(run_unit, lambda u: reconciliation.tell_credit(u, draft, FINANCE).id) for _ in "ab"
        ]
        assert len({one.result() for one in tell}) == 1


def test_a_county_office_sees_nothing_of_the_citys(town, county, city):
    day = fresh_day()
    payment = paid()
    statement_id = reconciled(day, [told(payment), Told(f"stranger{ids.digits(6)}", 700)])
    (one,) = found(statement_id).values()
    made = settled(statement_id)[0]
    clock.reset()
    decision = {"decision": "book", "reason": "已核对渠道流水"}
    paths = ("/statements", f"/statements/{statement_id}/lines", f"/differences/{one.id}", "/settlements",
             "/bank-credits", "/settlements?payee=BZ-TEST")  # fmt: skip
    for path in paths:
        assert slug(at_desk(town, county, "GET", path)) == "outside-your-scope", path
    assert slug(at_desk(town, county, "GET", f"/settlements/{made.id}/lines")) == "not-found"
    decided = at_desk(town, county, "POST", f"/differences/{one.id}/decision", decision)
    assert slug(decided) == "outside-your-scope"
    assert (
        at_desk(town, city, "POST", f"/differences/{one.id}/decision", decision).json()["state"] == "booked"
    )


def test_a_county_office_tells_no_credit_of_the_citys(town, county):
    body = {"payee": "BZ-TEST", "channel": "alipay", "reference": ids.digits(12), "amount_fen": 1,
            "credited_on": str(clock.today())}  # fmt: skip
    assert slug(at_desk(town, county, "POST", "/bank-credits", body)) == "outside-your-scope"
