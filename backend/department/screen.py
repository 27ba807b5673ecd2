"""The screen in the hall: which number goes to which window, for everybody to see; no name is ever in it.

`/calls` is what a screen polls; a process beside the web server sends the same document as server-sent events
whenever it changes (`/stream`, see town/screen.py).
"""

import base64
import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Response, render_template_string

from backend import booking
from backend.booking import Screen
from backend.kernel.problems import NotYours
from backend.runtime.settings import settings
from backend.runtime.surface import Call, Surface
from backend.store.unit import unit

SCREEN: Final = Surface("screen", "/screen", audience="public", title="叫号屏：等候大厅里人人可见的叫号信息")
_WORDING = Path(__file__).parent / "wording"
_PAGE = (_WORDING / "screen.html").read_text("utf-8")
_SCRIPT = (_WORDING / "screen.js").read_text("utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()


@SCREEN.get("/v1/sites/<site_id>/calls", answers=Screen, problems=(NotYours,))
def calls(call: Call[None], site_id: str) -> Screen:
    """Show the numbers called last, with their windows, and how many wait.

    The same document comes as server-sent events (`text/event-stream`) from `/screen/v1/sites/{site_id}/stream`
    whenever it changes; a process of its own answers there (`python -m town.screen`). Where it is not reached, ask
    here every few seconds.
    """
    with unit() as u:
        return booking.screen_of(u, site_id)


@SCREEN.get("/<site_id>", media=("text/html",), problems=(NotYours,))
def page(call: Call[None], site_id: str) -> Response:
    """Show them as a page with large type that keeps itself up to date."""
    with unit() as u:
        screen = booking.screen_of(u, site_id)
    own = f"{SCREEN.prefix}/v1/sites/{screen.site_id}"
    beside = settings().town.screen_base_url
    text = render_template_string(
        _PAGE, screen=screen, script=_SCRIPT, calls=f"{own}/calls", stream=f"{beside}{own}/stream"
    )
    response = Response(text, content_type="text/html; charset=utf-8")
    parts = urlsplit(beside)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_DIGEST}';"
        f" connect-src 'self' {parts.scheme}://{parts.netloc}; frame-ancestors 'none'"
    )
    return response
