"""What the metadata cannot say of the schema: partitions, and a journal that refuses to be rewritten."""

from sqlalchemy import Connection, text

from backend.kernel import clock
from backend.store import engine, partitions
from backend.store.base import Base

GUARDED = ("store_journal", "payments_ledger_entry", "payments_ledger_seal", "people_access_log")
"""Append-only tables. Erasure by law may empty the facts of a journal line, and nothing else."""

_GUARD_FUNCTION = """
CREATE OR REPLACE FUNCTION store_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'store_journal' THEN
        IF NEW.erased AND NEW.facts IS NULL
           AND to_jsonb(NEW) - 'facts' - 'erased' = to_jsonb(OLD) - 'facts' - 'erased' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""

_BALANCE_FUNCTION = """
CREATE OR REPLACE FUNCTION store_refuse_imbalance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM entered GROUP BY movement HAVING sum(amount_fen) <> 0) THEN
        RAISE EXCEPTION 'a movement of % does not balance', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""
"""All sides of a movement are entered by one statement, so that the database can see whether they add up."""


def create_all() -> None:
    """Everything at once, for an empty test database. A town is migrated instead."""
    with engine.engine().begin() as connection:
        Base.metadata.create_all(connection)
        finish(connection)


def finish(connection: Connection) -> None:
    """Guards and partitions; may be repeated."""
    connection.execute(text(_GUARD_FUNCTION))
    for table in GUARDED:
        if connection.execute(text("SELECT to_regclass(:t)"), {"t": table}).scalar() is not None:
            guard(connection, table)
    balance(connection, "payments_ledger_entry")
    partitions.make_ahead(connection, clock.today())


def take_away(connection: Connection) -> None:
    """What `finish` left beside the tables; their triggers and partitions go with them."""
    connection.execute(text("DROP FUNCTION IF EXISTS store_refuse_rewriting()"))
    connection.execute(text("DROP FUNCTION IF EXISTS store_refuse_imbalance()"))


def guard(connection: Connection, table: str) -> None:
    connection.execute(
        text(
            f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION store_refuse_rewriting()"
        )
    )
    connection.execute(
        text(
            f"CREATE OR REPLACE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION store_refuse_rewriting()"
        )
    )


def balance(connection: Connection, table: str) -> None:
    """Let nobody enter a movement whose sides do not add up to nothing."""
    if connection.execute(text("SELECT to_regclass(:t)"), {"t": table}).scalar() is None:
        return
    connection.execute(text(_BALANCE_FUNCTION))
    connection.execute(
        text(
            f"CREATE OR REPLACE TRIGGER {table}_balanced AFTER INSERT ON {table}"
            " REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION store_refuse_imbalance()"
        )
    )
