"""What a file is, whatever it says of itself."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.cases import content
from backend.cases.problems import UploadBroken, UploadTypeWrong, UploadUnsafe
from backend.kernel.problems import Problem
from tests.cases import files


@pytest.mark.parametrize(("kind", "media"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_photograph_is_kept_as_a_picture(kind: str, media: str) -> None:
    kept = content.check(files.photo(kind), media)
    assert (kept.media_type, kept.pages) == (media, 1)
    assert Image.open(io.BytesIO(kept.content)).size == (60, 40)


def test_a_photograph_loses_its_traces_and_stands_upright() -> None:
    kept = content.check(files.photo(exif=True), "image/jpeg")
    assert b"SECRET-PLACE" not in kept.content
    assert Image.open(io.BytesIO(kept.content)).size == (40, 60)


def test_nothing_hides_behind_the_picture() -> None:
    kept = content.check(files.photo() + b"<script>alert(1)</script>", "image/jpeg")
    assert b"<script>" not in kept.content


def test_a_pdf_is_kept_as_it_is() -> None:
    whole = files.pdf(3)
    assert content.check(whole, "application/pdf") == content.Checked("application/pdf", whole, 3)


@pytest.mark.parametrize(
    ("sent", "declared"),
    [
        (b"MZ\x90\x00 this is a program", "image/jpeg"),
        (b"<html><script>alert(1)</script></html>", "application/pdf"),
        (b"PK\x03\x04 an archive", "application/pdf"),
        (b"GIF89a not one of ours", "image/png"),
        (b"", "image/png"),
        (files.photo("PNG"), "image/jpeg"),
        (files.pdf(), "image/jpeg"),
    ],
)
def test_a_file_that_lies_about_its_type_is_refused(sent: bytes, declared: str) -> None:
    with pytest.raises(UploadTypeWrong):
        content.check(sent, declared)


@pytest.mark.parametrize(
    "sent",
    [
        files.pdf_with_script(),
        files.pdf_with_launch(),
        files.pdf_with_attachment(),
        files.pdf_with_password(),
    ],
    ids=["script", "launch", "attachment", "password"],
)
def test_a_pdf_with_something_active_is_refused(sent: bytes) -> None:
    with pytest.raises(UploadUnsafe):
        content.check(sent, "application/pdf")


@pytest.mark.parametrize("sent", [files.photo()[:200], files.photo("PNG")[:40], b"%PDF-1.7 and nothing more"])
def test_half_a_file_is_refused(sent: bytes) -> None:
    declared = {b"\xff": "image/jpeg", b"\x89": "image/png", b"%": "application/pdf"}[sent[:1]]
    with pytest.raises(UploadBroken):
        content.check(sent, declared)


def test_a_photograph_with_impossible_traces_is_refused() -> None:
    words_for_width = files.photo(exif=True).replace(b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02", 1)
    with pytest.raises(UploadBroken):
        content.check(words_for_width, "image/jpeg")


def test_a_picture_that_swells_is_refused() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")
    with pytest.raises(UploadBroken):
        content.check(bomb, "image/png")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(content.MEDIA_TYPES))
def test_any_bytes_are_kept_or_politely_refused(tail: bytes, declared: str) -> None:
    head = {
        "image/jpeg": b"\xff\xd8\xff",
        "image/png": b"\x89PNG\r\n\x1a\n",
        "application/pdf": b"%PDF-1.4\n",
    }
    assert _verdict(head[declared] + tail, declared) in (200, 415, 422)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.binary(min_size=1, max_size=20))
def test_a_damaged_pdf_never_breaks_the_checker(at: int, noise: bytes) -> None:
    whole = files.pdf_with_launch()
    damaged = whole[:at] + noise + whole[at + len(noise) :]
    assert _verdict(damaged, "application/pdf") in (200, 415, 422)


def _verdict(sent: bytes, declared: str) -> int:
    """200 when the file is kept, else the status of the refusal."""
    try:
        content.check(sent, declared)
    except Problem as refused:
        return refused.status
    return 200
