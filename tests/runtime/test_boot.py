from dataclasses import replace
from datetime import timedelta

import pytest

from backend.kernel import clock, ids
from backend.runtime import audience, boot, facts, logs
from backend.runtime.settings import database_url, settings
from backend.store import engine, vault
from backend.store.unit import Actor, Unit, unit
from tests.support import fresh_town


def test_opening_a_process_touches_no_database(ground: str) -> None:
    nowhere = replace(settings().town, database_url="postgresql+psycopg://nobody:x@127.0.0.1:1/nothing")
    boot.open_process(replace(settings(), town=nowhere))
    with pytest.raises(SystemExit, match="the database cannot be used"):
        boot.must_be_fit()
    engine.bind(database_url(ground), pool=10)


def test_production_never_looks_at_a_clock_file(ground: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "set_up", lambda: None)
    clock.advance(timedelta(days=9))
    seen: list[object] = []
    monkeypatch.setattr(clock, "use_file", seen.append)
    boot.open_process(replace(settings(), town=replace(settings().town, mode="production")))
    assert seen == []
    boot.open_process(settings())
    assert seen == [settings().town.clock_file]
    engine.bind(database_url(ground), pool=10)


def test_a_process_is_fit_once_its_keys_open_the_town(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "_fit", boot.threading.Event())
    with fresh_town() as url:
        engine.bind("postgresql+psycopg://nobody:x@127.0.0.1:1/nothing")
        assert not boot.is_fit()
        engine.bind(database_url(url), pool=2)
        assert boot.is_fit()
        vault.use_masters(settings().keys.masters)
        assert boot.is_fit(), "remembered"


@pytest.mark.parametrize(
    ("processes", "pool", "fits"), [(2, 8, True), (1, 94, True), (1, 95, False), (13, 8, False)]
)
def test_pools_must_fit_into_the_database(ground: str, processes: int, pool: int, fits: bool) -> None:
    said = boot.check_pool(processes, pool)
    assert (said is None) == fits
    if said:
        assert f"{processes} processes with pools of {pool}" in said
        assert said.endswith("PostgreSQL allows 100")


def test_who_is_asking_is_named_in_the_journal_alike() -> None:
    someone = audience.Principal("staff", "st-1", label="市测试局 窗口人员")
    assert someone.actor == Actor("staff", "st-1", "市测试局 窗口人员")


def test_an_audience_nobody_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown audience"):
        audience.recognise("burglar", lambda _request: audience.PUBLIC)


def test_words_about_an_id_come_from_its_house(ground: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(u: Unit, public_id: str) -> dict[str, str]:
        return {"number": public_id[-4:]}

    monkeypatch.setattr(facts, "_tellers", {})
    facts.register("cs", tell)
    known, unknown = ids.new_id("cs"), ids.new_id("zz")
    with unit() as u:
        assert facts.facts_of(u, known) == {"number": known[-4:]}
        assert facts.facts_of(u, unknown) == {}
        with pytest.raises(ids.MalformedId):
            facts.facts_of(u, "not an id")
