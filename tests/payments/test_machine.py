"""The tables of moves: what money may do, and what it may never do."""

import pytest

from backend.kernel.problems import ImpossibleMove
from payments.machine import BILL, HOLDING_MONEY, OPEN, PAYMENT, REFUND


@pytest.mark.parametrize("machine", [PAYMENT, REFUND, BILL], ids=lambda machine: machine.name)
def test_every_state_can_be_reached_from_the_start(machine):
    assert machine.reachable() == machine.states


@pytest.mark.parametrize("state", OPEN)
def test_money_is_taken_in_every_open_state(state):
    assert PAYMENT.move(state, "succeeded").target == "paid"


def test_late_money_leaves_closed_only_by_a_correction():
    leaving = [move for move in PAYMENT.moves if move.source == "closed"]
    assert [(move.trigger, move.target, move.correction) for move in leaving] == [
        ("paid_late", "refunding", True)
    ]


@pytest.mark.parametrize("state", HOLDING_MONEY)
def test_held_money_can_never_close_silently(state):
    with pytest.raises(ImpossibleMove):
        PAYMENT.move(state, "closed")


def test_a_contested_payment_cannot_be_refunded():
    assert not PAYMENT.can("disputed", "refund_requested")
