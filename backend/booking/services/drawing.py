"""A draw: the public value written down by two, the seed revealed, the places handed out, entry by entry.

What is revealed decides everything, so the rest may stop anywhere and go on later, in this process or another:
each entry is settled in a unit of its own, and who is settled is never asked again.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select

from backend.booking import draws
from backend.booking.draws import Record, Seat
from backend.booking.machine import ENTRY, RELEASE
from backend.booking.models import EntryRow, ReleaseRow
from backend.booking.problems import (
    PublicValueMissing,
    ReleaseNotReady,
    SameHands,
    SlotClosed,
    SlotTaken,
    ValuesDiffer,
)
from backend.booking.services.closing import BATCH, give_ranks
from backend.booking.services.confirming import confirm_booking
from backend.booking.services.holding import hold
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.releasing import (
    CLOSED,
    DRAW,
    give_slots_back,
    locked_release,
    seed_of,
    wake_drawing,
)  # fmt: skip
from backend.booking.views import Wish
from backend.contracts import EntryDrawn
from backend.kernel import clock
from backend.kernel.problems import InvalidInput, Problem
from backend.store import lean
from backend.store.unit import CLOCK, Actor, Unit, run_unit

WITHDRAWN: Final = "withdrawn"
_ALWAYS: Final = 24 * 365 * 100
"""Hours before a slot from which places of the elderly are everybody's."""
_UNSEEN: Final = "\u034f\u115f\u1160\u17b4\u17b5\u2800"
_STANDING: Final = "SELECT id, state, why FROM booking_entry WHERE release_id = %s AND rank IS NOT NULL"
_PLACE: Final = """
    SELECT number FROM booking_place WHERE slot_id = %s AND kind = %s AND booking_id IS NULL AND NOT kept
    ORDER BY number LIMIT 1 FOR UPDATE
"""
_STILL_OPEN: Final = "SELECT id FROM booking_slot WHERE id = ANY(%s) AND closed_at IS NULL AND starts_at > %s"


@dataclass(frozen=True, slots=True)
class _Draw:
    """What was revealed; it does not change while the draw is carried out."""

    release_id: str
    record: Record


def propose_value(u: Unit, release_id: str, value: str, by: Actor) -> None:
    """Write the public value down; another must say the same.

    Raises ReleaseUnknown, ReleaseNotReady, InvalidInput (nothing to be seen).
    """
    row = _to_be_drawn(u, release_id)
    row.proposed_value, row.proposed_by = _tidy(value), by.id
    facts = {"value": row.proposed_value}
    u.note(row.id, row.id, "value_proposed", by=by, says="填写了公开数值，待另一人确认", facts=facts)


def confirm_value(u: Unit, release_id: str, value: str, by: Actor) -> None:
    """Say the same as a colleague did: from here on nothing can be changed.

    Raises ReleaseUnknown, ReleaseNotReady, InvalidInput, PublicValueMissing, SameHands, ValuesDiffer.
    """
    row = _to_be_drawn(u, release_id)
    if row.proposed_value is None:
        raise PublicValueMissing
    if row.proposed_by == by.id:
        raise SameHands
    if row.proposed_value != _tidy(value):
        raise ValuesDiffer
    row.public_value = row.proposed_value
    u.note(row.id, row.id, "value_confirmed", by=by, says="公开数值已确认", facts={"value": row.public_value})


def draw(u: Unit, release_id: str, by: Actor) -> None:
    """Reveal the seed and publish the order; a chore hands the places out. Drawn again, nothing changes.

    Raises ReleaseUnknown, ReleaseNotReady, PublicValueMissing.
    """
    row = locked_release(u, release_id)
    if row.revealed_seed is None:
        _require_closed(row)
        if row.public_value is None:
            raise PublicValueMissing
        _reveal(u, row, row.public_value, by)
    u.after_commit(wake_drawing)


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


def _reveal(u: Unit, row: ReleaseRow, value: str, by: Actor) -> None:
    record: dict[str, Any] = row.record or {}
    frozen, seed = record["frozen"], seed_of(row)
    order = draws.order_of(seed, value, row.id, [entry["id"] for entry in frozen["entries"]])
    slots = [slot["id"] for slot in frozen["slots"]]
    still = {one for (one,) in lean.execute(u.session, _STILL_OPEN, (slots, clock.now()))}
    closed = [one for one in slots if one not in still]
    row.revealed_seed = seed.hex()
    row.record = draws.signed(
        {**record, "seed": row.revealed_seed, "public_value": value, "closed": closed, "order": order}
    )
    give_ranks(u, order)
    facts = {"seed": row.revealed_seed, "value": value, "closed": closed}
    u.note(row.id, row.id, "seed_revealed", by=by, says="种子已公开，摇号结果已定", facts=facts)


