"""What will go wrong in a story, drawn from a seed before it begins: the same seed, the same story.

WEATHER_SEED chooses another story. Everything is dealt in fixed shares, so that a small story has every kind of
weather too; only who is hit, and when, is left to the dice.
"""

import hashlib
import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
SEED = int(os.environ.get("WEATHER_SEED") or 20261122)
IS_FULL = os.environ.get("WEATHER") == "full"
HANG_S = 11.0
"""Longer than the town waits for any provider."""
FOR_EVER_S = 86_400.0
"""A letter put off so long comes only when the story lets it go."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One blow of the weather: the next call or letter of this verb that is about the one who is hit."""

    verb: str
    kind: str
    seconds: float = 0.0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Death:
    """A part of the town that is killed -9 once so many steps of the story are done."""

    victim: str
    after: int


def dice(*names: object, seed: int = SEED) -> random.Random:
    """Dice of their own for everything that has a name: one more throw here changes nothing there."""
    return random.Random(":".join(map(str, (seed, *names))))


def deal(dice: random.Random, count: int, shares: Mapping[T, float]) -> list[T]:
    """`count` cards in these shares (each kind at least once, where there are cards enough), shuffled."""
    kinds, total = list(shares), sum(shares.values())
    cards = [kind for kind in kinds for _ in range(max(1, int(count * shares[kind] / total)))]
    cards += [max(kinds, key=lambda kind: shares[kind])] * (count - len(cards))
    dice.shuffle(cards)
    return cards[:count]


def one_of(dice: random.Random, shares: Mapping[T, float]) -> T:
    """One card in these shares."""
    return dice.choices(list(shares), list(shares.values()))[0]


def deaths(dice: random.Random, victims: Sequence[str], steps: int) -> tuple[Death, ...]:
    """Each victim once, somewhere between the first and the last tenth of the steps, never two at one step."""
    first, last = max(1, steps // 10), max(len(victims) + 1, steps * 9 // 10)
    moments = sorted(dice.sample(range(first, last + 1), len(victims)))
    shuffled = list(victims)
    dice.shuffle(shuffled)
    return tuple(Death(victim, after) for victim, after in zip(shuffled, moments, strict=True))


def fingerprint(story: object) -> str:
    """Sixteen digits that tell one story from another; of anything whose repr says all of it."""
    return hashlib.sha256(repr(story).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Fate:
    """Counts the steps of a story and strikes when a death is due; `struck` says what died, in order."""

    deaths: Sequence[Death]
    kill: Callable[[str], None]
    steps: int = 0
    struck: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self) -> None:
        """One more step is done."""
        with self._lock:
            self.steps += 1
            due = [death for death in self.deaths[len(self.struck) :] if death.after <= self.steps]
            for death in due:
                self.kill(death.victim)
                self.struck.append(death.victim)
