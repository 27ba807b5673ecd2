"""Mornings after: the providers' own files over real HTTP, true ones and spoilt ones, and what becomes of them."""

import secrets
from datetime import date, timedelta
from typing import Any

import pytest

import payments
from backend.kernel import clock, ids
from backend.store.unit import run_unit
from payments import reconciliation
from payments.channels import channel as telephone
from payments.channels import port
from payments.models import Payment
from payments.reconciliation import fetching, tasks
from payments.reconciliation.models import Statement
from tests.payments.makers import CLERK
from tests.payments.statement_makers import found, fresh_day, look, settled, wish
from tests.payments.street import PROVIDER, Street, until

CHANNELS = ("wechat_pay", "alipay")
BILL_VERBS = {"wechat_pay": "tradebill", "alipay": "bill"}


@pytest.fixture
def day(street: Street) -> date:
    """A business day of its own; the bills are straight again before it."""
    street.town.control("/bills", method="DELETE")
    return fresh_day()


@pytest.fixture(autouse=True)
def _straight_afterwards(town: Any):
    yield
    town.control("/bills", method="DELETE")


def morning_after(day: date, hour: int = 10, minute: int = 30) -> None:
    clock.move_to(clock.at_local(day + timedelta(days=1), hour, minute))


def twist(street: Street, channel: str, kind: str, **more: Any) -> None:
    street.town.control("/bills", {"provider": PROVIDER[channel], "kind": kind} | more)


def paid(street: Street, channel: str, amount_fen: int = 8000) -> payments.PaymentView:
    case_id = ids.new_id("cs")
    order = street.begin(channel, amount_fen, subject=payments.subject_of_case(case_id))
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    return run_unit(lambda u: payments.payment_of(u, order.payment_id))


def given_back(street: Street, payment: payments.PaymentView, amount_fen: int) -> payments.RefundView:
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, amount_fen, "多收费用", CLERK))

    def back() -> bool:
        street.sweep_refunds()
        return run_unit(lambda u: payments.refunds_of(u, payment.id))[-1].state == "succeeded"

    until(back)
    return refund


def brought(channel: str, day: date) -> str:
    """The day's statement, fetched over the telephone and compared."""
    wanted = wish(channel, day)
    assert fetching.bring(wanted), look(wanted.id).trouble
    assert tasks.compare(wanted)
    return wanted.id


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_true_statement_agrees_to_the_fen(street, day, channel):
    payment = paid(street, channel)
    refund = given_back(street, payment, 3000)
    morning_after(day)
    statement_id = brought(channel, day)
    assert not found(statement_id)
    seen = look(statement_id)
    assert (seen.lines, seen.paid_fen, seen.returned_fen) == (2, 8000, 3000)
    (made,) = settled(statement_id)
    lines = run_unit(lambda u: reconciliation.lines_of(u, made.id))
    assert [(one.kind, one.number) for one in lines] == [
        ("paid", payment.number),
        ("returned", refund.id.replace("-", "")),
    ]


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_the_channel_keeps_is_in_the_settlement(street, day, channel):
    name = f"{PROVIDER[channel]}_fee_ppm"
    street.town.control("/preferences", {name: 6000})
    try:
        paid(street, channel, 10_000)
        morning_after(day)
        (made,) = settled(brought(channel, day))
    finally:
        street.town.control("/preferences", {name: 0})
    assert (made.fee_fen, made.net_fen) == (60, 9940)


@pytest.mark.parametrize("channel", CHANNELS)
def test_money_nobody_told_us_of_is_healed_by_the_statement(street, day, channel):
    street.drop_news(channel)
    order = street.begin(channel)
    street.pay(order)
    morning_after(day)
    statement_id = brought(channel, day)
    (one,) = found(statement_id).values()
    assert (one.kind, one.state, one.decision) == ("state_differs", "solved", "ask")
    healed = run_unit(lambda u: u.get(Payment, order.payment_id))
    assert (healed.state, healed.received_fen, healed.settled_at is not None) == ("paid", 8000, True)


@pytest.mark.parametrize("channel", CHANNELS)
def test_planted_differences_are_all_found(street, day, channel):
    first, second, third = (paid(street, channel, fen) for fen in (800, 900, 1000))
    refund = given_back(street, third, 300)
    twist(street, channel, "drop", number=first.number)
    twist(street, channel, "amount", number=second.number, fen=901)
    twist(street, channel, "double", number=third.number)
    twist(street, channel, "stranger", number="strangerX", fen=7)
    twist(street, channel, "refund_amount", number=refund.id.replace("-", ""), fen=299)
    morning_after(day)
    assert set(found(brought(channel, day))) == {
        ("missing_there", first.number),
        ("amount_differs", second.number),
        ("told_twice", third.number),
        ("missing_here", "strangerX"),
        ("refund_differs", refund.id.replace("-", "")),
    }


