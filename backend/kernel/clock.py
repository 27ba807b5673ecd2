"""The only room that may ask what time it is.

Business time (`now`, `today`) can be moved in demonstrations and tests: it is real time plus an offset kept
in one small file that all processes of a town, simulators included, read. Wire time (`wire_now`) is always
real and serves tokens, signatures and time-outs. A *day* is a day in Asia/Shanghai.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_LOOK_EVERY = 0.05
"""Real seconds between two looks at the file: a move reaches the other processes within this time."""
_FURTHEST = timedelta(days=36525)
_NOWHERE = timedelta()


class _SharedOffset:
    """Distance of business time from real time, kept in a file or, without one, in this process."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._offset = _NOWHERE
        self._stamp: tuple[int, int, int] | None = None
        self._look_at = 0.0

    def use(self, path: Path | None) -> None:
        self._path, self._offset, self._stamp, self._look_at = path, _NOWHERE, None, 0.0

    def read(self) -> timedelta:
        if self._path is not None:
            at = time.monotonic()
            if at >= self._look_at:
                self._look_at = at + _LOOK_EVERY
                self._look(self._path)
        return self._offset

    def write(self, offset: timedelta) -> None:
        with self._alone():
            self._keep(offset)

    def add(self, distance: timedelta) -> None:
        with self._alone():
            self._keep(self._offset + distance)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one writer at a time read and write, so that two simultaneous moves add up."""
        if self._path is None:
            yield
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(self._path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._look(self._path)
            yield

    def _look(self, path: Path) -> None:
        """Take over a changed file; keep the last offset when it is missing or not understood."""
        try:
            found = path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                offset = timedelta(seconds=float(json.loads(path.read_bytes())["offset_seconds"]))
                self._offset, self._stamp = _within_reach(offset), stamp
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return

    def _keep(self, offset: timedelta) -> None:
        _within_reach(offset)
        if self._path is not None:
            fresh = self._path.with_name(self._path.name + ".new")
            fresh.write_text(json.dumps({"offset_seconds": offset.total_seconds()}), encoding="utf-8")
            # The file system stamps files only once per tick; two moves within one must differ all the same.
            written = time.time_ns()
            os.utime(fresh, ns=(written, written))
            fresh.replace(self._path)
        self._offset = offset


def _within_reach(offset: timedelta) -> timedelta:
    if abs(offset) > _FURTHEST:
        raise ValueError("the business clock cannot be moved by more than a hundred years")
    return offset


_shared = _SharedOffset()


def now() -> datetime:
    """Business time, aware, in UTC. It always runs; only its distance from real time can be changed."""
    return datetime.now(UTC) + _shared.read()


def wire_now() -> datetime:
    """Real time, aware, in UTC: for tokens, signatures and whatever the outside world checks."""
    return datetime.now(UTC)


def wire_seconds() -> float:
    """Real time in seconds since 1970."""
    return time.time()


def monotonic() -> float:
    """Seconds of a clock that never jumps: for measuring durations within this process."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Pause this thread for real seconds."""
    time.sleep(seconds)


def today() -> date:
    """Business day in Shanghai."""
    return day_of(now())


def local(at: datetime) -> datetime:
    """The same moment on a clock in Shanghai; refuses a naive time with ValueError."""
    return _aware(at).astimezone(SHANGHAI)


def day_of(at: datetime) -> date:
    """Day in Shanghai on which the moment falls."""
    return local(at).date()


def start_of_day(day: date) -> datetime:
    """First moment of a Shanghai day, in UTC."""
    return at_local(day, 0)


def at_local(day: date, hour: int, minute: int = 0) -> datetime:
    """Moment of a Shanghai day at a wall-clock time, in UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def use_file(path: Path | str | None) -> None:
    """Share business time through this file; None keeps it within this process, at real time."""
    _shared.use(None if path is None else Path(path))


def advance(distance: timedelta) -> None:
    """Move business time by a distance, backwards if negative. Simultaneous moves add up."""
    _shared.add(distance)


def move_to(at: datetime) -> None:
    """Set business time to a moment, from which it runs on; refuses a naive time with ValueError."""
    _shared.write(_aware(at) - wire_now())


def reset() -> None:
    """Return business time to real time."""
    _shared.write(_NOWHERE)


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("a moment needs its time zone")
    return at
