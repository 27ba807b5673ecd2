"""The frame of every benchmark: interleaved rounds, medians with their spread, and what was measured beside them.

These machines are noisy, so an absolute rate says little. Each figure is the median over rounds of (ours / limit)
where both were measured seconds apart; rates and load are printed beside it so that a reader can judge the run.
"""

import json
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "latest.json"
ROUNDS = 3


@dataclass(slots=True)
class Report:
    """Figures of one entry, printed as they come and kept for latest.json."""

    entry: str
    figures: dict[str, float] = field(default_factory=dict)

    def say(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def figure(self, name: str, value: float, *, wanted: str = "") -> None:
        self.figures[name] = round(value, 4)
        print(
            f"  {self.entry}.{name} = {value:.4g}{'  (wanted ' + wanted + ')' if wanted else ''}", flush=True
        )


def interleaved(report: Report, sides: Sequence[tuple[str, Callable[[], float]]]) -> dict[str, list[float]]:
    """Measure every side once a round, for at least three rounds; rates per second by side."""
    rates: dict[str, list[float]] = {name: [] for name, _ in sides}
    for number in range(1, ROUNDS + 1):
        for name, measure in sides:
            rate = measure()
            rates[name].append(rate)
            load = os.getloadavg()[0]
            report.say(f"round {number}: {name:24} {rate:10.1f} per second   load {load:.2f}")
    return rates


def ratio(report: Report, name: str, ours: Sequence[float], limit: Sequence[float], *, wanted: str) -> None:
    """Median ratio of the rounds, with its spread."""
    ratios = [mine / theirs for mine, theirs in zip(ours, limit, strict=True)]
    report.say(
        f"{name}: rounds {', '.join(f'{r:.3f}' for r in ratios)}; spread {max(ratios) - min(ratios):.3f}"
    )
    report.figure(name, statistics.median(ratios), wanted=wanted)


def keep(reports: Sequence[Report]) -> None:
    """Write latest.json anew: {entry: {figure: number}}."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({r.entry: r.figures for r in reports}, indent=1) + "\n", "utf-8")
    print(
        f"figures written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}"
    )
