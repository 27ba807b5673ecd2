"""Words this house says to people: labels of roles and levels, and the texts one agrees to (files beside this one)."""

import functools
import hashlib
import json
from pathlib import Path

from backend.people.problems import ConsentUnknown
from backend.people.views import ConsentText

_ROOM = Path(__file__).parent


@functools.cache
def _labels() -> dict[str, str]:
    labels: dict[str, str] = json.loads((_ROOM / "labels.json").read_text("utf-8"))
    return labels


def label(key: str) -> str:
    """The word for a role, level or viewer."""
    return _labels()[key]


@functools.cache
def consent_text(scope: str) -> ConsentText:
    """The current text of a scope: the file with the newest version. Raises ConsentUnknown."""
    files = sorted(_ROOM.glob(f"consent.{scope}.*.txt")) if scope.isidentifier() else []
    if not files:
        raise ConsentUnknown
    words = files[-1].read_text("utf-8")
    version = files[-1].name.removeprefix(f"consent.{scope}.").removesuffix(".txt")
    return ConsentText(scope, version, hashlib.sha256(words.encode()).hexdigest(), words)
