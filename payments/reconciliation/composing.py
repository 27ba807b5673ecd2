"""What makes up a bank credit: days one after the other, and differences that were the payee's money all along.

Settlements alone come first: the earliest run of days, and its shortest. With differences beside them a credit takes
what it pays only when there is one way to it; between several a person chooses.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, combinations, islice
from typing import Final

NONE: Final = range(0)
MOST: Final = 10
"""More differences than that waiting for a credit are left to a person: their sums are too many to mean anything."""
Way = tuple[range, tuple[int, ...]]


def way_to(amount: int, nets: Sequence[int], payouts: Sequence[int]) -> Way:
    """The places of the nets and of the payouts that add up to the amount; none of either when it is not clear."""
    run = run_of_days(nets, amount)
    if run is not None:
        return run, ()
    ways = list(islice(_ways(amount, nets, payouts), 2))
    return ways[0] if len(ways) == 1 else (NONE, ())


def run_of_days(nets: Sequence[int], amount: int) -> range | None:
    """The days one after the other whose nets add up to the amount: the earliest such run, and its shortest."""
    return next((run for run, total in _runs(nets) if total == amount), None)


def _ways(amount: int, nets: Sequence[int], payouts: Sequence[int]) -> Iterator[Way]:
    """Every way with at least one difference, and any run of days or no day at all."""
    if not 0 < len(payouts) <= MOST:
        return
    sums: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for size in range(1, len(payouts) + 1):
        for picked in combinations(range(len(payouts)), size):
            sums[sum(payouts[place] for place in picked)].append(picked)
    for run, total in ((NONE, 0), *_runs(nets)):
        for picked in sums.get(amount - total, ()):
            yield run, picked


def _runs(nets: Sequence[int]) -> Iterator[tuple[range, int]]:
    for first in range(len(nets)):
        for length, total in enumerate(accumulate(nets[first:]), start=1):
            yield range(first, first + length), total
