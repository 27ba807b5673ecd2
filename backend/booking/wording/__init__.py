"""Words for those who wait in the hall, look for a day or read the rules: data, improved without touching code."""

import json
from pathlib import Path
from typing import Any, Final

_WORDS: Final[dict[str, dict[str, str]]] = {
    chapter: words
    for file in sorted(Path(__file__).parent.glob("*.json"))
    for chapter, words in json.loads(file.read_text("utf-8")).items()
}


def say(chapter: str, key: str, **values: Any) -> str:
    """One phrase of the chapter, with its values filled in."""
    return _WORDS[chapter][key].format(**values)
