"""Words for citizens about a case, kept as data: read and improved without touching code."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backend.kernel import clock

_WORDS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("progress.json").read_text("utf-8"))


def say(chapter: str, key: str, **values: Any) -> str:
    """One phrase of the chapter, with its values filled in."""
    return _WORDS[chapter][key].format(**values)


def has(chapter: str, key: str) -> bool:
    return key in _WORDS[chapter]


def day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def moment(at: datetime) -> str:
    there = clock.local(at)
    return f"{there.month}月{there.day}日{there.hour:02d}：{there.minute:02d}"
