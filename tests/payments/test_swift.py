"""Plain news is taken in fewer round trips, and nobody can tell the difference afterwards."""

import threading

import pytest

from backend.store.unit import run_unit
from payments import swift
from payments.models import LedgerEntry, Payment
from payments.receipts.models import Receipt
from tests.payments.makers import closed, expire, hear, succeeded, verdict_of

_OWN = {
    "id",
    "number",
    "subject",
    "matter",
    "person_id",
    "payment_id",
    "movement",
    "owner_id",
    "proof",
    "tx",
    "ticket",
}


@pytest.fixture
def ways(monkeypatch) -> list[str]:
    """Which way each piece of news took."""
    seen: list[str] = []
    plain = swift.plain_payment

    def looked(u, notice):
        payment = plain(u, notice)
        seen.append("ordinary" if payment is None else "swift")
        return payment

    monkeypatch.setattr(swift, "plain_payment", looked)
    return seen


def told_of(payment) -> dict:
    """All that the town knows of a payment, without what is its own: ids, moments."""

    def read(u):
        rows = [u.get(Payment, payment.id)]
        rows += u.session.query(LedgerEntry).filter_by(payment_id=payment.id).order_by(LedgerEntry.amount_fen)
        rows += u.session.query(Receipt).filter_by(payment_id=payment.id)
        told = [
            {
                column.name: getattr(row, column.name)
                for column in row.__table__.columns
                if column.name not in _OWN and not column.name.endswith(("_at", "expires_at"))
            }
            for row in rows
        ]
        lines = [
            (e.trigger, e.source, e.target, e.says, e.actor, e.facts) for e in u.journal_of(payment.matter)
        ]
        return {"rows": told, "journal": lines}

    known = run_unit(read)
    for row in known["rows"]:
        if "reference" in row:
            row["reference"] = str(row["reference"]).replace(payment.number, "")
    return known


def test_both_ways_leave_the_same_behind(desk, ways, monkeypatch):
    first = desk.paid()
    swift_one = told_of(first)
    other = type(desk)(desk.person_id, f"{desk.subject}x", f"{desk.matter[:-4]}xxxx")
    monkeypatch.setattr(swift, "plain_payment", lambda *_: None)
    second = other.paid()
    assert ways == ["swift"]
    assert told_of(second) == swift_one
    assert [len(swift_one["rows"]), swift_one["rows"][0]["settles"]] == [4, True]


@pytest.mark.parametrize(
    "twist",
    [
        {"amount_fen": 7999},
        {"amount_fen": None},
        {"ours": False},
        {"provider": "alipay"},
        {"subject": "pay0"},
    ],
)
def test_whatever_is_not_plain_goes_the_ordinary_way(desk, ways, twist):
    payment = desk.awaiting()
    hear(succeeded(payment, **twist))
    assert ways == ["ordinary"]
    assert not desk.look(payment).settles


def test_a_bill_goes_the_ordinary_way(desk, ways, bill):
    issued = bill()
    desk.subject, desk.matter = f"bill:{issued.id}", issued.id
    hear(succeeded(desk.awaiting(amount_fen=issued.total_fen)))
    assert ways == ["ordinary"]


def test_late_money_goes_the_ordinary_way(desk, ways):
    payment = desk.awaiting()
    expire(payment)
    hear(closed(payment))
    hear(succeeded(payment))
    assert ways == ["ordinary", "ordinary"]
    assert desk.look(payment).settles


def test_money_beside_another_payment_goes_the_ordinary_way(desk, ways):
    first, second = desk.awaiting("wechat_pay"), desk.awaiting("alipay")
    hear(succeeded(first))
    hear(succeeded(second))
    assert ways == ["ordinary", "ordinary"]
    assert [desk.look(first).settles, desk.look(second).settles] == [True, False]


def test_the_same_money_told_twice_is_taken_once(desk, ways):
    payment = desk.awaiting()
    hear(succeeded(payment))
    again = succeeded(payment)
    hear(again)
    assert ways == ["swift", "ordinary"]
    assert verdict_of(again)[0] == "duplicate"


def test_news_told_at_once_is_taken_once(desk):
    """Many letters about one payment, each in another envelope."""
    payment = desk.awaiting()
    letters = [threading.Thread(target=hear, args=(succeeded(payment),)) for _ in range(6)]
    for letter in letters:
        letter.start()
    for letter in letters:
        letter.join()
    assert len(told_of(payment)["rows"]) == 4
