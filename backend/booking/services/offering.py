"""Offers: every place freed goes to those who wait for it, one person (or family) at a time and in their order.

A kept place (see `taking`) is in nobody's hand and out of reach of passers-by. A unit offers it to one person as a
held booking of their own; it is let go only by a unit that saw it kept and then saw nobody whom it suits, and no
family for whom it gathers (see `gathering`). Locks: the person and who comes along, the slot (so that two workers
offer its places one after the other), the wait, the place.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from backend import people
from backend.booking.closing.rehousing import rehouse_into
from backend.booking.companions import opened
from backend.booking.machine import CONFIRMED, LIVE, WAIT
from backend.booking.models import WAITING_COMPANIONS, BookingRow, SlotRow, WaitRow
from backend.booking.parties import Party, are_for_all, quotas_of
from backend.booking.problems import (
    AlreadyBooked,
    BookingSuspended,
    CompanionNotFree,
    LimitReached,
    SlotTaken,
    TooManyHolds,
)
from backend.booking.rules import Rules
from backend.booking.services.company import stand_still
from backend.booking.services.first_in_line import end_spent
from backend.booking.services.gathering import gathers
from backend.booking.services.holding import hold
from backend.booking.services.looking import SlotSeen, look
from backend.booking.services.nights import first_offer
from backend.booking.services.site_rules import rules_of
from backend.booking.services.taking import keep_again, kept_in, let_go
from backend.booking.services.wanted import FITS, MOST_OFFERS, OFFERABLE, ORIGIN, READY
from backend.booking.views import Companion, Wish
from backend.contracts import PlaceOffered, WaitEnded
from backend.kernel import clock
from backend.kernel.problems import NotFound
from backend.store import lean
from backend.store.unit import CLOCK, Unit, run_unit

log = logging.getLogger(__name__)
BATCH: Final = 100
_SLOTS: Final = f"""
    SELECT s.starts_at, s.id FROM booking_slot s WHERE s.id IN (SELECT slot_id FROM booking_place WHERE kept)
    UNION
    SELECT s.starts_at, s.id FROM booking_slot s
    WHERE s.item_id IN (SELECT item_id FROM booking_wait WHERE state = 'waiting') AND {OFFERABLE}
        AND EXISTS (SELECT 1 FROM booking_place p
            WHERE p.slot_id = s.id AND p.booking_id IS NULL AND p.kind <> 'walk_in')
        AND EXISTS (SELECT 1 FROM booking_wait w WHERE {FITS} AND {READY})
    ORDER BY 1, 2
"""
_KINDS: Final = """
    SELECT kind, count(*), count(*) FILTER (WHERE kept) FROM booking_place
    WHERE slot_id = %s AND booking_id IS NULL AND kind <> 'walk_in' GROUP BY kind
"""
_NEXT: Final = f"""
    SELECT w.id, w.person_id, w.case_id, w.party, w.companions FROM booking_slot s JOIN booking_wait w ON {FITS}
    WHERE s.id = %(slot)s AND {OFFERABLE} AND {READY} AND w.id <> ALL(%(passed)s)
    ORDER BY w.instead_of IS NULL, w.since, w.id LIMIT {BATCH}
"""
_LOCK_SLOT: Final = "SELECT closed_at FROM booking_slot WHERE id = %s FOR NO KEY UPDATE"
_OFFERS_TODAY: Final = """
    SELECT coalesce(sum(offers), 0) FROM booking_wait WHERE person_id = %s AND offers_on = %s
"""
_NOT_FOR_THEM: Final = (
    AlreadyBooked, BookingSuspended, CompanionNotFree, LimitReached, NotFound, SlotTaken, TooManyHolds,
    people.PhoneNeeded, people.RealNameNeeded,
)  # fmt: skip
"""Why a place may not suit somebody who waits: they are passed over for it and keep their turn for others."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose turn it is."""

    id: str
    person_id: str
    case_id: str | None
    party: int = 1
    companions: bytes | None = None

    @property
    def family(self) -> tuple[Companion, ...]:
        """Who comes along."""
        return opened(WAITING_COMPANIONS, self.id, self.companions)


