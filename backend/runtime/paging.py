"""Pages by cursor: stable under inserts, opaque to the client."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, TypeVarTuple

import orjson
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from backend.kernel.problems import MalformedRequest
from backend.runtime.bodies import within_reach

T = TypeVar("T")
Columns = TypeVarTuple("Columns")
DEFAULT_LIMIT = 20
MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page; `next` is the cursor of the following one, None at the end."""

    items: tuple[T, ...]
    next: str | None = None


def cursor(*keys: str | int) -> str:
    """Opaque cursor from the sort keys of the last item shown."""
    return base64.urlsafe_b64encode(orjson.dumps(keys)).decode().rstrip("=")


def keys_of(text: str | None, count: int) -> tuple[str | int, ...] | None:
    """Sort keys inside a cursor; None without one. Raises MalformedRequest when it is not ours."""
    if not text:
        return None
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise MalformedRequest("翻页标记不正确，请从第一页重新查看。") from error
    if not isinstance(keys, list) or len(keys) != count or not all(_plain(key) for key in keys):
        raise MalformedRequest("翻页标记不正确，请从第一页重新查看。")
    return tuple(keys)


def key_of(text: str | None) -> str | None:
    """The one sort key inside a cursor, None without one. Raises MalformedRequest when it is not ours."""
    keys = keys_of(text, 1)
    return None if keys is None else str(keys[0])


def moment_and_id(text: str | None) -> tuple[datetime, str] | None:
    """Moment and id inside the cursor of a list that is sorted by both. Raises MalformedRequest when it is not ours."""
    keys = keys_of(text, 2)
    if keys is None:
        return None
    try:
        at = within_reach(datetime.fromisoformat(str(keys[0])))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise MalformedRequest("翻页标记不正确，请从第一页重新查看。")
    return at, str(keys[1])


def page(found: Sequence[T], size: int, key: Callable[[T], str]) -> Page[T]:
    """A page out of what was found, of which one more than fits was asked for; `key` is what the rows are sorted by."""
    shown = tuple(found[:size])
    return Page(shown, cursor(key(shown[-1])) if len(found) > size else None)


def newest_first(
    query: Select[*Columns], row_id: InstrumentedAttribute[str], after: str | None, limit: int
) -> Select[*Columns]:
    """Sort by id, the newest first, from behind the last one seen; ids begin with the moment they were made."""
    behind = query if after is None else query.where(row_id < after)
    return behind.order_by(row_id.desc()).limit(limit)


def _plain(key: object) -> bool:
    if isinstance(key, bool):
        return False
    return (isinstance(key, int) and abs(key) < 2**62) or (isinstance(key, str) and "\0" not in key)
