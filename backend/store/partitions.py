"""Monthly partitions of the tables that only ever grow: made ahead, dropped when their time is over."""

import itertools
from datetime import UTC, date, datetime

from sqlalchemy import Connection, text

PARTITIONED = ("store_outbox", "store_notice", "people_access_log")
MONTHS_AHEAD = 3


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
