"""Structured logs without private data: one JSON line each, scrubbed, with the request's id."""

import logging
import sys
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from backend.kernel import clock
from backend.kernel.privacy import scrub

request_id: ContextVar[str] = ContextVar("request_id", default="")


class _Scrubbing(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        record.request_id = request_id.get()
        record.at = clock.wire_now().isoformat()
        return scrub(super().format(record))


def set_up(level: str = "INFO") -> None:
    """Send every logger's lines to standard error. Libraries that log what they sign are kept quiet."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Scrubbing("%(at)s %(levelname)s %(name)s %(message)s %(request_id)s", json_ensure_ascii=False)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # wechatpy and wechatpayv3 log keys and payers' data at DEBUG; urllib3 logs query strings.
    for noisy in ("wechatpy", "wechatpayv3", "urllib3", "kdniao", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
