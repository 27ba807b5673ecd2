"""Words for citizens about a case, kept as data: read and improved without touching code."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backend.kernel import clock


def _read(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text("utf-8"))


def _lines(folded: dict[str, list[str]]) -> frozenset[tuple[str, str]]:
    return frozenset((kind, trigger) for kind, triggers in folded.items() for trigger in triggers)


_WORDS: dict[str, dict[str, str]] = _read("progress.json")
FOLDED = _lines(_read("timeline.json")["folded"])
FOLDED_LATER = _lines(_read("timeline.json")["folded_when_overtaken"])
"""Lines of the journal, as (kind of subject, trigger), that a citizen's timeline leaves out: always, or once a
later line about the same kind of thing has come. Staff and the export read them all."""


def say(chapter: str, key: str, **values: Any) -> str:
    """One phrase of the chapter, with its values filled in."""
    return _WORDS[chapter][key].format(**values)


def has(chapter: str, key: str) -> bool:
    return key in _WORDS[chapter]


def is_folded(kind: str, trigger: str, *, overtaken: bool) -> bool:
    """Whether a citizen's timeline leaves a journal line out."""
    line = (kind, trigger)
    return line in FOLDED or (overtaken and line in FOLDED_LATER)


def day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def moment(at: datetime) -> str:
    there = clock.local(at)
    return f"{there.month}月{there.day}日{there.hour:02d}：{there.minute:02d}"
