"""Turns at work that keeps a core busy: so many at once in this process, a short wait, then a refusal to come back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backend.kernel.problems import TooMany


class Turns:
    """At most `at_once` at the work together; whoever waits longer than `wait_s` seconds is refused."""

    def __init__(self, at_once: int, wait_s: float, refusal: Callable[[], TooMany]) -> None:
        self.wait_s = wait_s
        self._places, self._refusal = threading.BoundedSemaphore(at_once), refusal

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Do the work inside. Raises the refusal when no turn comes in time."""
        if not self._places.acquire(timeout=self.wait_s):
            raise self._refusal()
        try:
            yield
        finally:
            self._places.release()