@dataclass(slots=True)
class Round:
    """One round of offers for a slot; `passed` are the waits that it did not suit.

    `gathering`: its places gather for the family whose turn it is.
    """

    slot_id: str
    passed: list[str] = field(default_factory=list)
    gathering: bool = False

    def offer_all(self) -> int:
        """Offer the free places of the slot until none is left or nobody wants them; how many were offered.

        Those whose own time was closed come first. Nobody is woken for an offer of half an hour: at night places are
        kept for the morning.
        """
        offered = rehouse_into(self.slot_id)
        while first_offer() <= clock.now() and (one := run_unit(self.next_waiting)) is not None:
            if self._offered(one):
                offered += 1
            else:
                self.passed.append(one.id)
        run_unit(self.let_go_of_rest)
        return offered

    def next_waiting(self, u: Unit) -> Waiting | None:
        """The first in line who has room among the free places of the slot; nobody while these gather."""
        slot = u.session.get_one(SlotRow, self.slot_id)
        rules, now, self.gathering = rules_of(u, slot.site_id, slot.item_id), first_offer(), False
        counts = {kind: tuple(many) for kind, *many in lean.execute(u.session, _KINDS, (slot.id,))}
        room, last = Room(rules, slot.starts_at, counts), rules.offers_end(slot.starts_at)
        if not counts or last <= now + timedelta(minutes=rules.offer_minutes):
            return None
        for one in self._in_line(u, rules):
            free, kept = room.of(u, one, now)
            if free >= one.party and one.party <= rules.max_party:
                return one
            if one.party > 1 and kept and gathers(u, one.id, slot.id, rules, slot.starts_at, now):
                self.gathering = True
                return None
            self.passed.append(one.id)
        return None

    def let_go_of_rest(self, u: Unit) -> None:
        """What suits nobody who waits is everybody's again."""
        lean.execute(u.session, _LOCK_SLOT, (self.slot_id,))
        kept = kept_in(u, self.slot_id, ["open", "elder"])
        if kept and self.next_waiting(u) is None and not self.gathering:
            let_go(u, self.slot_id, kept)

    def _in_line(self, u: Unit, rules: Rules) -> Iterator[Waiting]:
        asked = {
            "slot": self.slot_id, "now": clock.now(), "today": clock.today(), "most": rules.offers_a_day,
        }  # fmt: skip
        while found := lean.execute(u.session, _NEXT, {**asked, "passed": self.passed}).fetchall():
            yield from (Waiting(*row) for row in found)

    def _offered(self, one: Waiting) -> bool:
        try:
            return run_unit(lambda u: offer(u, self.slot_id, one))
        except _NOT_FOR_THEM:
            return False
        except Exception:
            log.exception("a place could not be offered", extra={"wait_id": one.id, "slot_id": self.slot_id})
            return False


@dataclass(frozen=True, slots=True)
class Room:
    """The free places of a slot: how many of each kind there are, and how many of them are kept."""

    rules: Rules
    starts_at: datetime
    counts: Mapping[str, Sequence[int]]

    def of(self, u: Unit, one: Waiting, now: datetime) -> tuple[int, int]:
        """How many places somebody may have, with their family, and how many of these are kept."""
        free, kept = self.counts.get("open", (0, 0))
        elder, elder_kept = self.counts.get("elder", (0, 0))
        if elder and (free < one.party or not kept) and self._may_have_elder_places(u, one, now):
            return free + elder, kept + elder_kept
        return free, kept

    def _may_have_elder_places(self, u: Unit, one: Waiting, now: datetime) -> bool:
        party = Party(one.person_id, one.party, tuple(each.id_no for each in one.family))
        return are_for_all(self.rules, self.starts_at, now) or party.are_elders(u, self.rules)


def offer_places() -> int:
    """Offer what is free to those who wait for it; how many offers went out [own units]."""
    for end in (_past, _booked_otherwise, end_spent):
        while run_unit(end):
            pass
    return sum(_offered_in(slot_id) for slot_id in run_unit(_slots))


