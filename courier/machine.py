"""The life of a parcel, both ways, as a table of moves (STANDARDS §15).

Acts of ours (ordering anew, cancelling, checking the content) are single edges. News of the road may skip steps,
because carriers do not tell everything: from each place on the road every later one is reachable. Which news
counts is decided in `merge`; this table only says what is legal.
"""

from backend.contracts import (
    Event,
    ParcelCancelled,
    ParcelChecked,
    ParcelCollected,
    ParcelDelivered,
    ParcelOrdered,
    ParcelTroubled,
)
from backend.kernel.machine import Machine, Move

READ_ALOUD = "read in the timeline; nobody waits for it"

ROAD: tuple[tuple[str, str, str, type[Event] | None], ...] = (
    ("ordered", "ordered", "快递已下单", ParcelOrdered),
    ("assigned", "assigned", "已安排取件人员", None),
    ("collected", "collected", "已取件", ParcelCollected),
    ("moved", "in_transit", "运输途中", None),
    ("sent_out", "out_for_delivery", "正在派送", None),
    ("delivered", "delivered", "已签收", ParcelDelivered),
)
"""News that leads forward: trigger, state, what the citizen reads, event."""

SETBACKS: tuple[tuple[str, str, str], ...] = (
    ("troubled", "troubled", "派送遇到问题"),
    ("lost", "lost", "快件可能丢失，正在追查"),
)
"""News that holds until something later is heard."""

STATE_OF = {trigger: state for trigger, state, *_ in ROAD} | {
    trigger: state for trigger, state, _ in SETBACKS
}
STATE_OF |= {"turned_back": "returning", "returned": "returned"}

_PLACES = ("created", *(state for _, state, *_ in ROAD[:-1]))
_UNCOLLECTED = ("created", "ordered", "assigned")
_HELD_UP = tuple(state for _, state, _ in SETBACKS)


def _edge(source: str, trigger: str, target: str, says: str, event: type[Event] | None) -> Move:
    return Move(source, trigger, target, says, event, "" if event else READ_ALOUD)


def _forward() -> list[Move]:
    """From every earlier place, and out of every setback, to each later place."""
    return [
        _edge(source, trigger, state, says, event)
        for number, (trigger, state, says, event) in enumerate(ROAD, start=1)
        for source in (*_PLACES[:number], *_HELD_UP)
    ]


def _setbacks() -> list[Move]:
    return [
        _edge(source, trigger, state, says, ParcelTroubled)
        for trigger, state, says in SETBACKS
        for source in (*_PLACES, *_HELD_UP)
        if source != state
    ]


def _way_back() -> list[Move]:
    back = [
        _edge(source, "turned_back", "returning", "未能送达，正在退回", ParcelTroubled)
        for source in (*_PLACES, *_HELD_UP)
    ]
    home = [
        _edge(source, "returned", "returned", "已退回寄件方", ParcelTroubled)
        for source in (*_PLACES, *_HELD_UP, "returning", "delivered")
    ]
    return [*back, _edge("returning", "delivered", "delivered", "已签收", ParcelDelivered), *home]


def _acts() -> list[Move]:
    cancelled = [
        _edge(source, "cancelled", "cancelled", "寄递已取消", ParcelCancelled)
        for source in (*_UNCOLLECTED, "troubled")
    ]
    return [
        *cancelled,
        _edge("created", "laid_ready", "out_for_delivery", "办理结果已备好，请到窗口领取", None),
        _edge("troubled", "reordered", "created", "重新安排寄递", None),
        _edge("delivered", "checked", "checked", "收件部门已核对清单", ParcelChecked),
    ]


PARCEL = Machine(
    name="parcel",
    start="created",
    moves=(*_forward(), *_setbacks(), *_way_back(), *_acts()),
    says={
        "created": "待下单",
        "ordered": "已下单",
        "assigned": "待取件",
        "collected": "已取件",
        "in_transit": "运输中",
        "out_for_delivery": "派送中",
        "delivered": "已签收",
        "checked": "已核对",
        "troubled": "派送异常",
        "returning": "退回中",
        "returned": "已退回",
        "cancelled": "已取消",
        "lost": "疑似丢失",
    },
    terminal=frozenset({"checked", "returned", "cancelled"}),
)

UNCOLLECTED = frozenset(_UNCOLLECTED)
"""The sender still holds it; a pick-up is open."""
ON_THE_ROAD = frozenset({"collected", "in_transit", "out_for_delivery", "returning"})
"""The carrier holds it."""
FINISHED = frozenset({"delivered", "checked", "returned", "cancelled"})
"""Nothing more is expected of the carrier."""

AT_THE_WINDOW = {
    "created": "待备件",
    "out_for_delivery": "待领取",
    "delivered": "已领取",
    "returned": "未领退回",
}
"""Other words for the same states when no carrier is involved: the result waits at the window."""


def label_of(state: str, carrier: str) -> str:
    """What a citizen reads for a state, at most five characters."""
    if carrier == "window" and state in AT_THE_WINDOW:
        return AT_THE_WINDOW[state]
    return PARCEL.label(state)
