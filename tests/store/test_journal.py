from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.kernel import clock
from backend.store import engine, journal
from backend.store.journal import ZERO_LINK
from backend.store.unit import SYSTEM, run_unit
from tests.store.doors import DOOR, Door, ask, make_door, shut, tell, used_door

pytestmark = pytest.mark.usefixtures("ground")


def broken(matter: str) -> str | None:
    return run_unit(lambda u: journal.verify_chain(u.session, matter))


def sign() -> int:
    return run_unit(lambda u: journal.sign_heads(u.session, clock.now()))


@contextmanager
def unguarded() -> Iterator[Any]:
    """What somebody can do who owns the database: the trigger sleeps."""
    with engine.engine().begin() as connection:
        connection.execute(text("ALTER TABLE store_journal DISABLE TRIGGER store_journal_append_only"))
        yield lambda statement, **values: connection.execute(text(statement), values)
        connection.execute(text("ALTER TABLE store_journal ENABLE TRIGGER store_journal_append_only"))


def rewrite(door: Door, statement: str, **values: Any) -> None:
    with unguarded() as do:
        do(statement, m=door.id, **values)


def test_a_chain_that_nobody_touched_holds() -> None:
    door = used_door(closings=3)
    assert broken(door.id) is None
    sign()
    assert broken(door.id) is None
    assert broken("cs-nobody") is None


@pytest.mark.parametrize(
    "change",
    [
        "facts = '{\"amount_fen\": 1}'",
        "facts = NULL",
        "target = 'opened'",
        "source = 'x'",
        "says = '别的话'",
        "trigger = 'other'",
        "subject = 'cs-other'",
        "actor_id = 'st-2'",
        "actor_kind = 'citizen'",
        "actor_label = '某人'",
        "occurred_at = occurred_at - interval '1 second'",
        "heard_at = heard_at + interval '1 microsecond'",
        "erased = true, facts = NULL, target = 'opened'",
        "erased = true, facts = NULL, says = '别的话'",
        "digest = substring(digest FOR 32) || sha256('x')",
    ],
)
def test_an_altered_line_is_noticed(change: str) -> None:
    door = used_door()
    rewrite(door, f"UPDATE store_journal SET {change} WHERE matter = :m AND seq = 2")
    assert broken(door.id) is not None


def test_a_line_moved_to_another_matter_is_noticed() -> None:
    door, other = used_door(), run_unit(make_door)
    rewrite(
        door,
        "UPDATE store_journal SET digest = (SELECT digest FROM store_journal WHERE matter = :o AND seq = 1),"
        " says = '有了门' WHERE matter = :m AND seq = 1",
        o=other.id,
    )
    assert broken(door.id) == f"{door.id}: line 1 was altered"


@pytest.mark.parametrize(
    ("seq", "said"),
    [(1, "line 1 is missing"), (2, "line 2 is missing"), (3, "the head does not fit the last line")],
)
def test_a_removed_line_is_noticed(seq: int, said: str) -> None:
    door = used_door()
    rewrite(door, "DELETE FROM store_journal WHERE matter = :m AND seq = :s", s=seq)
    assert broken(door.id) == f"{door.id}: {said}"


def test_a_removed_line_is_noticed_when_the_rest_closes_up() -> None:
    door = used_door()
    rewrite(door, "DELETE FROM store_journal WHERE matter = :m AND seq = 2")
    rewrite(door, "UPDATE store_journal SET seq = 2 WHERE matter = :m AND seq = 3")
    assert broken(door.id) == f"{door.id}: the chain breaks at line 2"


def test_an_inserted_line_is_noticed() -> None:
    door = used_door()
    columns = (
        "subject, trigger, source, target, says, occurred_at, heard_at, actor_kind, actor_id, actor_label,"
        " facts, digest, link, erased"
    )
    rewrite(
        door,
        f"INSERT INTO store_journal (matter, seq, {columns})"
        f" SELECT matter, 4, {columns} FROM store_journal WHERE matter = :m AND seq = 3",
    )
    assert broken(door.id) == f"{door.id}: the chain breaks at line 4"


def test_a_head_that_was_turned_or_taken_away_is_noticed() -> None:
    door, other = used_door(), used_door()
    tell("UPDATE store_stream SET link = sha256('x') WHERE id = :m", m=door.id)
    tell("DELETE FROM store_stream WHERE id = :m", m=other.id)
    for one in (door, other):
        assert broken(one.id) == f"{one.id}: the head does not fit the last line"


def test_a_line_that_is_added_lawfully_continues_the_chain() -> None:
    door = used_door()
    sign()
    run_unit(lambda u: shut(u, door))
    assert broken(door.id) is None
    assert sign() == 1
    assert broken(door.id) is None


def test_a_shortened_chain_contradicts_its_signed_head() -> None:
    door = used_door()
    sign()
    shorten(door)
    assert broken(door.id) == f"{door.id}: the chain contradicts its signed head"


