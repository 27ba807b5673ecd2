"""What the providers remember, in one small SQLite file that outlives the process.

An entry lies on a *shelf* ("wxpay.order") under a key, with an optional *topic* to find it by (a phone number,
a state). A turn is committed before its answer leaves, so a killed simulator has forgotten nothing it told.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    shelf TEXT NOT NULL, key TEXT NOT NULL, topic TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (shelf, key));
CREATE INDEX IF NOT EXISTS entry_topic ON entry (shelf, topic, seq);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""


class Page:
    """The open page of one turn: reads and writes that are kept together or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.afterwards: list[Callable[[], None]] = []

    def get(self, shelf: str, key: str) -> Doc | None:
        """The entry under this key, or None."""
        row = self._connection.execute(
            "SELECT body FROM entry WHERE shelf = ? AND key = ?", (shelf, key)
        ).fetchone()
        return None if row is None else _read(row[0])

    def put(self, shelf: str, key: str, doc: Doc, topic: str = "") -> None:
        """Write or replace the entry; its place in the order of birth stays."""
        self._connection.execute(
            "INSERT INTO entry (shelf, key, topic, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (shelf, key) DO UPDATE SET topic = excluded.topic, body = excluded.body",
            (shelf, key, topic, json.dumps(doc, ensure_ascii=False)),
        )

    def drop(self, shelf: str, key: str) -> bool:
        """Remove the entry; True if there was one."""
        cursor = self._connection.execute("DELETE FROM entry WHERE shelf = ? AND key = ?", (shelf, key))
        return cursor.rowcount > 0

    def all(self, shelf: str, topic: str | None = None) -> list[Doc]:
        """Every entry of the shelf (and topic), oldest first."""
        if topic is None:
            rows = self._connection.execute("SELECT body FROM entry WHERE shelf = ? ORDER BY seq", (shelf,))
        else:
            rows = self._connection.execute(
                "SELECT body FROM entry WHERE shelf = ? AND topic = ? ORDER BY seq", (shelf, topic)
            )
        return [_read(row[0]) for row in rows]

    def last(self, shelf: str, topic: str, limit: int) -> list[Doc]:
        """The newest entries of a topic, newest first."""
        rows = self._connection.execute(
            "SELECT body FROM entry WHERE shelf = ? AND topic = ? ORDER BY seq DESC LIMIT ?",
            (shelf, topic, limit),
        )
        return [_read(row[0]) for row in rows]

    def topics(self, shelf: str) -> list[str]:
        """The topics entries of this shelf lie under."""
        rows = self._connection.execute(
            "SELECT DISTINCT topic FROM entry WHERE shelf = ? ORDER BY topic", (shelf,)
        )
        return [row[0] for row in rows]

    def shelves(self, prefix: str) -> list[str]:
        """Names of the shelves that begin with ``prefix.``."""
        rows = self._connection.execute(
            "SELECT DISTINCT shelf FROM entry WHERE substr(shelf, 1, ?) = ? ORDER BY shelf",
            (len(prefix) + 1, prefix + "."),
        )
        return [row[0] for row in rows]

    def count_up(self, name: str) -> int:
        """The next number of a named counter, from 1."""
        row = self._connection.execute(
            "INSERT INTO tally (name, count) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET count = count + 1 RETURNING count",
            (name,),
        ).fetchone()
        return int(row[0])

    def counts(self, prefix: str) -> dict[str, int]:
        """Counters that begin with ``prefix.``, by the rest of their name."""
        rows = self._connection.execute(
            "SELECT name, count FROM tally WHERE substr(name, 1, ?) = ? ORDER BY name",
            (len(prefix) + 1, prefix + "."),
        )
        return {row[0][len(prefix) + 1 :]: int(row[1]) for row in rows}

    def burn(self) -> None:
        """Forget everything."""
        self._connection.execute("DELETE FROM entry")
        self._connection.execute("DELETE FROM tally")


class Books:
    """One file, one connection, one writer at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # the write-ahead log takes the mode of the file
        self._lock = threading.RLock()
        self._open: Page | None = None
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def turn(self) -> Iterator[Page]:
        """One transaction; a turn opened inside another of the same thread joins it."""
        with self._lock:
            if self._open is not None:
                yield self._open
                return
            page = self._open = Page(self._connection)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield page
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._open = None
        for act in page.afterwards:
            act()

    def close(self) -> None:
        """Close the file; the books are used no more."""
        with self._lock:
            self._connection.close()


def _read(body: str) -> Doc:
    doc: Doc = json.loads(body)
    return doc