SPOILT = ("truncated", "other_day", "encoding", "blank_lines", "merchant", "html", "sums")


@pytest.mark.parametrize(
    ("channel", "kind"), [*((c, kind) for c in CHANNELS for kind in SPOILT), ("wechat_pay", "wrong_hash")]
)
def test_a_spoilt_file_is_refused_and_fetched_again(street, day, channel, kind):
    paid(street, channel)
    twist(street, channel, kind)
    morning_after(day)
    wanted = wish(channel, day)
    assert not fetching.bring(wanted)
    seen = look(wanted.id)
    assert (seen.state, seen.lines) == ("wanted", 0)
    assert seen.trouble
    assert fetching.bring(wanted)
    assert (look(wanted.id).trouble, look(wanted.id).lines) == (None, 1)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_day_without_money_has_an_empty_statement(street, day, channel):
    morning_after(day)
    assert (look(brought(channel, day)).state, look(wish(channel, day).id).lines) == ("reconciled", 0)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_silent_channel_leaves_the_statement_wanted(street, day, channel):
    paid(street, channel)
    morning_after(day)
    street.fault(channel, BILL_VERBS[channel], "5xx", times=5)
    wanted = wish(channel, day)
    assert not fetching.bring(wanted)
    assert (look(wanted.id).state, bool(look(wanted.id).trouble)) == ("wanted", True)


def test_an_ill_channel_is_asked_again_soon(street, day, monkeypatch):
    """The statement is made: ten minutes are for the one that is not."""
    monkeypatch.setattr(type(telephone("wechat_pay")), "fetch_bill", lambda _line, _day: port.Unknown("503"))
    wanted = wish("wechat_pay", day)
    gaps = [gap_after_asking(wanted) for _ in range(4)]
    assert [round(gap) for gap in gaps] == [5, 30, 120, 600]
    monkeypatch.setattr(type(telephone("wechat_pay")), "fetch_bill", lambda _line, _day: port.NotYet())
    run_unit(lambda u: setattr(u.get(Statement, wanted.id, lock=True), "asked", 0))
    assert round(gap_after_asking(wanted)) == 600


def gap_after_asking(wanted):
    """Claim it, be refused: seconds until it is asked for again."""

    def make_due(u):
        u.get(Statement, wanted.id, lock=True).ask_next_at = clock.wire_now()

    run_unit(make_due)
    assert wanted in run_unit(fetching.claim)
    assert not fetching.bring(wanted)
    return (run_unit(lambda u: u.get(Statement, wanted.id).ask_next_at) - clock.wire_now()).total_seconds()


def states() -> dict[tuple[str, date], str]:
    shown = run_unit(lambda u: reconciliation.statements(u, limit=10))
    return {(one.channel, one.day): one.state for one in shown}


def test_the_chore_brings_every_missing_day(street):
    day = date(2001, 6, 1) + timedelta(days=secrets.randbelow(90))
    clock.move_to(clock.at_local(day, 12))
    payment = paid(street, "wechat_pay")
    for channel in CHANNELS:
        wish(channel, day)  # the first day of the town's memory
    morning_after(day + timedelta(days=1), hour=9)
    tasks.reconcile()
    seen = {
        (one.channel, one.day): one.state for one in run_unit(lambda u: reconciliation.statements(u, limit=8))
    }
    assert (day + timedelta(days=1)) not in {told_day for _, told_day in seen}
    assert {seen[channel, day] for channel in CHANNELS} == {"reconciled"}
    morning_after(day + timedelta(days=1))
    tasks.reconcile()
    seen = {
        (one.channel, one.day): one.state for one in run_unit(lambda u: reconciliation.statements(u, limit=8))
    }
    assert {seen[channel, day + timedelta(days=1)] for channel in CHANNELS} == {"reconciled"}
    assert run_unit(lambda u: u.get(Payment, payment.id).settled_at) is not None


def test_both_channels_are_known_to_the_chore(town):
    assert {telephone(name).name for name in CHANNELS} == set(CHANNELS)


def test_no_bill_after_money_means_not_yet(
    street: Street, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alipay has one word for "nothing happened" and "not ready": with money in the books the first is not believed."""
    paid(street, "alipay")
    morning_after(day)
    monkeypatch.setattr(type(telephone("alipay")), "fetch_bill", lambda _line, _day: port.NoBill())
    wanted = wish("alipay", day)
    assert fetching.bring(wanted) is False
    assert look(wanted.id).state == "wanted"
    clock.move_to(clock.at_local(day + timedelta(days=5), 10))
    assert fetching.bring(wanted) is True
