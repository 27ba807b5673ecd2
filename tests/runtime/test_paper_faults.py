"""Keys that are missing, unreadable, wrong, mixed up or expired are all told at once, before the town opens."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.runtime.paper_faults import faults_of_papers
from tests.runtime.papers import (
    certificate_pem,
    channel_papers,
    curve_pem,
    locked_pem,
    private_pem,
    public_pem,
    written,
)

Write = Callable[[bytes], str]
PRIVATE = ("WXPAY_MERCHANT_KEY_FILE", "ALIPAY_PRIVATE_KEY_FILE")
PUBLIC = ("WXPAY_PUBLIC_KEY_FILE", "ALIPAY_PUBLIC_KEY_FILE")
PAPER = "WXPAY_MERCHANT_CERT_FILE"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return channel_papers(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return lambda content: written(tmp_path, f"{len(list(tmp_path.iterdir()))}.pem", content)


def test_sound_papers_have_no_fault(env: dict[str, str], write: Write) -> None:
    assert faults_of_papers(env) == []
    assert faults_of_papers(env | {PAPER: write(certificate_pem("wx ours"))}) == []
    assert faults_of_papers({}) == []


def test_bare_base64_is_a_key_too(env: dict[str, str], write: Write) -> None:
    lines = [line for line in public_pem("ali theirs").splitlines() if b"-----" not in line]
    assert faults_of_papers(env | {"ALIPAY_PUBLIC_KEY_FILE": write(b"\n".join(lines))}) == []


@pytest.mark.parametrize("name", PRIVATE + PUBLIC)
def test_a_file_that_is_not_there_is_told(env: dict[str, str], name: str, tmp_path: Path) -> None:
    gone = {name: str(tmp_path / "gone.pem")}
    assert faults_of_papers(env | gone) == [f"{name} names a file that is not there"]
    assert faults_of_papers(env | {name: str(tmp_path)}) == [f"{name} cannot be read: Is a directory"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a private key"),
        (b"\x00\xff nonsense", "holds neither PEM nor base64"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is not a private key"),
        (public_pem("wx theirs"), "is not a private key"),
        (locked_pem("wx ours"), "is not a private key without a password"),
        (curve_pem(private=True), "is a private key, but not of RSA"),
        (private_pem("short", 1024), "is too short: 1024 bits, at least 2048 are needed"),
    ],
)
@pytest.mark.parametrize("name", PRIVATE)
def test_a_wrong_private_key_is_told(
    env: dict[str, str], write: Write, name: str, content: bytes, said: str
) -> None:
    (fault,) = faults_of_papers(env | {name: write(content)})
    assert fault.startswith(f"{name} {said}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"AAAA", "is not a public key"),
        (private_pem("wx ours"), "is not a public key"),
        (certificate_pem("wx ours"), "is not a public key"),
        (curve_pem(private=False), "is a public key, but not of RSA"),
        (public_pem("short", 1024), "is too short"),
    ],
)
@pytest.mark.parametrize("name", PUBLIC)
def test_a_wrong_public_key_is_told(
    env: dict[str, str], write: Write, name: str, content: bytes, said: str
) -> None:
    (fault,) = faults_of_papers(env | {name: write(content)})
    assert fault.startswith(f"{name} {said}")


@pytest.mark.parametrize(("name", "key"), [(PUBLIC[0], "wx ours"), (PUBLIC[1], "ali ours")])
def test_our_own_public_key_is_not_theirs(env: dict[str, str], write: Write, name: str, key: str) -> None:
    (fault,) = faults_of_papers(env | {name: write(public_pem(key))})
    assert fault.startswith(f"{name} holds our own public key")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WXPAY_APIV3_KEY", "0123456789abcdef"),
        ("WXPAY_APIV3_KEY", "密" * 32),
        ("WXPAY_MERCHANT_SERIAL", "no serial"),
        ("WXPAY_PUBLIC_KEY_ID", "something"),
        ("WXPAY_PUBLIC_KEY_ID", "PUB_KEY_ID_0116000000002024,PUB_KEY_ID_0116000000002025"),
        ("ALIPAY_AES_KEY", "%%%"),
        ("ALIPAY_AES_KEY", base64.b64encode(b"short").decode()),
    ],
)
def test_a_secret_in_another_shape_is_told(env: dict[str, str], name: str, value: str) -> None:
    (fault,) = faults_of_papers(env | {name: value})
    assert fault.startswith(name)


def test_several_keys_need_several_ids(env: dict[str, str], write: Write) -> None:
    env["WXPAY_PUBLIC_KEY_FILE"] += "," + write(public_pem("wx next"))
    assert len(faults_of_papers(env)) == 1
    env["WXPAY_PUBLIC_KEY_ID"] += ", PUB_KEY_ID_0116000000002025"
    assert faults_of_papers(env) == []
    env["WXPAY_PUBLIC_KEY_FILE"] = env["WXPAY_PUBLIC_KEY_FILE"].split(",")[0] + "," + write(b"AAAA")
    assert faults_of_papers(env) == ["WXPAY_PUBLIC_KEY_FILE (file 2 of 2) is not a public key"]


def test_an_expired_certificate_is_told(env: dict[str, str], write: Write) -> None:
    (fault,) = faults_of_papers(env | {PAPER: write(certificate_pem("wx ours", begins=-30, ends=-1))})
    assert fault.startswith(f"{PAPER} expired on 20")
    (fault,) = faults_of_papers(env | {PAPER: write(certificate_pem("wx ours", begins=1))})
    assert fault.startswith(f"{PAPER} is not valid before 20")


def test_a_certificate_must_fit_its_key_and_serial(env: dict[str, str], write: Write) -> None:
    (fault,) = faults_of_papers(env | {PAPER: write(certificate_pem("wx theirs"))})
    assert "was issued for another key" in fault
    (fault,) = faults_of_papers(env | {PAPER: write(certificate_pem("wx ours", serial="ABCDEF0123"))})
    assert fault == f"WXPAY_MERCHANT_SERIAL is not that of {PAPER}: ABCDEF0123"
    (fault,) = faults_of_papers(env | {PAPER: write(b"nonsense")})
    assert fault == f"{PAPER} is not a certificate"


def test_everything_wrong_is_told_at_once(env: dict[str, str], write: Write) -> None:
    wrong = dict.fromkeys(PRIVATE + PUBLIC, write(b"AAAA")) | {"WXPAY_APIV3_KEY": "x", "ALIPAY_AES_KEY": "x"}
    told = faults_of_papers(env | wrong | {PAPER: write(certificate_pem("wx ours", ends=0, begins=-9))})
    assert len(told) == 7
