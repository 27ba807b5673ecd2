import base64
import json
from pathlib import Path
from typing import Any

import pytest

from backend.runtime import settings
from backend.runtime.settings import BadSettings
from tests.runtime.papers import certificate_pem, channel_papers, written


@pytest.fixture
def papers(tmp_path: Path) -> dict[str, str]:
    """Everything that production needs."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(settings.new_keys_document()), "utf-8")
    env = dict.fromkeys(settings.PRODUCTION_NAMES, "something")
    for name in env:
        if name.endswith("_URL"):
            env[name] = f"https://{name.lower().replace('_', '-')}.example/"
    return env | {
        **channel_papers(tmp_path),
        "TOWN_KEYS_FILE": str(keys),
        "TRUSTED_PROXIES": "1",
        "TOWN_MODE": "production",
        "DATABASE_URL": "postgresql://town:x@db.example/town",
        "BROKER_URL": "rediss://broker.example/0",
        "UPLOADS_DIR": str(tmp_path),
    }


def faults_of(env: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        settings.read(env)
    first, *rest = str(caught.value).split("\n")
    assert first == "the town cannot open:"
    return [line.removeprefix("  - ") for line in rest]


def test_an_empty_environment_makes_a_demo() -> None:
    found = settings.read({})
    assert found.town.mode == "demo"
    assert not found.town.is_production
    assert found.keys.token_kid == "play"
    assert found.town.uploads_dir == Path(".town/uploads")


def test_production_opens_with_all_its_papers(papers: dict[str, str]) -> None:
    found = settings.read(papers)
    assert found.town.is_production
    assert found.town.database_url == "postgresql+psycopg://town:x@db.example/town"
    assert found.town.public_base_url == "https://public-base-url.example"
    assert found.keys.token_kid == "t1"
    assert found.alipay.gateway_url.startswith("https://")
    assert found.sms.report_token == "something"


def test_production_tells_everything_that_is_missing_at_once() -> None:
    assert faults_of({"TOWN_MODE": "production"}) == [
        f"{name} is missing" for name in settings.PRODUCTION_NAMES
    ]


@pytest.mark.parametrize("name", settings.PRODUCTION_NAMES)
def test_production_can_do_without_none_of_its_settings(papers: dict[str, str], name: str) -> None:
    papers[name] = ""
    assert faults_of(papers) == [f"{name} is missing"]


def test_production_tells_everything_that_is_wrong_at_once(papers: dict[str, str], tmp_path: Path) -> None:
    wrong = {
        "TOWN_CLOCK_FILE": "clock.json",
        "BROKER_URL": "filesystem://",
        "WXPAY_BASE_URL": "http://127.0.0.1:9000/wxpay",
        "PUBLIC_BASE_URL": "HTTP://town.example",
        "KDNIAO_BASE_URL": "127.0.0.1:9000",
        "TOWN_KEYS_FILE": str(tmp_path / "none.json"),
        "WXPAY_MERCHANT_KEY_FILE": str(tmp_path / "none.pem"),
        "IDENTITY_SECRET": "",
        "DATABASE_POOL": "0",
    }
    assert sorted(faults_of(papers | wrong)) == sorted(
        [
            "DATABASE_POOL must be a number from 1 to 199",
            "TOWN_KEYS_FILE names a file that is not there",
            "IDENTITY_SECRET is missing",
            "TOWN_CLOCK_FILE is set: production does not move its clock",
            "BROKER_URL must name Redis or RabbitMQ, not a folder of this machine",
            "WXPAY_MERCHANT_KEY_FILE names a file that is not there",
            "WXPAY_BASE_URL must begin with https://",
            "KDNIAO_BASE_URL must begin with https://",
            "PUBLIC_BASE_URL must begin with https://",
        ]
    )


def test_production_refuses_keys_that_everybody_knows(papers: dict[str, str]) -> None:
    del papers["TOWN_KEYS_FILE"]
    assert faults_of(papers) == ["TOWN_KEYS_FILE is missing"]
    play = settings.read({}).keys
    known = {
        name: base64.b64encode(getattr(play.masters, name)).decode()
        for name in ("master", "index", "journal")
    }
    path = Path(papers["UPLOADS_DIR"]) / "known.json"
    path.write_text(json.dumps({**known, "tokens": dict(play.tokens), "token_kid": play.token_kid}), "utf-8")
    assert faults_of(papers | {"TOWN_KEYS_FILE": str(path)}) == [
        "TOWN_KEYS_FILE holds the keys of the demo, which everybody knows"
    ]


@pytest.mark.parametrize("broker", ["memory://", "filesystem://", "filesystem:///tmp"])
def test_production_refuses_a_broker_of_this_machine(papers: dict[str, str], broker: str) -> None:
    assert len(faults_of(papers | {"BROKER_URL": broker})) == 1


def test_an_unknown_mode_is_refused() -> None:
    assert faults_of({"TOWN_MODE": "prod"}) == [
        "TOWN_MODE is 'prod'; it must be one of demo, test, production"
    ]


@pytest.mark.parametrize("pool", ["0", "200", "-1", "x", "", "²", "1.5"])
def test_a_pool_that_is_no_number_is_refused(pool: str) -> None:
    assert faults_of({"DATABASE_POOL": pool}) == ["DATABASE_POOL must be a number from 1 to 199"]


def broken(**change: Any) -> str:
    return json.dumps({**settings.new_keys_document(), **change})


SHORT = base64.b64encode(b"short").decode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "cannot be read"),
        ("[]", "not complete"),
        ('"text"', "not complete"),
        ("{}", "not complete: 'master'"),
        (broken(tokens=None), "not complete"),
        (broken(master=SHORT), "wrong length"),
        (broken(journal="%%%"), "wrong length"),
        (broken(previous_index=SHORT), "wrong length"),
        (broken(token_kid="t9"), "a token key it does not have"),
        (broken(tokens={"t1": "short"}), "wrong length"),
    ],
)
@pytest.mark.parametrize("mode", ["demo", "production"])
def test_a_wrong_keys_file_is_refused_in_one_sentence(
    papers: dict[str, str], tmp_path: Path, content: str, said: str, mode: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content, "utf-8")
    told = faults_of(papers | {"TOWN_MODE": mode, "TOWN_KEYS_FILE": str(path)})
    assert len(told) == 1
    assert said in told[0]


@pytest.mark.parametrize("kind", ["not there", "a folder", "no text"])
def test_a_keys_file_that_cannot_be_read_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "a folder" else tmp_path / "keys.json"
    if kind == "no text":
        path.write_bytes(b"\xff\xfe")
    assert "TOWN_KEYS_FILE" in faults_of({"TOWN_KEYS_FILE": str(path)})[0]


def test_fresh_keys_are_complete_and_never_the_same() -> None:
    one, two = (settings.keys_from(settings.new_keys_document()) for _ in range(2))
    assert one.masters != two.masters
    assert len({one.masters.master, one.masters.index, one.masters.journal}) == 3
    assert one.masters.previous_master is None


def test_former_keys_are_read_beside_the_present_ones() -> None:
    document = {**settings.new_keys_document(), "previous_index": base64.b64encode(b"i" * 32).decode()}
    assert settings.keys_from(document).masters.previous_index == b"i" * 32


@pytest.mark.parametrize(
    "url", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"]
)
def test_any_postgresql_url_is_told_to_use_psycopg(url: str) -> None:
    assert settings.database_url(url) == "postgresql+psycopg://u:p@h/d"


def test_a_merchant_certificate_may_be_named_besides(papers: dict[str, str], tmp_path: Path) -> None:
    assert settings.read(papers).wxpay.merchant_cert_file == ""
    paper = written(tmp_path, "paper.pem", certificate_pem("wx ours"))
    found = settings.read(papers | {"WXPAY_MERCHANT_CERT_FILE": paper})
    assert (found.wxpay.merchant_cert_file, found.wxpay.apiv3_key) == (paper, papers["WXPAY_APIV3_KEY"])


def test_production_does_not_open_with_an_expired_certificate(papers: dict[str, str], tmp_path: Path) -> None:
    paper = written(tmp_path, "paper.pem", certificate_pem("wx ours", begins=-9, ends=-1))
    (fault,) = faults_of(papers | {"WXPAY_MERCHANT_CERT_FILE": paper})
    assert fault.startswith("WXPAY_MERCHANT_CERT_FILE expired on 20")
