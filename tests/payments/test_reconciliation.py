"""The channel's word against the ledger's: all that differs is found, nothing is invented, each has its end."""

from datetime import timedelta

import pytest

import payments
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove
from backend.runtime.settings import settings
from backend.store.unit import Actor, run_unit
from payments import reconciliation
from payments.models import Payment
from payments.reconciliation import fetching, tasks
from payments.reconciliation.composing import run_of_days
from payments.reconciliation.problems import CreditReferenceTaken, NothingToAsk, NotInBooks, SameHands
from tests.payments.makers import CLERK, Desk, closed, events_of, hear, returned, succeeded
from tests.payments.statement_makers import (
    Told,
    file_of,
    found,
    fresh_day,
    look,
    reconciled,
    settled,
    wechat_text,
    wish,
)

FINANCE = Actor("staff", "st-finance", "财政 财务人员")
SECOND = Actor("staff", "st-second", "财政 复核人员")


def somebody() -> Desk:
    case_id = ids.new_id("cs")
    return Desk(ids.new_id("ps"), payments.subject_of_case(case_id), case_id)


def paid(amount_fen: int = 8000, channel: str = "wechat_pay") -> payments.PaymentView:
    return somebody().paid(channel, amount_fen)


def given_back(payment: payments.PaymentView, amount_fen: int) -> payments.RefundView:
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, amount_fen, "多收费用", CLERK))
    hear(returned(payment, refund))
    return run_unit(lambda u: payments.refunds_of(u, payment.id))[-1]


def told(payment: payments.PaymentView, **words) -> Told:
    return Told(payment.number, words.pop("fen", payment.amount_fen), **words)


def told_back(payment: payments.PaymentView, refund: payments.RefundView, **words) -> Told:
    return Told(payment.number, words.pop("fen", refund.amount_fen), back=refund.id.replace("-", ""), **words)


def decide(
    difference: reconciliation.DifferenceView, decision: str, by: Actor = FINANCE
) -> reconciliation.DifferenceView:
    run_unit(lambda u: reconciliation.decide(u, difference.id, decision, "已核对渠道流水", by))
    return run_unit(lambda u: reconciliation.difference_of(u, difference.id))


def balance(account: str) -> int:
    return run_unit(payments.balances).get(account, 0)


@pytest.mark.parametrize("channel", ["wechat_pay", "alipay"])
def test_a_day_that_agrees_has_no_differences(database, channel):
    day = fresh_day()
    first, second = paid(channel=channel), paid(500, channel)
    back = given_back(first, 3000)
    statement_id = reconciled(day, [told(first), told(second), told_back(first, back)], channel)
    seen = look(statement_id)
    assert (seen.state, seen.says, seen.lines, seen.differences) == ("reconciled", "已核对", 3, 0)


def test_money_only_the_channel_knows_is_found(database):
    day = fresh_day()
    differs = found(reconciled(day, [Told("stranger1", 700)]))
    one = differs["missing_here", "stranger1"]
    assert (one.ours_fen, one.theirs_fen, one.proposal, one.kind_says) == (
        None,
        700,
        "book",
        "渠道有、本地无",
    )
    assert events_of(one.id, "DifferenceFound")[0]["channel"] == "wechat_pay"


def test_money_only_we_know_is_found(database):
    day = fresh_day()
    payment = paid()
    differs = found(reconciled(day, []))
    assert list(differs) == [("missing_there", payment.number)]
    one = differs["missing_there", payment.number]
    assert (one.ours_fen, one.theirs_fen, one.payment_id) == (8000, None, payment.id)
    assert (one.proposal, one.department_id) == ("ask", "BZ-TEST")


def test_another_amount_is_found(database):
    day = fresh_day()
    payment = paid()
    differs = found(reconciled(day, [told(payment, fen=7999)]))
    assert [(key, one.ours_fen, one.theirs_fen) for key, one in differs.items()] == [
        (("amount_differs", payment.number), 8000, 7999)
    ]


