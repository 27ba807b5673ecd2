"""Facts of messages."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class MessageDead(Event):
    message_id: str
