import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.runtime import boot
from backend.runtime.settings import settings
from backend.store import engine, rotation, vault
from backend.store.rotation import SealedColumn
from backend.store.unit import Unit, run_unit
from tests.store.doors import ask, tell
from tests.store.processes import another_process, changed, fresh_key

PLACE = "t_secret.name"
MANY = 2 * rotation.BATCH + 50


@pytest.fixture(autouse=True)
def column(ground: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SealedColumn]:
    """One sealed column with its blind index, the only one of this town."""
    monkeypatch.setattr(rotation, "_sealed", {})
    monkeypatch.setattr(rotation, "_blind", [])
    column = rotation.sealed("t_secret", "name", place=PLACE)
    rotation.blind("t_secret", "name_blind", of=column, place=PLACE, tidy=str.lower)
    tell("CREATE TABLE t_secret (id text PRIMARY KEY, name bytea, name_blind bytea)")
    yield column
    tell("DROP TABLE t_secret")


def keep(u: Unit, key: str, name: str) -> None:
    u.session.execute(
        text("INSERT INTO t_secret VALUES (:id, :name, :blind)"),
        {"id": key, "name": vault.seal(PLACE, key, name), "blind": vault.blind(PLACE, name.lower())},
    )


def fill(count: int) -> None:
    run_unit(lambda u: [keep(u, f"k{n:04}", f"Name {n}") for n in range(count)])


def read(key: str) -> str:
    return vault.open_sealed(PLACE, key, bytes(ask("SELECT name FROM t_secret WHERE id = :k", k=key)))


def find(name: str) -> str | None:
    found = ask(
        "SELECT min(id) FROM t_secret WHERE name_blind = ANY(:b)", b=vault.blinds(PLACE, name.lower())
    )
    return None if found is None else str(found)


def fresh_data_key() -> int:
    key_id = run_unit(lambda u: vault.add_data_key(u.session))
    run_unit(lambda u: vault.unlock(u.session))
    return key_id


def sealed_with(key_id: int) -> int:
    return int(
        ask(
            "SELECT count(*) FROM t_secret WHERE substring(name FROM 2 FOR 2) = :k",
            k=key_id.to_bytes(2, "big"),
        )
    )


def test_everything_is_sealed_anew_in_batches(column: SealedColumn) -> None:
    fill(MANY)
    tell("INSERT INTO t_secret (id) VALUES ('empty')")
    key_id = fresh_data_key()
    progress = list(rotation.reseal())
    assert progress == [(column, rotation.BATCH), (column, rotation.BATCH), (column, 50)]
    assert sealed_with(key_id) == MANY
    assert (read("k0000"), read(f"k{MANY - 1:04}")) == ("Name 0", f"Name {MANY - 1}")
    assert ask("SELECT name IS NULL FROM t_secret WHERE id = 'empty'")


def test_a_change_of_keys_may_be_stopped_and_begun_again() -> None:
    fill(MANY)
    key_id = fresh_data_key()
    half = rotation.reseal()
    next(half)
    half.close()
    assert 0 < sealed_with(key_id) < MANY
    assert read("k0000") == "Name 0"
    assert read(f"k{MANY - 1:04}") == f"Name {MANY - 1}"
    assert sum(done for _, done in rotation.reseal()) == MANY
    assert sealed_with(key_id) == MANY


def test_what_is_written_meanwhile_by_another_process_is_kept() -> None:
    fill(3)
    with another_process():
        fresh_data_key()
        rest = rotation.reseal()
        next(rest)
    run_unit(lambda u: keep(u, "k9999", "Late"))  # sealed by us, who have not met the new key
    with another_process():
        assert read("k9999") == "Late"
        assert sum(done for _, done in rotation.reseal()) == 4
    assert read("k9999") == "Late"
    assert sealed_with(vault.current_key_id()) == 4


def test_what_changes_while_it_is_resealed_keeps_its_change() -> None:
    fill(3)
    fresh_data_key()
    with engine.engine().begin() as citizen:
        fresh = vault.seal(PLACE, "k0001", "Married")
        citizen.execute(text("UPDATE t_secret SET name = :n WHERE id = 'k0001'"), {"n": fresh})
        resealing = threading.Thread(target=lambda: list(rotation.reseal()))
        resealing.start()
        threading.Event().wait(0.3)
    resealing.join(20)
    assert read("k0001") == "Married"


def test_an_index_is_found_before_during_and_after_its_change() -> None:
    fill(MANY)
    old, new = settings().keys.masters.index, fresh_key()
    with another_process(changed(index=new, previous_index=old)):
        assert find("NAME 7") == "k0007"
        half = rotation.reindex()
        next(half)
        assert find("Name 7") == "k0007"
        assert find(f"Name {MANY - 1}") == f"k{MANY - 1:04}"
        run_unit(lambda u: keep(u, "new", "Newcomer"))
        assert sum(done for _, done in half) == MANY + 1 - rotation.BATCH
    with another_process(changed(index=new)):
        assert find("Name 7") == "k0007"
        assert find("newcomer") == "new"
    assert find("Name 7") is None


def test_the_former_index_key_is_needed_until_the_new_one_is_adopted() -> None:
    vault.seal(PLACE, "k", "x")
    old, new = settings().keys.masters.index, fresh_key()
    with another_process(changed(index=new)), pytest.raises(SystemExit, match="index key"):
        boot.must_be_fit()
    with another_process(changed(index=new, previous_index=old)):
        boot.must_be_fit()
        rotation.adopt_index_key()
    with another_process(changed(index=new)):
        boot.must_be_fit()
    with another_process(), pytest.raises(SystemExit, match="index key"):
        boot.must_be_fit()
    with another_process(changed(previous_index=new)):
        rotation.adopt_index_key()


def test_a_column_is_registered_once(column: SealedColumn) -> None:
    assert rotation.sealed("t_secret", "name", place=PLACE) is column
    assert rotation.sealed_columns() == [column]
