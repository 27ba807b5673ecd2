"""Any order of holds, lapses, confirmations, moves, cancellations, closures, offers and clock moves keeps the promises.

Hypothesis invents the stories. After every step: places taken never exceed capacity and equal the live appointments,
nobody is above a quota, and each freed place is in at most one hand; at the end none is lost.
"""

import secrets
from datetime import date, timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from backend import booking
from backend.booking import WaitWish, Wish, plans, tasks
from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.store.unit import run_unit, unit
from tests.booking.conftest import MONDAY
from tests.booking.makers import (
    CLERK,
    HALL,
    ITEM,
    a_person,
    born_on,
    citizen,
    id_tail_of,
    make_slot,
    set_rules,
)  # fmt: skip

PEOPLE, ELDER = 6, 5
CAPACITIES = (1, 2, 3)
ELDER_PLACES = 1
OFFERS_A_DAY = 3
_TAKEN = text("""
    SELECT s.id, s.capacity, count(p.number), count(p.booking_id),
        (SELECT coalesce(sum(b.party), 0) FROM booking_booking b
            WHERE (b.slot_id = s.id OR b.moving_to = s.id)
                AND b.state IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left'))
    FROM booking_slot s JOIN booking_place p ON p.slot_id = s.id WHERE s.subject = :subject GROUP BY s.id
""")
_QUOTA = text("""
    SELECT b.person_id, b.day, count(*) FROM booking_booking b WHERE b.subject = :subject
        AND b.state IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left')
    GROUP BY 1, 2 HAVING count(*) > 1
""")
_YOUNG_IN_ELDER_PLACES = text("""
    SELECT count(*) FROM booking_place p JOIN booking_booking b ON b.id = p.booking_id
    WHERE b.subject = :subject AND p.kind = 'elder' AND b.person_id <> :elder
""")
_HANDS = text("""
    SELECT w.id FROM booking_wait w LEFT JOIN booking_booking b ON b.id = w.booking_id
    WHERE w.subject = :subject AND w.state = 'offered' AND b.state IS DISTINCT FROM 'held'
""")
_OFFERS = text("SELECT max(offers) FROM booking_wait WHERE subject = :subject")
_STILL_KEPT = text("""
    SELECT count(*) FROM booking_place p JOIN booking_slot s ON s.id = p.slot_id
    WHERE s.subject = :subject AND p.kept AND p.booking_id IS NULL AND s.closed_at IS NULL AND s.closes_at > :now
""")


def some_day(year: int) -> date:
    """A birthday within ten years, so that no two people get the same number."""
    return date(year, 1, 1) + timedelta(days=secrets.randbelow(3600))


