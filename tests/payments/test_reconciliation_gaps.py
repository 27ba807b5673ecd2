"""Money that belongs to a department though no payment of ours stands for it, and the bank credits it is part of."""

from datetime import date, timedelta

import pytest

import payments
from backend.kernel import ids
from backend.kernel.problems import InvalidInput
from backend.runtime.settings import settings
from backend.store.unit import run_unit
from payments import reconciliation
from payments.reconciliation.composing import way_to
from payments.reconciliation.problems import CreditWithdrawn, NobodysPayout, SettlementTaken, SumDiffers
from tests.payments.makers import closed, enter_payee, hear
from tests.payments.statement_makers import Told, found, fresh_day, reconciled
from tests.payments.test_books import faults_after, tells
from tests.payments.test_differences_end import moved_since, seen, the_books_agree
from tests.payments.test_reconciliation import (
    FINANCE,
    SECOND,
    credit,
    decide,
    given_back,
    own_payee,
    paid,
    somebody,
    told,
    told_back,
)


def to_payee(
    one: reconciliation.DifferenceView, department_id: str | None = "BZ-TEST", to: str = "payee"
) -> reconciliation.DifferenceView:
    reason = "有人扫了窗口的旧收款码"
    run_unit(lambda u: reconciliation.explain(u, one.id, to, reason, FINANCE, department_id=department_id))
    return seen(one)


def strangers(day: date, fen: int = 700, fee: int = 0, *others: Told) -> reconciliation.DifferenceView:
    """A payment only the channel knows, booked; its day is reconciled with these other lines."""
    number = f"stranger{ids.digits(12)}"
    statement_id = reconciled(day, [Told(number, fen, fee=fee), *others])
    return decide(found(statement_id)["missing_here", number], "book")


def chosen(
    one: reconciliation.CreditView, settlement_ids: list[str], difference_ids: list[str]
) -> reconciliation.CreditView:
    def work(u):
        reconciliation.choose_settlements(u, one.id, settlement_ids, FINANCE, difference_ids=difference_ids)
        return reconciliation.credit_of(u, one.id)

    return run_unit(work)


def brought(one: reconciliation.CreditView) -> tuple[list[int], list[int]]:
    now = run_unit(lambda u: reconciliation.credit_of(u, one.id))
    return [row.net_fen for row in now.settlements], [row.amount_fen for row in now.differences]


def test_a_strangers_money_becomes_its_departments(database):
    enter_payee_once()
    day, before = fresh_day(), run_unit(payments.balances)
    one = to_payee(strangers(day, 700, 4))
    assert (one.state, one.explained_to, one.explained_department) == ("solved", "payee", "BZ-TEST")
    assert moved_since(before) == {"bank:BZ-TEST": 696, "fee:wechat_pay": 4, "payee:BZ-TEST": -700}
    assert the_books_agree()


def enter_payee_once() -> None:
    """BZ-TEST has a settlement, which is enough to be known."""
    reconciled(fresh_day(), [told(paid(100))])


def test_a_doubled_line_becomes_its_departments(database):
    enter_payee_once()
    day, before = fresh_day(), run_unit(payments.balances)
    payment = paid()
    statement_id = reconciled(day, [told(payment, fee=48), told(payment, fee=48)])
    one = to_payee(decide(found(statement_id)["told_twice", payment.number], "book"))
    assert one.state == "solved"
    assert moved_since(before) == {
        "bank:BZ-TEST": 2 * (8000 - 48), "fee:wechat_pay": 96, "payee:BZ-TEST": -16_000,
    }  # fmt: skip


def test_a_return_of_a_stranger_is_borne_by_its_department(database):
    enter_payee_once()
    day, before = fresh_day(), run_unit(payments.balances)
    statement_id = reconciled(day, [Told("strangerG1", 300, back="rfstrangerG1")])
    to_payee(decide(found(statement_id)["refund_differs", "rfstrangerG1"], "book"))
    assert moved_since(before) == {"bank:BZ-TEST": -300, "payee:BZ-TEST": 300}


def test_what_a_settlement_contains_is_nobodys_payout(database):
    """The day's settlement has paid it out already, or no line tells of it at all."""
    day = fresh_day()
    another, unheard, untold = paid(), somebody().awaiting(), paid()
    refund = given_back(another, 2000)
    lines = [told(another, fen=7990), told(unheard), told_back(another, refund, fen=1999)]
    differs = found(reconciled(day, lines))
    assert {kind for kind, _ in differs} == {
        "amount_differs", "state_differs", "missing_there", "refund_differs",
    }  # fmt: skip
    for one in differs.values():
        with pytest.raises(NobodysPayout):
            to_payee(decide(one, "book"))
        assert seen(one).state == "booked"
    assert untold.number in {number for _, number in differs}
    hear(closed(unheard))


def test_only_a_known_department_may_be_named(database):
    one = strangers(fresh_day())
    for department_id, to in (("BZ-NOWHERE", "payee"), (None, "payee"), ("BZ-TEST", "channel")):
        with pytest.raises(InvalidInput):
            to_payee(one, department_id, to)
    assert (seen(one).state, seen(one).explained_department) == ("booked", None)
    assert to_payee(one, enter_payee()).state == "solved"


def test_a_stopped_payee_without_settlements_is_not_known(database):
    one, payee = strangers(fresh_day()), enter_payee()
    run_unit(lambda u: payments.set_payee_active(u, payee, "并入其他单位", FINANCE, active=False))
    with pytest.raises(InvalidInput):
        to_payee(one, payee)


