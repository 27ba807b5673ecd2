"""Which columns are sealed or blind, and the change of keys under them while the town is open.

Every house registers its sealed columns here; rotation walks them in batches, each batch in a short transaction
of its own, so that it can be stopped and begun again at any time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.store import vault
from backend.store.unit import run_unit

BATCH = 200


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column; `place` is the associated data its values were sealed under."""

    table: str
    column: str
    place: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class BlindColumn:
    """A blind index over a sealed column: `value_of` derives the indexed text from the opened one."""

    table: str
    column: str
    place: str
    sealed: SealedColumn
    value_of: Callable[[str], str]


_sealed: dict[tuple[str, str], SealedColumn] = {}
_blind: list[BlindColumn] = []


def sealed(table: str, column: str, *, place: str, key: str = "id") -> SealedColumn:
    """Register a sealed column. `key` is the text column whose value was given as row id when sealing."""
    return _sealed.setdefault((table, column), SealedColumn(table, column, place, key))


def blind(
    table: str, column: str, *, of: SealedColumn, place: str, tidy: Callable[[str], str] | None = None
) -> BlindColumn:
    """Register a blind index over the sealed column `of`."""
    entry = BlindColumn(table, column, place, of, tidy or (lambda value: value))
    _blind.append(entry)
    return entry


# The inbox lies below this room and cannot register itself. Answers to clients live a day: they are not rotated.
sealed("store_notice", "raw", place="store_notice.raw")


def sealed_columns() -> list[SealedColumn]:
    return list(_sealed.values())


def reseal() -> Iterator[tuple[SealedColumn, int]]:
    """Seal everything anew with the current data key; yields progress per batch."""
    for column in sealed_columns():
        last = ""
        while True:
            done, last = run_unit(lambda u, c=column, after=last: _reseal_batch(u.session, c, after))  # type: ignore[misc]
            if not done:
                break
            yield column, done


def reindex() -> Iterator[tuple[BlindColumn, int]]:
    """Write every blind index anew with the current index key; yields progress per batch."""
    for column in _blind:
        last = ""
        while True:
            done, last = run_unit(lambda u, c=column, after=last: _reindex_batch(u.session, c, after))  # type: ignore[misc]
            if not done:
                break
            yield column, done


def adopt_index_key() -> None:
    """Say that the former index key is no longer needed: its fingerprint gives way to the present one."""

    def work(session: Session) -> None:
        row = session.get(vault.KeyPrint, "index")
        if row is not None:
            row.fingerprint = vault.fingerprint(vault.masters().index)

    run_unit(lambda u: work(u.session))


def _reseal_batch(session: Session, column: SealedColumn, after: str) -> tuple[int, str]:
    rows = _batch(session, column, after)
    for key, value in rows:
        if vault.key_id_of(value) != vault.current_key_id():
            fresh = vault.seal_bytes(column.place, key, vault.open_sealed_bytes(column.place, key, value))
            _update(session, column.table, column.column, column.key, key, fresh)
    return len(rows), rows[-1][0] if rows else after


def _reindex_batch(session: Session, column: BlindColumn, after: str) -> tuple[int, str]:
    rows = _batch(session, column.sealed, after)
    for key, value in rows:
        plain = vault.open_sealed(column.sealed.place, key, value)
        fresh = vault.blind(column.place, column.value_of(plain))
        _update(session, column.table, column.column, column.sealed.key, key, fresh)
    return len(rows), rows[-1][0] if rows else after


def _batch(session: Session, column: SealedColumn, after: str) -> list[tuple[str, bytes]]:
    query = text(
        f"SELECT {column.key}, {column.column} FROM {column.table}"
        f" WHERE {column.key} > :after AND {column.column} IS NOT NULL ORDER BY {column.key} LIMIT {BATCH} FOR UPDATE"
    )
    return [(str(key), bytes(value)) for key, value in session.execute(query, {"after": after})]


def _update(session: Session, table: str, column: str, key_column: str, key: str, value: bytes) -> None:
    session.execute(
        text(f"UPDATE {table} SET {column} = :value WHERE {key_column} = :key"), {"value": value, "key": key}
    )
