"""A channel that knows of no bill: believed at once only when nothing can have moved that day."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from payments.channels import channel as telephone
from payments.channels import port
from payments.models import Refund
from payments.reconciliation import fetching
from tests.payments.makers import CLERK, closed, hear, returned
from tests.payments.statement_makers import fresh_day, look, reconciled, settled, wish
from tests.payments.test_reconciliation import given_back, paid, somebody, told_back


def no_bill(channel: str, day: date, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a channel without a bill is believed at ten past ten the next morning."""
    clock.move_to(clock.at_local(day + timedelta(days=1), 10, 10))
    monkeypatch.setattr(type(telephone(channel)), "fetch_bill", lambda _line, _day: port.NoBill())
    return fetching.bring(wish(channel, day))


def with_refund_returned() -> None:
    """The channel gave back money of the day before."""
    given_back(yesterdays(), 3000)


def with_refund_under_way() -> None:
    payment = yesterdays()
    run_unit(lambda u: payments.request_refund(u, payment.id, 3000, "多收费用", CLERK))


def with_payment_open() -> payments.PaymentView:
    return somebody().awaiting("alipay")


def yesterdays() -> payments.PaymentView:
    """A payment of the day before, on which the clock stands again."""
    now = clock.now()
    clock.move_to(now - timedelta(days=1))
    payment = paid(channel="alipay")
    clock.move_to(now)
    return payment


@pytest.mark.parametrize("moved", [with_refund_returned, with_refund_under_way, with_payment_open])
def test_no_bill_is_not_yet_while_money_may_have_moved(
    town, monkeypatch: pytest.MonkeyPatch, moved: Callable[[], payments.PaymentView | None]
):
    day = fresh_day()
    waiting = moved()
    assert not no_bill("alipay", day, monkeypatch)
    assert look(wish("alipay", day).id).state == "wanted"
    clock.move_to(clock.at_local(day + timedelta(days=4), 10))
    assert fetching.bring(wish("alipay", day))
    if waiting is not None:
        hear(closed(waiting))


def test_no_bill_is_believed_when_nothing_happened(town, monkeypatch):
    """A payment that is proven closed, one of another day or channel, and a treasury's refund are no reason to wait."""
    day = fresh_day()
    yesterdays()
    paid(channel="wechat_pay")
    shut = somebody().awaiting("alipay")
    hear(closed(shut))
    assert no_bill("alipay", day, monkeypatch)
    assert look(wish("alipay", day).id).state == "fetched"


def test_a_days_only_refund_is_settled_once_its_bill_is_made(town, monkeypatch):
    day = fresh_day()
    payment = yesterdays()
    refund = run_unit(lambda u: payments.request_refund(u, payment.id, 3000, "多收费用", CLERK))
    hear(returned(payment, refund))
    assert run_unit(lambda u: u.get(Refund, refund.id)).state == "succeeded"
    assert not no_bill("alipay", day, monkeypatch)
    (made,) = settled(reconciled(day, [told_back(payment, refund)], "alipay"))
    assert (made.returned_fen, made.net_fen) == (3000, -3000)