def test_money_we_have_not_heard_of_is_found(database):
    day = fresh_day()
    payment = somebody().awaiting()
    one = found(reconciled(day, [told(payment)]))["state_differs", payment.number]
    assert (one.ours_fen, one.theirs_fen, one.proposal) == (None, 8000, "ask")
    hear(closed(payment))


def test_a_line_told_twice_is_found(database):
    day = fresh_day()
    payment = paid()
    differs = found(reconciled(day, [told(payment), told(payment)]))
    assert [(key, one.ours_fen, one.theirs_fen) for key, one in differs.items()] == [
        (("told_twice", payment.number), 8000, 16000)
    ]


def test_every_way_a_refund_differs_is_found(database):
    day = fresh_day()
    payment = paid()
    other, silent, under_way = given_back(payment, 1000), given_back(payment, 2000), None
    under_way = run_unit(lambda u: payments.request_refund(u, payment.id, 500, "多收费用", CLERK))
    lines = [
        told(payment), told_back(payment, other, fen=999), told_back(payment, under_way),
        Told(payment.number, 5, back="stranger2"),
    ]  # fmt: skip
    differs = found(reconciled(day, lines))
    number = {one: one.id.replace("-", "") for one in (other, silent, under_way)}
    assert {key[1]: (one.ours_fen, one.theirs_fen, one.proposal) for key, one in differs.items()} == {
        number[other]: (1000, 999, "ask"),
        number[silent]: (2000, None, "ask"),
        number[under_way]: (None, 500, "ask"),
        "stranger2": (None, 5, "book"),
    }
    assert {key[0] for key in differs} == {"refund_differs"}


def test_a_number_of_the_other_channel_is_a_strangers(database):
    day = fresh_day()
    payment = paid(channel="alipay")
    differs = found(reconciled(day, [told(payment)], "wechat_pay"))
    assert list(differs) == [("missing_here", payment.number)]


def test_reconciling_again_changes_nothing(database):
    day = fresh_day()
    payment = paid()
    statement_id = reconciled(day, [Told("stranger3", 700)])
    before = (look(statement_id), found(statement_id), settled(statement_id), run_unit(payments.balances))
    wanted = wish("wechat_pay", day)
    assert fetching.take_in(wanted, file_of(wechat_text(day, [])))
    assert not tasks.compare(wanted)
    after = (look(statement_id), found(statement_id), settled(statement_id), run_unit(payments.balances))
    assert before == after
    assert ("missing_there", payment.number) in before[1]


def test_a_death_in_the_middle_is_made_good(database):
    day = fresh_day()
    payment = paid()
    wanted = wish("wechat_pay", day)
    assert fetching.take_in(wanted, file_of(wechat_text(day, [told(payment), Told("stranger4", 1)])))
    run_unit(lambda u: tasks._find(u, wanted.id))  # and here the worker dies
    assert tasks.compare(wanted)
    assert list(found(wanted.id)) == [("missing_here", "stranger4")]
    assert [one.paid_fen for one in settled(wanted.id)] == [8000]


def test_a_payment_at_midnight_belongs_to_either_day(database):
    day = fresh_day()
    clock.move_to(clock.at_local(day + timedelta(days=1), 0) - timedelta(minutes=1))
    payment = paid()
    clock.move_to(clock.at_local(day, 12))
    one = found(reconciled(day, []))["missing_there", payment.number]
    assert one.proposal == "wait"
    next_day = reconciled(day + timedelta(days=1), [told(payment)])
    assert look(next_day).differences == 0
    solved = run_unit(lambda u: reconciliation.difference_of(u, one.id))
    assert (solved.state, solved.decided_by) == ("solved", None)


def test_the_day_before_may_have_told_it_already(database):
    day = fresh_day()
    payment = paid()
    reconciled(day - timedelta(days=1), [told(payment, at="23:59:59")])
    assert look(reconciled(day, [])).differences == 0


def test_booking_moves_the_difference_to_its_account(database):
    day = fresh_day()
    payment = paid()
    differs = found(reconciled(day, [told(payment, fen=7999), Told("stranger5", 700)]))
    before = balance("clearing:wechat_pay"), balance("difference:wechat_pay")
    decide(differs["amount_differs", payment.number], "book")
    seen = decide(differs["missing_here", "stranger5"], "book")
    assert (seen.state, seen.decision, seen.decided_by, seen.reason) == (
        "booked",
        "book",
        "st-finance",
        "已核对渠道流水",
    )
    after = balance("clearing:wechat_pay"), balance("difference:wechat_pay")
    assert (after[0] - before[0], after[1] - before[1]) == (699, -699)


