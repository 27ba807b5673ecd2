"""Bad weather on order: what the next calls to a provider, or the next notices from it, will suffer.

Faults lie in the books, so that a restart does not clear the sky. ``verb`` may be ``*``. A fault may be *about*
something: then only a call or letter that mentions this text (a number, an account) suffers, so that a story told
in advance stays the same in whatever order its people come.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from simulators.books import Doc, Page

N = TypeVar("N", int, float)

SHELF = "faults.fault"
_STRUCK = "struck"
CALL_KINDS = frozenset({"timeout", "timeout_after", "5xx", "5xx_after", "refuse"})
NOTICE_KINDS = frozenset({"duplicate", "delay", "reorder", "drop", "forged"})

# A call hangs longer than any sane client waits; a delayed notice still comes within a test.
_DEFAULT_SECONDS = {"timeout": 20.0, "timeout_after": 20.0, "delay": 3.0, "reorder": 5.0}


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered fault; ``seconds`` matters to time-outs, delay and reorder, ``code`` to refuse and forged."""

    id: str
    provider: str
    verb: str
    kind: str
    times: int
    seconds: float
    code: str
    about: str

    def as_doc(self) -> Doc:
        """The fault as the control desk shows it."""
        return {name: getattr(self, name) for name in Fault.__slots__}


class MalformedFault(ValueError):
    """The order cannot be understood."""


def order(page: Page, wish: Doc) -> Fault:
    """Write down a fault; raises MalformedFault naming what is wrong."""
    kind = wish.get("kind")
    if kind not in CALL_KINDS | NOTICE_KINDS:
        raise MalformedFault(f"kind must be one of {', '.join(sorted(CALL_KINDS | NOTICE_KINDS))}")
    if not isinstance(wish.get("provider"), str):
        raise MalformedFault("provider is missing")
    fault = Fault(
        id=f"fault-{page.count_up('faults.number')}",
        provider=str(wish["provider"]),
        verb=str(wish.get("verb") or "*"),
        kind=kind,
        times=_positive(wish, "times", 1, int),
        seconds=_positive(wish, "seconds", _DEFAULT_SECONDS.get(kind, 0.0), float),
        code=str(wish.get("code", "")),
        about=str(wish.get("about", "")),
    )
    page.put(SHELF, fault.id, fault.as_doc())
    return fault


def take(page: Page, provider: str, verb: str, kinds: frozenset[str], mentions: str) -> Fault | None:
    """The oldest fault that hits this verb now, one of its times used up; None in fair weather.

    `mentions` is all that the call or letter says.
    """
    for doc in page.all(SHELF):
        fault = Fault(**doc)
        if fault.provider != provider or fault.verb not in ("*", verb) or fault.kind not in kinds:
            continue
        if fault.about in mentions:
            _use_up(page, fault)
            page.count_up(f"{_STRUCK}.{fault.kind}")
            return fault
    return None


def struck(page: Page) -> dict[str, int]:
    """How many calls and letters have suffered so far, by kind."""
    return page.counts(_STRUCK)


def clear(page: Page) -> int:
    """Take back every fault; returns how many there were."""
    return sum(page.drop(SHELF, doc["id"]) for doc in page.all(SHELF))


def _use_up(page: Page, fault: Fault) -> None:
    if fault.times > 1:
        page.put(SHELF, fault.id, fault.as_doc() | {"times": fault.times - 1})
    else:
        page.drop(SHELF, fault.id)


def _positive(wish: Doc, name: str, otherwise: N, kind: type[N]) -> N:
    value: Any = wish.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise MalformedFault(f"{name} must be a number, zero or more")
    return kind(value)
