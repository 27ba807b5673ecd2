"""The citizens' window: read what the town told me, ask whether a message is genuine, allow cards of WeChat."""

from pydantic import Field

import notifications
from backend.kernel.problems import MalformedRequest
from backend.runtime.surface import Body, Call, Page, Query, Surface, Unit
from backend.store.unit import unit
from notifications import GrantView, InboxLine, MessageNotFound, NoWeChatAccount, TemplateView, Verdict


class MessagesQuery(Query):
    cursor: str | None = Field(None, max_length=200)
    limit: int = Field(20, ge=1, le=100)
    unread: bool = False


class AskGenuine(Body):
    """A short message as received, or only its 防伪码."""

    text: str = Field(min_length=6, max_length=600)


class ReportGrants(Body):
    """What the user has just accepted in WeChat's question: kinds of message or template ids, each once."""

    accepted: list[str] = Field(min_length=1, max_length=10)


def inbox(call: Call[None]) -> Page[InboxLine]:
    """List my messages, newest first."""
    asked = call.query
    with unit() as u:
        return notifications.inbox_of(
            u, call.principal.id, after=asked.cursor, limit=asked.limit, unread=asked.unread
        )


def read(call: Call[None], u: Unit, message_id: str) -> InboxLine:
    """Mark one of my messages read."""
    return notifications.mark_read(u, message_id, call.principal.id)


def verify(call: Call[AskGenuine], u: Unit) -> Verdict:
    """Ask whether the town really sent me this message."""
    return notifications.verify(u, call.principal.id, call.body.text)


def grants(call: Call[ReportGrants], u: Unit) -> list[GrantView]:
    """Report which card templates I have just accepted in WeChat."""
    return list(notifications.report_grants(u, call.principal.id, call.body.accepted))


def card_templates(call: Call[None]) -> list[TemplateView]:
    """List the card templates, for WeChat's question (at most three at a time)."""
    return list(notifications.card_templates())


def register(surface: Surface) -> None:
    surface.get("/messages", query=MessagesQuery, answers=Page[InboxLine], problems=(MalformedRequest,))(
        inbox
    )
    surface.get("/messages/templates", answers=list[TemplateView], audience="public")(card_templates)
    surface.post("/messages/<message_id>/read", answers=InboxLine, problems=(MessageNotFound,))(read)
    surface.post("/messages/verify", body=AskGenuine, answers=Verdict)(verify)
    surface.post("/messages/grants", body=ReportGrants, answers=list[GrantView], problems=(NoWeChatAccount,))(
        grants
    )
