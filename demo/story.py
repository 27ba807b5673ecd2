"""Tells a journey step by step: who did it, what each party saw; ends the demo at the first difference."""

from collections.abc import Callable
from typing import Any, TypeVar

from backend.kernel import clock

T = TypeVar("T")
PATIENCE_S = 60.0


class Differs(Exception):
    """A step did not show what it must show."""


class Story:
    """One journey being told."""

    def __init__(self, title: str) -> None:
        self.number = 0
        print(f"\n== {title} ==", flush=True)

    def step(self, who: str, what: str, *seen: str) -> None:
        """Print one step; `seen` are what the parties saw."""
        self.number += 1
        print(f"{self.number:3}. [{who}] {what}", flush=True)
        for line in seen:
            print(f"       · {line}", flush=True)

    def must(self, what: str, seen: Any, wanted: Any) -> None:
        """Raise Differs unless `seen` equals `wanted`."""
        if seen != wanted:
            raise Differs(f"{what}: saw {seen!r}, wanted {wanted!r}")

    def until(self, what: str, look: Callable[[], T | None]) -> T:
        """Look again and again until something is seen. Raises Differs when patience ends."""
        end = clock.monotonic() + PATIENCE_S
        while (seen := look()) is None:
            if clock.monotonic() > end:
                raise Differs(f"{what}: not seen within {PATIENCE_S:.0f} s")
            clock.sleep(0.2)
        return seen
