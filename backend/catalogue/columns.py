"""How a record lies in a row of a sheet: one column per field, nested fields as JSON text."""

import json
import types
import typing
from typing import Any, Final

from backend.catalogue.record import ItemRecord

COLUMNS: Final = tuple(ItemRecord.model_fields)
"""Names of the columns, in the order in which an exported sheet has them."""


def _plain_types(annotation: Any) -> set[Any]:
    """What a field holds, without None, as origins (`list`) or classes (`str`)."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return {kind for part in typing.get_args(annotation) for kind in _plain_types(part)} - {type(None)}
    if origin is typing.Annotated:
        return _plain_types(typing.get_args(annotation)[0])
    return {type(typing.get_args(annotation)[0])} if origin is typing.Literal else {origin or annotation}


_KINDS: Final = {name: _plain_types(field.annotation) for name, field in ItemRecord.model_fields.items()}
_SCALARS: Final = {str, int, float, bool}
NESTED: Final = frozenset(name for name, kinds in _KINDS.items() if not kinds <= _SCALARS)
"""Columns whose cells hold JSON text."""


def as_column(name: str, value: Any) -> Any:
    """The value of a cell as the record wants it: JSON text opened, numbers of a sheet as they were meant."""
    if name in NESTED:
        return json.loads(value)
    if isinstance(value, float) and value.is_integer() and float not in _KINDS.get(name, set()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and _KINDS.get(name) == {str}:
        return str(value)
    return value


def as_cell(name: str, value: Any) -> Any:
    """The value of a record as a cell holds it."""
    if value is None or name not in NESTED:
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
