"""Monthly partitions of the tables that only ever grow: made ahead, dropped when their time is over."""

import itertools
import re
from datetime import UTC, date, datetime

from sqlalchemy import Connection, text

LIFE_MONTHS = {"store_outbox": 13, "store_notice": 13, "people_access_log": 36}
"""How long the rows are kept, as their tables declare it."""
PARTITIONED = tuple(LIFE_MONTHS)
MONTHS_AHEAD = 3
_OF_MONTH = re.compile(r"_(\d{4})(\d{2})$")


def make_ahead(connection: Connection, today: date) -> int:
    """Make sure that this month and the next three have partitions; returns how many were made.

    A default partition stands behind them, so that a clock moved far ahead loses nothing.
    """
    made = 0
    for table in PARTITIONED:
        if not _exists(connection, table):
            continue
        _run(connection, f"CREATE TABLE IF NOT EXISTS {table}_rest PARTITION OF {table} DEFAULT")
        for first, after in _months(today):
            name = f"{table}_{first:%Y%m}"
            if _exists(connection, name) or _rest_holds(connection, table, first, after):
                continue
            low, high = _utc(first), _utc(after)
            _run(
                connection,
                f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')",
            )
            made += 1
    return made


def drop_old(connection: Connection, today: date) -> int:
    """Drop the partitions whose last day has outlived its table's time; returns how many.

    `today` is a real day: a demo that looks a year ahead must not lose its past.
    """
    dropped = 0
    for table, months in LIFE_MONTHS.items():
        for name in _partitions(connection, table):
            found = _OF_MONTH.search(name)
            if found and date(int(found[1]), int(found[2]), 1) < _month(today, -months):
                _run(connection, f"DROP TABLE {name}")
                dropped += 1
    return dropped


def _partitions(connection: Connection, table: str) -> list[str]:
    found = connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)"),
        {"table": table},
    )
    return list(found.scalars())


def _months(today: date) -> list[tuple[date, date]]:
    starts = [_month(today, n) for n in range(MONTHS_AHEAD + 2)]
    return list(itertools.pairwise(starts))


def _month(today: date, ahead: int) -> date:
    months = today.year * 12 + today.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def _utc(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()


def _exists(connection: Connection, name: str) -> bool:
    return bool(connection.execute(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}).scalar())


def _rest_holds(connection: Connection, table: str, first: date, after: date) -> bool:
    """PostgreSQL refuses a partition whose rows already lie in the default one; they stay there then."""
    column = {"store_outbox": "recorded_at", "store_notice": "heard_at"}.get(table, "looked_at")
    found = connection.execute(
        text(f"SELECT EXISTS (SELECT 1 FROM {table}_rest WHERE {column} >= :low AND {column} < :high)"),
        {
            "low": datetime(first.year, first.month, 1, tzinfo=UTC),
            "high": datetime(after.year, after.month, 1, tzinfo=UTC),
        },
    )
    return bool(found.scalar())


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
