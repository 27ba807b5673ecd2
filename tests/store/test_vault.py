import time
from collections.abc import Iterator

import pytest

from backend.runtime import boot
from backend.runtime.settings import database_url, settings
from backend.store import engine, vault
from backend.store.unit import run_unit, unit
from backend.store.vault import WrongKey
from tests.store.doors import ask, tell, together
from tests.store.processes import another_process, changed, fresh_key
from tests.support import fresh_town

PLACE, ROW = "t_secret.name", "ps-1"
pytestmark = pytest.mark.usefixtures("ground")


@pytest.fixture
def own(ground: str) -> Iterator[str]:
    """Who changes keys has a town of its own."""
    with fresh_town(pool=6) as url:
        yield url
    engine.bind(database_url(ground), pool=10)


def refused() -> str:
    with pytest.raises(SystemExit) as caught:
        boot.must_be_fit()
    return str(caught.value)


def test_a_sealed_value_is_laid_out_as_written_down() -> None:
    sealed = vault.seal(PLACE, ROW, "张某")
    assert sealed[:3] == b"\x01\x00\x01"
    assert len(sealed) == 3 + 12 + len("张某".encode()) + 16
    assert vault.key_id_of(sealed) == vault.current_key_id() == 1
    assert vault.open_sealed(PLACE, ROW, sealed) == "张某"


def test_the_same_value_is_never_sealed_the_same() -> None:
    assert vault.seal(PLACE, ROW, "张某") != vault.seal(PLACE, ROW, "张某")


@pytest.mark.parametrize(
    ("place", "row"),
    [(PLACE, "ps-2"), ("t_secret.phone", ROW), ("t_other.name", ROW), ("t_secret.name|ps", "1")],
)
def test_a_value_moved_elsewhere_does_not_open(place: str, row: str) -> None:
    sealed = vault.seal(PLACE, ROW, "张某")
    with pytest.raises(WrongKey):
        vault.open_sealed(place, row, sealed)


@pytest.mark.parametrize("at", [0, 1, 2, 3, 14, 15, -1])
def test_a_value_with_one_changed_byte_does_not_open(at: int) -> None:
    sealed = bytearray(vault.seal(PLACE, ROW, "张某"))
    sealed[at] ^= 1
    with pytest.raises(WrongKey):
        vault.open_sealed(PLACE, ROW, bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 3, 7, 15, 30])
def test_a_value_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(WrongKey):
        vault.open_sealed(PLACE, ROW, vault.seal(PLACE, ROW, "张某")[:length])


def test_the_data_key_itself_is_never_in_the_database() -> None:
    vault.seal(PLACE, ROW, "张某")
    wrapped = bytes(ask("SELECT wrapped FROM store_data_key"))
    assert len(wrapped) == 12 + 32 + 16
    assert settings().keys.masters.master not in wrapped


