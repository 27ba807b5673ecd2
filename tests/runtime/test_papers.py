"""Keys that change under a running town: the new one is taken, a broken one is told and changes nothing."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.runtime import papers
from backend.runtime.papers import BadPaper, Watched
from tests.runtime.papers import private_pem, public_pem, rsa_key


def watched(file: Path) -> Watched[int]:
    return Watched([file], lambda: papers.public_key(file.read_bytes()).public_numbers().n)


def modulus(name: str) -> int:
    return rsa_key(name).public_key().public_numbers().n


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(public_pem("wx ours"))
    return path


def test_a_key_is_read_once_while_nothing_changes(file: Path) -> None:
    readings: list[int] = []
    line = Watched([file], lambda: readings.append(1))
    for _ in range(5):
        line.get()
    assert readings == [1]


def test_a_changed_file_is_read_again(file: Path) -> None:
    line = watched(file)
    file.write_bytes(public_pem("wx theirs"))
    assert line.get() == modulus("wx theirs")


def test_a_file_that_was_moved_into_its_place_is_read(file: Path, tmp_path: Path) -> None:
    line, mark = watched(file), file.stat()
    fresh = tmp_path / "fresh.pem"
    fresh.write_bytes(public_pem("wx theirs"))
    os.utime(fresh, ns=(mark.st_atime_ns, mark.st_mtime_ns))
    fresh.replace(file)
    assert line.get() == modulus("wx theirs")


@pytest.mark.parametrize("content", [b"", b"AAAA", private_pem("wx ours"), public_pem("short", 1024), None])
def test_a_broken_new_key_keeps_the_old_one(
    file: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    line = watched(file)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        assert [line.get() for _ in range(3)] == [modulus("wx ours")] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "a changed key cannot be used; the old one stays"
    ]
    file.write_bytes(public_pem("wx theirs"))
    assert line.get() == modulus("wx theirs")


def test_many_threads_read_a_change_once(file: Path) -> None:
    readings: list[int] = []
    line = Watched([file], lambda: readings.append(1))
    file.write_bytes(b"another")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: line.get(), range(64)))
    assert readings == [1, 1]


def test_the_first_reading_must_succeed(file: Path) -> None:
    file.write_bytes(b"AAAA")
    with pytest.raises(BadPaper):
        watched(file)
