"""Answers on the wire: JSON as Chinese providers write it, and the control desk's plain refusals."""

import json
import secrets
from typing import Any

from flask import Response, request

from simulators.books import Doc


def json_answer(doc: Any, status: int = 200) -> Response:
    """Compact JSON, Chinese left readable."""
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")


def refuse(message: str, status: int = 400) -> Response:
    """The control desk says no and why."""
    return json_answer({"error": message}, status)


def json_body() -> Doc:
    """The JSON object of the request whatever its Content-Type; an empty one if there is none."""
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def number_text(length: int) -> str:
    """Random decimal digits, never beginning with 0."""
    return str(secrets.randbelow(9 * 10 ** (length - 1)) + 10 ** (length - 1))
