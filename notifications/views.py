"""What leaves the bureau: frozen views."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A message as its reader sees it. `link` is the page of the app it leads to."""

    id: str
    kind: str
    title: str
    text: str
    link: str
    matter: str
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as staff see it: how it fares, not what it says nor to whom."""

    id: str
    kind: str
    channel: str
    matter: str
    state: str
    label: str
    must_know: bool
    tries: int
    why: str
    queued_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether we sent this, and what it said when we did."""

    genuine: bool
    says: str
    text: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TemplateView:
    """What the client hands to the platform's question, at most three at a time."""

    template_id: str
    title: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GrantView:
    """How many messages of a template may still be sent."""

    template_id: str
    title: str
    left: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages sent outside, by state; the inbox is not counted."""

    queued: int = 0
    sending: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    expired: int = 0
    unknown: int = 0
