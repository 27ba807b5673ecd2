"""The callback dance, written once for all providers.

    read     verify, decrypt, translate into Notices; forged -> refused in the provider's own form, nothing stored
    settle   in one unit: heard for the first time? then the house decides
    answer   in the provider's own words; trouble of ours answers 5xx so that the provider repeats

A sweep's question ends in `hear` too: pushes and polls are one kind of news.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flask import Blueprint, Request, Response, request

from backend.contracts import Notice
from backend.kernel.problems import TooLarge
from backend.runtime import bodies
from backend.runtime.metrics import NOTICES
from backend.store.unit import Question, Unit, run_unit

log = logging.getLogger(__name__)
MAX_BYTES = 1024 * 1024


class Forged(Exception):
    """Not from the provider: a bad signature, a stranger's merchant number, too old."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider is told, in its own words."""

    status: int
    body: bytes
    media: str = "application/json"


class Provider(Protocol):
    """A provider's ear in a telephone room (channels/, carriers/)."""

    name: str

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        """Raises Forged."""

    def acknowledge(self, *, accepted: bool) -> Reply: ...


Settle = Callable[[Unit, Notice], None]
Asks = Callable[[Notice], Sequence[Question]]


def hear(settle: Settle, notice: Notice, asks: Asks | None = None) -> bool:
    """Give one piece of news to its house, exactly once. False for a repetition.

    `asks` names what the house will ask first about it: that travels with the keeping of the notice.
    """

    def work(u: Unit) -> bool:
        if not u.first_time(notice, asks(notice) if asks else ()):
            return False
        settle(u, notice)
        return True

    new = run_unit(work)
    NOTICES.labels(notice.provider, "heard" if new else "repeated").inc()
    return new


def blueprint(
    house: str, providers: Sequence[tuple[str, Provider, Settle]], asks: Asks | None = None
) -> Blueprint:
    """Endpoints POST /callbacks/<house>/<path> for (path, provider, settle); `asks` as in `hear`."""
    made = Blueprint(f"callbacks_{house}", __name__, url_prefix=f"/callbacks/{house}")
    for path, provider, settle in providers:
        made.add_url_rule(f"/{path}", path, _view(provider, settle, asks), methods=["POST"])
    return made


def _view(provider: Provider, settle: Settle, asks: Asks | None) -> Callable[..., Response]:
    def view(**_path: str) -> Response:
        try:
            notices = provider.read_notices(request, bodies.bytes_of(request, MAX_BYTES))
        except (Forged, TooLarge) as error:
            NOTICES.labels(provider.name, "forged").inc()
            log.warning("notice refused", extra={"provider": provider.name, "why": str(error)})
            return _respond(provider.acknowledge(accepted=False))
        for notice in notices:
            hear(settle, notice, asks)
        return _respond(provider.acknowledge(accepted=True))

    return view


def _respond(reply: Reply) -> Response:
    return Response(reply.body, reply.status, content_type=reply.media)
