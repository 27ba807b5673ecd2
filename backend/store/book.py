"""Writes a unit's pending journal lines and events: one locked head per matter, in the order of their ids.

A matter whose first line this is needs one round trip, any other two. Heads are locked last and briefly, always
in the order of matter ids, so that units that touch the same matters do not deadlock.
"""

from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy.orm import Session

from backend.contracts import Event
from backend.store import journal, outbox
from backend.store.journal import ZERO_LINK, JournalEntry

_LOCK_HEAD = """
    INSERT INTO store_stream (id, seq, link) VALUES (%(id)s, 0, %(zero)s)
    ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING seq, link
"""
_WRITE = """
    WITH head AS (
        INSERT INTO store_stream (id, seq, link) VALUES (%(id)s, %(seq)s, %(link)s)
        ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, link = excluded.link
    ), lines AS (
        INSERT INTO store_journal (matter, seq, subject, trigger, source, target, says, occurred_at, heard_at,
                                   actor_kind, actor_id, actor_label, facts, digest, link)
        SELECT %(id)s, l.* FROM unnest(%(seqs)s::int[], %(subjects)s::text[], %(triggers)s::text[],
            %(sources)s::text[], %(targets)s::text[], %(says)s::text[], %(occurred)s::timestamptz[],
            %(heard)s::timestamptz[], %(kinds)s::text[], %(actors)s::text[], %(labels)s::text[],
            %(facts)s::jsonb[], %(digests)s::bytea[], %(links)s::bytea[]) AS l
    ), events AS (
        INSERT INTO store_outbox (recorded_at, stream, kind, payload, ears)
        SELECT %(at)s, %(id)s, e.kind, e.payload, string_to_array(e.ears, ',')
        FROM unnest(%(event_kinds)s::text[], %(payloads)s::jsonb[], %(ears)s::text[]) AS e(kind, payload, ears)
        RETURNING id, stream, kind, payload, ears
    )
    INSERT INTO store_delivery (event_id, ear, stream, kind, payload, state, tries, due_at)
    SELECT id, unnest(ears), stream, kind, payload, 'due', 0, %(at)s FROM events
"""


@dataclass(slots=True)
class Page:
    """What one unit has to write under one matter. `fresh` promises that the matter has no line yet."""

    fresh: bool = False
    entries: list[JournalEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def write(session: Session, pages: dict[str, Page], at: datetime) -> bool:
    """Write all pages; returns whether any event has an ear that should be woken."""
    for matter in sorted(pages):
        _write_page(session, matter, pages[matter], at)
    return any(outbox.ears_of(event) for page in pages.values() for event in page.events)


def _write_page(session: Session, matter: str, page: Page, at: datetime) -> None:
    connection = session.connection()
    seq, link = 0, ZERO_LINK
    if not page.fresh:
        row = connection.exec_driver_sql(_LOCK_HEAD, {"id": matter, "zero": ZERO_LINK}).one()
        seq, link = row[0], bytes(row[1])
    digests = [journal.digest_of(entry) for entry in page.entries]
    links: list[bytes] = []
    for digest in digests:
        link = journal.next_link(link, digest)
        links.append(link)
    entries, events = page.entries, page.events
    connection.exec_driver_sql(
        _WRITE,
        {
            "id": matter,
            "seq": seq + len(entries),
            "link": link,
            "at": at,
            "seqs": [seq + n for n in range(1, len(entries) + 1)],
            "subjects": [e.subject for e in entries],
            "triggers": [e.trigger for e in entries],
            "sources": [e.source for e in entries],
            "targets": [e.target for e in entries],
            "says": [e.says for e in entries],
            "occurred": [e.occurred_at for e in entries],
            "heard": [e.heard_at for e in entries],
            "kinds": [e.actor.kind for e in entries],
            "actors": [e.actor.id for e in entries],
            "labels": [e.actor.label for e in entries],
            "facts": [orjson.dumps(e.facts).decode() for e in entries],
            "digests": digests,
            "links": links,
            "event_kinds": [type(e).__name__ for e in events],
            "payloads": [orjson.dumps(e.as_payload()).decode() for e in events],
            # An event without ears carries no name at all: string_to_array('') is the empty array.
            "ears": [",".join(outbox.ears_of(e)) for e in events],
        },
    )
