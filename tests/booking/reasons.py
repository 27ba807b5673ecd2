"""Why the booking office may refuse a step, by the slug of the problem. An empty set: it must not refuse."""

from datetime import date, datetime, timedelta

from backend.kernel import clock
from tests.booking.ledger import Booking, Ledger, Person, Slot, Wait

CANCEL_BEFORE = timedelta(hours=2)


def _when(**reasons: bool) -> set[str]:
    return {slug.replace("_", "-") for slug, holds in reasons.items() if holds}


def of_hold(
    books: Ledger, person: Person, slot: Slot, now: datetime, *, party: int, elders: bool, device: str
) -> set[str]:
    kinds = books.kinds(slot, person, now, elders=elders)
    return _when(
        slot_closed=not slot.is_open(now), invalid_input=party > books.rules.max_party,
        real_name_needed=not person.verified, not_your_turn=slot.release, slot_taken=slot.free(kinds) < party,
        already_booked=books.live(person, slot.subject), booking_suspended=person.blocked,
        booking_limit_reached=books.is_limited(person, slot.day),
        too_many_holds=books.is_hoarding(person, device, now),
    )  # fmt: skip


def of_confirm(one: Booking, now: datetime) -> set[str]:
    held = one.state == "held"
    given_up = one.state in ("held", "cancelled") and one.slot.closing is not None
    return _when(
        impossible_move=one.state not in ("held", "confirmed"),
        hold_lapsed=(held and one.until <= now) or one.state == "lapsed",
        slot_closed=given_up,
    )  # fmt: skip


def of_cancel(one: Booking, now: datetime) -> set[str]:
    late = now > one.slot.starts - CANCEL_BEFORE and one.slot.closing is None
    return _when(
        impossible_move=one.state not in ("held", "confirmed"),
        too_late_to_cancel=one.state == "confirmed" and late,
    )  # fmt: skip


def of_phoning_in(one: Booking, now: datetime) -> set[str]:
    return _when(
        impossible_move=one.state not in ("held", "confirmed"), too_late_to_cancel=one.slot.starts <= now
    )


def of_move(books: Ledger, one: Booking, slot: Slot, now: datetime) -> set[str]:
    if one.state == "confirmed" and slot is one.moving:
        return set()
    ours = one.slot.closing is None
    moved = sum(clock.day_of(at) == clock.day_of(now) for at in one.moves)
    kinds = books.kinds(slot, one.person, now, elders=one.elders)
    return _when(
        impossible_move=one.state != "confirmed", same_slot=slot is one.slot,
        other_item=slot.subject != one.slot.subject,
        too_late_to_cancel=ours and now > one.slot.starts - CANCEL_BEFORE,
        booking_suspended=ours and one.person.blocked, too_many_holds=ours and moved >= books.rules.lapses_a_day,
        slot_closed=not slot.is_open(now), not_your_turn=slot.release, slot_taken=slot.free(kinds) < one.party,
        booking_limit_reached=ours and books.is_limited(one.person, slot.day, beside=one),
    )  # fmt: skip


def of_confirm_move(one: Booking, now: datetime) -> set[str]:
    if one.moving is None or one.moving_until is None:
        # Which of these depends on what became of the last time held, which our books forget.
        return {"impossible-move", "hold-lapsed", "slot-closed"}
    return _when(hold_lapsed=one.moving_until <= now, slot_closed=one.moving.closing is not None)


def of_drop_move(one: Booking) -> set[str]:
    return _when(impossible_move=one.moving is None)


def of_wait(books: Ledger, person: Person, subject: str, party: int) -> set[str]:
    waits = any(
        one.person is person and one.subject == subject and one.state in ("waiting", "offered")
        for one in books.waits.values()
    )
    return _when(
        already_waiting=waits, already_booked=books.live(person, subject), booking_suspended=person.blocked,
        real_name_needed=not person.verified, invalid_input=party > books.rules.max_party,
    )  # fmt: skip


def of_leaving(wait: Wait) -> set[str]:
    return _when(impossible_move=wait.state not in ("waiting", "offered"))


def of_declining(wait: Wait) -> set[str]:
    return _when(impossible_move=wait.state != "offered")


def of_check_in(books: Ledger, one: Booking, now: datetime) -> set[str]:
    early, late = (timedelta(minutes=m) for m in (books.rules.early_minutes, books.rules.late_minutes))
    here = one.slot.day == clock.day_of(now) and one.slot.starts - early <= now <= one.slot.ends + late
    is_in = one.state in ("checked_in", "called")
    return _when(
        wrong_day_or_site=not here,
        already_checked_in=is_in,
        impossible_move=one.state != "confirmed" and not is_in,
    )


def of_serving(one: Booking) -> set[str]:
    return _when(impossible_move=one.state not in ("checked_in", "called"))


def of_closing(slots: list[Slot], now: datetime) -> set[str]:
    return _when(not_this_day=any(one.ends <= now for one in slots))


def of_day(on: date) -> set[str]:
    return _when(not_this_day=on < clock.today())
