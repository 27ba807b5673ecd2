"""What every event and every notice is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class Event:
    """A fact of the past. `matter` is the case (or the thing itself) whose timeline it belongs to."""

    matter: str

    kinds: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        Event.kinds[cls.__name__] = cls

    def as_payload(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        return cls(**payload)


@dataclass(frozen=True, slots=True)
class Notice:
    """News from a provider, pushed or asked for: both are one kind of news.

    `key` is the provider's identity of this piece of news (unique per provider), `subject` our own number
    that it speaks of, `raw` the bytes as they came (kept encrypted).
    """

    provider: str
    key: str
    subject: str
    trigger: str
    occurred_at: datetime | None
    amount_fen: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes = b""
