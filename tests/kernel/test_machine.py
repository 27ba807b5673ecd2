from collections.abc import Sequence
from typing import Any

import pytest

from backend.kernel.machine import Machine, Move
from backend.kernel.problems import ImpossibleMove


class Paid:
    pass


MOVES = (
    Move("created", "prepared", "awaiting", "等待您付款", why="nobody else waits for it"),
    Move("created", "succeeded", "paid", "付款成功", Paid),
    Move("awaiting", "succeeded", "paid", "付款成功", Paid),
    Move("awaiting", "closed", "closed", "付款已关闭", Paid),
    Move("closed", "succeeded", "paid", "关闭后收到付款", Paid, correction=True),
)
SAYS = {"created": "已下单", "awaiting": "待付款", "paid": "已付款", "closed": "已关闭"}
ENDS = frozenset({"paid", "closed"})
PAYMENT = Machine("payment", "created", MOVES, SAYS, ENDS)


def test_a_trigger_leads_along_the_table() -> None:
    move = PAYMENT.move("awaiting", "succeeded")
    assert (move.target, move.says, move.event) == ("paid", "付款成功", Paid)


def test_an_impossible_move_is_told_politely() -> None:
    with pytest.raises(ImpossibleMove) as refused:
        PAYMENT.move("paid", "closed")
    told = refused.value.as_dict("req-1")
    assert (told["status"], told["state"], told["trigger"]) == (409, "paid", "closed")
    assert "已付款" in str(told["detail"])


def test_a_state_knows_what_may_happen_next() -> None:
    assert PAYMENT.triggers("awaiting") == ("succeeded", "closed")
    assert PAYMENT.triggers("paid") == ()
    assert PAYMENT.can("created", "prepared")
    assert not PAYMENT.can("paid", "prepared")


def test_a_state_is_worded_for_citizens() -> None:
    assert PAYMENT.label("awaiting") == "待付款"
    with pytest.raises(KeyError):
        PAYMENT.label("lost")


def test_a_state_of_nobody_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        PAYMENT.move("lost", "closed")


def test_states_follow_from_the_table() -> None:
    assert PAYMENT.states == PAYMENT.reachable() == frozenset(SAYS)
    assert PAYMENT.terminal == ENDS


def test_an_unreachable_state_is_visible() -> None:
    moves = (*MOVES, Move("lost", "found", "paid", "找到了", Paid))
    machine = Machine("payment", "created", moves, {**SAYS, "lost": "丢失"}, ENDS)
    assert machine.states - machine.reachable() == {"lost"}


def test_the_drawing_equals_the_table() -> None:
    assert PAYMENT.mermaid() == (
        "stateDiagram-v2\n"
        '    state "已下单" as created\n'
        '    state "待付款" as awaiting\n'
        '    state "已付款" as paid\n'
        '    state "已关闭" as closed\n'
        "    [*] --> created\n"
        "    created --> awaiting: prepared\n"
        "    created --> paid: succeeded\n"
        "    awaiting --> paid: succeeded\n"
        "    awaiting --> closed: closed\n"
        "    closed --> paid: succeeded\n"
        "    paid --> [*]\n"
        "    closed --> [*]\n"
    )


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "the same trigger twice": ("share", {"moves": (*MOVES, Move("awaiting", "closed", "paid", "x", Paid))}),
    "a state without wording": ("worded.*closed", {"says": {k: v for k, v in SAYS.items() if k != "closed"}}),
    "a wording too long for a phone": ("worded.*paid", {"says": {**SAYS, "paid": "已经付款成功"}}),
    "an empty wording": ("worded.*paid", {"says": {**SAYS, "paid": ""}}),
    "a way out of an end": (
        "terminal.*closed",
        {"moves": (*MOVES, Move("closed", "reopened", "awaiting", "x", Paid))},
    ),
    "an end nobody declared": ("dead ends.*closed", {"terminal": frozenset({"paid"})}),
    "an end that is no state": ("worded.*lost", {"terminal": ENDS | {"lost"}}),
    "a start that is no state": ("worded.*born", {"start": "born"}),
    "a silent move": (
        "neither.*reminded",
        {"moves": (*MOVES, Move("awaiting", "reminded", "awaiting", "提醒付款"))},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_inconsistent_table_is_refused(fault: str) -> None:
    message, changed = FAULTS[fault]
    table: dict[str, Any] = {"start": "created", "moves": MOVES, "says": SAYS, "terminal": ENDS, **changed}
    with pytest.raises(ValueError, match=f"machine payment: .*{message}"):
        Machine("payment", **table)


def test_moves_may_come_in_any_sequence() -> None:
    moves: Sequence[Move] = list(MOVES)
    assert Machine("payment", "created", moves, SAYS, ENDS).moves == MOVES
