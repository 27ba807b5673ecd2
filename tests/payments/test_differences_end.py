"""How differences end: what was booked is explained, what waited is not forgotten, what heals late is settled."""

from datetime import date, timedelta

import pytest

import payments
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove
from backend.runtime.settings import settings
from backend.store.unit import run_unit
from payments import reconciliation
from payments.models import Payment
from payments.reconciliation import tasks
from payments.reconciliation.models import Difference
from payments.reconciliation.problems import SameHands
from tests.payments.makers import CLERK, closed, hear, returned, succeeded
from tests.payments.statement_makers import Told, found, fresh_day, look, reconciled
from tests.payments.street import Street, until
from tests.payments.test_books import faults_after, tells
from tests.payments.test_reconciliation import (
    FINANCE,
    SECOND,
    decide,
    given_back,
    paid,
    somebody,
    told,
    told_back,
)

ACCOUNTS = ("clearing:wechat_pay", "difference:wechat_pay", "fee:wechat_pay", "bank:BZ-TEST", "payee:BZ-TEST")
UNEXPLAINED = "not the sum of what is booked and not explained"


def moved_since(before: dict[str, int]) -> dict[str, int]:
    after = run_unit(payments.balances)
    moves = {one: after.get(one, 0) - before.get(one, 0) for one in ACCOUNTS}
    return {one: fen for one, fen in moves.items() if fen}


def seen(one: reconciliation.DifferenceView) -> reconciliation.DifferenceView:
    return run_unit(lambda u: reconciliation.difference_of(u, one.id))


def look_now(one: reconciliation.DifferenceView, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chore comes by, and it is this one's turn; nobody is asked anything."""

    def make_due(u):
        u.get(Difference, one.id, lock=True).look_next_at = clock.wire_now() - timedelta(days=1)

    run_unit(make_due)
    monkeypatch.setattr(tasks, "MORE_ASKED", 0)
    tasks.look_again()


def the_books_agree() -> bool:
    return not any(UNEXPLAINED in fault for fault in run_unit(payments.check_books))


def missing_there(day: date, payment: payments.PaymentView) -> reconciliation.DifferenceView:
    return found(reconciled(day, []))["missing_there", payment.number]


def explain(one: reconciliation.DifferenceView, to: str = "channel", by=FINANCE) -> None:
    run_unit(lambda u: reconciliation.explain(u, one.id, to, "渠道已补单", by))


def test_booked_money_listed_later_is_counted_once(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    one = decide(missing_there(day, payment), "book")
    assert moved_since(before) == {"difference:wechat_pay": 8000, "payee:BZ-TEST": -8000}
    assert the_books_agree()
    reconciled(day + timedelta(days=1), [told(payment)])
    assert (seen(one).state, seen(one).explained_at is not None) == ("solved", True)
    assert moved_since(before) == {"bank:BZ-TEST": 8000, "payee:BZ-TEST": -8000}
    assert the_books_agree()


def test_a_booked_refund_listed_later_is_counted_once(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    refund = given_back(payment, 2000)
    one = found(reconciled(day, [told(payment)]))["refund_differs", refund.id.replace("-", "")]
    decide(one, "book")
    reconciled(day + timedelta(days=1), [told_back(payment, refund)])
    assert seen(one).state == "solved"
    assert moved_since(before) == {"bank:BZ-TEST": 6000, "payee:BZ-TEST": -6000}


def test_booked_money_listed_with_another_sum_is_not_doubled(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    one = decide(missing_there(day, payment), "book")
    later = found(reconciled(day + timedelta(days=1), [told(payment, fen=7990)]))
    assert seen(one).state == "solved"
    assert decide(later["amount_differs", payment.number], "book").state == "booked"
    assert moved_since(before) == {
        "difference:wechat_pay": 10, "bank:BZ-TEST": 7990, "payee:BZ-TEST": -8000,
    }  # fmt: skip


def test_booked_money_told_of_later_is_explained(database, monkeypatch):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = somebody().awaiting()
    one = decide(found(reconciled(day, [told(payment)]))["state_differs", payment.number], "book")
    hear(succeeded(payment))
    look_now(one, monkeypatch)
    assert seen(one).state == "solved"
    assert moved_since(before) == {"bank:BZ-TEST": 8000, "payee:BZ-TEST": -8000}
    assert the_books_agree()


def test_money_healed_after_its_day_is_the_treasurys(database, monkeypatch):
    day = fresh_day()
    payment = somebody().awaiting()
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    assert one.state == "open"
    hear(succeeded(payment))
    look_now(one, monkeypatch)
    assert seen(one).state == "solved"
    assert run_unit(lambda u: u.get(Payment, payment.id).settled_at) is not None
    back = run_unit(lambda u: payments.request_refund(u, payment.id, 500, "多收费用", CLERK))
    assert back.state == "listed"


def test_a_large_difference_heals_while_it_waits_for_a_colleague(database, monkeypatch):
    day = fresh_day()
    payment = somebody().awaiting("wechat_pay", settings().money.refund_four_eyes_fen + 1)
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    assert decide(one, "book").state == "second"
    hear(succeeded(payment))
    look_now(one, monkeypatch)
    assert (seen(one).state, seen(one).decision) == ("solved", None)
    with pytest.raises(ImpossibleMove):
        run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))


def test_what_still_differs_is_left_alone(database, monkeypatch):
    day = fresh_day()
    payment = somebody().awaiting()
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    look_now(one, monkeypatch)
    assert seen(one).state == "open"
    hear(closed(payment))


def test_an_explanation_takes_it_off_the_account(database):
    day, before = fresh_day(), run_unit(payments.balances)
    one = decide(found(reconciled(day, [Told("strangerE1", 700)]))["missing_here", "strangerE1"], "book")
    explain(one)
    told_of = seen(one)
    assert (told_of.state, told_of.explanation, told_of.explained_by) == (
        "solved",
        "渠道已补单",
        "st-finance",
    )
    assert moved_since(before) == {}
    with pytest.raises(ImpossibleMove):
        explain(one)


def test_what_the_channel_kept_becomes_its_fee(database):
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    differs = found(reconciled(day, [told(payment, fen=7990)]))
    explain(decide(differs["amount_differs", payment.number], "book"), "fee")
    assert moved_since(before) == {"fee:wechat_pay": 10, "bank:BZ-TEST": 7990, "payee:BZ-TEST": -8000}


def test_a_large_explanation_needs_two_people(database):
    day, before = fresh_day(), run_unit(payments.balances)
    large = settings().money.refund_four_eyes_fen + 1
    one = found(reconciled(day, [Told("strangerE2", large)]))["missing_here", "strangerE2"]
    decide(one, "book")
    run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))
    explain(one)
    assert seen(one).state == "explaining"
    assert the_books_agree()
    with pytest.raises(SameHands):
        run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", FINANCE))
    run_unit(lambda u: reconciliation.confirm(u, one.id, False, "请再核对", SECOND))
    assert (seen(one).state, seen(one).explanation) == ("booked", None)
    explain(one)
    run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))
    assert (seen(one).state, seen(one).explanation_confirmed_by) == ("solved", "st-second")
    assert moved_since(before) == {}


