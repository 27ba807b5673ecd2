"""Another time for an appointment: the old place is kept until the new one is sure."""

from dataclasses import replace
from datetime import datetime, timedelta

from backend.booking.machine import CONFIRMED
from backend.booking.models import BookingRow, SlotRow
from backend.booking.parties import Party, quotas_of
from backend.booking.problems import OtherItem, SameSlot, TooManyHolds
from backend.booking.questions import booking_view, slot_and_site
from backend.booking.services.hindrances import require_no_block
from backend.booking.services.holding import hold_until, require_open, require_room
from backend.booking.services.keeping import own_locked, require_time_to_change, step
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.refusing import hold_lapsed, slot_closed, slot_taken
from backend.booking.services.taking import give_back, spare_kept, stand_in_line, take
from backend.booking.views import BookingView, Wish
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove, Problem
from backend.store.unit import CLOCK, SYSTEM, Actor, Unit

MOST_PARTY = 20
"""No rule of a site allows more people in one booking."""
_OF_MOVES = ("move_held", "displaced", "move_dropped", "moved")
"""Steps that hold another time, and those that end it."""


def hold_move(u: Unit, booking_id: str, wish: Wish, by: Actor) -> BookingView:
    """Hold a place in another slot for some minutes; the booking stands where it is until that is confirmed.

    A place already held for another move is given back. Raises NotYours, SameSlot, OtherItem, TooLateToCancel,
    ImpossibleMove, and as hold_slot.
    """
    seen = look(u, wish.slot_id, wish.person_id, MOST_PARTY)
    row = own_locked(u, booking_id, wish.person_id)
    if row.state != CONFIRMED:
        raise ImpossibleMove("只有已确认的预约可以改期。", state=row.state, trigger="move_held")
    if seen.id == row.slot_id:
        raise SameSlot
    if (seen.item_id, seen.subject) != (row.item_id, row.subject):
        raise OtherItem
    if seen.id == row.moving_to:
        return booking_view(u, row, owner=True)
    slot, _site = slot_and_site(u.session, row.slot_id)
    if slot.closed_at is None:
        require_time_to_change(slot)
        require_no_block(u, row.person_id, row.item_id)
        _require_few_moves(u, row, seen.rules.lapses_a_day)
    wish = _with_reason(wish, row)
    require_open(u, seen, wish, Party.of_booking(row))
    if slot.closed_at is None:
        require_room(u, seen, row.id, row.person_id, row.party)
    until = hold_until(seen) if slot.closed_at is None else _chosen_instead(row, seen)
    _forget(u, row)
    hold_for_move(u, row, seen, by, "move_held", until)
    if seen.urgent:
        _note_reason(row, wish)
    return booking_view(u, row, owner=True)


def _chosen_instead(row: BookingRow, seen: SlotSeen) -> datetime:
    """Whoever chooses another time than the one offered for a closed one has as long to answer as before.

    It is as if we had offered that: when it closes too, we owe another answer.
    """
    until = [hold_until(seen), *filter(None, (row.moving_until,))]
    if row.displaced_at is not None and row.displaced_to is not None:
        until.append(row.displaced_at + timedelta(hours=seen.rules.closure_hours))
        row.displaced_to = seen.id
    return min(max(until), seen.closes_at)


def _with_reason(wish: Wish, row: BookingRow) -> Wish:
    """From one urgent time to another the reason and the evidence stand, unless there are others."""
    if wish.urgent_reason or not row.urgent_reason:
        return wish
    kept = tuple(row.urgent_evidence or ())
    return replace(wish, urgent_reason=row.urgent_reason, urgent_evidence=wish.urgent_evidence or kept)


def _require_few_moves(u: Unit, row: BookingRow, most: int) -> None:
    """Another time held and dropped again and again is hoarding. Raises TooManyHolds."""
    midnight = clock.start_of_day(clock.today())
    held = [one for one in u.journal_of(row.matter) if one.subject == row.id and one.trigger == "move_held"]
    if sum(one.occurred_at >= midnight for one in held) >= most:
        raise TooManyHolds(retry_after=int((midnight + timedelta(days=1) - clock.now()).total_seconds()))


