"""What many traces say together: carriers repeat, delay and reorder their news, and the state stays right.

The state is a function of the *set* of traces heard, never of the order in which they came (ANCHORS 22):
come home beats signed for, signed for beats turned back, and otherwise the furthest place on the road counts,
unless the latest news is a setback.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from courier.machine import ROAD, SETBACKS, STATE_OF

NOTE = "noted"
"""The meaning of news that moves nothing (and of every code we do not know)."""

_ROAD_RANK = {trigger: rank for rank, (trigger, *_) in enumerate(ROAD, start=1)}
_SETBACKS = frozenset(trigger for trigger, *_ in SETBACKS)
_FINAL = ("returned", "delivered", "turned_back")
_STRENGTH = {NOTE: 0} | _ROAD_RANK | {"troubled": 10, "lost": 11, "turned_back": 12, "returned": 13}


@dataclass(frozen=True, slots=True)
class Heard:
    """One trace as far as the state is concerned. `trigger` is a trigger of the machine, or NOTE."""

    trigger: str
    happened_at: datetime


def stronger(one: str, other: str) -> str:
    """The meaning to keep when the same trace comes twice, once with a code and once without."""
    return max(one, other, key=_STRENGTH.__getitem__)


def furthest(traces: Iterable[Heard]) -> Heard | None:
    """The trace that decides the state, or None when nothing heard so far moves the parcel."""
    moving = [trace for trace in traces if trace.trigger in STATE_OF]
    for trigger in _FINAL:
        if found := [trace for trace in moving if trace.trigger == trigger]:
            return min(found, key=_when)
    setback = max((trace for trace in moving if trace.trigger in _SETBACKS), key=_decider, default=None)
    forward = max((trace for trace in moving if trace.trigger in _ROAD_RANK), key=_when, default=None)
    if setback and (forward is None or setback.happened_at >= forward.happened_at):
        return setback
    return _furthest_on_the_road(moving)


def _furthest_on_the_road(moving: list[Heard]) -> Heard | None:
    """The earliest news of the furthest place: a repetition of it is no later arrival."""
    road = [trace for trace in moving if trace.trigger in _ROAD_RANK]
    return min(road, key=lambda trace: (-_ROAD_RANK[trace.trigger], trace.happened_at), default=None)


def _when(trace: Heard) -> datetime:
    return trace.happened_at


def _decider(trace: Heard) -> tuple[datetime, int]:
    return trace.happened_at, _STRENGTH[trace.trigger]