def test_booking_a_refund_takes_it_from_the_channel(database):
    day = fresh_day()
    payment = paid()
    refund = given_back(payment, 1000)
    differs = found(reconciled(day, [told(payment), told_back(payment, refund, fen=1300)]))
    before = balance("clearing:wechat_pay")
    decide(differs["refund_differs", refund.id.replace("-", "")], "book")
    assert balance("clearing:wechat_pay") - before == -300


def test_waiting_books_nothing(database):
    day = fresh_day()
    one = found(reconciled(day, [Told("stranger6", 700)]))["missing_here", "stranger6"]
    before = run_unit(payments.balances)
    assert decide(one, "wait").state == "waiting"
    assert run_unit(payments.balances) == before


def test_a_decision_is_final(database):
    day = fresh_day()
    one = found(reconciled(day, [Told("stranger7", 700)]))["missing_here", "stranger7"]
    decide(one, "wait")
    with pytest.raises(ImpossibleMove):
        decide(one, "book")


def test_a_large_difference_needs_two_people(database):
    day = fresh_day()
    large = settings().money.refund_four_eyes_fen + 1
    one = found(reconciled(day, [Told("stranger8", large)]))["missing_here", "stranger8"]
    before = balance("difference:wechat_pay")
    assert decide(one, "book").state == "second"
    with pytest.raises(SameHands):
        run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", FINANCE))
    assert balance("difference:wechat_pay") == before
    run_unit(lambda u: reconciliation.confirm(u, one.id, True, "同意", SECOND))
    seen = run_unit(lambda u: reconciliation.difference_of(u, one.id))
    assert (seen.state, seen.decided_by, seen.confirmed_by) == ("booked", "st-finance", "st-second")
    assert before - balance("difference:wechat_pay") == large


def test_a_colleague_may_send_a_decision_back(database):
    day = fresh_day()
    large = settings().money.refund_four_eyes_fen + 1
    one = found(reconciled(day, [Told("stranger9", large)]))["missing_here", "stranger9"]
    decide(one, "book")
    run_unit(lambda u: reconciliation.confirm(u, one.id, False, "请再核对", SECOND))
    seen = run_unit(lambda u: reconciliation.difference_of(u, one.id))
    assert (seen.state, seen.decision, seen.decided_by) == ("open", None, None)
    assert decide(one, "wait", SECOND).state == "second"


def test_a_stranger_cannot_be_asked_about(database):
    day = fresh_day()
    one = found(reconciled(day, [Told("strangerA", 700)]))["missing_here", "strangerA"]
    with pytest.raises(NothingToAsk):
        reconciliation.ask_again(one.id, "核对", FINANCE)
    with pytest.raises(NotInBooks):
        reconciliation.ask_again("df-none", "核对", FINANCE)


def test_a_settlement_is_what_the_channel_owes(database):
    day = fresh_day()
    first, second = paid(), paid(500)
    other = somebody().open(payee="BZ-OTHER", amount_fen=900)
    hear(succeeded(run_unit(lambda u: payments.attach_ticket(u, other.id, "ticket"))))
    back = given_back(first, 3000)
    before = run_unit(payments.balances)
    statement_id = reconciled(
        day,
        [
            told(first, fee=48),
            told(second, fee=3),
            told(other, fee=5),
            told_back(first, back, fee=18),
            Told("strangerB", 7),
        ],
    )
    made = {one.payee: one for one in settled(statement_id)}
    assert set(made) == {"BZ-TEST", "BZ-OTHER"}
    mine = made["BZ-TEST"]
    assert (mine.payments, mine.paid_fen, mine.returned_fen, mine.fee_fen, mine.net_fen) == (
        2,
        8500,
        3000,
        33,
        5467,
    )
    after = run_unit(payments.balances)

    def moved(account):
        return after.get(account, 0) - before.get(account, 0)

    assert (moved("bank:BZ-TEST"), moved("fee:wechat_pay"), moved("clearing:wechat_pay")) == (5467, 38, -6400)


