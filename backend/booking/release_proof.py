"""A draw done again for those who doubt: from its public record, and against our own books."""

from collections.abc import Mapping
from typing import Final

import orjson
from sqlalchemy import select

from backend.booking.draws import Record
from backend.booking.models import EntryRow, ReleaseRow
from backend.booking.release_questions import record_of
from backend.booking.replaying import Check, replay
from backend.booking.services.releasing import DRAW, DRAWN
from backend.store import journal, lean
from backend.store.unit import Unit

_STRANGE: Final = """
    SELECT e.id FROM booking_entry e LEFT JOIN booking_booking b ON b.id = e.booking_id
    WHERE e.release_id = %s AND e.state = 'won' AND (b.id IS NULL OR b.person_id <> e.person_id OR b.origin <> 'draw'
        OR (b.moves = 0 AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(%s::jsonb) AS won (entry text, slot text)
            WHERE won.entry = e.id AND won.slot = b.slot_id)))
"""


def replay_release(u: Unit, release_id: str) -> list[Check]:
    """Do a draw (or the order of a queue) again. Raises ReleaseUnknown, ReleaseNotReady (entries are open)."""
    published = record_of(u, release_id)
    checks = replay(published)
    if not all(one.agrees for one in checks):
        return checks
    row = u.session.get_one(ReleaseRow, release_id)
    record = Record.model_validate(published)
    kept = {one.id: one for one in u.session.scalars(select(EntryRow).where(EntryRow.release_id == row.id))}
    return (
        checks + _books(u, row, record, kept) + (_winners(u, row, record, kept) if row.mode == DRAW else [])
    )


def _books(u: Unit, row: ReleaseRow, record: Record, kept: Mapping[str, EntryRow]) -> list[Check]:
    frozen, order = record.frozen, record.order or ()
    noted = {line.facts.get("digest") for line in u.journal_of(row.id) if line.trigger == "closed"}
    ranks = {one.id: one.rank for one in kept.values() if one.rank is not None and one.rank <= len(order)}
    fixed = (row.id, row.commitment.hex(), row.revealed_seed, row.public_value or "", row.public_source)
    said = (frozen.release, frozen.commitment, record.seed, record.public_value, frozen.public_source)
    return [
        Check("the journal noted these entries and places when they closed", noted == {record.frozen_digest}),
        Check("nobody altered that journal", journal.verify_chain(u.session, row.id) is None),
        Check("commitment, seed and public value are those of the release", fixed == said),
        Check(
            "every entry of the record is in our books, with these wishes",
            all(
                one.id in kept and (tuple(kept[one.id].wishes), kept[one.id].elder) == (one.wishes, one.elder)
                for one in frozen.entries
            ),
        ),
        Check(
            "every entry has the rank of the record",
            ranks == {one: number for number, one in enumerate(order, 1)},
        ),
    ]


def _winners(u: Unit, row: ReleaseRow, record: Record, kept: Mapping[str, EntryRow]) -> list[Check]:
    won = {seat.entry for seat in record.won or ()}
    seats = orjson.dumps([seat.model_dump() for seat in record.won or ()]).decode()
    return [
        Check("the draw is over", row.state == DRAWN),
        Check(
            "exactly those won in our books who won by the record",
            won == {one.id for one in kept.values() if one.state == "won"},
        ),
        Check(
            "whoever was passed over is so in our books, for the same reason",
            all(kept[one.entry].why == one.why for one in record.refused or ()),
        ),
        Check(
            "every winner has an appointment, in the slot drawn unless they moved it",
            not lean.execute(u.session, _STRANGE, (row.id, seats)).fetchall(),
        ),
        Check("every winner is who entered", all(_entered_by(u, kept[one]) for one in won if one in kept)),
    ]


def _entered_by(u: Unit, entry: EntryRow) -> bool:
    """Whether the journal of an entry is whole and begins with the person it belongs to."""
    lines = u.journal_of(entry.id)
    return (
        bool(lines)
        and lines[0].actor.id == entry.person_id
        and journal.verify_chain(u.session, entry.id) is None
    )
