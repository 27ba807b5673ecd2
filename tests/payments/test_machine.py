"""The tables of moves: what money may do, and what it may never do."""

import pytest

from backend.kernel.problems import ImpossibleMove
from payments.machine import AT_TREASURY, BILL, HOLDING_MONEY, OPEN, PAYMENT, REFUND, UNDECIDED


@pytest.mark.parametrize("machine", [PAYMENT, REFUND, BILL], ids=lambda machine: machine.name)
def test_every_state_can_be_reached_from_the_start(machine):
    assert machine.reachable() == machine.states


@pytest.mark.parametrize("state", OPEN)
def test_money_is_taken_in_every_open_state(state):
    assert PAYMENT.move(state, "succeeded").target == "paid"


def test_late_money_leaves_closed_only_by_a_correction():
    leaving = [move for move in PAYMENT.moves if move.source == "closed"]
    assert {(move.trigger, move.target) for move in leaving} == {
        ("paid_late_honoured", "paid"),
        ("paid_late", "refunding"),
        ("mispaid", "disputed"),
    }
    assert all(move.correction for move in leaving)


@pytest.mark.parametrize("state", ["refunded"])
def test_what_is_back_never_moves_again(state):
    assert PAYMENT.triggers(state) == ()


@pytest.mark.parametrize("state", ["refused", "withdrawn", "succeeded"])
def test_an_ended_refund_never_moves_again(state):
    assert REFUND.triggers(state) == ()


def test_a_failed_refund_moves_only_by_correction():
    [only] = [move for move in REFUND.moves if move.source == "failed"]
    assert (only.target, only.correction) == ("succeeded", True)


def test_a_stuck_refund_ends_like_one_on_its_way():
    assert set(REFUND.triggers("stuck")) == {"succeeded", "failed"}


@pytest.mark.parametrize("state", OPEN)
def test_another_sum_is_held_in_every_open_state(state):
    assert PAYMENT.move(state, "mispaid").target == "disputed"


def test_no_refund_is_sent_before_somebody_decides():
    assert not any(REFUND.can(state, "sent") or REFUND.can(state, "submitted") for state in UNDECIDED)


def test_the_treasurys_money_never_goes_over_the_channel():
    assert not any(REFUND.can(state, "sent") for state in AT_TREASURY)


@pytest.mark.parametrize("state", HOLDING_MONEY)
def test_held_money_can_never_close_silently(state):
    with pytest.raises(ImpossibleMove):
        PAYMENT.move(state, "closed")


def test_a_contested_payment_cannot_be_refunded():
    assert not PAYMENT.can("disputed", "refund_requested")
