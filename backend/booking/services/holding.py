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
from backend.booking.rules import Rules, month_of, rules_from, week_of
from backend.booking.services.releasing import require_turn
from backend.booking.services.taking import FREE, TAKE, first_place, stand_in_line, take
from backend.booking.views import BookingView, Site, Wish
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput, NotYours
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

LOOK: Final = f"""
    SELECT pg_advisory_xact_lock(hashtextextended(%(person)s, 4711)), s.item_id, s.subject, s.starts_at, s.ends_at,
        s.opens_at, s.closes_at, s.closed_at, s.capacity, s.cancel_before_hours, s.urgent, s.release_id,
        site.id, site.name, site.kind, site.department_id, site.region_code, site.address,
        whole.rules, own.rules,
        (SELECT count(*) FROM (SELECT 1 FROM booking_place
            WHERE slot_id = s.id AND {FREE.replace("%(kinds)s", "'{elder}'")} LIMIT %(party)s) AS few),
        {people.folded.STATE}
    FROM booking_slot s JOIN booking_site site ON site.id = s.site_id
    LEFT JOIN booking_rule whole ON whole.site_id = s.site_id AND whole.item_id = ''
    LEFT JOIN booking_rule own ON own.site_id = s.site_id AND own.item_id = s.item_id
    WHERE s.id = %(slot)s
"""
_COUNTED: Final = "state IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left')"
_WITHIN: Final = "(day BETWEEN {0} AND {1} OR moving_day BETWEEN {0} AND {1})"
_MINE: Final = f"""
    SELECT count(*) FILTER (WHERE {_COUNTED} AND {_WITHIN.format("%(day)s", "%(day)s")}) AS in_day,
        count(*) FILTER (WHERE {_COUNTED} AND {_WITHIN.format("%(monday)s", "%(sunday)s")}) AS in_week,
        count(*) FILTER (WHERE {_COUNTED} AND {_WITHIN.format("%(month_first)s", "%(month_last)s")}) AS in_month,
        count(*) FILTER (WHERE state IN ('lapsed', 'cancelled') AND origin = 'direct' AND displaced_from IS NULL
            AND made_at >= %(midnight)s) AS thrown_away
    FROM booking_booking WHERE person_id = %(person)s AND item_id = %(item)s AND id <> %(booking)s
"""
_HOLD: Final = f"""
    WITH mine AS ({_MINE}), theirs AS (
        SELECT count(*) AS from_device FROM booking_booking
        WHERE device = %(device)s AND made_at >= %(midnight)s AND {_COUNTED}
    ), block AS (
        SELECT id, until FROM booking_block WHERE person_id = %(person)s AND item_id = %(item)s
            AND until > %(now)s AND state IN ('active', 'appealed', 'upheld') ORDER BY until DESC LIMIT 1
    ), born AS (
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
class SlotSeen:
    """A slot as somebody saw it who wants to hold it."""

    id: str
    item_id: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    opens_at: datetime | None
    closes_at: datetime
    closed_at: datetime | None
    capacity: int
    cancel_before_hours: int
    urgent: bool
    release_id: str | None
    site: Site
    rules: Rules
    free: int
    person_state: str | None

    @property
    def day(self) -> date:
        """The day of the slot in Shanghai."""
        return clock.day_of(self.starts_at)


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
    require_open(u, slot, wish)
    return hold(u, slot, wish, by, until=clock.now() + timedelta(minutes=slot.rules.hold_minutes))


def look(u: Unit, slot_id: str, person_id: str, party: int = 1) -> SlotSeen:
    """The slot, its site and rules; from here to the end of the unit the person's bookings hold still.

    Raises NotYours when there is no such slot.
    """
    row = lean.execute(u.session, LOOK, {"slot": slot_id, "person": person_id, "party": party}).fetchone()
    if row is None:
        raise NotYours
    about = (*row[1:12], Site(*row[12:18]), rules_from(row[18], row[19]), *row[20:])
    return SlotSeen(slot_id, *about)


def require_open(u: Unit, slot: SlotSeen, wish: Wish) -> None:
    """What a citizen who takes a slot must fulfil. Raises as hold_slot."""
    now = clock.now()
    if slot.closed_at is not None or slot.closes_at <= now or (slot.opens_at or now) > now:
        raise SlotClosed
    if wish.party > slot.rules.max_party:
        raise InvalidInput(
            errors=[{"field": "companions", "message": f"一次最多预约 {slot.rules.max_party} 人"}]
        )
    if slot.urgent and (wish.urgent_reason not in URGENT_REASONS or not wish.urgent_evidence):
        raise UrgencyNeeded(reasons=URGENT_REASONS)
    people.require_level_of(slot.person_state, slot.rules.level)
    if slot.release_id is not None:
        require_turn(u, slot.release_id, wish.person_id)
    if slot.free < wish.party:
        raise SlotTaken(alternatives=alternatives(u, slot.item_id, slot.subject))


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
    kinds = quotas_of(u, slot, wish.person_id)
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
        raise SlotTaken(alternatives=alternatives(u, slot.item_id, slot.subject))
    return BookingView(
        id=row.id, number=number, state=HELD, state_label=BOOKING.label(HELD), item_id=slot.item_id,
        subject=slot.subject, case_id=wish.case_id, person_id=wish.person_id, party=wish.party, origin=origin,
        site=slot.site, slot_id=slot.id, starts_at=slot.starts_at, ends_at=slot.ends_at, held_until=until,
        check_in_code=None, cancel_until=slot.starts_at - timedelta(hours=slot.cancel_before_hours),
        moving=None,
    )  # fmt: skip


def require_room(u: Unit, slot: SlotSeen, booking_id: str, person_id: str) -> None:
    """Whether a booking may be moved here beside the person's others. Raises LimitReached."""
    values = {
        "booking": booking_id, "person": person_id, "item": slot.item_id, **_spans(slot.day),
    }  # fmt: skip
    counts = lean.execute(u.session, _MINE, values).fetchone()
    assert counts is not None
    _require_room(slot.rules, counts)


def quotas_of(u: Unit, slot: SlotSeen, person_id: str) -> list[str]:
    """Kinds of places open to this person beside those for everybody."""
    if not slot.rules.elder_percent:
        return []
    everybody_from = slot.starts_at - timedelta(hours=slot.rules.elder_until_hours)
    if clock.now() >= everybody_from or people.is_of_age(u, person_id, slot.rules.elder_age):
        return ["elder"]
    return []


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
        day = clock.local(until)
        raise BookingSuspended(f"暂停到{day:%Y年%m月%d日}。", block_id=block_id, until=until.isoformat())
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
