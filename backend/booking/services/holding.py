"""Holding places: the town's most wanted write, in three statements of its own.

The first looks at the slot and takes a lock on the person, so that somebody who asks twice at once is counted
once; the second counts what the rules limit, writes the booking and takes the places. Whatever is refused is
refused by rolling back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from backend import people
from backend.booking.machine import BOOKING, HELD
from backend.booking.models import COMPANIONS
from backend.booking.problems import (
    AlreadyBooked,
    BookingSuspended,
    LimitReached,
    SlotClosed,
    SlotTaken,
    TooManyHolds,
    UrgencyNeeded,
)
from backend.booking.questions import alternatives
from backend.booking.rules import Rules, month_of, week_of
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.releasing import require_turn
from backend.booking.services.taking import TAKE, first_place, stand_in_line, take
from backend.booking.views import BookingView, Wish
from backend.kernel import clock, ids
from backend.kernel.identifiers import is_of_age
from backend.kernel.problems import InvalidInput
from backend.store import lean, vault
from backend.store.unit import Actor, Unit, map_constraint

map_constraint("uq_booking_booking_person_item", AlreadyBooked)
map_constraint("uq_booking_booking_case", AlreadyBooked)

URGENT_REASONS: Final = {
    "medical": "就医急需",
    "exam": "升学、考试急需",
    "travel": "紧急出境、奔丧",
    "work": "招投标、签约急需",
    "disability": "重病、残疾等行动不便",
}
"""Why somebody may come out of hours (HN-06)."""

ONE_LIVE: Final = {
    "held": "您有一个待确认的预约，请先确认或取消。",
    "confirmed": "您已有预约，要换时间可在原预约上改期。",
}
_BLOCK: Final = """
    SELECT id, until FROM booking_block WHERE person_id = %(person)s AND item_id = %(item)s
        AND until > %(now)s AND state IN ('active', 'appealed', 'upheld') ORDER BY until DESC LIMIT 1
"""
_COUNTED: Final = "state IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left')"
_WITHIN: Final = "(day BETWEEN {0} AND {1} OR moving_day BETWEEN {0} AND {1})"
_MINE: Final = f"""
    SELECT count(*) FILTER (WHERE {_COUNTED} AND {_WITHIN.format("%(day)s", "%(day)s")}) AS in_day,
        count(*) FILTER (WHERE {_COUNTED} AND {_WITHIN.format("%(monday)s", "%(sunday)s")}) AS in_week,
        count(*) FILTER (WHERE {_COUNTED} AND {_WITHIN.format("%(month_first)s", "%(month_last)s")}) AS in_month,
        count(*) FILTER (WHERE state IN ('lapsed', 'cancelled') AND origin = 'direct' AND displaced_from IS NULL
            AND NOT excused AND made_at >= %(midnight)s) AS thrown_away
    FROM booking_booking WHERE person_id = %(person)s AND item_id = %(item)s AND id <> %(booking)s
"""
_HOLD: Final = f"""
    WITH mine AS ({_MINE}), theirs AS (
        SELECT count(*) AS from_device FROM booking_booking
        WHERE device = %(device)s AND made_at >= %(midnight)s AND {_COUNTED}
    ), block AS ({_BLOCK}), born AS (
        INSERT INTO booking_booking (id, number, slot_id, person_id, case_id, item_id, subject, day, state, party,
            companions, origin, made_at, held_until, device, urgent_reason, urgent_evidence)
        VALUES (%(booking)s, %(number)s, %(slot)s, %(person)s, %(case)s, %(item)s, %(subject)s, %(day)s, 'held',
            %(party)s, %(companions)s, %(origin)s, %(now)s, %(until)s, %(device)s, %(reason)s, %(evidence)s::jsonb)
    ), taken AS ({TAKE})
    SELECT in_day, in_week, in_month, thrown_away, from_device, (SELECT count(*) FROM taken),
        (SELECT id FROM block), (SELECT until FROM block)
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
        says = ONE_LIVE.get(state, "您已到现场签到，请先办完这次预约。")
        raise AlreadyBooked(says, booking_id=booking_id, state=state)
    require_open(u, slot, wish)
    return hold(u, slot, wish, by, until=hold_until(slot))


def hold_until(slot: SlotSeen) -> datetime:
    """How long a citizen may think it over; never after the slot has closed."""
    return min(clock.now() + timedelta(minutes=slot.rules.hold_minutes), slot.closes_at)


def require_open(u: Unit, slot: SlotSeen, wish: Wish, party: int = 0) -> None:
    """What a citizen who takes a slot must fulfil; `party` where the wish does not say it. Raises as hold_slot."""
    party = party or wish.party
    now = clock.now()
    if slot.closed_at is not None or slot.closes_at <= now or (slot.opens_at or now) > now:
        raise SlotClosed
    if party > slot.rules.max_party:
        raise InvalidInput(
            errors=[{"field": "companions", "message": f"一次最多预约 {slot.rules.max_party} 人"}]
        )
    if slot.urgent and (wish.urgent_reason not in URGENT_REASONS or not wish.urgent_evidence):
        raise UrgencyNeeded(reasons=URGENT_REASONS)
    people.require_level_of(slot.person_state, slot.rules.level)
    if slot.release_id is not None:
        require_turn(u, slot.release_id, wish.person_id)
    if slot.free < party:
        raise taken(u, slot, party)


def taken(u: Unit, slot: SlotSeen, party: int) -> SlotTaken:
    """The refusal of a slot without room for the party, with slots that have it."""
    others = alternatives(u, slot.item_id, slot.subject, slot.site.id, party)
    return SlotTaken(None if others else "近期没有其他空余时段，可登记候补。", alternatives=others)


