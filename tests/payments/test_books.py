"""The nightly look into the books: every kind of fault is seen, and told with the name of what is wrong."""

import pytest

import payments
from backend.store.unit import run_unit
from payments.ledger import ledger
from payments.refunds import refunds
from tests.payments.makers import CLERK, hear, returned, succeeded

CLEARING = "does not hold what its payments and refunds make"
_ENTRY = (
    "INSERT INTO payments_ledger_entry (movement, account, amount_fen, payment_id, matter, entered_at) VALUES"
)


def entered(movement: str, debit: str, credit: str) -> str:
    """A statement that enters five fen by hand, about the payment `id`."""
    told = "%(id)s, 'x', %(at)s"
    return f"{_ENTRY} ({movement}, {debit}, 5, {told}), ({movement}, {credit}, -5, {told})"


class _Undone(Exception):
    """Ends a unit without a trace."""


def faults_after(*mischief: str, **values: object) -> list[str]:
    """What the books say of rows that were changed by hand; nothing of it stays."""
    found: list[str] = []

    def look(u):
        before = set(payments.check_books(u))
        for statement in mischief:
            u.execute(statement, values)
        found.extend(fault for fault in payments.check_books(u) if fault not in before)
        raise _Undone

    with pytest.raises(_Undone):
        run_unit(look)
    return found


def tells(found: list[str], *names: str) -> bool:
    return any(all(name in fault for name in names) for fault in found)


PAID = {
    "never reached the ledger": "UPDATE payments_payment SET settles = true, state = 'paid' WHERE id = %(twin)s",
    "never saw come": "UPDATE payments_payment SET state = 'disputed' WHERE id = %(twin)s",
    "never received money": "UPDATE payments_payment SET state = 'closed', settles = false WHERE id = %(id)s",
    "another sum": "UPDATE payments_payment SET received_fen = 7999 WHERE id = %(id)s",
    "no refund of it is under way": "UPDATE payments_payment SET state = 'refunding' WHERE id = %(id)s",
    "no longer wanted": "UPDATE payments_payment SET unwanted = true WHERE id = %(id)s",
    "without a receipt": "DELETE FROM payments_receipt WHERE payment_id = %(id)s",
    "ended long ago": "UPDATE payments_payment SET expires_at = '2020-01-01T00:00:00Z' WHERE id = %(twin)s",
}


@pytest.mark.parametrize("fault", PAID)
def test_a_payment_that_contradicts_the_ledger_is_told(desk, fault):
    payment = desk.paid()
    twin = type(desk)(desk.person_id, f"{desk.subject}t", f"{desk.matter[:-4]}tttt").awaiting()
    found = faults_after(PAID[fault], id=payment.id, twin=twin.id)
    assert tells(found, fault, twin.id if "twin" in PAID[fault] else payment.id)


@pytest.mark.parametrize("changed", ["state = 'paid'", "state = 'closed', settles = false"])
def test_clearing_that_is_not_its_payments_is_told(desk, changed):
    paid, waiting = (
        desk.paid(),
        type(desk)(desk.person_id, f"{desk.subject}t", f"{desk.matter[:-4]}tttt").awaiting(),
    )
    wrong = waiting.id if changed == "state = 'paid'" else paid.id
    found = faults_after(f"UPDATE payments_payment SET {changed} WHERE id = %(id)s", id=wrong)
    assert tells(found, CLEARING, "clearing:wechat_pay")


REFUNDED = {
    "has promised another sum": "UPDATE payments_refund SET amount_fen = amount_fen - 1 WHERE id = %(refund)s",
    "but the ledger has not seen it": "UPDATE payments_refund SET state = 'succeeded' WHERE id = %(refund)s",
    "gave back more than it received": "UPDATE payments_refund SET amount_fen = 8001 WHERE id = %(refund)s",
}


@pytest.mark.parametrize("fault", REFUNDED)
def test_a_refund_that_contradicts_the_ledger_is_told(desk, fault):
    payment = desk.paid()
    refund = run_unit(lambda u: refunds.request_refund(u, payment.id, 3000, "测试退款", CLERK))
    found = faults_after(REFUNDED[fault], refund=refund.id)
    assert tells(found, fault, payment.id if "gave back" in fault else refund.id)
    hear(returned(payment, refund))


def test_a_return_that_nobody_was_told_of_is_told(desk):
    payment = desk.paid()
    refund = run_unit(lambda u: refunds.request_refund(u, payment.id, 3000, "测试退款", CLERK))
    hear(returned(payment, refund))
    found = faults_after("UPDATE payments_refund SET state = 'sent' WHERE id = %(refund)s", refund=refund.id)
    assert tells(found, "not told so", refund.id)


def test_money_of_a_payer_that_stays_is_told(desk):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    before = run_unit(lambda u: ledger.balance_of(u, ledger.citizen(desk.person_id)))
    hear(succeeded(second))
    after = run_unit(lambda u: ledger.balance_of(u, ledger.citizen(desk.person_id)))
    mischief = entered("'x:failed'", "'refund:alipay'", "%(own)s")
    paid = "UPDATE payments_payment SET state = 'refunded' WHERE id = %(id)s"
    values = {"own": ledger.citizen(desk.person_id), "id": second.id, "at": second.opened_at}
    assert [before, after] == [0, 0]
    assert tells(faults_after(mischief, paid, **values), "payer's own", second.id)


def test_a_movement_in_two_transactions_is_told(desk):
    payment = desk.paid()
    later = entered("%(m)s", "'fee:alipay'", "'fee:wechat_pay'")
    movement = f"{payment.id}:received"
    assert tells(
        faults_after(later, m=movement, id=payment.id, at=payment.opened_at), "not entered at once", movement
    )


def test_an_account_on_the_wrong_side_is_told(desk):
    payment = desk.paid()
    own = ledger.citizen(desk.person_id)
    turned = (
        f"{_ENTRY} ('x:y', %(own)s, 5, %(id)s, 'x', %(at)s), ('x:y', 'fee:alipay', -5, %(id)s, 'x', %(at)s)"
    )
    assert tells(faults_after(turned, own=own, id=payment.id, at=payment.opened_at), "wrong side", own)


@pytest.mark.parametrize("state", ["due", "paid"])
def test_a_bill_that_contradicts_its_payment_is_told(desk, bill, state):
    issued = bill()
    if state == "due":
        desk.subject, desk.matter = f"bill:{issued.id}", issued.id
        hear(succeeded(desk.awaiting(amount_fen=issued.total_fen)))
    found = faults_after(
        "UPDATE payments_bill SET state = %(state)s WHERE id = %(id)s", state=state, id=issued.id
    )
    assert tells(found, issued.id)