def test_settled_payments_are_the_treasurys(database):
    day = fresh_day()
    payment, closed_one = paid(), somebody().awaiting()
    hear(closed(closed_one))
    reconciled(day, [told(payment)])
    at = run_unit(lambda u: (u.get(Payment, payment.id).settled_at, u.get(Payment, closed_one.id).settled_at))
    assert at == (clock.at_local(day, 12).replace(microsecond=at[0].microsecond, second=at[0].second), None)


def credit(day, amount_fen: int, reference: str = "", **more) -> reconciliation.CreditView:
    draft = reconciliation.CreditDraft(
        more.get("payee", "BZ-TEST"), "wechat_pay", reference or ids.digits(12), day, amount_fen
    )

    def work(u):
        return reconciliation.credit_of(u, reconciliation.tell_credit(u, draft, FINANCE).id)

    return run_unit(work)


def own_payee(amount_fen: int, payee: str) -> payments.PaymentView:
    desk = somebody()
    payment = desk.open(payee=payee, amount_fen=amount_fen)
    hear(succeeded(run_unit(lambda u: payments.attach_ticket(u, payment.id, "ticket"))))
    return desk.look(payment)


def test_a_credit_takes_the_days_it_pays(database):
    payee, day = f"BZ-{ids.digits(6)}", fresh_day()
    monday = own_payee(800, payee)
    reconciled(day, [told(monday)])
    clock.move_to(clock.at_local(day + timedelta(days=1), 12))
    tuesday = own_payee(500, payee)
    reconciled(day + timedelta(days=1), [told(tuesday)])
    seen = credit(day + timedelta(days=2), 1300, payee=payee)
    assert [(one.day - day).days for one in seen.settlements] == [0, 1]
    lines = [run_unit(lambda u, one=one: reconciliation.lines_of(u, one.id)) for one in seen.settlements]
    assert [[line.payment_id for line in one] for one in lines] == [[monday.id], [tuesday.id]]


def test_a_credit_waits_for_its_statement(database):
    payee, day = f"BZ-{ids.digits(6)}", fresh_day()
    early = credit(day + timedelta(days=1), 800, payee=payee)
    assert early.settlements == ()
    waiting = run_unit(lambda u: reconciliation.credits_of(u, payee=payee, unmatched=True))
    assert [one.id for one in waiting] == [early.id]
    reconciled(day, [told(own_payee(800, payee))])
    assert [one.net_fen for one in run_unit(lambda u: reconciliation.credit_of(u, early.id)).settlements] == [
        800
    ]
    assert run_unit(lambda u: reconciliation.credits_of(u, payee=payee, unmatched=True)) == []


def test_the_same_credit_told_again_is_the_same(database):
    payee, day = f"BZ-{ids.digits(6)}", fresh_day()
    first = credit(day, 800, "REF1", payee=payee)
    assert credit(day, 800, "REF1", payee=payee).id == first.id
    with pytest.raises(CreditReferenceTaken):
        credit(day, 801, "REF1", payee=payee)


def test_a_credit_that_fits_nothing_takes_nothing(database):
    payee, day = f"BZ-{ids.digits(6)}", fresh_day()
    reconciled(day, [told(own_payee(800, payee))])
    assert credit(day, 799, payee=payee).settlements == ()
    assert [one.net_fen for one in credit(day, 800, payee=payee).settlements] == [800]


@pytest.mark.parametrize(
    ("nets", "amount", "run"),
    [
        ([5, 3, 2], 5, range(1)), ([5, 3, 2], 8, range(2)), ([5, 3, 2], 2, range(2, 3)),
        ([5, -1, 4], 4, range(2)), ([1, 1], 1, range(1)), ([5, 3, 2], 7, None), ([], 1, None),
    ],
)  # fmt: skip
def test_the_earliest_run_of_days_is_taken(nets, amount, run):
    assert run_of_days(nets, amount) == run
