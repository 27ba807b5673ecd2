"""Holding places: the town's most wanted write, in three statements of its own.

The first looks at the slot and takes a lock on the person, so that somebody who asks twice at once is counted
once; the second counts what the rules limit, writes the booking and takes the places. Whatever is refused is
refused by rolling back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from backend import people
from backend.booking.machine import BOOKING, HELD
from backend.booking.models import COMPANIONS
from backend.booking.naming import item_name
from backend.booking.parties import Party, quotas_of
from backend.booking.problems import AlreadyBooked, TooManyHolds, UrgencyNeeded
from backend.booking.rules import Rules
from backend.booking.services import company
from backend.booking.services.hindrances import BLOCK, already_booked, suspended
from backend.booking.services.limits import COUNTED, MINE, require_times, spans
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.refusing import slot_closed, slot_taken
from backend.booking.services.releasing import require_turn
from backend.booking.services.taking import TAKE, first_place, stand_in_line, take
from backend.booking.urgent_reasons import URGENT_REASONS
from backend.booking.views import BookingView, Wish
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput
from backend.store import lean, vault
from backend.store.unit import Actor, Unit, map_constraint, retry_on

for one_live in ("uq_booking_booking_case", "uq_booking_booking_person_item"):
    map_constraint(one_live, AlreadyBooked)
    retry_on(
        one_live
    )  # two phones at once: the second look finds what the first booked, and says which it is

SHARED_NETWORK: Final = "同一网络今天的预约太多，请换一个网络，或在小程序里预约，也可到现场取号。"
_STEPS: Final = f"""mine AS ({MINE}), theirs AS (
        SELECT count(*) AS from_device FROM booking_booking
        WHERE device = %(device)s AND made_at >= %(midnight)s AND {COUNTED}
    ), block AS ({BLOCK}), born AS (
        INSERT INTO booking_booking (id, number, slot_id, person_id, case_id, item_id, subject, day, state, party,
            companions, origin, made_at, held_until, device, urgent_reason, urgent_evidence)
        VALUES (%(booking)s, %(number)s, %(slot)s, %(person)s, %(case)s, %(item)s, %(subject)s, %(day)s, 'held',
            %(party)s, %(companions)s, %(origin)s, %(now)s, %(until)s, %(device)s, %(reason)s, %(evidence)s::jsonb)
    ), taken AS ({TAKE})"""
_DONE: Final = """
    SELECT in_day, in_week, in_month, thrown_away, from_device, (SELECT count(*) FROM taken),
        (SELECT id FROM block), (SELECT until FROM block), beside
    FROM mine, theirs
