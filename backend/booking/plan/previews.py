"""What a change of a plan would do: it is done as ever, and then undone."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from backend.store.unit import Unit, run_unit

T = TypeVar("T")


class _OnlyLooking(Exception):
    """Nothing of this unit is to last."""


def previewed(act: Callable[[Unit], T]) -> T:
    """What `act` would give, in a unit of its own that leaves nothing behind. Raises as `act`."""
    told: list[T] = []

    def look(u: Unit) -> None:
        told.append(act(u))
        u.flush()
        raise _OnlyLooking

    with suppress(_OnlyLooking):
        run_unit(look)
    return told[-1]