def hold_for_move(
    u: Unit, row: BookingRow, seen: SlotSeen, by: Actor, trigger: str, until: datetime, *, first: bool = False
) -> None:
    """Take the places in the other slot; `first`: also those kept for people who wait. Raises SlotTaken."""
    stand_in_line(u, seen.id, row.party)
    party = Party.of_booking(row)
    quotas = quotas_of(u, seen.rules, seen.starts_at, party)
    if first:
        spare_kept(u, seen.id, row.party, quotas)
    if not take(u, row.id, seen.id, row.party, quotas):
        raise slot_taken(u, seen.id, party)
    row.moving_to, row.moving_until, row.moving_day = seen.id, until, seen.day
    step(u, row, trigger, by, slot=seen.id)


def confirm_move(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """The other time becomes the booking's own; the old place is free.

    Raises NotYours, HoldLapsed, SlotClosed (the other time closed meanwhile), ImpossibleMove.
    """
    row = own_locked(u, booking_id, person_id)
    if row.moving_to is None or row.moving_until is None:
        raise _gone(u, row)
    if row.moving_until <= clock.now():
        raise hold_lapsed(u, row.moving_to, Party.of_booking(row))
    target = u.session.get_one(SlotRow, row.moving_to)
    if target.closed_at is not None:
        raise slot_closed(u, target.id, Party.of_booking(row))
    step(u, row, "moved", by, slot=target.id)
    give_back(u, row.id, row.slot_id)
    row.slot_id, row.day = target.id, clock.day_of(target.starts_at)
    row.moving_to = row.moving_until = row.moving_day = None
    row.moves += 1
    _forget_reason(row, target)
    return booking_view(u, row, owner=True)


def _gone(u: Unit, row: BookingRow) -> Problem:
    """Why nothing is held for a move any more: the journal knows what became of the last time that was."""
    steps = [one for one in u.journal_of(row.matter) if one.subject == row.id and one.trigger in _OF_MOVES]
    if len(steps) > 1 and row.state == CONFIRMED and steps[-1].trigger == "move_dropped":
        slot_id, party = str(steps[-2].facts.get("slot", row.slot_id)), Party.of_booking(row)
        if steps[-1].actor.kind == CLOCK.kind:
            return hold_lapsed(u, slot_id, party)
        if steps[-1].actor.kind == SYSTEM.kind and u.session.get_one(SlotRow, slot_id).closed_at is not None:
            return slot_closed(u, slot_id, party)
    return ImpossibleMove("没有为改期保留的时段，请重新选择。", state=row.state, trigger="moved")


def drop_move(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """Stay with the old time. Raises NotYours, ImpossibleMove when nothing is held."""
    row = own_locked(u, booking_id, person_id)
    if row.moving_to is None:
        raise ImpossibleMove("没有为改期保留的时段。", state=row.state, trigger="move_dropped")
    stay(u, row, by)
    return booking_view(u, row, owner=True)


def let_move_lapse(u: Unit, row: BookingRow) -> None:
    """Nobody confirmed the other time: what was held for it is free again."""
    stay(u, row, CLOCK)


def stay(u: Unit, row: BookingRow, by: Actor) -> None:
    """The booking stays where it is; what was held elsewhere for it is free again."""
    if row.moving_to is not None:
        step(u, row, "move_dropped", by)
        _forget(u, row)
        _forget_reason(row, u.session.get_one(SlotRow, row.slot_id))


def _forget(u: Unit, row: BookingRow) -> None:
    if row.moving_to is not None:
        give_back(u, row.id, row.moving_to)
        row.moving_to = row.moving_until = row.moving_day = None


def _note_reason(row: BookingRow, wish: Wish) -> None:
    """What the site has accepted stands as long as reason and evidence do."""
    given = wish.urgent_reason, list(wish.urgent_evidence)
    if given != (row.urgent_reason, row.urgent_evidence):
        row.urgent_reason, row.urgent_evidence = given
        row.urgency_accepted_at = None


def _forget_reason(row: BookingRow, slot: SlotRow) -> None:
    """Why somebody is in a hurry is nobody's business where the usual hours do."""
    if not slot.urgent:
        row.urgent_reason, row.urgent_evidence, row.urgency_accepted_at = "", None, None
