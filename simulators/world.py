"""Everything a provider's desk needs in its hand, and the weather every call passes through."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import unquote_plus

from flask import Response, current_app, request

from simulators import faults
from simulators.books import Books
from simulators.clock import TownClock
from simulators.credentials import Keyring
from simulators.outbox import Outbox
from simulators.templates import Templates

EXTENSION = "simulators.world"
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class World:
    """The outside world of one state folder."""

    books: Books
    clock: TownClock
    keys: Keyring
    templates: Templates
    outbox: Outbox
    base_url: str
    product_base_url: str

    def close(self) -> None:
        """Stop the background threads and close the books."""
        self.outbox.close()
        self.books.close()


def current_world() -> World:
    """The world of the application that serves this request."""
    world = current_app.extensions[EXTENSION]
    assert isinstance(world, World)
    return world


def with_world(view: Callable[Concatenate[World, P], Response]) -> Callable[P, Response]:
    """Hand the world to a view as its first argument."""

    @wraps(view)
    def called(*args: P.args, **kwargs: P.kwargs) -> Response:
        return view(current_world(), *args, **kwargs)

    return called


def weathered(
    provider: str, verb: str, refusal: Callable[[World, str], Response]
) -> Callable[[Callable[Concatenate[World, P], Response]], Callable[P, Response]]:
    """A desk whose calls are counted and may meet an ordered fault."""

    def wrap(view: Callable[Concatenate[World, P], Response]) -> Callable[P, Response]:
        @wraps(view)
        def called(*args: P.args, **kwargs: P.kwargs) -> Response:
            world = current_world()
            return under_weather(
                world, provider, verb, lambda: view(world, *args, **kwargs), lambda code: refusal(world, code)
            )

        return called

    return wrap


def under_weather(
    world: World,
    provider: str,
    verb: str,
    act: Callable[[], Response],
    refusal: Callable[[str], Response],
) -> Response:
    """Perform the call, or what an ordered fault makes of it."""
    with world.books.turn() as page:
        page.count_up(f"{provider}.{verb}")
        fault = faults.take(page, provider, verb, faults.CALL_KINDS, _said())
    if fault is None:
        return act()
    if fault.kind == "refuse":
        return refusal(fault.code)
    answer = act() if fault.kind.endswith("_after") else None
    if fault.kind.startswith("timeout"):
        time.sleep(fault.seconds)
        return answer or _gateway_trouble(504)
    return _gateway_trouble(502 if answer else 503)


def _said() -> str:
    """All that this call says, in its address and its body."""
    form = "\n".join(f"{name}={value}" for name, value in request.form.items(multi=True))
    return f"{unquote_plus(request.full_path)}\n{form or request.get_data(as_text=True)}"


def _gateway_trouble(status: int) -> Response:
    return Response("<html><body><h1>gateway trouble</h1></body></html>", status, content_type="text/html")
