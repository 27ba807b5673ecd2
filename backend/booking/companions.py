"""Who comes along: names and ID numbers, sealed beside whatever they come along to."""

from collections.abc import Sequence

import orjson

from backend.booking.views import Companion
from backend.store import vault
from backend.store.rotation import SealedColumn


def sealed(column: SealedColumn, row_id: str, companions: Sequence[Companion]) -> bytes | None:
    """What a row keeps of them; nothing when nobody comes along."""
    if not companions:
        return None
    named = orjson.dumps([one.as_payload() for one in companions]).decode()
    return vault.seal(column.place, row_id, named)


def opened(column: SealedColumn, row_id: str, kept: bytes | None) -> tuple[Companion, ...]:
    """Those whom a row keeps."""
    if kept is None:
        return ()
    return tuple(Companion(**one) for one in orjson.loads(vault.open_sealed(column.place, row_id, kept)))