class Office(RuleBasedStateMachine):
    """A small office of its own: slots of one subject that no other test knows."""

    @initialize()
    def open_the_office(self) -> None:
        clock.move_to(clock.at_local(MONDAY, 10))
        set_rules(elder_percent=30, elder_until_hours=0, lapses_a_day=50, per_week=7, per_month=30)
        self.subject = secrets.token_hex(8)
        begins = clock.at_local(clock.today() + timedelta(days=3), 9)
        self.slots = [
            make_slot(
                capacity, starts=begins + timedelta(days=number, minutes=secrets.randbelow(59)), subject=self.subject,
                kinds={"elder": ELDER_PLACES} if capacity == max(CAPACITIES) else None,
            )
            for number, capacity in enumerate(CAPACITIES)
        ]  # fmt: skip
        self.people = [a_person(id_no=born_on(some_day(year))) for year in [1990] * (PEOPLE - 1) + [1940]]
        self.bookings: list[tuple[str, str]] = []
        self.waits: list[tuple[str, str]] = []

    @rule(who=st.integers(0, PEOPLE - 1), where=st.integers(0, len(CAPACITIES) - 1))
    def hold(self, who: int, where: int) -> None:
        person, slot = self.people[who], self.slots[where]
        held = self.act(lambda u: booking.hold_slot(u, Wish(slot.id, person), citizen(person)))
        if held is not None:
            self.bookings.append((held.id, person))

    @precondition(lambda self: self.bookings)
    @rule(
        which=st.integers(0, 50),
        what=st.sampled_from(["confirm_booking", "cancel_booking", "confirm_move", "drop_move"]),
    )
    def decide(self, which: int, what: str) -> None:
        booking_id, person = self.bookings[which % len(self.bookings)]
        self.act(lambda u: getattr(booking, what)(u, booking_id, person, citizen(person)))

    @precondition(lambda self: self.bookings)
    @rule(which=st.integers(0, 50), where=st.integers(0, len(CAPACITIES) - 1))
    def move(self, which: int, where: int) -> None:
        booking_id, person = self.bookings[which % len(self.bookings)]
        wish = Wish(self.slots[where].id, person)
        self.act(lambda u: booking.hold_move(u, booking_id, wish, citizen(person)))

    @rule(who=st.integers(0, PEOPLE - 1))
    def wait(self, who: int) -> None:
        person = self.people[who]
        first, last = clock.today(), clock.today() + timedelta(days=20)
        wish = WaitWish(person, ITEM, first, last, subject=self.subject)
        joined = self.act(lambda u: booking.join_wait(u, wish, citizen(person)))
        if joined is not None:
            self.waits.append((joined.id, person))

    @precondition(lambda self: self.waits)
    @rule(which=st.integers(0, 50), what=st.sampled_from(["leave_wait", "decline_offer"]))
    def stop_waiting(self, which: int, what: str) -> None:
        wait_id, person = self.waits[which % len(self.waits)]
        self.act(lambda u: getattr(booking, what)(u, wait_id, person, citizen(person)))

    @rule()
    def take_offers(self) -> None:
        """Whoever was offered a place says yes."""
        tasks.offer_freed_places()
        with unit() as u:
            query = text(
                "SELECT booking_id, person_id FROM booking_wait WHERE subject = :s AND state = 'offered'"
            )
            offered = u.session.execute(query, {"s": self.subject}).all()
        for booking_id, person in offered:
            self.bookings.append((booking_id, person))
            self.act(lambda u, b=booking_id, p=person: booking.confirm_booking(u, b, p, citizen(p)))

    @rule(where=st.integers(0, len(CAPACITIES) - 1), close=st.booleans())
    def close_or_reopen(self, where: int, close: bool) -> None:
        slot = self.slots[where].id
        if close:
            self.act(lambda u: plans.close_slots(u, HALL, [slot], "停电", CLERK))
        else:
            self.act(lambda u: plans.reopen_slots(u, HALL, [slot], CLERK))

    @rule(minutes=st.sampled_from([1, 6, 11, 31, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        clock.advance(timedelta(minutes=minutes))
        self.do_chores()

    @precondition(lambda self: self.bookings)
    @rule(which=st.integers(0, 50))
    def come(self, which: int) -> None:
        """Somebody stands at the desk with an ID card, at whatever time it is."""
        booking_id, person = self.bookings[which % len(self.bookings)]
        tail = id_tail_of(person)
        self.act(lambda u: booking.check_in(u, booking_id, HALL, CLERK, id_tail=tail))

    @invariant()
    def the_promises_hold(self) -> None:
        if not hasattr(self, "subject"):
            return
        with unit() as u:
            assert booking.check_books(u) == []
            asked = {"subject": self.subject, "elder": self.people[ELDER]}
            for slot_id, capacity, places, taken, people in u.session.execute(_TAKEN, asked):
                assert places == capacity, slot_id
                assert taken <= capacity, slot_id
                assert taken == people, slot_id
            assert u.session.execute(_QUOTA, asked).all() == []
            assert u.session.execute(_YOUNG_IN_ELDER_PLACES, asked).scalar_one() == 0
            assert u.session.execute(_HANDS, asked).all() == []
            assert (u.session.execute(_OFFERS, asked).scalar_one() or 0) <= OFFERS_A_DAY

    def teardown(self) -> None:
        """When nobody waits any more, no place is kept from the others."""
        if not hasattr(self, "subject"):
            return
        for wait_id, person in self.waits:
            self.act(lambda u, w=wait_id, p=person: booking.leave_wait(u, w, p, citizen(p)))
        clock.advance(timedelta(minutes=40))
        self.do_chores()
        with unit() as u:
            assert (
                u.session.execute(_STILL_KEPT, {"subject": self.subject, "now": clock.now()}).scalar_one()
                == 0
            )
        set_rules()
        clock.reset()

    def do_chores(self) -> None:
        for chore in (tasks.lapse_holds, tasks.lapse_moves, tasks.find_other_times, tasks.offer_freed_places):
            chore()
        if clock.now() > self.slots[0].ends_at:
            tasks.mark_those_missed()

    @staticmethod
    def act(work: Any) -> Any:
        """Do it; a refusal must be one of ours, and leaves nothing behind."""
        try:
            return run_unit(work)
        except Problem:
            return None


Office.TestCase.settings = hypothesis.settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
TestEveryLife = Office.TestCase