"""


@dataclass(slots=True)
class Fresh:
    """A booking that is being born: what `Unit.begin` needs to know."""

    id: str
    matter: str
    state: str = ""


def hold_slot(u: Unit, wish: Wish, by: Actor, seen: SlotSeen | None = None) -> BookingView:
    """Hold a place for some minutes; `seen` is the slot where this unit has looked at it already.

    Raises NotYours (no such slot), SlotClosed, SlotTaken, NotYourTurn, AlreadyBooked, LimitReached, TooManyHolds,
    BookingSuspended, UrgencyNeeded, InvalidInput (a party too large), RealNameNeeded.
    """
    slot = seen or look(u, wish.slot_id, wish.person_id, wish.party)
    if slot.live is not None:
        booking_id, state = slot.live
        raise already_booked(booking_id, state)
    require_open(u, slot, wish, Party.of_wish(wish))
    is_plain = not wish.companions and not slot.urgent  # what else there is to do needs the row
    return hold(u, slot, wish, by, until=hold_until(slot), ends_the_unit=is_plain)


def hold_until(slot: SlotSeen) -> datetime:
    """How long a citizen may think it over; never after the slot has closed."""
    return min(clock.now() + timedelta(minutes=slot.rules.hold_minutes), slot.closes_at)


def require_open(u: Unit, slot: SlotSeen, wish: Wish, party: Party) -> None:
    """What a citizen who takes a slot must fulfil, with those who come along. Raises as hold_slot."""
    now = clock.now()
    if slot.closed_at is not None or slot.closes_at <= now or (slot.opens_at or now) > now:
        raise slot_closed(u, slot.id, party)
    if party.size > slot.rules.max_party:
        raise InvalidInput(
            errors=[{"field": "companions", "message": f"一次最多预约 {slot.rules.max_party} 人"}]
        )
    if slot.urgent and (wish.urgent_reason not in URGENT_REASONS or not wish.urgent_evidence):
        raise UrgencyNeeded(reasons=URGENT_REASONS)
    people.require_level_of(slot.person_state, slot.rules.level)
    if slot.release_id is not None:
        require_turn(u, slot.release_id, wish.person_id)
    if slot.free < party.size:
        raise slot_taken(u, slot.id, party)


def hold(
    u: Unit, slot: SlotSeen, wish: Wish, by: Actor, *, until: datetime, origin: str = "direct",
    says: str = "已为您保留时段，请尽快确认", place: int | None = None,
    ends_the_unit: bool = False,
) -> BookingView:  # fmt: skip
    """Write the booking and take its places, in a unit in which `look` was called. Raises as hold_slot.

    `place` is one that the caller has locked and wants taken. A hold that `ends_the_unit` is written with the unit's
    last statement, and refused then.
    """
    row = Fresh(ids.new_id("bk"), "")
    row.matter = wish.case_id or row.id
    number = ids.booking_number()
    party = Party.of_wish(wish)
    kinds = quotas_of(u, slot.rules, slot.starts_at, party)
    values = {
        **_values(slot, wish, row.id, kinds), "number": number, "until": until, "origin": origin,
        "first": place or first_place(slot.capacity),
    }  # fmt: skip
    company.require_free(u, slot, wish.companions, row.id)
    stand_in_line(u, slot.id, wish.party)
    u.begin(BOOKING, row, by=by, says=says, facts={"slot": slot.id})

    def judge(counts: Sequence[Any]) -> None:
        _require_within(slot.rules, counts, origin, wish)
        company.write(u, row.id, wish.companions)
        if counts[5] < wish.party and not take(u, row.id, slot.id, wish.party, kinds, already=counts[5]):
            raise slot_taken(u, slot.id, party)

    if ends_the_unit:
        u.ends_with(_STEPS, _DONE, values, judge)
    else:
        counts = u.execute(f"WITH {_STEPS} {_DONE}", values).fetchone()
        assert counts is not None
        judge(counts)
    return BookingView(
        id=row.id, number=number, state=HELD, state_label=BOOKING.label(HELD), item_id=slot.item_id,
        subject=slot.subject, case_id=wish.case_id, person_id=wish.person_id, party=wish.party, origin=origin,
        site=slot.site, slot_id=slot.id, starts_at=slot.starts_at, ends_at=slot.ends_at, held_until=until,
        check_in_code=None, cancel_until=slot.starts_at - timedelta(hours=slot.cancel_before_hours),
        closed=False, closed_why="", moving=None, item_name=item_name(u, slot.item_id), group_id=slot.group_id,
        group_name=slot.group_name,
    )  # fmt: skip


def require_room(u: Unit, slot: SlotSeen, booking_id: str, person_id: str, party: int = 1) -> None:
    """Whether a booking may be moved here beside everybody's others.

    Raises LimitReached, AlreadyBooked (comes along elsewhere), CompanionNotFree.
    """
    values = {
        "booking": booking_id, "person": person_id, "item": slot.item_id, "subject": slot.subject,
        **spans(slot.day),
    }  # fmt: skip
    counts = lean.execute(u.session, MINE, values).fetchone()
    assert counts is not None
    _require_alone(counts[4])
    require_times(slot.rules, counts)
    if party > 1:
        company.require_room(u, slot, booking_id)


def device_digest(device: str, network: str = "") -> bytes | None:
    """What is kept of a device: enough to count by, nothing to recognise it by elsewhere.

    Of a phone that does not name itself the network address stands in for it.
    """
    if device:
        return vault.keyed_digest("booking.device", device)
    return vault.keyed_digest("booking.network", network) if network else None


def _values(slot: SlotSeen, wish: Wish, booking_id: str, kinds: list[str]) -> dict[str, Any]:
    companions = None
    if wish.companions:
        named = orjson.dumps([one.as_payload() for one in wish.companions]).decode()
        companions = vault.seal(COMPANIONS.place, booking_id, named)
    return {
        "booking": booking_id, "slot": slot.id, "person": wish.person_id, "case": wish.case_id,
        "item": slot.item_id, "subject": slot.subject, **spans(slot.day),
        "now": clock.now(), "party": wish.party, "companions": companions,
        "device": device_digest(wish.device, wish.network),
        "reason": wish.urgent_reason if slot.urgent else "",
        "evidence": orjson.dumps(wish.urgent_evidence).decode() if slot.urgent else None,
        "kinds": f"{{{','.join(kinds)}}}",  # as text: psycopg looks twice at each item of a list
    }  # fmt: skip


def _require_within(rules: Rules, counts: Sequence[Any], origin: str, wish: Wish) -> None:
    """The counts were taken beside the birth of the booking, without it."""
    thrown_away, from_device, _, block_id, until, beside = counts[3:]
    if block_id is not None:
        raise suspended(block_id, until)
    _require_alone(beside)
    require_times(rules, counts)
    if origin != "direct":
        return
    if thrown_away >= rules.lapses_a_day:
        raise _tomorrow(None)
    if from_device >= (rules.per_device if wish.device else rules.per_network):
        raise _tomorrow(None if wish.device else SHARED_NETWORK)


def _tomorrow(says: str | None) -> TooManyHolds:
    tomorrow = clock.start_of_day(clock.today() + timedelta(days=1))
    return TooManyHolds(says, retry_after=int((tomorrow - clock.now()).total_seconds()))


def _require_alone(beside: int) -> None:
    """Whoever comes along with somebody's appointment has no second one; that appointment is not theirs to see."""
    if beside:
        raise AlreadyBooked("您已作为同行人登记在同一事项的另一个预约里，请联系预约人，或等那次办完再约。")