def test_a_large_payout_needs_two_people(database):
    payee, day = enter_payee(), fresh_day()
    large = settings().money.refund_four_eyes_fen + 1
    one = strangers(day, large)
    run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))
    assert to_payee(one, payee).state == "explaining"
    assert run_unit(payments.balances).get(f"bank:{payee}") is None
    run_unit(lambda u: reconciliation.confirm(u, one.id, False, "请再核对", SECOND))
    assert seen(one).explained_department is None
    to_payee(one, payee)
    run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))
    assert (seen(one).state, run_unit(payments.balances)[f"bank:{payee}"]) == ("solved", large)


def test_a_credit_takes_settlement_and_payout_together(database):
    payee, day = enter_payee(), fresh_day()
    one = strangers(day, 700, 4, told(own_payee(800, payee), fee=5))
    bank = credit(day + timedelta(days=1), 795 + 696, payee=payee)
    assert brought(bank) == ([], [])
    to_payee(one, payee)
    assert brought(bank) == ([795], [696])
    assert run_unit(lambda u: reconciliation.credits_of(u, payee=payee, unmatched=True)) == []
    (line,) = run_unit(lambda u: reconciliation.payouts_of(u, payee=payee))
    assert (line.id, line.credit_id, line.kind_says) == (one.id, bank.id, "渠道有、本地无")


def test_a_payout_of_a_later_day_is_in_no_earlier_credit(database):
    payee, day = enter_payee(), fresh_day()
    bank = credit(day - timedelta(days=1), 700, payee=payee)
    to_payee(strangers(day), payee)
    assert brought(bank) == ([], [])
    assert brought(credit(day, 700, payee=payee)) == ([], [700])


def test_between_several_ways_a_person_chooses(database):
    payee, day = enter_payee(), fresh_day()
    first = to_payee(strangers(day), payee)
    second = to_payee(strangers(day + timedelta(days=1)), payee)
    bank = credit(day + timedelta(days=2), 700, payee=payee)
    assert brought(bank) == ([], [])
    chosen(bank, [], [second.id])
    assert brought(bank) == ([], [700])
    assert [row.id for row in chosen(bank, [], [first.id]).differences] == [first.id]
    other = credit(day + timedelta(days=2), 700, payee=payee)
    assert brought(other) == ([], [700])
    with pytest.raises(SettlementTaken):
        chosen(other, [], [first.id])


def test_a_choice_adds_up_to_the_fen(database):
    payee, day = enter_payee(), fresh_day()
    one = to_payee(strangers(day, 700, 0, told(own_payee(800, payee))), payee)
    made = run_unit(lambda u: reconciliation.settlements_of(u, payee=payee))[0]
    bank = credit(day, 1501, payee=payee)
    with pytest.raises(SumDiffers):
        chosen(bank, [made.id], [one.id])
    foreign = to_payee(strangers(day + timedelta(days=1), 701), enter_payee())
    with pytest.raises(SettlementTaken):
        chosen(bank, [made.id], [foreign.id])
    unexplained = strangers(day + timedelta(days=2), 701)
    with pytest.raises(SettlementTaken):
        chosen(bank, [made.id], [unexplained.id])


def test_a_withdrawn_credit_frees_its_payouts(database):
    payee, day = enter_payee(), fresh_day()
    to_payee(strangers(day), payee)
    first = credit(day, 700, payee=payee)
    second = credit(day, 700, payee=payee)
    assert (brought(first), brought(second)) == (([], [700]), ([], []))
    run_unit(lambda u: reconciliation.withdraw_credit(u, first.id, "登记错了", FINANCE))
    assert (brought(first), brought(second)) == (([], []), ([], [700]))
    with pytest.raises(CreditWithdrawn):
        chosen(first, [], [])


@pytest.mark.parametrize(
    ("amount", "nets", "payouts", "way"),
    [
        (8, [5, 3], [8], (range(2), ())), (7, [5, 3], [2, 9], (range(1), (0,))), (2, [5], [2], (range(0), (0,))),
        (2, [], [2, 2], (range(0), ())), (4, [2, 9], [2, 4], (range(0), ())), (1, [1] * 3, [1] * 11, (range(1), ())),
        (14, [], [1] * 11 + [3], (range(0), ())), (3, [5], [-2], (range(1), (0,))),
    ],
)  # fmt: skip
def test_settlements_first_then_the_only_way(amount, nets, payouts, way):
    assert way_to(amount, nets, payouts) == way


def test_a_credit_of_another_sum_is_told(database):
    payee, day = enter_payee(), fresh_day()
    one = to_payee(strangers(day), payee)
    bank = credit(day, 700, payee=payee)
    wrong = faults_after("UPDATE payments_bank_credit SET amount_fen = 699 WHERE id = %(id)s", id=bank.id)
    assert tells(wrong, bank.id, "not the sum of what it pays")
    lost = faults_after("UPDATE payments_difference SET payout_fen = 699 WHERE id = %(id)s", id=one.id)
    assert tells(lost, one.id, "not paid out to it")


def test_a_department_may_bear_more_than_it_earned(database):
    """The channel took a return twice out of the payout of a department that has earned nothing else."""
    payee, day = enter_payee(), fresh_day()
    payment = own_payee(800, payee)
    refund = given_back(payment, 800)
    back = told_back(payment, refund)
    statement_id = reconciled(day, [told(payment), back, back])
    to_payee(decide(found(statement_id)["told_twice", back.back], "book"), payee)
    now = run_unit(payments.balances)
    assert (now[f"bank:{payee}"], now[f"payee:{payee}"]) == (-800, 800)
    assert not any(payee in fault for fault in run_unit(payments.check_books))
