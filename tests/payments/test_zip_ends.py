"""The end of a zip is read before its directory: what names too much is refused before anybody unpacks it."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from payments.channels import bill_files, port
from payments.channels.zip_ends import Directory, NoEnd, directory_of

STATEMENT = "20880000_业务明细.csv"


def zipped(*names: str, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "一行".encode("gbk"))
        archive.comment = comment
    return file.getvalue()


def crowd(members: int) -> bytes:
    """An archive whose directory names this many members, each in as few bytes as can be."""
    entry = b"PK\x01\x02" + bytes(42)
    directory = entry * members
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, members % 65_536, members % 65_536, len(directory), 0, 0
    )
    return directory + end


def large(packed: bytes, **changes: int) -> bytes:
    """The same archive with the end that a zip64 has."""
    _, _, _, here, members, size, offset, _ = struct.unpack("<4s4H2LH", packed[-22:])
    said = {"members": members, "size": size} | changes
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, said["members"], said["size"], offset
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(packed) - 22, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, offset, 0)
    return packed[:-22] + record + locator + end


def opened(packed: bytes) -> port.BillFile | port.Corrupt:
    return bill_files.unzipped(io.BytesIO(packed), "gbk", 1000, ending=".csv", but="汇总")


@pytest.mark.parametrize(
    "packed",
    [
        zipped(STATEMENT, "汇总.csv"),
        zipped(STATEMENT, comment=b"a word of the provider"),
        zipped(STATEMENT, comment=b"x" * 65_535),
        large(zipped(STATEMENT)),
    ],
)
def test_an_honest_archive_is_opened(packed: bytes) -> None:
    bill = opened(packed)
    assert isinstance(bill, port.BillFile), bill
    with bill.file:
        assert bill.file.read().decode("gbk") == "一行"


def test_the_end_tells_what_the_directory_holds() -> None:
    packed = zipped("a", "b", "c")
    expected = Directory(3, 3 * 47)
    assert directory_of(io.BytesIO(packed)) == expected
    assert directory_of(io.BytesIO(large(packed))) == expected


@pytest.mark.parametrize("members", [600_000, 65_536])
def test_a_crowd_of_members_is_never_read(members: int) -> None:
    """65,536 members look like none in the old record, but their directory is as long as it is."""
    file = io.BytesIO(crowd(members))
    tracemalloc.start()
    answer = bill_files.unzipped(file, "gbk", 1000, ending=".csv", but="汇总")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(answer, port.Corrupt)
    assert most < 1_000_000


@pytest.mark.parametrize(
    "packed",
    [
        crowd(21),
        large(zipped(STATEMENT), members=600_000),
        large(zipped(STATEMENT), size=28_000_000),
        zipped(*(f"{n}.txt" for n in range(20)), STATEMENT),
        zipped("n" * 65_500, STATEMENT),
    ],
)
def test_too_much_is_refused_before_it_is_opened(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill_files.zipfile, "ZipFile", _nobody)
    assert opened(packed) == port.Corrupt("the archive holds more than one statement and its summaries")


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"PK\x05\x06",
        b"no archive at all" * 10,
        zipped(STATEMENT)[:-1],
        large(crowd(1)).replace(b"PK\x06\x06", b"PK\x06\x00"),
    ],
)
def test_an_end_that_is_none_is_corrupt(packed: bytes) -> None:
    with pytest.raises(NoEnd):
        directory_of(io.BytesIO(packed))
    assert isinstance(opened(packed), port.Corrupt)


def _nobody(*args: object, **more: object) -> None:
    raise AssertionError("the directory was read")
