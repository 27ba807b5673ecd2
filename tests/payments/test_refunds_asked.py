"""What a channel says of a refund when it is asked: a no is proven first, and nothing follows what still lives."""

import pytest

from backend.store.unit import run_unit
from payments import asking, tasks
from payments.channels import port
from payments.models import Payment, Refund
from payments.reconciliation import fetching
from payments.reconciliation import tasks as reconciling
from tests.payments.model_channel import ModelChannel
from tests.payments.statement_makers import WRITERS, Told, file_of, found, fresh_day, wish
from tests.payments.test_refund_decisions import given
from tests.payments.test_refund_retries import failed, retried
from tests.payments.test_refunds_after_all import left, one

DONE = port.RefundDone("back-1", 3000, None, b"{}")
LIVES = (port.RefundPending(), port.RefundStuck(), port.Unknown("nobody answers"))
DEAD = (port.Absent(), port.Refusal("CLOSED", "it is over"))


class Line(ModelChannel):
    """Says no to every refund, and `knows` about each when it is asked."""

    knows: port.RefundNews = port.Absent()
    orders_sent: list[str]

    def refund(self, order):
        self.orders_sent.append(order.number)
        return port.Refusal("INVALID_REQUEST", "no")

    def query_refund(self, number, payment_number):
        del number, payment_number
        return self.knows


@pytest.fixture
def line(monkeypatch) -> Line:
    line = Line("wechat_pay")
    line.orders_sent = []
    monkeypatch.setattr(asking, "channel", lambda _name: line)
    return line


def ask(payment, refund, before=()) -> bool:
    def underway(u):
        return asking.underway_one(u.get(Refund, refund.id), u.get(Payment, payment.id), before)

    return asking.ask_refund(run_unit(underway))


@pytest.mark.parametrize(
    ("knows", "state"),
    [
        (DONE, "succeeded"),
        *zip(LIVES, ("sent", "stuck", "requested"), strict=True),
        *((no, "failed") for no in DEAD),
    ],
)
def test_a_no_counts_when_the_channel_knows_of_nothing(desk, line, knows, state):
    payment = desk.paid()
    refund, line.knows = given(payment, 3000), knows
    ask(payment, refund)
    assert (line.orders_sent, one(refund).state) == ([one(refund).number], state)


def test_a_statement_brings_to_light_what_came_back(desk, line):
    day = fresh_day()
    payment = desk.paid()
    refund, line.knows = failed(desk, payment, 3000), DONE
    wanted = wish("wechat_pay", day)
    told = [Told(payment.number, 8000), Told(payment.number, 3000, one(refund).number)]
    assert fetching.take_in(wanted, file_of(WRITERS["wechat_pay"](day, told), "wechat_pay"))
    assert reconciling.compare(wanted)
    assert (one(refund).state, left(payment)) == ("succeeded", ("partly_refunded", 3000))
    assert [each.state for each in found(wanted.id).values()] == ["solved"]


@pytest.mark.parametrize("knows", LIVES)
def test_nothing_is_sent_while_an_earlier_refund_lives(desk, line, knows):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    again, line.knows = retried(first), knows
    ask(payment, again, [one(first).number])
    assert (line.orders_sent, one(again).state, one(first).state) == ([], "requested", "failed")


def test_nothing_is_sent_after_money_that_came_back(desk, line):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    again, line.knows = retried(first), DONE
    assert ask(payment, again, [one(first).number])
    assert (line.orders_sent, one(again).state, one(first).state) == ([], "failed", "succeeded")
    assert left(payment) == ("partly_refunded", 3000)


@pytest.mark.parametrize("knows", DEAD)
def test_a_retry_is_sent_after_a_refund_that_is_over(desk, line, knows):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    again, line.knows = retried(first), knows
    ask(payment, again, [one(first).number])
    assert line.orders_sent == [one(again).number]


def test_the_sweep_asks_about_earlier_refunds_first(desk):
    payment = desk.paid()
    first = failed(desk, payment, 3000)
    again = retried(first)
    claimed = [each for each in run_unit(tasks._claim_refunds) if each.id == again.id]
    assert [each.forerunners for each in claimed] == [(one(first).number,)]


@pytest.mark.parametrize(("knows", "state"), [(DONE, "succeeded"), (DEAD[0], "failed"), (LIVES[0], "failed")])
def test_a_failed_refund_is_asked_about_and_never_sent(desk, line, knows, state):
    payment = desk.paid()
    first, line.knows = failed(desk, payment, 3000), knows
    ask(payment, first)
    assert (line.orders_sent, one(first).state) == ([], state)
