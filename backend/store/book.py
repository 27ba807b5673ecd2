"""Writes a unit's pending journal lines and events: one locked head per matter, in the order of their ids.

A matter whose first line this is needs one round trip, any other two. Heads are locked last and briefly, always
in the order of matter ids, so that units that touch the same matters do not deadlock.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson

from backend.contracts import Event
from backend.store import journal, lean, outbox
from backend.store.journal import ZERO_LINK, JournalEntry

HEAD = "JOIN store_stream head ON head.id = {matter}"
"""For a house's own statement that locks a row and the head of its matter together (FOR UPDATE OF …, head)."""
_LOCK_HEAD = """
    INSERT INTO store_stream (id, seq, link) VALUES (%s, 0, %s)
    ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING seq, link
"""
_OPEN = """head AS (
        INSERT INTO store_stream (id, seq, link) VALUES (%(id)s, %(seq)s, %(link)s)
    )"""
_GO_ON = """head AS (
        UPDATE store_stream SET seq = %(seq)s, link = %(link)s WHERE id = %(id)s
    )"""
_LINE = """, line AS (
        INSERT INTO store_journal (matter, seq, subject, trigger, source, target, says, occurred_at, heard_at,
                                   actor_kind, actor_id, actor_label, facts, digest, link)
        VALUES (%(id)s, %(seq)s, %(line_subject)s, %(line_trigger)s, %(line_source)s, %(line_target)s, %(line_says)s,
                %(line_occurred_at)s, %(line_heard_at)s, %(line_actor_kind)s, %(line_actor_id)s,
                %(line_actor_label)s, %(line_facts)s, %(line_digest)s, %(link)s)
    )"""
# Several lines travel as one JSON value: a handful of parameters instead of one array a column.
_LINES = """, lines AS (
        INSERT INTO store_journal (matter, seq, subject, trigger, source, target, says, occurred_at, heard_at,
                                   actor_kind, actor_id, actor_label, facts, digest, link)
        SELECT %(id)s, seq, subject, trigger, source, target, says, occurred_at, heard_at,
               actor_kind, actor_id, actor_label, facts, decode(digest, 'hex'), decode(link, 'hex')
        FROM jsonb_to_recordset(%(lines)s::jsonb) AS l(seq int, subject text, trigger text, source text, target text,
            says text, occurred_at timestamptz, heard_at timestamptz, actor_kind text, actor_id text,
            actor_label text, facts jsonb, digest text, link text)
    )"""
_TELL = """, events AS (
        INSERT INTO store_outbox (recorded_at, stream, kind, payload, ears)
        VALUES (%(at)s, %(id)s, %(event_kind)s, %(event_payload)s, %(event_ears)s)
        RETURNING id, stream, kind, payload, ears
    )"""
_TELL_ALL = """, events AS (
        INSERT INTO store_outbox (recorded_at, stream, kind, payload, ears)
        SELECT %(at)s, %(id)s, kind, payload, ears
        FROM jsonb_to_recordset(%(events)s::jsonb) AS e(kind text, payload jsonb, ears text[])
        RETURNING id, stream, kind, payload, ears
    )"""
_DELIVER = """, told AS (
        INSERT INTO store_delivery (event_id, ear, stream, kind, payload, state, tries, due_at)
        SELECT id, unnest(ears), stream, kind, payload, 'due', 0, %(at)s FROM events
    )"""


_Line = tuple[JournalEntry, int, bytes, bytes]
"""An entry with its number, its digest and its link."""


class Desk(Protocol):
    """Where statements are sent: the unit."""

    def execute(self, statement: str, values: lean.Values = ..., /, *, ends: bool = ...) -> lean.Rows: ...

    def execute_each(self, questions: Sequence[lean.Question], /) -> list[lean.Rows]: ...


_NOTHING = "SELECT 1"


@dataclass(slots=True)
class Last:
    """What a unit sends with its last statement: steps of a WITH, what is read at their end, and their values."""

    steps: tuple[str, ...] = ()
    result: str = _NOTHING
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, statement: str, values: Mapping[str, Any]) -> None:
        """A statement that returns nothing."""
        self._take(f"along{len(self.steps)} AS ({statement})", values)

    def end(self, steps: str, result: str, values: Mapping[str, Any]) -> None:
        """Steps with a result; there is room for one such end."""
        if self.result != _NOTHING:
            raise ValueError("a unit ends once")
        self._take(steps, values)
        self.result = result

    def _take(self, steps: str, values: Mapping[str, Any]) -> None:
        if self.values.keys() & values.keys():
            raise ValueError(f"parameters collide: {sorted(self.values.keys() & values.keys())}")
        self.steps += (steps,)
        self.values.update(values)


