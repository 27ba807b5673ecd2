"""Schemas of problems: the members that all have (RFC 9457), and what each kind tells beside them."""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import TypeAdapter

from backend.kernel.problems import Problem

_REF: Final = "#/components/schemas/{model}"
_ALL: Final = {"$ref": _REF.format(model="Problem")}


def common() -> dict[str, Any]:
    """What every problem has."""
    text = {"type": "string"}
    fault = {
        "type": "object",
        "properties": {"field": text, "message": text},
        "required": ["field", "message"],
    }
    return {
        "type": "object",
        "description": "RFC 9457；有的问题另带说明用的字段，见各问题自己的结构",
        "additionalProperties": True,
        "required": ["type", "title", "status", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "instance": text,
            "errors": {"type": "array", "items": fault},
            "retry_after": {"type": "integer"},
        },
    }


def of_kinds(kinds: Iterable[type[Problem]]) -> dict[str, Any]:
    """A component for each kind that tells more, and for what its extras consist of."""
    found: dict[str, Any] = {}
    for kind in sorted(kinds, key=_name):
        properties: dict[str, Any] = {"type": {"const": f"urn:zhangban:problem:{kind.slug}"}}
        for name, declared in kind.extras.items():
            schema = TypeAdapter(declared).json_schema(ref_template=_REF, mode="serialization")
            found |= schema.pop("$defs", {})
            properties[name] = schema
        found[_name(kind)] = {"allOf": [_ALL, {"type": "object", "properties": properties}]}
    return found


def any_of(kinds: Iterable[type[Problem]]) -> dict[str, Any]:
    """The schema of an answer that may be any of these kinds."""
    refs = {_REF.format(model=_name(kind)) if kind.extras else _ALL["$ref"] for kind in kinds}
    told = [{"$ref": ref} for ref in sorted(refs)]
    return told[0] if len(told) == 1 else {"anyOf": told}


def _name(kind: type[Problem]) -> str:
    """By its slug: a kind without one of its own looks like its parent."""
    return "Problem-" + kind.slug