def test_blind_values_tell_places_and_keys_apart() -> None:
    assert vault.blind("a.b", "张某") == vault.blind("a.b", "张某")
    assert (
        len({vault.blind("a.b", "张某"), vault.blind("a.c", "张某"), vault.keyed_digest("a.b", "张某")}) == 3
    )
    before = vault.blind("a.b", "张某")
    with another_process(changed(index=fresh_key())):
        assert vault.blind("a.b", "张某") != before


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("master", "the master key is not the one this database was sealed with"),
        ("index", "the index key is not the one this database was made with"),
        ("journal", "the journal key is not the one this database was made with"),
    ],
)
@pytest.mark.usefixtures("own")
def test_a_wrong_key_refuses_to_boot(key: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.seal(PLACE, ROW, "张某")
    monkeypatch.setattr(boot, "_fit", boot.threading.Event())
    with another_process(changed(**{key: fresh_key()})):
        assert refused() == f"{sentence}: put back the keys file this database was made with"
        assert not boot.is_fit()
    assert boot.is_fit()


@pytest.mark.usefixtures("own")
def test_the_right_keys_boot_again_and_again() -> None:
    for _ in range(2):
        boot.must_be_fit()
    with another_process():
        boot.must_be_fit()
    assert ask("SELECT count(*) FROM store_data_key") == 1


@pytest.mark.usefixtures("own")
def test_many_processes_may_open_an_empty_town_at_once() -> None:
    together(*[engine.is_alive] * 6)  # their connections are open: they come as close together as they can
    assert together(*[boot.must_be_fit] * 6) == [None] * 6
    assert ask("SELECT count(*) FROM store_data_key") == 1


def test_a_cold_vault_needs_no_second_connection_of_the_pool(own: str) -> None:
    engine.bind(database_url(own), pool=1)
    begun = time.monotonic()
    with unit() as u:
        assert u.session.connection()
        assert vault.open_sealed(PLACE, ROW, vault.seal(PLACE, ROW, "张某")) == "张某"
    assert time.monotonic() - begun < 5


@pytest.mark.usefixtures("own")
def test_a_database_without_tables_is_told_in_one_sentence() -> None:
    tell("DROP TABLE store_key_print")
    assert "run `flask --app wsgi town migrate`" in refused()


def test_a_database_that_nobody_named_is_told_in_one_sentence(own: str) -> None:
    engine.bind("")
    try:
        assert refused().startswith("no database is named")
    finally:
        engine.bind(database_url(own), pool=6)


@pytest.mark.usefixtures("own")
def test_a_fresh_data_key_is_read_by_a_process_that_did_not_make_it() -> None:
    old = vault.seal(PLACE, ROW, "旧")
    with another_process():
        key_id = run_unit(lambda u: vault.add_data_key(u.session))
        run_unit(lambda u: vault.unlock(u.session))
        new = vault.seal(PLACE, ROW, "新")
        assert vault.open_sealed(PLACE, ROW, old) == "旧"
    assert (vault.key_id_of(new), vault.current_key_id()) == (key_id, 1)
    assert vault.open_sealed(PLACE, ROW, new) == "新"
    assert vault.current_key_id() == key_id, "having met the new key, it seals with it"


@pytest.mark.usefixtures("own")
def test_two_that_add_a_data_key_at_once_make_two() -> None:
    vault.seal(PLACE, ROW, "x")
    made = together(*(lambda: run_unit(lambda u: vault.add_data_key(u.session)) for _ in range(3)))
    assert sorted(made) == [2, 3, 4]


def test_a_data_key_nobody_knows_opens_nothing() -> None:
    with pytest.raises(WrongKey, match="data key 9 is not in this database"):
        vault.open_sealed(PLACE, ROW, b"\x01\x00\x09" + bytes(40))


@pytest.mark.usefixtures("own")
def test_a_changed_master_key_rewraps_and_leaves_values_alone() -> None:
    sealed = vault.seal(PLACE, ROW, "张某")
    run_unit(lambda u: vault.add_data_key(u.session))
    new, old = fresh_key(), settings().keys.masters.master
    with another_process(changed(master=new, previous_master=old)):
        assert vault.open_sealed(PLACE, ROW, sealed) == "张某"
        assert run_unit(lambda u: vault.rewrap(u.session)) == 2
        assert run_unit(lambda u: vault.rewrap(u.session)) == 0
    with another_process(changed(master=new)):
        assert vault.open_sealed(PLACE, ROW, sealed) == "张某"
    with another_process():
        assert refused().startswith("the master key is not")


def test_a_changed_index_key_is_read_beside_the_former_one() -> None:
    written = vault.blind(PLACE, "张某")
    old, new = settings().keys.masters.index, fresh_key()
    with another_process(changed(index=new, previous_index=old)):
        boot.must_be_fit()
        assert vault.blinds(PLACE, "张某") == [vault.blind(PLACE, "张某"), written]
        assert vault.blind(PLACE, "张某") != written
    assert vault.blinds(PLACE, "张某") == [written]


@pytest.mark.usefixtures("own")
def test_a_former_key_that_never_was_ours_is_refused() -> None:
    vault.seal(PLACE, ROW, "张某")
    with another_process(changed(index=fresh_key(), previous_index=fresh_key())):
        assert refused().startswith("the index key is not")
    with another_process(changed(master=fresh_key(), previous_master=fresh_key())):
        assert refused().startswith("the master key is not")
