"""Another time for an appointment: the old place is kept until the new one is sure."""

from datetime import datetime, timedelta

from backend.booking.machine import CONFIRMED
from backend.booking.models import BookingRow, SlotRow
from backend.booking.problems import HoldLapsed, OtherItem, SameSlot, SlotClosed, TooManyHolds
from backend.booking.questions import booking_view, slot_and_site
from backend.booking.services.holding import (
    hold_until,
    quotas_of,
    require_no_block,
    require_open,
    require_room,
    taken,
)
from backend.booking.services.keeping import own_locked, require_time_to_change, step
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.taking import give_back, stand_in_line, take
from backend.booking.views import BookingView, Wish
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove
from backend.store.unit import CLOCK, Actor, Unit

MOST_PARTY = 20
"""No rule of a site allows more people in one booking."""


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
    require_open(u, seen, wish, row.party)
    require_room(u, seen, row.id, row.person_id)
    _forget(u, row)
    hold_for_move(u, row, seen, by, "move_held", hold_until(seen))
    return booking_view(u, row, owner=True)


def _require_few_moves(u: Unit, row: BookingRow, most: int) -> None:
    """Another time held and dropped again and again is hoarding. Raises TooManyHolds."""
    midnight = clock.start_of_day(clock.today())
    held = [one for one in u.journal_of(row.matter) if one.subject == row.id and one.trigger == "move_held"]
    if sum(one.occurred_at >= midnight for one in held) >= most:
        raise TooManyHolds(retry_after=int((midnight + timedelta(days=1) - clock.now()).total_seconds()))


def hold_for_move(u: Unit, row: BookingRow, seen: SlotSeen, by: Actor, trigger: str, until: datetime) -> None:
    """Take the places in the other slot. Raises SlotTaken."""
    stand_in_line(u, seen.id, row.party)
    quotas = quotas_of(u, seen, row.person_id, () if row.party == 1 else None)
    if not take(u, row.id, seen.id, row.party, quotas):
        raise taken(u, seen, row.party)
    row.moving_to, row.moving_until, row.moving_day = seen.id, until, seen.day
    step(u, row, trigger, by, slot=seen.id)


def confirm_move(u: Unit, booking_id: str, person_id: str, by: Actor) -> BookingView:
    """The other time becomes the booking's own; the old place is free.

    Raises NotYours, HoldLapsed, SlotClosed (the other time closed meanwhile), ImpossibleMove.
    """
    row = own_locked(u, booking_id, person_id)
    if row.moving_to is None or row.moving_until is None:
        raise ImpossibleMove("没有为改期保留的时段，请重新选择。", state=row.state, trigger="moved")
    if row.moving_until <= clock.now():
        raise HoldLapsed
    target = u.session.get_one(SlotRow, row.moving_to)
    if target.closed_at is not None:
        raise SlotClosed
    step(u, row, "moved", by, slot=target.id)
    give_back(u, row.id, row.slot_id)
    row.slot_id, row.day = target.id, clock.day_of(target.starts_at)
    row.moving_to = row.moving_until = row.moving_day = None
    row.moves += 1
    return booking_view(u, row, owner=True)


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


def _forget(u: Unit, row: BookingRow) -> None:
    if row.moving_to is not None:
        give_back(u, row.id, row.moving_to)
        row.moving_to = row.moving_until = row.moving_day = None
