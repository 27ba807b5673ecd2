"""Sealing and opening what a message carries: its words, the values they were made from, and where it goes."""

from collections.abc import Mapping
from typing import Any

import orjson

from backend.store import vault
from notifications.channels.port import Composed
from notifications.models import CONTENT, DESTINATION, Message


def put_content(row: Message, values: Mapping[str, str], words: Composed) -> None:
    """Keep both: the words as they go out, and the values for telling the same by another channel."""
    sealed = orjson.dumps({"values": dict(values), "words": words})
    row.content = vault.seal_bytes(CONTENT.place, row.id, sealed)


def words_of(row: Message) -> Composed | None:
    """None once they were emptied."""
    return None if row.content is None else Composed(**_opened(row.content, row.id)["words"])


def values_of(row: Message) -> dict[str, str]:
    return {} if row.content is None else dict(_opened(row.content, row.id)["values"])


def put_destination(row: Message, to: str) -> None:
    """A phone number or an account; found again by `destination_blind`."""
    row.destination = vault.seal(DESTINATION.place, row.id, to)
    row.destination_blind = vault.blind(DESTINATION.place, to)


def destination_of(row: Message) -> str | None:
    return None if row.destination is None else vault.open_sealed(DESTINATION.place, row.id, row.destination)


def _opened(sealed: bytes, row_id: str) -> dict[str, dict[str, Any]]:
    opened: dict[str, dict[str, Any]] = orjson.loads(vault.open_sealed_bytes(CONTENT.place, row_id, sealed))
    return opened
