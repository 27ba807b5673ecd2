"""Words this house says to people: lines of the timeline, of the traces, and names of things (labels.json)."""

import functools
import json
from pathlib import Path

_FILE = Path(__file__).with_name("labels.json")


@functools.cache
def _labels() -> dict[str, str]:
    labels: dict[str, str] = json.loads(_FILE.read_text("utf-8"))
    return labels


def say(key: str, **facts: object) -> str:
    """The words for a key, with what they speak of filled in."""
    return _labels()[key].format(**facts)
