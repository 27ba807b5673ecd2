import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.cli import drawing, opening
from backend.migrations import commands
from backend.runtime.settings import settings
from backend.store import vault
from tests.cli.conftest import Type
from tests.store.doors import ask
from tests.support import fresh_database


def counted() -> dict[str, int]:
    tables = (
        "catalogue_item",
        "people_staff",
        "booking_site",
        "booking_slot",
        "payments_bill",
        "store_journal",
    )
    return {table: int(ask(f"SELECT count(*) FROM {table}")) for table in tables}


def in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    town = replace(settings().town, mode="production")
    monkeypatch.setattr(opening, "settings", lambda: replace(settings(), town=town))


def test_an_empty_database_becomes_a_town(type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    with fresh_database():
        vault.use_masters(settings().keys.masters)
        refused = type_in("open")
        assert refused.exit_code == 1
        assert "run `flask --app wsgi town migrate`" in str(refused.exception) + refused.output
        assert type_in("migrate").stdout == "schema brought to the head\n"
        assert type_in("migrate").stdout == "schema is at the head\n"
        assert commands.current() == commands.head()
        assert type_in("open").output == "the town is open\n"
        before = counted()
        assert before["catalogue_item"] == 74
        assert type_in("open").output == "the town is open\n"
        assert counted() == before, "repeating it changes nothing"
        _accounts_are_shown(type_in)
        _pools_are_checked(type_in, monkeypatch)
    vault.use_masters(settings().keys.masters)


def _pools_are_checked(type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_WORKERS", "60")
    said = "64 processes with pools of 20 need 1285 connections; PostgreSQL allows 100\n"
    assert (type_in("migrate").exit_code, type_in("migrate").stderr) == (0, f"warning: {said}")
    in_production(monkeypatch)
    assert (type_in("migrate").exit_code, type_in("migrate").stderr) == (1, f"Error: {said}")


def _accounts_are_shown(type_in: Type) -> None:
    told: dict[str, list[dict[str, Any]]] = json.loads(type_in("accounts", "--json").output)
    shown = type_in("accounts").output
    for one in told["staff"]:
        assert one["account"] in shown
        assert one["password"] in shown


def test_the_first_administrator_must_enrol(empty_town: str, type_in: Type) -> None:
    outcome = type_in("create-admin", "first.admin", input="Long-enough-7\nLong-enough-7\n")
    assert outcome.exit_code == 0
    assert "administrator first.admin made" in outcome.output
    token = outcome.output.rpartition(": ")[2].strip()
    assert len(token) > 30
    assert ask("SELECT state FROM people_staff WHERE account = 'first.admin'") != "active"
    assert ask("SELECT role FROM people_staff_role") == "system_admin"
    assert token not in str(
        ask("SELECT row_to_json(s)::text FROM people_staff s WHERE account = 'first.admin'")
    )


@pytest.mark.parametrize(
    ("account", "password"),
    [("second.admin", "short"), ("second.admin", "aaaaaaaaaaaa"), ("third.admin", "x" * 300)],
)
def test_a_weak_password_is_told_in_one_sentence(
    empty_town: str, type_in: Type, account: str, password: str
) -> None:
    outcome = type_in("create-admin", account, "--password", password)
    assert outcome.exit_code == 1
    assert outcome.output.startswith("Error: ")
    assert outcome.output.count("\n") == 1
    assert ask("SELECT count(*) FROM people_staff WHERE account = :a", a=account) == 0


def test_an_account_is_made_once(empty_town: str, type_in: Type) -> None:
    words = ("create-admin", "only.admin", "--password", "Long-enough-7")
    assert type_in(*words).exit_code == 0
    outcome = type_in(*words)
    assert (outcome.exit_code, outcome.output.startswith("Error: ")) == (1, True)


def test_production_has_no_demo_accounts(
    empty_town: str, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_production(monkeypatch)
    outcome = type_in("accounts")
    assert (outcome.exit_code, outcome.output) == (1, "Error: a production town has no demo accounts\n")


def test_the_documents_are_drawn_from_the_code(
    type_in: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "DOCS", tmp_path)
    assert type_in("draw-machines").output == "docs/machines.md\ndocs/problems.md\n"
    assert type_in("draw-channels").output == "docs/channels.md\n"
    assert "## alipay" in (tmp_path / "channels.md").read_text("utf-8")
    machines, problems = ((tmp_path / name).read_text("utf-8") for name in ("machines.md", "problems.md"))
    assert "stateDiagram-v2" in machines
    assert "| 503 | `maybe-done` |" in problems


def test_the_openapi_document_is_printed(type_in: Type) -> None:
    told = json.loads(type_in("openapi").output)
    assert told["openapi"] == "3.1.0"
    assert any(path.startswith("/mp/v1/") for path in told["paths"])