def _offered_in(slot_id: str) -> int:
    """One round; what goes wrong in one slot keeps no place of the others from anybody."""
    try:
        return Round(slot_id).offer_all()
    except Exception:
        log.exception("the places of a slot could not be offered", extra={"slot_id": slot_id})
        return 0


def offer(u: Unit, slot_id: str, one: Waiting) -> bool:
    """Hold places for somebody who waits, and tell them; whether they were still theirs. Raises as hold_slot."""
    stand_still(u, one.family, one.person_id)
    seen = look(u, slot_id, one.person_id, one.party)
    closed = lean.execute(u.session, _LOCK_SLOT, (slot_id,)).fetchone()
    wait = u.get(WaitRow, one.id, lock=True)
    if closed is None or closed[0] is not None or wait is None or wait.state != "waiting":
        return False
    if seen.release_id is not None or (seen.opens_at or clock.now()) > clock.now():
        return False
    today, had = clock.today(), _offers_today(u, one.person_id)
    if had >= seen.rules.offers_a_day:
        return False
    people.require_level(u, one.person_id, seen.rules.level)
    wish = Wish(slot_id, one.person_id, one.case_id, one.family)
    quotas = quotas_of(u, seen.rules, seen.starts_at, Party.of_wish(wish))
    kept = kept_in(u, slot_id, ["open", *quotas])[: one.party]
    let_go(u, slot_id, kept)
    held = hold(
        u, seen, wish, CLOCK, until=_held_until(seen), origin=ORIGIN,
        says="候补到空位，已为您保留，请尽快确认", place=kept[0] if kept else None,
    )  # fmt: skip
    if one.party > 1:
        keep_again(u, slot_id, kept)
    u.step(WAIT, wait, "offered", by=CLOCK, facts={"booking": held.id, "slot": slot_id})
    u.record(PlaceOffered(wait.id, wait.person_id, held.id))
    wait.booking_id = held.id
    wait.offers = wait.offers + 1 if wait.offers_on == today else 1
    wait.offers_on = today
    return True


def _held_until(seen: SlotSeen) -> datetime:
    rules = seen.rules
    return min(clock.now() + timedelta(minutes=rules.offer_minutes), rules.offers_end(seen.starts_at))


def _slots(u: Unit) -> list[str]:
    """Slots with a kept place, or with a free one that somebody waits for, soonest first."""
    asked: dict[str, Any] = {"now": clock.now(), "today": clock.today(), "most": MOST_OFFERS}
    return [slot_id for _, slot_id in lean.execute(u.session, _SLOTS, asked)]


def _offers_today(u: Unit, person_id: str) -> int:
    row = lean.execute(u.session, _OFFERS_TODAY, (person_id, clock.today())).fetchone()
    return int(row[0]) if row is not None else 0


def _past(u: Unit) -> int:
    """End the waits whose last day is over."""
    rows = _locked_waits(u, WaitRow.to_day < clock.today())
    for wait in rows:
        u.step(WAIT, wait, "ended", by=CLOCK)
        u.record(WaitEnded(wait.id, wait.person_id))
    return len(rows)


def _booked_otherwise(u: Unit) -> int:
    """Who has an appointment by now waits no more."""
    booked = select(BookingRow.id).where(
        BookingRow.person_id == WaitRow.person_id,
        BookingRow.item_id == WaitRow.item_id,
        BookingRow.subject == WaitRow.subject,
        BookingRow.state.in_([state for state in LIVE if state != "held"]),
    )
    rows = _locked_waits(u, WaitRow.instead_of.is_(None) & booked.exists())
    for wait in rows:
        u.step(WAIT, wait, "left", by=CLOCK, facts={"because": CONFIRMED})
    return len(rows)


def _locked_waits(u: Unit, which: Any) -> list[WaitRow]:
    query = select(WaitRow).where(WaitRow.state == "waiting", which).order_by(WaitRow.id).limit(BATCH)
    return list(u.session.scalars(query.with_for_update(skip_locked=True)))
