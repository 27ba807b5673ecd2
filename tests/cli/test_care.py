import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from backend.cli import care
from backend.contracts import CaseWithdrawn
from backend.kernel import clock, ids
from backend.runtime import worker
from backend.runtime.settings import database_url, settings
from backend.store import engine, journal, outbox
from backend.store.unit import SYSTEM, Unit, run_unit
from tests.cli.conftest import Type
from tests.store.doors import ask, listening, tell


@pytest.fixture(autouse=True)
def _tidy(empty_town: str) -> Iterator[None]:
    """Every fault that a test plants is taken away again."""
    yield
    with engine.engine().begin() as connection:
        for statement in (
            "ALTER TABLE store_journal DISABLE TRIGGER USER",
            "DELETE FROM store_journal",
            "ALTER TABLE store_journal ENABLE TRIGGER USER",
            "DELETE FROM store_stream",
            "DELETE FROM store_signed_head",
            "DELETE FROM store_delivery",
            "DELETE FROM booking_booking",
            "DELETE FROM booking_slot",
            "DELETE FROM booking_site",
            "DELETE FROM cases_case",
        ):
            connection.execute(text(statement))


def hear(u: Unit, event: CaseWithdrawn) -> None:
    """An ear for the dead letters of this chapter."""


def matter(lines: int = 2) -> str:
    """A matter with a few lines, signed."""
    made = ids.new_id("cs")
    for n in range(lines):
        run_unit(lambda u, n=n: u.note(made, made, "seen", by=SYSTEM, facts={"n": n}))
    run_unit(lambda u: journal.sign_heads(u.session, clock.now()))
    return made


def unguarded(statement: str, **values: Any) -> None:
    with engine.engine().begin() as connection:
        connection.execute(text("ALTER TABLE store_journal DISABLE TRIGGER USER"))
        connection.execute(text(statement), values)
        connection.execute(text("ALTER TABLE store_journal ENABLE TRIGGER USER"))


def test_a_healthy_town_has_no_findings(type_in: Type) -> None:
    matter()
    outcome = type_in("check")
    assert (outcome.exit_code, outcome.output) == (0, "0 findings\n")


