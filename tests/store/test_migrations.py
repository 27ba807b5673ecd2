from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.migrations import commands, scope
from backend.runtime import boot
from backend.runtime.settings import settings
from backend.store import engine, partitions, vault
from backend.tables import METADATA
from tests.store.doors import ask, tell
from tests.support import fresh_database

_LEFT = """
    SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v')
    UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module", autouse=True)
def _empty(database: str) -> Iterator[None]:
    with fresh_database():
        vault.use_masters(settings().keys.masters)
        yield
    vault.use_masters(settings().keys.masters)


def differences() -> list[object]:
    with engine.engine().connect() as connection:
        options = {"include_object": scope.is_ours, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


def left() -> set[str]:
    with engine.engine().connect() as connection:
        return set(connection.execute(text(_LEFT)).scalars())


def test_an_empty_database_is_brought_to_the_head_and_back() -> None:
    assert commands.current() is None
    assert commands.migrate()
    assert commands.current() == commands.head()
    assert differences() == []
    assert not commands.migrate(), "the second time there is nothing to do"
    command.downgrade(commands.config(), "base")
    assert left() == {"alembic_version"}
    assert commands.migrate(), "and up again"


def test_a_migrated_town_has_guards_and_partitions() -> None:
    commands.migrate()
    for table in partitions.PARTITIONED:
        assert ask("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(:t)", t=table) >= 5
    with pytest.raises(DBAPIError, match="append-only"):
        tell("TRUNCATE store_journal")


def test_a_missing_column_is_noticed() -> None:
    commands.migrate()
    tell("ALTER TABLE store_chore DROP COLUMN last_error")
    try:
        assert [found[0] for found in differences()] == ["add_column"]  # type: ignore[index]
    finally:
        tell("ALTER TABLE store_chore ADD COLUMN last_error text")
    assert differences() == []


def test_partitions_are_none_of_the_migrations_business() -> None:
    commands.migrate()
    tell(
        "CREATE TABLE store_outbox_299901 PARTITION OF store_outbox FOR VALUES FROM ('2999-01-01') TO ('2999-02-01')"
    )
    assert differences() == []


def test_a_long_migration_outlives_the_limit_of_requests(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Any request is stopped after its time-out; the migration beside it is not."""
    commands.migrate()
    monkeypatch.setattr(engine, "STATEMENT_TIMEOUT_MS", 200)
    url = engine.engine().url.render_as_string(hide_password=False)
    engine.bind(url, pool=2)
    with pytest.raises(DBAPIError, match="statement timeout"):
        ask("SELECT pg_sleep(1)")
    folder = tmp_path / "history"
    (folder / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (folder / name).write_text((commands._FOLDER / name).read_text("utf-8"), "utf-8")
    (folder / "versions" / "slow.py").write_text(
        "from alembic import op\nrevision, down_revision, branch_labels, depends_on = 'slow', None, None, None\n\n\n"
        "def upgrade():\n    op.execute('SELECT pg_sleep(0.5)')\n\n\ndef downgrade():\n    pass\n",
        "utf-8",
    )
    config = commands.config()
    config.set_main_option("script_location", str(folder))
    tell("DELETE FROM alembic_version")
    command.upgrade(config, "head")
    assert ask("SELECT version_num FROM alembic_version") == "slow"


def test_a_migrated_town_is_fit() -> None:
    tell("UPDATE alembic_version SET version_num = :v", v=commands.head())
    boot.must_be_fit()
