"""The end of entries: what a draw works with is frozen and published, a queue gets its order.

When somebody entered plays no part in either: who needs long on a slow phone stands as good a chance.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, select

from backend.booking.machine import ENTRY, HELD, RELEASE
from backend.booking.models import BookingRow, EntryRow, ReleaseRow, SlotRow
from backend.booking.releases import draws
from backend.booking.releases.draws import EntryLine, Frozen, SlotLine
from backend.booking.services.lateness import is_to_be_told, tell_delay
from backend.booking.services.releasing import (
    ANNOUNCED,
    CALLED_OFF,
    CLOSED,
    OPENED,
    QUEUE,
    give_slots_back,
    locked_release,
    seed_of,
    shut,
)  # fmt: skip
from backend.contracts import EntryDrawn
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import CLOCK, Unit, run_unit

BATCH = 100
MARGIN: Final = timedelta(minutes=30)
"""After the turn of the last in a queue: who is slow still finds the places kept for those who entered."""
_FLAG: Final = """
    UPDATE booking_entry e SET why = CASE WHEN b.id IS NULL THEN 'booking-suspended' ELSE 'already-booked' END
    FROM booking_entry m LEFT JOIN booking_booking b ON b.person_id = m.person_id AND b.item_id = %(item)s
        AND b.subject = %(subject)s AND b.state IN ('held', 'confirmed', 'checked_in', 'called')
    WHERE m.id = e.id AND e.release_id = %(release)s AND e.state = 'entered' AND (b.id IS NOT NULL OR EXISTS (
        SELECT 1 FROM booking_block k WHERE k.person_id = e.person_id AND k.item_id = %(item)s
            AND k.until > %(now)s AND k.state IN ('active', 'appealed', 'upheld')))
"""
_ENTRIES: Final = """
    SELECT id, wishes, elder, why, entered_at, party FROM booking_entry
    WHERE release_id = %s AND state = 'entered' ORDER BY id
"""
_SLOTS: Final = """
    SELECT s.id, s.starts_at, count(p.number) FILTER (WHERE p.kind = 'open'),
        count(p.number) FILTER (WHERE p.kind = 'elder')
    FROM booking_slot s LEFT JOIN booking_place p ON p.slot_id = s.id AND p.booking_id IS NULL AND NOT p.kept
    WHERE s.release_id = %s AND s.closed_at IS NULL AND s.starts_at > %s
    GROUP BY s.id ORDER BY s.starts_at, s.id
"""
_RANK: Final = """
    UPDATE booking_entry SET rank = place FROM unnest(%s::text[]) WITH ORDINALITY AS ranked (entry, place)
    WHERE id = entry
