"""The dance with a provider of our own: its letters are JSON, signed with one word."""

import json
from collections.abc import Callable, Iterator, Sequence

import pytest
import requests
from flask import Request

from backend.contracts import CaseWithdrawn, Notice
from backend.kernel.problems import Conflict
from backend.runtime import callbacks, web
from backend.runtime.callbacks import Forged, Reply
from backend.runtime.settings import database_url
from backend.store import engine, vault
from backend.store.unit import SYSTEM, Unit
from tests.runtime.ears import deliveries
from tests.runtime.windows import served
from tests.store.doors import ask, put, tell, together, value
from town import postgres

SETTLED: list[str] = []
TROUBLE: dict[str, Exception] = {}


class Bank:
    """Speaks of several things in one letter."""

    name = "test_bank"

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        if request.headers.get("X-Signature") != "genuine":
            raise Forged("signed by somebody else")
        told = json.loads(body)
        return [Notice(self.name, key, f"pay-{key}", "paid", None, 5, {}, body) for key in told["keys"]]

    def acknowledge(self, *, accepted: bool) -> Reply:
        return Reply(200, b"SUCCESS", "text/plain") if accepted else Reply(401, b"FAIL", "text/plain")


def settle(u: Unit, notice: Notice) -> None:
    """What the house does with it."""
    put(u, notice.subject)
    u.note("cs-1", notice.subject, "paid", by=SYSTEM)
    u.record(CaseWithdrawn("cs-1", notice.subject))
    if notice.key in TROUBLE:
        raise TROUBLE[notice.key]
    if notice.key.startswith("strange"):
        u.verdict(notice, "unknown", "no such payment")
    SETTLED.append(notice.key)


@pytest.fixture(scope="module")
def bank_url(ground: str) -> Iterator[str]:
    """Where the bank sends its letters to."""
    app = web.build(
        [], [callbacks.blueprint("test", [("bank", Bank(), settle)])], mode="test", ready=lambda: True
    )
    with served(app) as base_url:
        yield base_url + "/callbacks/test/bank"


@pytest.fixture
def push(bank_url: str, ears: None) -> Callable[..., requests.Response]:
    """Send a letter that speaks of these keys."""
    SETTLED.clear()
    TROUBLE.clear()

    def send(*keys: str, signature: str = "genuine", body: bytes | None = None) -> requests.Response:
        raw = json.dumps({"keys": keys, "payer": "13800138000"}).encode() if body is None else body
        return requests.post(bank_url, data=raw, headers={"X-Signature": signature}, timeout=20)

    return send


def verdict(key: str) -> str:
    return str(ask("SELECT verdict || ' ' || why FROM store_notice WHERE key = :k", k=key)).strip()


def test_news_is_settled_kept_and_acknowledged(push: Callable[..., requests.Response]) -> None:
    answer = push("k1")
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (
        200,
        b"SUCCESS",
        "text/plain",
    )
    assert (value("pay-k1"), verdict("k1"), deliveries()) == (0, "used", 2)
    assert ask("SELECT count(*) FROM store_journal WHERE subject = 'pay-k1'") == 1


def test_a_second_push_changes_nothing_and_is_acknowledged(push: Callable[..., requests.Response]) -> None:
    for _ in range(3):
        assert push("k2").content == b"SUCCESS"
    assert SETTLED == ["k2"]
    assert deliveries() == 2


def test_ten_pushes_at_once_settle_once(push: Callable[..., requests.Response]) -> None:
    answers = together(*(lambda: push("k3") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert SETTLED == ["k3"]


def test_forged_news_is_refused_in_the_providers_own_form(push: Callable[..., requests.Response]) -> None:
    answer = push("k4", signature="made up")
    assert (answer.status_code, answer.content) == (401, b"FAIL")
    assert (SETTLED, value("pay-k4")) == ([], None)
    assert ask("SELECT count(*) FROM store_notice_key WHERE key = 'k4'") == 0
    assert push("k4").content == b"SUCCESS", "the genuine one is still the first"
    assert SETTLED == ["k4"]


def test_a_letter_that_is_too_large_is_refused(push: Callable[..., requests.Response]) -> None:
    assert push(body=b"x" * (callbacks.MAX_BYTES + 1)).content == b"FAIL"


def test_raw_words_are_kept_sealed(push: Callable[..., requests.Response]) -> None:
    push("k5")
    notice_id, raw = (ask(f"SELECT {column} FROM store_notice WHERE key = 'k5'") for column in ("id", "raw"))
    assert b"13800138000" not in bytes(raw)
    assert b"13800138000" in vault.open_sealed_bytes("store_notice.raw", notice_id, bytes(raw))


def test_authentic_but_unusable_news_is_kept_with_its_verdict(push: Callable[..., requests.Response]) -> None:
    assert push("strange-1").content == b"SUCCESS"
    assert verdict("strange-1") == "unknown no such payment"


@pytest.mark.parametrize("trouble", [KeyError("a bug"), Conflict("not now")])
def test_trouble_of_ours_makes_the_provider_repeat(
    push: Callable[..., requests.Response], trouble: Exception
) -> None:
    TROUBLE["k6"] = trouble
    answer = push("k6")
    assert answer.status_code >= 400
    assert b"SUCCESS" not in answer.content
    assert value("pay-k6") is None
    assert deliveries() == 0
    TROUBLE.clear()
    assert push("k6").content == b"SUCCESS"
    assert SETTLED == ["k6"]
    tell("DELETE FROM store_notice_key WHERE key = 'k6'")


def test_a_database_that_is_away_makes_the_provider_repeat(
    push: Callable[..., requests.Response], ground: str
) -> None:
    with postgres.temporary() as server:
        engine.bind(database_url(server.url), pool=2)
        server.stop()
        answer = push("k7")
    engine.bind(database_url(ground), pool=10)
    assert answer.status_code == 503
    assert push("k7").content == b"SUCCESS"


def test_a_letter_that_fails_in_the_middle_settles_the_rest_later(
    push: Callable[..., requests.Response],
) -> None:
    TROUBLE["k9"] = KeyError("a bug")
    assert push("k8", "k9", "k10").status_code == 500
    assert SETTLED == ["k8"]
    TROUBLE.clear()
    assert push("k8", "k9", "k10").status_code == 200
    assert SETTLED == ["k8", "k9", "k10"]


def test_a_question_of_ours_takes_the_same_door(push: Callable[..., requests.Response]) -> None:
    notice = Notice(Bank.name, "k11", "pay-k11", "paid", None)
    assert callbacks.hear(settle, notice)
    assert not callbacks.hear(settle, notice)
    assert push("k11").content == b"SUCCESS"
    assert SETTLED == ["k11"]


def test_a_provider_may_only_post(bank_url: str) -> None:
    answer = requests.get(bank_url, timeout=20)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"
