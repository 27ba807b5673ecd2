"""The simulators' two clocks: *business* time follows the file the town moves, *wire* time is real.

Signatures, tokens and retries use wire time; bills, pay times, traces and message limits use business time.
"""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class TownClock:
    """Reads ``{"offset_seconds": float}`` from a file and reads it again when the file changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._offset_seconds = 0.0

    def now(self) -> datetime:
        """Business time, aware UTC."""
        return datetime.fromtimestamp(self.wire_seconds() + self._offset(), UTC)

    def local(self) -> datetime:
        """Business time in Asia/Shanghai."""
        return self.now().astimezone(SHANGHAI)

    def wire_seconds(self) -> float:
        """Real time, seconds since the epoch."""
        return time.time()

    def wire_local(self) -> datetime:
        """Real time in Asia/Shanghai."""
        return datetime.fromtimestamp(self.wire_seconds(), SHANGHAI)

    def _offset(self) -> float:
        if self._path is None:
            return 0.0
        try:
            stat = self._path.stat()
        except OSError:
            return 0.0
        mark = (stat.st_mtime_ns, stat.st_size)
        if mark != self._seen:
            self._offset_seconds = _read_offset(self._path, self._offset_seconds)
            self._seen = mark
        return self._offset_seconds


def _read_offset(path: Path, otherwise: float) -> float:
    try:
        return float(json.loads(path.read_text("utf-8"))["offset_seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return otherwise


def plain(at: datetime) -> str:
    """``2026-03-02 09:30:00`` in Asia/Shanghai, as most Chinese providers write it."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(at: datetime) -> str:
    """``2026-03-02T09:30:00+08:00``, as WeChat Pay v3 writes it."""
    return at.astimezone(SHANGHAI).replace(microsecond=0).isoformat()


def from_plain(text: str) -> datetime:
    """The moment of a Shanghai wall-clock text; raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)


def moment(text: str) -> datetime:
    """The moment of an ISO text the books keep."""
    return datetime.fromisoformat(text)