def test_only_what_is_booked_is_explained(database):
    day = fresh_day()
    one = found(reconciled(day, [Told("strangerE3", 700)]))["missing_here", "strangerE3"]
    with pytest.raises(ImpossibleMove):
        explain(one)


def test_a_difference_lost_from_its_account_is_told(database):
    day = fresh_day()
    one = decide(found(reconciled(day, [Told("strangerE4", 700)]))["missing_here", "strangerE4"], "book")
    lost = faults_after("UPDATE payments_difference SET state = 'solved' WHERE id = %(id)s", id=one.id)
    assert tells(lost, "difference:wechat_pay", UNEXPLAINED)


def test_what_waits_is_solved_when_it_is_listed(database):
    day = fresh_day()
    payment = paid()
    one = decide(missing_there(day, payment), "wait")
    assert (one.state, one.says) == ("waiting", "待次日")
    reconciled(day + timedelta(days=1), [told(payment)])
    assert (seen(one).state, seen(one).decision) == ("solved", "wait")


def test_what_waits_in_vain_is_opened_again(database):
    day = fresh_day()
    one = decide(missing_there(day, paid()), "wait")
    reconciled(day + timedelta(days=1), [])
    assert seen(one).state == "waiting"
    clock.move_to(clock.at_local(day + timedelta(days=3), 11))
    reconciled(day + timedelta(days=2), [])
    assert (seen(one).state, seen(one).decision, seen(one).proposal) == ("open", None, "ask")
    assert decide(one, "book").state == "booked"


def test_days_before_it_do_not_open_it_again(database):
    day = fresh_day()
    one = decide(missing_there(day, paid()), "wait")
    reconciled(day - timedelta(days=1), [])
    reconciled(day + timedelta(days=1), [])
    assert seen(one).state == "waiting"


def test_asking_goes_on_in_batches(street: Street, monkeypatch):
    """One is asked about before the day is settled; the other's turn comes with the next round."""
    day = fresh_day()
    street.drop_news("wechat_pay", times=2)
    orders = [street.begin("wechat_pay", subject=f"case:{ids.new_id('cs')}") for _ in range(2)]
    for order in orders:
        street.pay(order)
    numbers = [order.payment_id.replace("-", "") for order in orders]
    monkeypatch.setattr(tasks, "MOST_ASKED", 1)
    statement_id = reconciled(day, [Told(number, 8000) for number in numbers])
    assert (look(statement_id).matched, look(statement_id).unsolved) == (1, 1)
    monkeypatch.setattr(tasks, "MORE_ASKED", 500)

    def healed() -> bool:
        tasks.look_again()
        return look(statement_id).unsolved == 0

    until(healed)
    assert [run_unit(lambda u, o=o: u.get(Payment, o.payment_id).settled_at) is None for o in orders] == [
        False, False,
    ]  # fmt: skip


def test_the_channel_is_not_asked_forever(database, monkeypatch):
    day = fresh_day()
    one = found(reconciled(day, [told(payment := somebody().awaiting())]))["state_differs", payment.number]

    def turns() -> int:
        row = run_unit(lambda u: u.get(Difference, one.id))
        assert row.ask_next_at > clock.wire_now()
        return row.asked

    asked = [turns()]
    for _ in range(8):

        def make_due(u):
            u.get(Difference, one.id, lock=True).ask_next_at = clock.wire_now() - timedelta(days=9)

        run_unit(make_due)
        monkeypatch.setattr(tasks, "MORE_ASKED", 1)
        run_unit(lambda u: tasks.looking.claim_questions(u, 1, one.statement_id))
        asked.append(run_unit(lambda u: u.get(Difference, one.id)).asked)
    assert asked == [1, 2, 3, 4, 5, 6, 6, 6, 6]
    hear(closed(payment))


def test_a_returned_line_is_matched_too(database):
    day = fresh_day()
    payment = paid()
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, 500, "多收费用", CLERK))
    statement_id = reconciled(
        day, [told(payment), Told(payment.number, 500, back=refund.id.replace("-", ""))]
    )
    assert look(statement_id).matched == 1
    hear(returned(payment, refund))