def test_a_matter_that_was_wiped_out_contradicts_its_signed_head() -> None:
    door = used_door()
    sign()
    rewrite(door, "DELETE FROM store_journal WHERE matter = :m")
    tell("DELETE FROM store_stream WHERE id = :m", m=door.id)
    assert door.id in run_unit(lambda u: journal.every_matter(u.session))
    assert broken(door.id) == f"{door.id}: the chain contradicts its signed head"


def test_a_chain_rewritten_from_its_beginning_contradicts_its_signed_head() -> None:
    door = used_door()
    sign()
    begin_anew(door)
    assert ask("SELECT seq FROM store_stream WHERE id = :m", m=door.id) == 3
    assert broken(door.id) == f"{door.id}: the chain contradicts its signed head"


def test_signing_again_does_not_hide_a_rewritten_chain() -> None:
    door = used_door()
    sign()
    begin_anew(door)
    run_unit(lambda u: shut(u, door))
    sign()
    assert broken(door.id) == f"{door.id}: the chain contradicts its signed head"


def test_a_forged_signature_is_noticed() -> None:
    door = used_door()
    sign()
    shorten(door)
    tell(
        "UPDATE store_signed_head SET seq = s.seq, link = s.link FROM store_stream s"
        " WHERE matter = s.id AND matter = :m",
        m=door.id,
    )
    assert broken(door.id) == f"{door.id}: the signature of its head is false"


def test_only_heads_that_moved_are_signed() -> None:
    door = used_door()
    sign()
    assert sign() == 0
    run_unit(lambda u: u.note(door.id, door.id, "seen", by=SYSTEM))
    assert sign() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE store_journal SET says = 'x' WHERE matter = :m",
        "UPDATE store_journal SET erased = true WHERE matter = :m",
        "UPDATE store_journal SET facts = NULL WHERE matter = :m",
        "UPDATE store_journal SET erased = true, facts = NULL, target = 'x' WHERE matter = :m",
        "UPDATE store_journal SET erased = true, facts = NULL, digest = ''::bytea WHERE matter = :m",
        "DELETE FROM store_journal WHERE matter = :m",
    ],
)
def test_the_book_refuses_to_be_rewritten(statement: str) -> None:
    door = used_door()
    with pytest.raises(DBAPIError, match="append-only"):
        tell(statement, m=door.id)
    assert broken(door.id) is None


def test_the_book_refuses_to_be_emptied() -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        tell("TRUNCATE store_journal")


def test_facts_may_be_erased_by_law() -> None:
    door = used_door()
    sign()
    tell("UPDATE store_journal SET erased = true, facts = NULL WHERE matter = :m AND seq = 2", m=door.id)
    assert broken(door.id) is None
    with pytest.raises(DBAPIError, match="append-only"):
        tell("UPDATE store_journal SET erased = false, facts = '{}' WHERE matter = :m AND seq = 2", m=door.id)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"b": 1, "a": {"d": [1, 2, "三"], "c": None}},
        {"amount": 1.5, "small": 1e-7, "long": 0.1 + 0.2, "yes": True},
        {"at": clock.wire_now(), "on": clock.today(), "many": ("x", "y")},
        {"quote": "\"\\'", "emoji": "\U0001f6aa", "large": 2**53},
    ],
)
def test_facts_of_every_kind_come_back_unchanged(facts: dict[str, Any]) -> None:
    door = run_unit(lambda u: make_door(u, **facts))
    assert broken(door.id) is None


def test_the_other_guarded_tables_refuse_it_too() -> None:
    tell(
        "INSERT INTO people_access_log (looked_at, person_id, viewer_kind, viewer_id, viewer_label, session_id, what,"
        " purpose, matter) VALUES (:at, 'ps-1', 'staff', 'st-1', '', 'se-1', 'detail', 'test', '')",
        at=clock.wire_now(),
    )
    for statement in ("UPDATE people_access_log SET purpose = 'x'", "DELETE FROM people_access_log"):
        with pytest.raises(DBAPIError, match="append-only"):
            tell(statement)


def shorten(door: Door) -> None:
    """Take the last line away and make the head fit."""
    rewrite(door, "DELETE FROM store_journal WHERE matter = :m AND seq = 3")
    tell(
        "UPDATE store_stream SET seq = 2, link = j.link FROM store_journal j"
        " WHERE store_stream.id = :m AND j.matter = :m AND j.seq = 2",
        m=door.id,
    )


def begin_anew(door: Door) -> None:
    """As if somebody held the journal key and wrote another history: every line of it is sound."""
    rewrite(door, "DELETE FROM store_journal WHERE matter = :m")
    tell("UPDATE store_stream SET seq = 0, link = :z WHERE id = :m", m=door.id, z=ZERO_LINK)
    run_unit(lambda u: u.note(door.id, door.id, "begun", by=SYSTEM, says="另一段历史"))
    run_unit(lambda u: shut(u, door))
    run_unit(lambda u: u.step(DOOR, door, "opened", by=SYSTEM))
