import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from backend.kernel import clock

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
A_MOMENT = timedelta(seconds=5)


@pytest.fixture(params=["file", "process"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Business time kept in a file, or within this process."""
    file = tmp_path / "clock.json"
    clock.use_file(file if request.param == "file" else None)
    yield file
    # The other chapters share the town's file: without it their providers would live in another time.
    clock.use_file(os.environ["TOWN_CLOCK_FILE"])


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "clock.json"
    clock.use_file(file)
    yield file
    clock.use_file(os.environ["TOWN_CLOCK_FILE"])


def distance() -> timedelta:
    return clock.now() - clock.wire_now()


def soon(expected: timedelta) -> bool:
    """Whether the offset is seen within a second, as another process would wait for it."""
    until = clock.monotonic() + 1
    while clock.monotonic() < until:
        if abs(distance() - expected) < A_MOMENT:
            return True
        clock.sleep(0.01)
    return False


def other_process(code: str, file: Path) -> str:
    program = (
        f"from datetime import *; from backend.kernel import clock; clock.use_file({str(file)!r}); {code}"
    )
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_business_time_is_real_time_at_first(shared: Path) -> None:
    assert abs(distance()) < A_MOMENT
    assert clock.now().utcoffset() == timedelta()


def test_moving_to_a_moment_runs_on_from_there(shared: Path) -> None:
    clock.move_to(NEW_YEAR)
    first = clock.now()
    clock.sleep(0.002)
    assert NEW_YEAR <= first < clock.now() < NEW_YEAR + A_MOMENT


def test_time_can_be_moved_both_ways(shared: Path) -> None:
    clock.advance(timedelta(days=3))
    clock.advance(timedelta(days=-10))
    assert abs(distance() + timedelta(days=7)) < A_MOMENT


def test_reset_returns_to_real_time(shared: Path) -> None:
    clock.advance(timedelta(days=3))
    clock.reset()
    assert abs(distance()) < A_MOMENT


def test_wire_time_does_not_move_with_business_time(shared: Path) -> None:
    before = clock.wire_seconds()
    clock.advance(timedelta(days=400))
    assert clock.wire_seconds() - before < A_MOMENT.total_seconds()
    assert abs(clock.wire_now().timestamp() - before) < A_MOMENT.total_seconds()


def test_a_naive_moment_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the very thing that must be refused
    for verb in (clock.move_to, clock.local, clock.day_of):
        with pytest.raises(ValueError, match="time zone"):
            verb(naive)


def test_a_move_beyond_a_century_is_refused(shared: Path) -> None:
    with pytest.raises(ValueError, match="hundred years"):
        clock.advance(timedelta(days=40_000))
    assert abs(distance()) < A_MOMENT


def test_a_move_reaches_another_process(file: Path) -> None:
    clock.move_to(NEW_YEAR)
    assert other_process("print(clock.now().year, clock.today())", file) == "2026 2026-01-01\n"


def test_a_move_of_another_process_is_seen(file: Path) -> None:
    clock.advance(timedelta(days=1))
    other_process("clock.advance(timedelta(days=2))", file)
    assert soon(timedelta(days=3))


def test_simultaneous_moves_add_up(file: Path) -> None:
    movers = [threading.Thread(target=clock.advance, args=(timedelta(days=1),)) for _ in range(12)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    assert json.loads(file.read_text())["offset_seconds"] == timedelta(days=12).total_seconds()


def test_the_file_says_the_offset_in_seconds(file: Path) -> None:
    clock.advance(timedelta(hours=2, microseconds=1))
    assert json.loads(file.read_text()) == {"offset_seconds": 7200.000001}


def test_a_file_written_by_others_is_read(file: Path) -> None:
    file.write_text('{"offset_seconds": -86400, "by": "somebody"}')
    assert soon(timedelta(days=-1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"offset_seconds": null}',
        '{"offset_seconds": NaN}',
        '{"offset_seconds": 1e99}',
    ],
)
def test_a_damaged_file_keeps_the_last_offset(file: Path, text: str) -> None:
    clock.advance(timedelta(days=5))
    file.write_text(text)
    clock.sleep(0.06)
    assert abs(distance() - timedelta(days=5)) < A_MOMENT


def test_a_missing_file_keeps_the_last_offset(file: Path) -> None:
    clock.advance(timedelta(days=5))
    file.unlink()
    clock.sleep(0.06)
    assert abs(distance() - timedelta(days=5)) < A_MOMENT


def test_reading_the_time_rarely_touches_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    stat = Path.stat

    def counted(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        looks.append(path)
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", counted)
    clock.advance(timedelta(days=1))
    before = len(looks)
    for _ in range(1000):
        clock.now()
    assert len(looks) - before <= 3


def test_a_day_is_a_day_in_shanghai(shared: Path) -> None:
    clock.move_to(datetime(2026, 6, 30, 16, 30, tzinfo=UTC))
    assert clock.today() == date(2026, 7, 1)
    assert clock.day_of(datetime(2026, 6, 30, 15, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert clock.start_of_day(date(2026, 7, 1)) == datetime(2026, 6, 30, 16, tzinfo=UTC)


def test_wall_clock_times_are_kept_in_utc() -> None:
    opening = clock.at_local(date(2026, 7, 1), 8, 30)
    assert opening == datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    assert opening.tzinfo is UTC
    assert clock.local(opening).strftime("%H:%M") == "08:30"
