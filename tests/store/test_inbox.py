from datetime import UTC, datetime, timedelta

import pytest

from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.store import vault
from backend.store.unit import Unit, run_unit, unit
from tests.store.doors import ask, put, together, value

pytestmark = pytest.mark.usefixtures("ground")
RAW = "张某某 13800138000".encode()


def news(key: str = "", provider: str = "bank") -> Notice:
    return Notice(
        provider, key or ids.new_id("kk"), "pay-1", "paid", datetime(2026, 1, 2, tzinfo=UTC), 5, {}, RAW
    )


def heard(notice: Notice) -> bool:
    return run_unit(lambda u: u.first_time(notice))


def test_a_second_notice_of_the_same_news_changes_nothing() -> None:
    notice = news()
    assert heard(notice)
    assert not heard(notice)
    assert ask("SELECT count(*) FROM store_notice WHERE key = :k", k=notice.key) == 1


def test_the_same_key_of_two_providers_is_two_pieces_of_news() -> None:
    key = ids.new_id("kk")
    assert heard(news(key, "bank"))
    assert heard(news(key, "post"))


def test_news_whose_unit_failed_is_heard_anew() -> None:
    notice = news()

    def work(u: Unit) -> None:
        u.first_time(notice)
        put(u, "half done")
        raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        run_unit(work)
    assert value("half done") is None
    assert heard(notice)


def test_twelve_pushes_at_once_are_heard_once() -> None:
    notice = news()
    outcomes = together(*(lambda: heard(notice) for _ in range(12)))
    assert sorted(outcomes) == [False] * 11 + [True]


def test_the_raw_words_are_sealed_at_rest() -> None:
    notice = news()
    heard(notice)
    sealed = bytes(ask("SELECT raw FROM store_notice WHERE key = :k", k=notice.key))
    assert RAW not in sealed
    notice_id = ask("SELECT id FROM store_notice WHERE key = :k", k=notice.key)
    assert vault.open_sealed_bytes("store_notice.raw", notice_id, sealed) == RAW


def test_a_verdict_is_kept_with_its_reason() -> None:
    notice = news()
    with unit() as u:
        assert u.first_time(notice)
        notice_id = u.verdict(notice, "mismatch", "another amount")
    kept = ask("SELECT verdict || ': ' || why FROM store_notice WHERE id = :i", i=notice_id)
    assert kept == "mismatch: another amount"


def test_news_is_judged_only_where_it_was_heard() -> None:
    with pytest.raises(LookupError), unit() as u:
        u.verdict(news(), "unknown", "nobody heard it")


def test_usable_news_is_kept_as_used() -> None:
    notice = news()
    heard(notice)
    assert ask("SELECT verdict FROM store_notice WHERE key = :k", k=notice.key) == "used"
    kept = ask("SELECT occurred_at FROM store_notice WHERE key = :k", k=notice.key)
    assert kept == notice.occurred_at


def test_news_is_kept_under_business_time() -> None:
    clock.advance(timedelta(days=40))
    notice = news()
    heard(notice)
    kept = ask("SELECT heard_at FROM store_notice WHERE key = :k", k=notice.key)
    assert abs(kept - clock.now()) < timedelta(minutes=1)
