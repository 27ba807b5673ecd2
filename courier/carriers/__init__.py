"""The telephone room of the courier bureau: one file per carrier, one line here."""

import functools
from collections.abc import Callable

from backend.runtime.settings import settings
from courier.carriers.kdniao import Kdniao
from courier.carriers.own_riders import OwnRiders
from courier.carriers.port import Carrier

CARRIER_FOR = {"courier": "kdniao", "rider": "own_riders", "window": "window"}
"""How a citizen wants it sent -> who does it. At the window nobody carries anything."""
WINDOW = "window"
POLLED = ("kdniao",)
"""Carriers whose pushes may stop, so that they are asked now and then."""


@functools.cache
def kdniao() -> Kdniao:
    """The one client of this process; it keeps its connections."""
    return Kdniao(settings().kdniao)


def carrier(name: str) -> Carrier:
    """The telephone to a carrier; KeyError for one that is not in the book."""
    makers: dict[str, Callable[[], Carrier]] = {"kdniao": kdniao, "own_riders": OwnRiders}
    return makers[name]()
