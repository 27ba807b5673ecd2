"""Codes of a record: check digits, parts that repeat each other, names that belong to numbers, references.

They are checked on the raw record, beside its types, so that one reading of a file reports every error.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backend.catalogue.vocabulary import HANDLING, ITEM_TYPES, LEVELS
from backend.catalogue.words import say
from backend.kernel import identifiers

Error = tuple[str, str]
"""A field and what is wrong with it."""

IMPLEMENT: Final = "implement_code_test"
HANDLE: Final = "handle_item_code_test"
_NAMED: Final = (("item_type", ITEM_TYPES), ("use_level", LEVELS), ("project_type", HANDLING))
_HANDLE_SHAPE: Final = re.compile(r"[0-9A-Z]{31}[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Known:
    """What the register holds: departments, themes and regions to refer to, and the handling codes of its items."""

    departments: Collection[str]
    themes: Collection[str]
    regions: Collection[str]
    handles: Mapping[str, str]


def code_errors(raw: Mapping[str, Any], known: Known) -> Iterator[Error]:
    """Everything that is wrong with the codes, names and references of a raw record."""
    yield from _names_of_codes(raw)
    yield from _parts_of_codes(raw)
    yield from _references(raw, known)
    for field in ("materials", "fees"):
        if _has_namesakes(raw.get(field)):
            yield field, say("errors", "name_twice")


def _names_of_codes(raw: Mapping[str, Any]) -> Iterator[Error]:
    for field, names in _NAMED:
        code, name = raw.get(f"{field}_code"), raw.get(field)
        if isinstance(code, str) and isinstance(name, str) and names.get(code) != name:
            yield f"{field}_code", say("errors", "name_of_code", code=code, name=name)


def _parts_of_codes(raw: Mapping[str, Any]) -> Iterator[Error]:
    implement, handle = raw.get(IMPLEMENT), raw.get(HANDLE)
    if not isinstance(implement, str) or len(implement) != 31:
        return
    if (reason := identifiers.uscc_problem(implement[:18])) is not None:
        yield IMPLEMENT, say("errors", "bad_uscc", reason=reason)
    if implement[18:] != f"{raw.get('use_level_code')}{raw.get('basic_code_test')}":
        yield IMPLEMENT, say("errors", "code_parts")
    if isinstance(handle, str) and not (handle.startswith(implement) and _HANDLE_SHAPE.fullmatch(handle)):
        yield HANDLE, say("errors", "handle_code")


def _references(raw: Mapping[str, Any], known: Known) -> Iterator[Error]:
    department = raw.get("dept_id")
    if isinstance(department, str) and department not in known.departments:
        yield "dept_id", say("errors", "unknown_department", department=department)
    for field, codes in (("themes", known.themes), ("regions", known.regions)):
        for code in _texts(raw.get(field)):
            if code not in codes:
                yield field, say("errors", "unknown_code", code=code)


def _has_namesakes(things: object) -> bool:
    names = [thing.get("name") for thing in _listed(things) if isinstance(thing, dict)]
    texts = [name for name in names if isinstance(name, str)]
    return len(set(texts)) != len(texts)


def _texts(value: object) -> list[str]:
    return [text for text in _listed(value) if isinstance(text, str)]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
