"""What pydantic found wrong, said in the words of this house: a field path and a Chinese sentence each."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from backend.catalogue.words import knows, say


def faults_of(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Field path such as `fees[0].amount_fen`, and what is wrong there."""
    for fault in error.errors(include_url=False, include_input=False):
        yield _path(fault["loc"]), _words(fault["type"], fault.get("ctx", {}))


def _path(places: tuple[int | str, ...]) -> str:
    path = ""
    for place in places:
        if isinstance(place, int):
            path += f"[{place}]"
        elif place != "[key]":
            path += f".{place}" if path else place
    return path


def _words(kind: str, facts: dict[str, Any]) -> str:
    if kind == "said":
        return str(facts["said"])
    return say("errors", kind, **facts) if knows("errors", kind) else say("errors", "other", kind=kind)
