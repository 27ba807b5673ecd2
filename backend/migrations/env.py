"""Alembic's way into the town: the same metadata, the same engine, one transaction."""

from alembic import context

from backend.migrations import scope
from backend.store import engine
from backend.tables import METADATA


def run() -> None:
    with engine.engine().connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            include_object=scope.is_ours,
            compare_type=True,
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            # An index on a grown table takes longer than any request may.
            context.execute("SET LOCAL statement_timeout = 0")
            context.run_migrations()


run()
