import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from backend import people
from backend.people.services import codes
from backend.runtime import boot
from backend.runtime.settings import keys_from, settings
from backend.store import engine, journal, rotation, vault
from backend.store.unit import run_unit, unit
from tests.cli.conftest import Type
from tests.store.processes import another_process, changed, fresh_key

PHONES = [f"1380000{n:04}" for n in range(5)]


def test_fresh_keys_are_written_for_the_owner_alone(type_in: Type, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    outcome = type_in("new-keys", str(path))
    assert outcome.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = keys_from(json.loads(path.read_text("utf-8")))
    assert keys.masters.master.hex() not in outcome.output


def test_a_keys_file_is_never_overwritten(type_in: Type, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    type_in("new-keys", str(path))
    before = path.read_bytes()
    outcome = type_in("new-keys", str(path))
    assert outcome.exit_code == 1
    assert outcome.output == f"Error: {path} exists; a keys file is never overwritten\n"
    assert path.read_bytes() == before


@pytest.fixture
def letters(database: str) -> Iterator[dict[str, str]]:
    """Codes by phone, instead of messages."""
    before, box = list(codes._sender), dict[str, str]()
    people.use_code_sender(lambda u, phone, code, purpose: box.__setitem__(phone, code))
    yield box
    codes._sender[:] = before


def enter(phone: str, letters: dict[str, str]) -> str:
    """Log in by phone; the person's id."""
    run_unit(lambda u: people.send_code(u, phone, "login"))
    return people.enter_by_phone(phone, letters[phone], people.Visit()).person.id


def write_address(person_id: str, phone: str) -> str:
    where = people.Whereabouts(
        "测试甲", phone, "341602", "安徽省", "亳州市", "谯城区", "花戏楼街道", f"测试路 {phone[-2:]} 号"
    )
    return run_unit(lambda u: people.add_address(u, person_id, where)).id


def sealed_with() -> dict[str, set[int]]:
    """Which data keys the values of every registered column are sealed with."""
    found: dict[str, set[int]] = {}
    with engine.engine().connect() as connection:
        for one in rotation.sealed_columns():
            values = connection.execute(
                text(f"SELECT {one.column} FROM {one.table} WHERE {one.column} IS NOT NULL")
            ).scalars()
            if keys := {vault.key_id_of(bytes(value)) for value in values}:
                found[f"{one.table}.{one.column}"] = keys
    return found


def found(phone: str) -> list[str]:
    return [one.id for one in run_unit(lambda u: people.find_person(u, phone=phone))]


def test_a_change_without_the_former_keys_is_refused(empty_town: str, type_in: Type) -> None:
    run_unit(lambda u: vault.unlock(u.session))
    before = sealed_with()
    with another_process(changed(master=fresh_key())):
        outcome = type_in("rotate-keys")
    assert outcome.exit_code == 1
    assert "put back the keys file" in str(outcome.exception) + outcome.output
    assert sealed_with() == before


def test_all_keys_are_changed_while_people_come_and_go(
    empty_town: str, type_in: Type, letters: dict[str, str]
) -> None:
    run_unit(people.settle_demo_people)
    known = {phone: enter(phone, letters) for phone in PHONES}
    addresses = {phone: write_address(person_id, phone) for phone, person_id in known.items()}
    former, new = settings().keys.masters, {"master": fresh_key(), "index": fresh_key()}
    between = changed(**new, previous_master=former.master, previous_index=former.index)

    with another_process(between):
        assert found(PHONES[0]) == [known[PHONES[0]]], "before anything is rotated"
        outcome = type_in("rotate-keys")
        assert (outcome.exit_code, outcome.exception) == (0, None)
        assert outcome.output.startswith(
            "1 data keys wrapped with the present master key\ndata key 2 is in use\n"
        )
        assert "people_person.phone: 5 values looked at" in outcome.output
        assert "people_person.phone_blind: 5 indexes written" in outcome.output
        assert outcome.output.endswith("done\n")

    with another_process(changed(**new)):
        boot.must_be_fit()
        assert all(keys == {2} for keys in sealed_with().values()), sealed_with()
        assert {
            "people_person.phone",
            "people_address.place",
            "people_staff.totp_secret",
        } <= sealed_with().keys()
        for phone, person_id in known.items():
            assert found(phone) == [person_id]
            assert enter(phone, letters) == person_id, "comes in as the same person"
            with unit() as u:
                kept: Any = people.address_of(u, person_id, addresses[phone])
                assert (kept.name, kept.phone) == ("测试甲", phone)
                assert journal.verify_chain(u.session, person_id) is None
        assert type_in("check").exit_code == 0
        assert type_in("rotate-keys").output.startswith("0 data keys wrapped")

    with another_process(former):
        outcome = type_in("rotate-keys")
        assert outcome.exit_code == 1
        assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
