"""What the person at the terminal is shown when the town is open: addresses, and who may come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from town.environment import Plan

_MOST_ROWS = 12


def addresses(wanted: Plan) -> dict[str, str]:
    """Return every address of the open town by name."""
    known = {
        "town": wanted.web_url,
        "citizens": f"{wanted.web_url}/mp/v1",
        "couriers": f"{wanted.web_url}/courier/v1",
        "departments": f"{wanted.web_url}/dept/v1",
        "call screens": f"{wanted.web_url}/screen/SITE",
        "screen events": f"{wanted.screen_url}/screen/v1/sites/SITE/stream",
        "documentation": f"{wanted.web_url}/docs",
        "health": f"{wanted.web_url}/health/ready",
        "figures": f"{wanted.web_url}/metrics",
    }
    if wanted.simulates:
        known["simulators"] = wanted.sim_url
        known["fake phone"] = f"{wanted.sim_url}/phone"
    return known


def drawn(wanted: Plan, accounts: Mapping[str, Any], seconds: float) -> str:
    """Return the whole table; `accounts` is what `flask town accounts` answers: people by kind."""
    rows = {
        **addresses(wanted),
        "database, keys": str(wanted.state_dir / "town.json"),
        "logs": str(wanted.state_dir / "logs"),
    }
    parts = [
        f"\n掌办 is open ({seconds:.1f} s)\n",
        *(f"  {name:<14} {value}" for name, value in rows.items()),
    ]
    for kind, people in accounts.items():
        parts += [f"\n  demo accounts: {kind}", *_people(people)]
    return "\n".join([*parts, "\nCtrl-C closes the town and keeps its data.\n"])


def _people(people: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [[_text(value) for value in person.values()] for person in people[:_MOST_ROWS]]
    if not rows:
        return ["    none"]
    heads = list(people[0])
    widths = [max(_width(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = [_line(row, widths) for row in [heads, *rows]]
    rest = len(people) - len(rows)
    return [*lines, f'    and {rest} more: make town ARGS="accounts"'] if rest else lines


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "    " + "  ".join(_padded(*cell) for cell in zip(row, widths, strict=True)).rstrip()


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _width(text: str) -> int:
    """A Chinese character takes two columns."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
