"""The ledger: balanced movements entered once, balances that are sums, and books that notice what is wrong."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

import payments
from backend.kernel import ids
from backend.store import engine
from backend.store.unit import run_unit
from payments.ledger import ledger, sealing
from payments.models import TREASURY, Payment, Refund
from payments.refunds import refunds
from tests.payments.makers import CLERK, hear, returned, succeeded


def moved(account: str, before: dict[str, int]) -> int:
    return run_unit(payments.balances).get(account, 0) - before.get(account, 0)


def promised(payment, amount_fen=None):
    return run_unit(lambda u: refunds.request_refund(u, payment.id, amount_fen, "测试退款", CLERK))


def test_a_payment_moves_clearing_and_payee(desk):
    before = run_unit(payments.balances)
    desk.paid(amount_fen=8000)
    assert moved("clearing:wechat_pay", before) == 8000
    assert moved("payee:BZ-TEST", before) == -8000


def test_money_paid_twice_is_the_payers(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    lines = run_unit(lambda u: ledger.lines_of(u, f"citizen:{desk.person_id}"))
    assert [(line.movement, line.amount_fen) for line in lines][-1] == (f"{second.id}:surplus", -8000)


class _Undone(Exception):
    """Ends a unit without a trace."""


def seen_within(work) -> dict[str, int]:
    """What `work` moves, looked at inside its unit and then undone."""
    found: dict[str, int] = {}

    def look(u):
        before = ledger.balances(u)
        work(u)
        after = ledger.balances(u)
        found.update(
            {name: fen - before.get(name, 0) for name, fen in after.items() if fen != before.get(name, 0)}
        )
        raise _Undone

    with pytest.raises(_Undone):
        run_unit(look)
    return found


def test_a_surplus_is_what_really_came(desk):
    payment = desk.awaiting(amount_fen=8000)

    def receive(u):
        row = u.get(Payment, payment.id, lock=True)
        row.received_fen = 7999
        ledger.enter_surplus(u, row)

    assert seen_within(receive) == {"clearing:wechat_pay": 7999, f"citizen:{desk.person_id}": -7999}


def test_a_refund_is_promised_then_returned(desk):
    payment = desk.paid()
    before = run_unit(payments.balances)
    refund = promised(payment, 3000)
    assert moved("payee:BZ-TEST", before) == 3000
    assert moved("refund:wechat_pay", before) == -3000
    hear(returned(payment, refund))
    assert moved("refund:wechat_pay", before) == 0
    assert moved("clearing:wechat_pay", before) == -3000


def test_the_treasury_returns_from_the_bank(desk):
    payment = desk.paid()
    refund = promised(payment, 3000)

    def submit(u):
        row = u.get(Refund, refund.id, lock=True)
        row.way = TREASURY
        ledger.enter_return(u, u.get(Payment, payment.id), row)

    assert seen_within(submit) == {"bank:BZ-TEST": -3000, "refund:wechat_pay": 3000}
    hear(returned(payment, refund))


def test_an_owed_refund_that_fails_is_the_payers_again(desk):
    payment = desk.paid()
    refund = promised(payment, 3000)

    def fail(u):
        row = u.get(Refund, refund.id, lock=True)
        row.owed = True
        ledger.enter_failure(u, u.get(Payment, payment.id), row)

    assert seen_within(fail) == {f"citizen:{desk.person_id}": -3000, "refund:wechat_pay": 3000}
    hear(returned(payment, refund))


@pytest.mark.parametrize(
    ("net_fen", "fee_fen", "moves"),
    [
        (9940, 60, {"bank:BZ-SETTLE": 9940, "fee:alipay": 60, "clearing:alipay": -10000}),
        (-3000, 0, {"bank:BZ-SETTLE": -3000, "clearing:alipay": 3000}),
        (0, 0, {}),
    ],
)
def test_a_settlement_pays_net_and_keeps_fee(database, net_fen, fee_fen, moves):
    words = {"settlement_id": ids.new_id("stl"), "channel": "alipay", "department_id": "BZ-SETTLE"}
    entered = seen_within(lambda u: ledger.enter_settlement(u, **words, net_fen=net_fen, fee_fen=fee_fen))
    assert entered == moves


def test_a_difference_is_kept_until_explained(database):
    words = {"difference_id": ids.new_id("df"), "channel": "alipay", "amount_fen": 500}

    def book_and_explain(u):
        ledger.enter_difference(u, **words)
        ledger.enter_explanation(u, **words, account=ledger.fee("alipay"))

    assert seen_within(lambda u: ledger.enter_difference(u, **words)) == {
        "clearing:alipay": 500,
        "difference:alipay": -500,
    }
    assert seen_within(book_and_explain) == {"clearing:alipay": 500, "fee:alipay": -500}


def test_no_movement_can_be_entered_twice(desk):
    payment = desk.paid()

    def again(u):
        ledger.enter_receipt(u, u.get(Payment, payment.id))

    with pytest.raises(IntegrityError, match="uq_payments_ledger_entry_movement"):
        run_unit(again)


def test_the_database_refuses_what_does_not_balance(desk):
    payment = desk.awaiting()
    lopsided = """
        INSERT INTO payments_ledger_entry (movement, account, amount_fen, payment_id, matter, entered_at)
        VALUES (%s, 'clearing:alipay', 5, %s, 'x', %s), (%s, 'fee:alipay', -4, %s, 'x', %s)
    """
    values = (f"{payment.id}:bent", payment.id, payment.opened_at) * 2
    with pytest.raises(DBAPIError, match="does not balance"):
        run_unit(lambda u: u.execute(lopsided, values))


@pytest.mark.parametrize("rewriting", ["UPDATE {} SET account = account", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["payments_ledger_entry", "payments_ledger_seal"])
def test_the_database_refuses_to_rewrite(desk, rewriting, table):
    desk.paid()
    sealing.seal_ledger()
    with pytest.raises(DBAPIError, match="append"), engine.engine().begin() as connection:
        connection.execute(text(rewriting.format(table)))


def test_an_account_is_shown_page_by_page(database):
    department = ids.new_id("dp")
    for day in range(1, 4):
        paid_out = {"settlement_id": ids.new_id("stl"), "channel": "alipay", "department_id": department}
        run_unit(lambda u, fen=day, to=paid_out: ledger.enter_settlement(u, **to, net_fen=fen, fee_fen=0))
    account = ledger.bank(department)
    first = run_unit(lambda u: ledger.lines_of(u, account, limit=2))
    second = run_unit(lambda u: ledger.lines_of(u, account, before=first[-1].id, limit=2))
    assert [line.amount_fen for line in first] == [3, 2]
    assert [line.amount_fen for line in second] == [1]


def test_a_balance_is_the_sum_of_its_lines(desk):
    payment = desk.paid()
    account = "clearing:wechat_pay"
    lines = run_unit(lambda u: ledger.lines_of(u, account, limit=100_000))
    assert run_unit(lambda u: ledger.balance_of(u, account)) == sum(line.amount_fen for line in lines)
    earlier = sum(line.amount_fen for line in lines if line.entered_at < payment.opened_at)
    assert run_unit(lambda u: ledger.balance_of(u, account, before=payment.opened_at)) == earlier
