"""The telephone every channel offers, and the few answers it may bring back.

An answer that never came is `Unknown`: neither yes nor no. Platform words stop here. No method raises for what a
platform says or fails to say; `send` and `ask` lift the telephone, so no unit may be open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Composed:
    """What goes out, within the platform's limits. `text` is what the person will read, for our own records."""

    title: str
    text: str
    template: str = ""
    page: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message ready to go. `to` is a phone number or an account, in plain words."""

    message_id: str
    to: str
    content: Composed


@dataclass(frozen=True, slots=True)
class Taken:
    """The platform took it; its number for it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It certainly did not go out. `wait` is how long the platform wants us to wait (flow control)."""

    code: str
    why: str
    permanent: bool
    wait: timedelta | None = None
    grant_gone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have gone out."""

    why: str


Outcome = Taken | NotTaken | Unknown


@dataclass(frozen=True, slots=True)
class Question:
    """What became of a message we lifted the telephone for at `called_at`?"""

    message_id: str
    to: str
    provider_id: str | None
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The platform could not deliver it."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """The platform has it and waits for the network's report."""


@dataclass(frozen=True, slots=True)
class NotSeen:
    """The platform has never heard of it."""


Answer = Arrived | Lost | OnTheWay | NotSeen | Unknown


class Channel(Protocol):
    """One way to tell people something."""

    name: str
    can_ask: bool

    def compose(self, kind: str, values: Mapping[str, str]) -> Composed:
        """Words of this kind with these values, shortened to what the platform takes; no field is empty."""

    def send(self, letter: Letter) -> Outcome: ...

    def ask(self, question: Question) -> Answer:
        """Safe to repeat. Only where `can_ask` is set."""