def test_books_that_take_long_are_read_to_their_end(
    type_in: Type, empty_town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(u: Unit) -> list[str]:
        u.session.execute(text("SELECT pg_sleep(0.4)"))
        return ["slow: a finding"]

    monkeypatch.setattr(engine, "STATEMENT_TIMEOUT_MS", 200)
    monkeypatch.setattr(care, "BOOKS", (slow,))
    engine.bind(database_url(empty_town), pool=4)
    assert type_in("check").output == "slow: a finding\n1 findings\n"
    monkeypatch.undo()
    engine.bind(database_url(empty_town), pool=4)


def test_an_altered_line_is_found(type_in: Type) -> None:
    made = matter()
    unguarded("UPDATE store_journal SET facts = '{\"n\": 7}' WHERE matter = :m AND seq = 2", m=made)
    outcome = type_in("check")
    assert (outcome.exit_code, outcome.output) == (1, f"{made}: line 2 was altered\n1 findings\n")


def test_a_matter_that_vanished_altogether_is_found(type_in: Type) -> None:
    made = matter()
    unguarded("DELETE FROM store_journal WHERE matter = :m", m=made)
    tell("DELETE FROM store_stream WHERE id = :m", m=made)
    outcome = type_in("check")
    assert outcome.exit_code == 1
    assert f"{made}: the chain contradicts its signed head" in outcome.output


def test_a_dead_letter_is_found_revived_and_delivered(type_in: Type) -> None:
    with listening({CaseWithdrawn: (hear,)}):
        run_unit(lambda u: u.record(CaseWithdrawn(ids.new_id("cs"), "ps-1")))
        tell("UPDATE store_delivery SET state = 'dead', tries = 10")
        outcome = type_in("check")
        assert (outcome.exit_code, outcome.output) == (1, "outbox: 1 dead letters\n1 findings\n")
        assert type_in("revive", "--ear", "nobody").output == "0 letters are due again\n"
        assert (
            type_in("revive", "--event", "0", "--ear", outbox.ear_name(hear)).output
            == "1 letters are due again\n"
        )
        assert type_in("relay-once").output == "1 deliveries\n"
    assert type_in("check").exit_code == 0


def test_a_booking_that_belongs_to_nothing_is_found(type_in: Type) -> None:
    _plant_a_case_without_a_journal()
    outcome = type_in("check")
    assert outcome.exit_code == 1
    assert "its state differs from its journal" in outcome.output


def test_a_case_that_is_not_there_is_told_in_one_sentence(type_in: Type) -> None:
    for words in (("explain", "BZ0000000000"), ("resend", "ms-nobody")):
        outcome = type_in(*words)
        assert outcome.exit_code == 1
        assert re.fullmatch(r"Error: [^\n]*[。]\n", outcome.output), outcome.output


def test_chores_are_shown_with_their_last_run(type_in: Type) -> None:
    assert type_in("chores", "--run", "store.measure").output == "store.measure: 0 done\n"
    shown = {line.split()[0]: line for line in type_in("chores").output.splitlines()}
    assert set(shown) == set(worker.all_chores())
    assert "last never" in shown["store.sign_heads"]
    assert re.search(r"last \d\d:\d\d:\d\d", shown["store.measure"])


def test_a_chore_that_fails_is_told_and_exits_with_one(
    type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_chores", dict(worker._chores))

    @worker.chore("t.broken", every=timedelta(hours=1))
    def fail() -> int:
        raise ValueError("no luck")

    outcome = type_in("chores", "--run", "t.broken")
    assert (outcome.exit_code, outcome.output) == (1, "Error: t.broken failed: ValueError: no luck\n")
    assert "ValueError: no luck" in type_in("chores").output


def test_a_chore_in_other_hands_is_told(type_in: Type) -> None:
    tell(
        "INSERT INTO store_chore (name, owner, lease_until) VALUES ('store.purge', 'x', :until)",
        until=clock.wire_now() + timedelta(seconds=60),
    )
    outcome = type_in("chores", "--run", "store.purge")
    assert (outcome.exit_code, outcome.output) == (
        1,
        "Error: store.purge is being done by a worker just now\n",
    )


def test_an_unknown_chore_is_told(type_in: Type) -> None:
    outcome = type_in("chores", "--run", "nothing")
    assert (outcome.exit_code, outcome.output) == (1, "Error: there is no chore nothing\n")


@pytest.mark.parametrize(
    ("distance", "seconds"), [("+3d", 259200), ("-1d", -86400), ("+90m", 5400), ("+2h", 7200), ("-5s", -5)]
)
def test_the_clock_is_moved_for_every_process(type_in: Type, distance: str, seconds: int) -> None:
    outcome = type_in("clock", distance)
    assert outcome.exit_code == 0
    moved = (clock.now() - clock.wire_now()).total_seconds()
    assert abs(moved - seconds) < 1
    assert f"{clock.local(clock.now()):%Y-%m-%d %H:%M}" in outcome.output


def test_the_clock_is_shown_and_set_back(type_in: Type) -> None:
    type_in("clock", "+3d")
    type_in("clock", "+1d")
    assert f"{clock.local(clock.wire_now() + timedelta(days=4)):%Y-%m-%d}" in type_in("clock").output
    assert type_in("clock", "--reset").exit_code == 0
    assert abs(clock.now() - clock.wire_now()) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "distance", ["tomorrow", "3d", "+3", "+3w", "+40000d", "+99999999999999d", "--further"]
)
def test_a_distance_that_is_none_moves_nothing(type_in: Type, distance: str) -> None:
    outcome = type_in("clock", distance)
    assert outcome.exit_code == 1
    assert outcome.output.startswith("Error: ")
    assert outcome.output.count("\n") == 1
    assert abs(clock.now() - clock.wire_now()) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"mode": "production"}, "production does not move"), ({"clock_file": None}, "is not set")],
)
def test_a_clock_that_may_not_move_stays(
    type_in: Type, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    town = replace(settings().town, **change)
    monkeypatch.setattr(care, "settings", lambda: replace(settings(), town=town))
    outcome = type_in("clock", "+3d")
    assert outcome.exit_code == 1
    assert said in outcome.output


def _plant_a_case_without_a_journal() -> None:
    columns = ask(
        "SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE table_name = 'cases_case'"
        " AND is_nullable = 'NO' AND column_default IS NULL"
    ).split(",")
    kinds = dict(
        row.split(":")
        for row in ask(
            "SELECT string_agg(column_name || ':' || data_type, ',') FROM information_schema.columns"
            " WHERE table_name = 'cases_case'"
        ).split(",")
    )
    plain = {
        "timestamp with time zone": clock.now(),
        "bytea": b"",
        "date": clock.today(),
        "integer": 0,
        "bigint": 0,
    }
    values = {name: plain.get(kinds[name], "x") for name in columns}
    tell(
        f"INSERT INTO cases_case ({', '.join(values)}) VALUES ({', '.join(':' + name for name in values)})",
        **values,
    )
