"""A draw that was set off: the places are handed out, entry by entry.

What was revealed decides everything, so the rest may stop anywhere and go on later, in this process or another:
each entry is settled in a unit of its own, and who is settled is never asked again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from backend.booking import companions
from backend.booking.machine import ENTRY, RELEASE
from backend.booking.models import ENTRY_COMPANIONS, EntryRow, ReleaseRow
from backend.booking.problems import SlotClosed, SlotTaken
from backend.booking.releases import draws
from backend.booking.releases.draws import Record, Seat
from backend.booking.services.company import stand_still
from backend.booking.services.confirming import confirm_booking
from backend.booking.services.holding import hold
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.releasing import CLOSED, DRAW, give_slots_back, locked_release
from backend.booking.services.taking import take_exactly
from backend.booking.services.tending import BATCH
from backend.booking.views import Wish
from backend.contracts import EntryDrawn
from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.store import lean
from backend.store.unit import CLOCK, Unit, run_unit

WITHDRAWN: Final = "withdrawn"
_ALWAYS: Final = 24 * 365 * 100
"""Hours before a slot from which places of the elderly are everybody's."""
_STANDING: Final = "SELECT id, state, why FROM booking_entry WHERE release_id = %s AND rank IS NOT NULL"
_PLACES: Final = """
    SELECT number FROM booking_place WHERE slot_id = %s AND kind = %s AND booking_id IS NULL AND NOT kept
    ORDER BY number LIMIT %s FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class _Draw:
    """What was revealed; it does not change while the draw is carried out."""

    release_id: str
    record: Record


def finish_draws() -> int:
    """Carry on every draw that was begun; returns how many entries were settled."""
    wanted = select(ReleaseRow.id).where(
        ReleaseRow.mode == DRAW, ReleaseRow.state == CLOSED, ReleaseRow.revealed_seed.is_not(None)
    )
    due = run_unit(lambda u: list(u.session.scalars(wanted.order_by(ReleaseRow.id))))
    return sum(finish_draw(release_id) for release_id in due)


def finish_draw(release_id: str) -> int:
    """Give the winners their appointments, tell the others, and give back what is left."""
    drawn = run_unit(lambda u: _revealed(u, release_id))
    done = 0
    while seats := run_unit(lambda u: _unsettled(u, drawn)):
        for seat in seats:
            _settle(seat)
        done += len(seats)
    while lost := run_unit(lambda u: _lose_some(u, release_id)):
        done += lost
    run_unit(lambda u: _publish(u, drawn))
    return done


def _revealed(u: Unit, release_id: str) -> _Draw:
    return _Draw(release_id, Record.model_validate(u.session.get_one(ReleaseRow, release_id).record))


def _unsettled(u: Unit, drawn: _Draw) -> list[tuple[Seat, ...]]:
    """Winners of the first round in which somebody has no answer yet; a later round needs all answers before."""
    states = {row[0]: row[1:] for row in lean.execute(u.session, _STANDING, (drawn.release_id,))}
    for seats in _rounds(drawn, _refusals(drawn, states)):
        if waiting := [places for entry, places in seats.items() if _is_open(*states[entry])]:
            return waiting
    return []


def _is_open(state: str, why: str) -> bool:
    """Not answered yet; who left after the draw was frozen counts once that is written down."""
    return state == "entered" or (state == WITHDRAWN and not why)


def _refusals(drawn: _Draw, states: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    out = {entry.id for entry in drawn.record.frozen.entries if entry.out}
    return {one: why for one, (_, why) in states.items() if why and one not in out}


def _rounds(drawn: _Draw, refused: Mapping[str, str]) -> list[draws.Seats]:
    record = drawn.record
    return draws.award(record.frozen, record.order or (), record.closed, refused)


def _settle(seats: Sequence[Seat]) -> None:
    try:
        run_unit(lambda u: _give(u, seats))
    except Problem as refusal:
        why = refusal.slug
        run_unit(lambda u: _refuse(u, seats[0].entry, why))


def _give(u: Unit, seats: Sequence[Seat]) -> None:
    """An appointment for a winner and their family. Raises whatever the rules of booking have against it by now."""
    entry = u.session.get_one(EntryRow, seats[0].entry)
    family = companions.opened(ENTRY_COMPANIONS, entry.id, entry.companions)
    stand_still(u, family, entry.person_id)
    slot = look(u, seats[0].slot, entry.person_id, entry.party)
    entry = u.session.get_one(EntryRow, entry.id, with_for_update=True, populate_existing=True)
    if entry.state == WITHDRAWN:
        entry.why = WITHDRAWN
    if entry.state != "entered":
        return
    if slot.closed_at is not None or slot.starts_at <= clock.now():
        raise SlotClosed
    wish = Wish(slot.id, entry.person_id, entry.case_id, family)
    places = _places_of(u, seats)
    held = hold(
        u, _as_drawn(slot, seats), wish, CLOCK, until=slot.starts_at, origin="draw",
        says="中签，已为您安排时段", place=places[0],
    )  # fmt: skip
    u.flush()
    take_exactly(u, held.id, slot.id, places)
    confirm_booking(u, held.id, entry.person_id, CLOCK)
    entry.booking_id = held.id
    u.step(ENTRY, entry, "won", by=CLOCK, facts={"rank": entry.rank, "booking": held.id})
    u.record(EntryDrawn(entry.id, entry.person_id, won=True, booking_id=held.id))


def _as_drawn(slot: SlotSeen, seats: Sequence[Seat]) -> SlotSeen:
    """The slot with the quota that was drawn open to the winner, whatever age and quotas the rules have by now."""
    if all(seat.kind != draws.ELDER for seat in seats):
        return slot
    return replace(
        slot, rules=slot.rules.model_copy(update={"elder_percent": 100, "elder_until_hours": _ALWAYS})
    )


def _places_of(u: Unit, seats: Sequence[Seat]) -> list[int]:
    """Free places of the quotas that were drawn, locked. Raises SlotTaken."""
    drawn = Counter((seat.slot, seat.kind) for seat in seats)
    found = [
        int(number)
        for (slot, kind), count in sorted(drawn.items())
        for (number,) in lean.execute(u.session, _PLACES, (slot, kind, count))
    ]
    if len(found) < len(seats):
        raise SlotTaken
    return sorted(found)


def _refuse(u: Unit, entry_id: str, why: str) -> None:
    """A winner who cannot be given the place any more; the next in the order gets it."""
    entry = u.session.get_one(EntryRow, entry_id, with_for_update=True)
    if entry.state == "entered":
        entry.why = why
        _lose(u, entry)


def _lose_some(u: Unit, release_id: str) -> int:
    query = (
        select(EntryRow)
        .where(EntryRow.release_id == release_id, EntryRow.state == "entered")
        .order_by(EntryRow.id)
        .limit(BATCH)
        .with_for_update()
    )
    rows = u.session.scalars(query).all()
    for row in rows:
        _lose(u, row)
    return len(rows)


def _lose(u: Unit, entry: EntryRow) -> None:
    u.step(ENTRY, entry, "lost", by=CLOCK, facts={"rank": entry.rank, "why": entry.why})
    u.record(EntryDrawn(entry.id, entry.person_id, won=False))


def _publish(u: Unit, drawn: _Draw) -> None:
    """The record as it stays: who won, and who was passed over and why."""
    row = locked_release(u, drawn.release_id)
    if row.state != CLOSED:
        return
    states = {one[0]: one[1:] for one in lean.execute(u.session, _STANDING, (row.id,))}
    refused = _refusals(drawn, states)
    rounds = _rounds(drawn, refused)
    named = [entry for seats in rounds for entry in seats if entry in refused]
    won = draws.winners(rounds, refused)
    row.record = draws.signed({
        **(row.record or {}),
        "refused": [{"entry": one, "why": draws.told(refused[one])} for one in named],
        "won": [seat.model_dump() for seat in won],
    })  # fmt: skip
    facts = {"won": len({seat.entry for seat in won}), "refused": len(named), "digest": row.record["digest"]}
    u.step(RELEASE, row, "drawn", by=CLOCK, facts=facts)
    give_slots_back(u, row, row.opens_at)