def _unsettled(u: Unit, drawn: _Draw) -> list[Seat]:
    """Winners of the first round in which somebody has no answer yet; a later round needs all answers before."""
    states = {row[0]: row[1:] for row in lean.execute(u.session, _STANDING, (drawn.release_id,))}
    for seats in _rounds(drawn, _refusals(drawn, states)):
        if waiting := [seat for seat in seats.values() if _is_open(*states[seat.entry])]:
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


def _settle(seat: Seat) -> None:
    try:
        run_unit(lambda u: _give(u, seat))
    except Problem as refusal:
        why = refusal.slug
        run_unit(lambda u: _refuse(u, seat.entry, why))


def _give(u: Unit, seat: Seat) -> None:
    """An appointment for a winner. Raises whatever the rules of booking have against it by now."""
    entry = u.session.get_one(EntryRow, seat.entry)
    slot = look(u, seat.slot, entry.person_id)
    entry = u.session.get_one(EntryRow, seat.entry, with_for_update=True, populate_existing=True)
    if entry.state == WITHDRAWN:
        entry.why = WITHDRAWN
    if entry.state != "entered":
        return
    if slot.closed_at is not None or slot.starts_at <= clock.now():
        raise SlotClosed
    wish = Wish(slot.id, entry.person_id, entry.case_id)
    place = _place_of(u, seat)
    held = hold(
        u, _as_drawn(slot, seat), wish, CLOCK, until=slot.starts_at, origin="draw",
        says="中签，已为您安排时段", place=place,
    )  # fmt: skip
    u.flush()
    confirm_booking(u, held.id, entry.person_id, CLOCK)
    entry.booking_id = held.id
    u.step(ENTRY, entry, "won", by=CLOCK, facts={"rank": entry.rank, "booking": held.id})
    u.record(EntryDrawn(entry.id, entry.person_id, won=True, booking_id=held.id))


def _as_drawn(slot: SlotSeen, seat: Seat) -> SlotSeen:
    """The slot with the quota that was drawn open to the winner, whatever age and quotas the rules have by now."""
    if seat.kind != "elder":
        return slot
    return replace(
        slot, rules=slot.rules.model_copy(update={"elder_percent": 100, "elder_until_hours": _ALWAYS})
    )


def _place_of(u: Unit, seat: Seat) -> int:
    """A free place of the quota that was drawn, locked. Raises SlotTaken."""
    row = lean.execute(u.session, _PLACE, (seat.slot, seat.kind)).fetchone()
    if row is None:
        raise SlotTaken
    return int(row[0])


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
    named = [seat.entry for seats in rounds for seat in seats.values() if seat.entry in refused]
    row.record = draws.signed({
        **(row.record or {}),
        "refused": [{"entry": one, "why": refused[one]} for one in named],
        "won": [seat.model_dump() for seat in draws.winners(rounds, refused)],
    })  # fmt: skip
    facts = {"won": len(row.record["won"]), "refused": len(named), "digest": row.record["digest"]}
    u.step(RELEASE, row, "drawn", by=CLOCK, facts=facts)
    give_slots_back(u, row, row.opens_at)


def _to_be_drawn(u: Unit, release_id: str) -> ReleaseRow:
    row = locked_release(u, release_id)
    _require_closed(row)
    if row.public_value is not None:
        raise ReleaseNotReady("公开数值已经确认，不能再改。")
    return row


def _require_closed(row: ReleaseRow) -> None:
    if row.mode != DRAW:
        raise ReleaseNotReady("这次放号按顺序进行，不需要摇号。")
    if row.state != CLOSED:
        raise ReleaseNotReady("报名截止之后才能进行这一步。")


def _tidy(value: str) -> str:
    """One spelling: full-width digits and the like are the same value.

    Raises InvalidInput when nothing is to be seen.
    """
    seen = (one for one in unicodedata.normalize("NFKC", value) if not _is_unseen(one))
    tidied = "".join(seen).strip()
    if not tidied:
        raise InvalidInput(errors=[{"field": "value", "message": "请填写公开数值，不能为空白"}])
    return tidied


def _is_unseen(one: str) -> bool:
    """Of no width, or drawn as nothing: format characters, fillers, variation selectors."""
    return unicodedata.category(one) == "Cf" or one in _UNSEEN or "\ufe00" <= one <= "\ufe0f"
