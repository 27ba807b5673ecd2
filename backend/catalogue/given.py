"""The files this house was given or has written itself, under `data/`: where they lie and how they are read."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).resolve().parents[2] / "data"
ITEMS: Final = DATA / "catalogue" / "service_items.json"
CALENDARS: Final = DATA / "calendars"
_COMPLETIONS: Final = DATA / "catalogue" / "completions"


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@functools.cache
def policies() -> Mapping[str, Any]:
    """Defaults of how cases are treated: `defaults`, then what differs `by_item_type`."""
    read: dict[str, Any] = read_json(DATA / "catalogue" / "policies.json")
    return read


@functools.cache
def theme_rows() -> tuple[Mapping[str, Any], ...]:
    return tuple(read_json(DATA / "catalogue" / "themes.json"))


@functools.cache
def audiences() -> Mapping[str, tuple[str, ...]]:
    """For each theme code whom it addresses: persons (个人), legal persons (法人)."""
    return {row["code"]: tuple(row["audience"]) for row in theme_rows()}


def completion_of(item_id: str) -> Mapping[str, Any] | None:
    """What we have added, in our own words, to a given record that lacks it."""
    return _completions().get(item_id)


def completed_ids() -> tuple[str, ...]:
    """Items that we have completed."""
    return tuple(sorted(_completions()))


@functools.cache
def _completions() -> Mapping[str, Mapping[str, Any]]:
    return {path.stem: read_json(path) for path in sorted(_COMPLETIONS.glob("*.json"))}