"""


def close_entries(u: Unit, release_id: str) -> None:
    """End the entries of a release, once; waits for those who are just entering."""
    shut(u, release_id)
    row = locked_release(u, release_id)
    if row.state != ANNOUNCED:
        return
    if row.mode != QUEUE:
        values = {"release": row.id, "item": row.item_id, "subject": row.subject, "now": clock.now()}
        lean.execute(u.session, _FLAG, values)
    entries = lean.execute(u.session, _ENTRIES, (row.id,)).fetchall()
    on_time = [entry for entry in entries if entry[4] < row.entries_until]
    row.record = draws.freeze(_frozen(u, row, on_time))
    if row.mode == QUEUE:
        late = sorted((entry[4], entry[0]) for entry in entries if entry[4] >= row.entries_until)
        _line_up(u, row, [entry[0] for entry in on_time], [entry_id for _, entry_id in late])
    facts = {"entries": len(on_time), "digest": row.record["frozen_digest"]}
    u.step(RELEASE, row, "closed", by=CLOCK, facts=facts)


def give_ranks(u: Unit, entry_ids: list[str]) -> None:
    """Number entries from 1 in this order."""
    lean.execute(u.session, _RANK, (entry_ids,))


def tend() -> int:
    """Close, open and end what is due, and tell each entry where it stands; returns how much was done."""
    done = _each_release(
        (ReleaseRow.state == ANNOUNCED) & (ReleaseRow.entries_until <= clock.now()), close_entries
    )
    done += _each_release(
        (ReleaseRow.state == CLOSED) & (ReleaseRow.mode == QUEUE) & (ReleaseRow.opens_at <= clock.now()),
        _open,
    )
    done += sum(_each_entry(wanted(), act) for wanted, act in _ENTRY_CARE)
    # Last: who has booked must be noted as served while the slots are still those of the release.
    return done + _each_release(_is_spent(), _give_back)


def _frozen(u: Unit, row: ReleaseRow, entries: list[Any]) -> Frozen:
    slots = lean.execute(u.session, _SLOTS, (row.id, clock.now())).fetchall()
    return Frozen(
        format=draws.FORMAT,
        release=row.id,
        site=row.site_id,
        item=row.item_id,
        subject=row.subject,
        mode=row.mode,
        commitment=row.commitment.hex(),
        public_source=row.public_source,
        public_value_at=row.public_value_at.isoformat() if row.public_value_at else "",
        entries_until=row.entries_until.isoformat(),
        frozen_at=clock.now().isoformat(),
        entries=tuple(
            EntryLine(id=entry_id, wishes=tuple(wishes), elder=elder, out=draws.told(why), party=party)
            for entry_id, wishes, elder, why, _, party in entries
        ),
        slots=tuple(
            SlotLine(
                id=slot_id, starts_at=clock.local(starts_at).isoformat(), open=open_places, elder=elder_places
            )
            for slot_id, starts_at, open_places, elder_places in slots
        ),
    )


def _line_up(u: Unit, row: ReleaseRow, on_time: list[str], late: list[str]) -> None:
    """The order of a queue: those on time by their lots, those too late behind them as they came."""
    assert row.record is not None
    seed = seed_of(row)
    order = draws.order_of(seed, "", row.id, on_time)
    row.revealed_seed = seed.hex()
    row.record = draws.signed({**row.record, "seed": seed.hex(), "public_value": "", "order": order})
    give_ranks(u, order + late)


def _open(u: Unit, release_id: str) -> None:
    row = locked_release(u, release_id)
    if row.state == CLOSED:
        u.step(RELEASE, row, "opened", by=CLOCK)


def _give_back(u: Unit, release_id: str) -> None:
    """Everybody in the queue has had a turn: what is left is open to all, whoever waits for it first."""
    shut(u, release_id)
    row = locked_release(u, release_id)
    if u.session.scalar(select(ReleaseRow.id).where(ReleaseRow.id == release_id, _is_spent())) is not None:
        u.note(row.id, row.id, "slots_given_back", by=CLOCK, says="排队已轮完，剩余时段向所有人开放")
        give_slots_back(u, row, None)


def _each_release(wanted: ColumnElement[bool], act: Callable[[Unit, str], None]) -> int:
    """Act on every wanted release, a unit each."""
    due = run_unit(
        lambda u: list(u.session.scalars(select(ReleaseRow.id).where(wanted).order_by(ReleaseRow.id)))
    )
    for release_id in due:
        run_unit(lambda u, one=release_id: act(u, one))  # type: ignore[misc]
    return len(due)


def _each_entry(wanted: ColumnElement[bool], act: Callable[[Unit, EntryRow], None]) -> int:
    """Act on every wanted entry, a batch to a unit; rows that others hold are left for the next look."""

    def batch(u: Unit) -> int:
        query = (
            select(EntryRow)
            .join(ReleaseRow, ReleaseRow.id == EntryRow.release_id)
            .where(EntryRow.state.in_(("entered", "queued")), wanted)
            .order_by(EntryRow.id)
            .limit(BATCH)
            .with_for_update(of=EntryRow, skip_locked=True)
        )
        rows = u.session.scalars(query).all()
        for row in rows:
            act(u, row)
        return len(rows)

    done = 0
    while found := run_unit(batch):
        done += found
    return done


def _queue(u: Unit, row: EntryRow) -> None:
    u.step(ENTRY, row, "queued", by=CLOCK, facts={"rank": row.rank})


def _serve(u: Unit, row: EntryRow) -> None:
    row.booking_id = u.session.scalar(
        select(BookingRow.id).where(_booked_by(row.release_id, row.person_id)).limit(1)
    )
    u.step(ENTRY, row, "served", by=CLOCK)


def _end(u: Unit, row: EntryRow) -> None:
    u.step(ENTRY, row, "ended", by=CLOCK)


def _call_off(u: Unit, row: EntryRow) -> None:
    u.step(ENTRY, row, "called_off", by=CLOCK)
    u.record(EntryDrawn(row.id, row.person_id, won=False))


def _booked_by(release_id: Any, person_id: Any) -> ColumnElement[bool]:
    """Appointments of a person in slots of a release, confirmed or beyond."""
    slots = select(SlotRow.id).where(SlotRow.release_id == release_id)
    return and_(
        BookingRow.person_id == person_id,
        BookingRow.slot_id.in_(slots),
        BookingRow.state.not_in(("held", "lapsed", "cancelled")),
    )


def _in_line() -> ColumnElement[bool]:
    return (
        (ReleaseRow.mode == QUEUE)
        & ReleaseRow.state.in_((CLOSED, OPENED))
        & (EntryRow.state == "entered")
        & EntryRow.rank.is_not(None)
    )


def _has_booked() -> ColumnElement[bool]:
    booked = select(BookingRow.id).where(_booked_by(EntryRow.release_id, EntryRow.person_id))
    return (ReleaseRow.state == OPENED) & (EntryRow.state == "queued") & exists(booked)


def _is_over() -> ColumnElement[bool]:
    ahead = select(SlotRow.id).where(
        SlotRow.release_id == EntryRow.release_id, SlotRow.closes_at > clock.now()
    )
    return (ReleaseRow.state == OPENED) & (EntryRow.state == "queued") & ~exists(ahead)


def _is_spent() -> ColumnElement[bool]:
    """The last turn is long over, and slots that can be booked are still kept for the queue.

    Not while somebody holds a place, or has booked and was not noted as served: both are told by the slots.
    """
    ranks = select(func.coalesce(func.max(EntryRow.rank), 1)).where(EntryRow.release_id == ReleaseRow.id)
    minutes = (ranks.scalar_subquery() - 1) // ReleaseRow.batch
    slots = select(SlotRow.id).where(SlotRow.release_id == ReleaseRow.id)
    held = select(BookingRow.id).where(BookingRow.slot_id.in_(slots), BookingRow.state == HELD)
    booked = select(EntryRow.id).where(
        EntryRow.release_id == ReleaseRow.id,
        EntryRow.state.in_(("entered", "queued")),
        exists(select(BookingRow.id).where(_booked_by(EntryRow.release_id, EntryRow.person_id))),
    )
    return and_(
        ReleaseRow.mode == QUEUE,
        ReleaseRow.state == OPENED,
        ReleaseRow.opens_at + func.make_interval(0, 0, 0, 0, 0, minutes) <= clock.now() - MARGIN,
        exists(slots.where(SlotRow.closes_at > clock.now())),
        ~exists(held),
        ~exists(booked),
    )


def _is_called_off() -> ColumnElement[bool]:
    return ReleaseRow.state == CALLED_OFF


_ENTRY_CARE: Final[tuple[tuple[Callable[[], ColumnElement[bool]], Callable[[Unit, EntryRow], None]], ...]] = (
    (_in_line, _queue),
    (_has_booked, _serve),
    (_is_over, _end),
    (_is_called_off, _call_off),
    (is_to_be_told, tell_delay),
)
