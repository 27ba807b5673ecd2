"""Whose address counts behind a proxy, who reads the figures in production, and which characters a body may hold."""

from typing import Any

import pytest
from flask import Flask, request
from pydantic import Field

from backend.kernel.problems import InvalidInput
from backend.runtime import bodies, settings, web
from backend.runtime.settings import BadSettings


class Part(bodies.Body):
    """A part of a letter."""

    label: str = Field(max_length=20)


class Letter(bodies.Body):
    """A short line, a long text, and what hangs on it."""

    line: str = Field(default="", max_length=80)
    words: str = Field(default="", max_length=500)
    parts: tuple[Part, ...] = ()
    form: dict[str, object] = Field(default_factory=dict)


def town(mode: str = "test", proxies: int = 0) -> Flask:
    app = web.build([], [], mode=mode, ready=lambda: True, proxies=proxies)
    app.add_url_rule("/whence", "whence", lambda: request.remote_addr or "")
    return app


def whence(proxies: int, forwarded: str) -> str:
    client = town(proxies=proxies).test_client()
    return client.get("/whence", headers={"X-Forwarded-For": forwarded}).text


def test_only_our_own_proxies_are_believed() -> None:
    assert whence(0, "198.51.100.7") == "127.0.0.1"
    assert whence(1, "198.51.100.7") == "198.51.100.7"
    assert whence(1, "203.0.113.1, 198.51.100.7") == "198.51.100.7"
    assert whence(2, "203.0.113.1, 198.51.100.7") == "203.0.113.1"


def test_figures_in_production_need_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    assert town().test_client().get("/metrics").status_code == 200
    client = town("production").test_client()
    assert client.get("/metrics").status_code == 404
    monkeypatch.setenv("METRICS_TOKEN", "collectors")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer collectors"}).status_code == 200


def test_a_real_database_is_never_opened_with_play_keys() -> None:
    real = {"DATABASE_URL": "postgresql://db.example/town"}
    with pytest.raises(BadSettings, match="TOWN_KEYS_FILE is missing"):
        settings.read(real)
    assert settings.read(real | {"TOWN_MODE": "test"}).keys.token_kid == "play"
    assert settings.read({}).keys.token_kid == "play"


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "CODES_PER_ADDRESS", "LOGINS_PER_ADDRESS"])
@pytest.mark.parametrize("number", ["-1", "x", "²", "1.5"])
def test_a_number_that_is_none_is_refused(name: str, number: str) -> None:
    with pytest.raises(BadSettings, match=name):
        settings.read({name: number})


def letter(**words: Any) -> list[str]:
    """Which fields of a letter are refused."""
    try:
        bodies._require_plain(Letter(**words))
    except InvalidInput as refusal:
        return [fault["field"] for fault in refusal.errors]
    return []


def test_control_characters_are_refused_wherever_they_stand() -> None:
    assert letter(line="a\x1b[31m", words="b\x00") == ["line", "words"]
    assert letter(parts=(Part(label="x"), Part(label="a\nb"))) == ["parts.1.label"]
    assert letter(form={"a": ["b", {"c": "\x85"}], "k\x07": 1}) == ["form.a.1.c", "form"]


def test_long_texts_may_have_lines_and_tabs() -> None:
    assert letter(words="first\n\tsecond", form={"why": "one\ntwo"}) == []
    assert letter(line="first\nsecond") == ["line"]
