"""A draw done again for those who doubt: from its public record, and against our own books."""

from collections.abc import Mapping
from typing import Final

import orjson
from sqlalchemy import select

from backend.booking.models import EntryRow, ReleaseRow
from backend.booking.releases.draws import EntryLine, Record, told
from backend.booking.releases.questions import record_of
from backend.booking.releases.replaying import Check, replay
from backend.booking.services.releasing import DRAW, DRAWN
from backend.store import journal, lean
from backend.store.unit import Unit

_STRANGE: Final = """
    SELECT e.id FROM booking_entry e LEFT JOIN booking_booking b ON b.id = e.booking_id
    WHERE e.release_id = %s AND e.state = 'won' AND (b.id IS NULL OR b.person_id <> e.person_id OR b.origin <> 'draw'
        OR b.party <> e.party OR (b.moves = 0 AND NOT EXISTS (
            SELECT 1 FROM jsonb_to_recordset(%s::jsonb) AS won (entry text, slot text)
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
        Check("截止报名时，日志记下的就是这些报名和名额", noted == {record.frozen_digest}),
        Check("日志没有被改动过", journal.verify_chain(u.session, row.id) is None),
        Check("承诺值、种子、公开数值与放号登记的相同", fixed == said),
        Check(
            f"记录中的 {len(frozen.entries)} 份报名都在系统中，所选时段和人数相同",
            all(one.id in kept and _is_entered(kept[one.id], one) for one in frozen.entries),
        ),
        Check(
            f"{len(order)} 份报名的名次与记录相同",
            ranks == {one: number for number, one in enumerate(order, 1)},
        ),
    ]


def _winners(u: Unit, row: ReleaseRow, record: Record, kept: Mapping[str, EntryRow]) -> list[Check]:
    won = {seat.entry for seat in record.won or ()}
    seats = orjson.dumps([seat.model_dump() for seat in record.won or ()]).decode()
    return [
        Check("摇号已经结束", row.state == DRAWN),
        Check(
            f"系统中中签的正是记录中的 {len(won)} 份报名",
            won == {one.id for one in kept.values() if one.state == "won"},
        ),
        Check(
            f"记录中没有安排的 {len(record.refused or ())} 份报名，系统中的原因相同",
            all(one.why in (kept[one.entry].why, told(kept[one.entry].why)) for one in record.refused or ()),
        ),
        Check(
            "中签的都有预约，人数相同，时段就是摇中的（本人改期的除外）",
            not lean.execute(u.session, _STRANGE, (row.id, seats)).fetchall(),
        ),
        Check("中签的都是报名本人", all(_entered_by(u, kept[one]) for one in won if one in kept)),
    ]


def _is_entered(row: EntryRow, line: EntryLine) -> bool:
    return (tuple(row.wishes), row.elder, row.party) == (line.wishes, line.elder, line.party)


def _entered_by(u: Unit, entry: EntryRow) -> bool:
    """Whether the journal of an entry is whole and begins with the person it belongs to."""
    lines = u.journal_of(entry.id)
    return (
        bool(lines)
        and lines[0].actor.id == entry.person_id
        and journal.verify_chain(u.session, entry.id) is None
    )