@dataclass(slots=True)
class Page:
    """What one unit has to write under one matter.

    `fresh` promises that the matter has no line yet; `head` is its head, for a unit that has locked it already.
    """

    fresh: bool = False
    head: tuple[int, bytes] | None = None
    entries: list[JournalEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def write(
    desk: Desk, pages: dict[str, Page], at: datetime, last: Last, *, ends: bool = False
) -> lean.Rows | None:
    """Write all pages; `last` goes with the last of them, or alone. Returns its result, None when nothing was sent.

    What `ends` takes the COMMIT along with the last statement, where there is one.
    """
    rows = None
    matters = sorted(pages)
    for matter in matters:
        is_last = matter == matters[-1]
        rows = _write_page(
            desk, matter, pages[matter], at, last if is_last else Last(), ends=ends and is_last
        )
    if last.steps and not matters:
        rows = desk.execute(_statement("", *last.steps, last.result), last.values, ends=ends)
    return rows


def _write_page(desk: Desk, matter: str, page: Page, at: datetime, last: Last, *, ends: bool) -> lean.Rows:
    seq, link, is_first = 0, ZERO_LINK, page.fresh and page.head is None
    if page.head is not None:
        seq, link = page.head
    elif not page.fresh:
        row = desk.execute(_LOCK_HEAD, (matter, ZERO_LINK)).fetchone()
        assert row is not None
        seq, link = row[0], bytes(row[1])
    lines = []
    for entry in page.entries:
        seq, digest = seq + 1, journal.digest_of(entry)
        link = journal.next_link(link, digest)
        lines.append((entry, seq, digest, link))
    values = {"id": matter, "seq": seq, "link": link, "at": at, **last.values}
    values.update(_lines(lines))
    values.update(_told(page.events))
    page_steps = _page_steps(is_first, len(lines) == 1, min(len(page.events), 2))
    return desk.execute(_statement(page_steps, *last.steps, last.result), values, ends=ends)


@functools.cache
def _page_steps(is_first: bool, has_one_line: bool, events: int) -> str:
    tell = ("", _TELL + _DELIVER, _TELL_ALL + _DELIVER)[events]
    return (_OPEN if is_first else _GO_ON) + (_LINE if has_one_line else _LINES) + tell


@functools.cache
def _statement(pages: str, *parts: str) -> str:
    """One WITH of the page's own steps and those of the unit, and what is read at the end."""
    *steps, result = parts
    return f"WITH {', '.join((pages, *steps) if pages else steps)} {result}"


def _lines(lines: list[_Line]) -> dict[str, Any]:
    """The values of the page's lines: those of a single one as they are."""
    if len(lines) != 1:
        return {"lines": orjson.dumps([_as_json(*line) for line in lines]).decode()}
    entry, _, digest, _ = lines[0]
    return {
        "line_subject": entry.subject,
        "line_trigger": entry.trigger,
        "line_source": entry.source,
        "line_target": entry.target,
        "line_says": entry.says,
        "line_occurred_at": entry.occurred_at,
        "line_heard_at": entry.heard_at,
        "line_actor_kind": entry.actor.kind,
        "line_actor_id": entry.actor.id,
        "line_actor_label": entry.actor.label,
        "line_facts": orjson.dumps(entry.facts).decode(),
        "line_digest": digest,
    }


def _as_json(entry: JournalEntry, seq: int, digest: bytes, link: bytes) -> dict[str, object]:
    return {
        "seq": seq,
        "subject": entry.subject,
        "trigger": entry.trigger,
        "source": entry.source,
        "target": entry.target,
        "says": entry.says,
        "occurred_at": entry.occurred_at,
        "heard_at": entry.heard_at,
        "actor_kind": entry.actor.kind,
        "actor_id": entry.actor.id,
        "actor_label": entry.actor.label,
        "facts": entry.facts,
        "digest": digest.hex(),
        "link": link.hex(),
    }


def _told(events: list[Event]) -> dict[str, Any]:
    """The values of the page's events; ears have no letters that an array's text would have to hide."""
    told = [
        {"kind": type(event).__name__, "payload": event.as_payload(), "ears": outbox.ears_of(event)}
        for event in events
    ]
    if len(events) != 1:
        return {"events": orjson.dumps(told).decode()} if events else {}
    payload = orjson.dumps(told[0]["payload"]).decode()
    ears = ",".join(f'"{ear}"' for ear in outbox.ears_of(events[0]))
    return {"event_kind": told[0]["kind"], "event_payload": payload, "event_ears": f"{{{ears}}}"}