def hold(
    u: Unit, slot: SlotSeen, wish: Wish, by: Actor, *, until: datetime, origin: str = "direct",
    says: str = "已为您保留时段，请尽快确认", place: int | None = None,
) -> BookingView:  # fmt: skip
    """Write the booking and take its places, in a unit in which `look` was called. Raises as hold_slot.

    `place` is one that the caller has locked and wants taken.
    """
    row = Fresh(ids.new_id("bk"), "")
    row.matter = wish.case_id or row.id
    number = ids.booking_number()
    kinds = quotas_of(u, slot, wish.person_id, [one.id_no for one in wish.companions])
    values = {
        **_values(slot, wish, row.id, kinds), "number": number, "until": until, "origin": origin,
        "first": place or first_place(slot.capacity),
    }  # fmt: skip
    stand_in_line(u, slot.id, wish.party)
    u.begin(BOOKING, row, by=by, says=says, facts={"slot": slot.id})
    counts = lean.execute(u.session, _HOLD, values).fetchone()
    assert counts is not None
    _require_within(slot.rules, counts, origin)
    if counts[5] < wish.party and not take(u, row.id, slot.id, wish.party, kinds, already=counts[5]):
        raise taken(u, slot, wish.party)
    return BookingView(
        id=row.id, number=number, state=HELD, state_label=BOOKING.label(HELD), item_id=slot.item_id,
        subject=slot.subject, case_id=wish.case_id, person_id=wish.person_id, party=wish.party, origin=origin,
        site=slot.site, slot_id=slot.id, starts_at=slot.starts_at, ends_at=slot.ends_at, held_until=until,
        check_in_code=None, cancel_until=slot.starts_at - timedelta(hours=slot.cancel_before_hours),
        closed=False, closed_why="", moving=None,
    )  # fmt: skip


def require_room(u: Unit, slot: SlotSeen, booking_id: str, person_id: str) -> None:
    """Whether a booking may be moved here beside the person's others. Raises LimitReached."""
    values = {
        "booking": booking_id, "person": person_id, "item": slot.item_id, **_spans(slot.day),
    }  # fmt: skip
    counts = lean.execute(u.session, _MINE, values).fetchone()
    assert counts is not None
    _require_room(slot.rules, counts)


def require_no_block(u: Unit, person_id: str, item_id: str) -> None:
    """Raises BookingSuspended."""
    asked = {"person": person_id, "item": item_id, "now": clock.now()}
    if (block := lean.execute(u.session, _BLOCK, asked).fetchone()) is not None:
        raise _suspended(*block)


def quotas_of(u: Unit, slot: SlotSeen, person_id: str, companions: Sequence[str] | None = ()) -> list[str]:
    """Kinds of places open to this person, and those who come along, beside those for everybody.

    `companions` are their ID numbers (None: somebody comes along, nobody looked who): all must be of age.
    """
    if not slot.rules.elder_percent:
        return []
    if clock.now() >= slot.starts_at - timedelta(hours=slot.rules.elder_until_hours):
        return ["elder"]
    age, today = slot.rules.elder_age, clock.today()
    if companions is None or not all(is_of_age(id_no, age, today) for id_no in companions):
        return []
    return ["elder"] if people.is_of_age(u, person_id, age) else []


def device_digest(device: str) -> bytes | None:
    """What is kept of a device: enough to count by, nothing to recognise it by elsewhere."""
    return vault.keyed_digest("booking.device", device) if device else None


def _values(slot: SlotSeen, wish: Wish, booking_id: str, kinds: list[str]) -> dict[str, Any]:
    companions = None
    if wish.companions:
        named = orjson.dumps([one.as_payload() for one in wish.companions]).decode()
        companions = vault.seal(COMPANIONS.place, booking_id, named)
    return {
        "booking": booking_id, "slot": slot.id, "person": wish.person_id, "case": wish.case_id,
        "item": slot.item_id, "subject": slot.subject, **_spans(slot.day),
        "now": clock.now(), "party": wish.party, "companions": companions, "device": device_digest(wish.device),
        "reason": wish.urgent_reason if slot.urgent else "",
        "evidence": orjson.dumps(wish.urgent_evidence).decode() if slot.urgent else None,
        "kinds": kinds,
    }  # fmt: skip


def _spans(day: date) -> dict[str, Any]:
    """The day, its week and month, and where today begins."""
    (monday, sunday), (month_first, month_last) = week_of(day), month_of(day)
    return {
        "day": day, "monday": monday, "sunday": sunday, "month_first": month_first, "month_last": month_last,
        "midnight": clock.start_of_day(clock.today()),
    }  # fmt: skip


def _require_within(rules: Rules, counts: Sequence[Any], origin: str) -> None:
    """The counts were taken beside the birth of the booking, without it."""
    thrown_away, from_device, _, block_id, until = counts[3:]
    if block_id is not None:
        raise _suspended(block_id, until)
    _require_room(rules, counts)
    if origin != "direct":
        return
    if thrown_away >= rules.lapses_a_day or from_device >= rules.per_device:
        tomorrow = clock.start_of_day(clock.today() + timedelta(days=1))
        raise TooManyHolds(retry_after=int((tomorrow - clock.now()).total_seconds()))


def _require_room(rules: Rules, counts: Sequence[Any]) -> None:
    most = (rules.per_day, "当天"), (rules.per_week, "当周"), (rules.per_month, "当月")
    for count, (limit, span) in zip(counts, most, strict=False):
        if count >= limit:
            raise LimitReached(f"同一事项{span}最多预约 {limit} 次，请选择其他日期。")


def _suspended(block_id: str, until: datetime) -> BookingSuspended:
    day = clock.local(until)
    return BookingSuspended(f"暂停到{day:%Y年%m月%d日}。", block_id=block_id, until=until.isoformat())
