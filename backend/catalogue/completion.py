"""Fills what a record leaves open: with our own words for the items we completed, and with default policy.

The file always wins: only what is absent, null or no ground at all (“一般知识”) is filled, and every field that
was filled is marked `ours` in the record's provenance. A list that a clerk emptied on purpose stays empty.
"""

from collections.abc import Mapping
from typing import Any, Final

from backend.catalogue import given
from backend.catalogue.vocabulary import plain_ground

OURS: Final = "ours"
_LISTS: Final = ("materials", "fees")


def complete(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The record with our additions and its whole policy; the given mapping is left as it is."""
    whole = dict(raw)
    whole["policy"] = _policy(raw)
    item_id = raw.get("item_id")
    addition = given.completion_of(item_id) if isinstance(item_id, str) else None
    if addition is not None:
        filled = _fill(whole, addition)
        marks = raw.get("provenance")
        if filled and (marks is None or isinstance(marks, dict)):
            whole["provenance"] = {**(marks or {}), **dict.fromkeys(filled, OURS)}
    return whole


def _policy(raw: Mapping[str, Any]) -> object:
    own = raw.get("policy")
    if own is not None and not isinstance(own, dict):
        return own
    return {**_default_policy(raw), **(own or {})}


def _default_policy(raw: Mapping[str, Any]) -> dict[str, Any]:
    rules = given.policies()
    addition = given.completion_of(str(raw.get("item_id"))) or {}
    ours = addition.get("added", {}).get("policy", {}).get("value", {})
    return {**rules["defaults"], **rules["by_item_type"].get(raw.get("item_type_code"), {}), **ours}


def _fill(whole: dict[str, Any], addition: Mapping[str, Any]) -> list[str]:
    """Fill the open fields; returns their names as provenance writes them."""
    filled = []
    for field, added in addition["added"].items():
        if field != "policy" and whole.get(field) is None:
            whole[field] = added["value"]
            filled.append(field)
    for field in _LISTS:
        whole[field], names = _fill_parts(whole.get(field), addition[field])
        filled += [f"{field}.{name}" for name in names]
    if "policy" in addition["added"]:
        filled.append("policy")
    return filled


def _fill_parts(parts: object, additions: Mapping[str, Mapping[str, Any]]) -> tuple[object, list[str]]:
    if not isinstance(parts, list):
        return parts, []
    whole: list[object] = []
    filled: set[str] = set()
    for part in parts:
        addition = additions.get(str(part.get("name"))) if isinstance(part, dict) else None
        fresh = {key: value for key, value in (addition or {}).items() if _is_open(part, key, value)}
        filled |= fresh.keys()
        whole.append({**part, **fresh} if fresh else part)
    return whole, sorted(filled)


def _is_open(part: Mapping[str, Any], key: str, value: object) -> bool:
    if key == "provenance" or value is None:
        return False
    said = part.get(key)
    return said is None or (key == "basis" and isinstance(said, str) and plain_ground(said) is None)
