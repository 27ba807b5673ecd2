"""Every Chinese sentence this house says, kept in `wording/*.json` and looked up by book and key."""

import functools
import json
from pathlib import Path
from typing import Final

_BOOKS: Final = Path(__file__).parent / "wording"


def say(book: str, key: str, **facts: object) -> str:
    """The sentence `key` of a book with its places filled. Raises KeyError for a sentence nobody wrote."""
    return _book(book)[key].format(**facts)


def knows(book: str, key: str) -> bool:
    """Whether somebody wrote the sentence."""
    return key in _book(book)


def label(field: str) -> str:
    """What a clerk calls a field, given as a path such as `materials[0].basis`; the name itself if it has no other."""
    last = field.rsplit(".", 1)[-1].split("[", 1)[0]
    return _book("fields").get(last, last)


@functools.cache
def _book(name: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((_BOOKS / f"{name}.json").read_text("utf-8"))
    return words
