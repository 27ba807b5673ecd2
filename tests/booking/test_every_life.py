"""Any order of holds, lapses, moves, cancellations, closures, offers, draws and clock moves keeps the promises.

Hypothesis invents the stories, and everything that is left to chance in them. After every step the real books are
held beside those of a second, simple office (`ledger`): places taken never exceed capacity and equal the live
appointments, nobody is above a quota, each freed place is in at most one hand. What is refused must have a reason
there (`reasons`), and what has none must succeed. STORIES=250 tells that many other stories, SHRINK=1 makes one
that fails as short as it can be.
"""

import os
import random
import sys
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend import booking, catalogue
from backend.kernel import clock
from backend.store.unit import SYSTEM, run_unit, unit
from tests.booking import deeds, office, rounds
from tests.booking.conftest import MONDAY
from tests.booking.deeds import Draw
from tests.booking.ledger import Booking, Ledger, Person, Rules, Slot
from tests.booking.office import OFFICE, SUBJECTS
from tests.support import fresh_town

DEEP = int(os.environ.get("STORIES", "0"))
STORIES = hypothesis.settings(
    max_examples=DEEP or 25, stateful_step_count=50, deadline=None, derandomize=not DEEP, database=None,
    phases=[hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if "SHRINK" in os.environ else [])],
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
SHORTEST = 45  # steps in a story: what is worth seeing comes late
DICED, LONG = 10, 100  # stories told by dice, and steps in each
DEEDS = {
    "hold", "hold for a family", "confirm", "cancel", "phoning in", "move", "confirm move", "drop move", "wait",
    "wait with a family", "leave", "decline", "offer", "offer to a family", "gathering", "lapse", "lapse of a move",
    "check in", "serving", "missing", "closing", "reopening", "closing a day", "unsetting a day", "rehousing",
    "standing first", "announcing", "entering", "drawing",
}  # fmt: skip
REFUSALS = {
    "already-booked", "already-waiting", "booking-limit-reached", "booking-suspended", "hold-lapsed",
    "impossible-move", "not-this-day", "not-your-turn", "other-item", "real-name-needed", "same-slot",
    "slot-closed", "slot-taken", "too-late-to-cancel", "too-many-holds", "wrong-day-or-site",
}  # fmt: skip
WEIGHTS = {
    "hold": 3, "book": 5, "hold_for_a_family": 3, "confirm": 3, "cancel": 3, "move": 5, "decide_a_move": 2, "wait": 4,
    "stop_waiting": 3, "close_or_reopen": 4, "come": 1, "the_time_comes": 2, "go_on_with_the_draw": 4,
    "time_passes": 3, "come_too_late": 1, "the_day_passes": 1, "the_worker_works": 2,
}  # fmt: skip
DEVICES = ("", "phone-1", "phone-1", "phone-2")
OFTEN = 8  # out of ten, somebody does what makes sense


class Dice(NamedTuple):
    """What Hypothesis leaves a step to choose by."""

    who: int
    where: int
    often: int
    yes: bool


dice = st.builds(Dice, st.integers(0, 6), st.integers(0, len(OFFICE) - 1), st.integers(0, 9), st.booleans())


class Office(RuleBasedStateMachine):
    """A small office: eight slots of two subjects, seven citizens of whom one is old and one nobody knows yet."""

    people: list[Person]
    crowd: list[Person]

    @initialize(
        per_week=st.sampled_from([2, 7]), lapses=st.sampled_from([2, 50]), devices=st.sampled_from([2, 100]),
        offers=st.sampled_from([1, 3]), booked=st.lists(dice, max_size=4),
    )  # fmt: skip
    def open_the_office(
        self, per_week: int, lapses: int, devices: int, offers: int, booked: list[Dice]
    ) -> None:
        clock.move_to(clock.at_local(MONDAY, 10))
        for person in (*self.people, *self.crowd):
            person.blocked = False
        rules = Rules(per_week=per_week, lapses_a_day=lapses, per_device=devices, offers_a_day=offers)
        self.books: Ledger = office.begin(MONDAY, rules, [*self.people, *self.crowd])
        self.slots = list(self.books.slots.values())
        self.the_draw = Draw(self.books, list(self.crowd), self.slots[-1].day)
        for one in booked:
            self.book(one)

    @rule(what=st.sampled_from([name for name, weight in WEIGHTS.items() for _ in range(weight)]), by=dice)
    def step(self, what: str, by: Dice) -> None:
        """One rule for all steps: of several, Hypothesis would leave some out of most stories."""
        getattr(self, what)(by)

    def hold(self, by: Dice) -> None:
        """Mostly in a slot that is not over, here and below."""
        slot = self.slot(by)
        deeds.hold(self.books, self.person(by, slot), slot, device=DEVICES[(by.often + by.where) % 4])

    def book(self, by: Dice) -> None:
        """Hold and confirm, as most people do."""
        slot = self.slot(by, 1)
        one = deeds.hold(self.books, self.person(by, slot), slot, device=DEVICES[(by.often + by.where) % 4])
        if one is not None:
            deeds.confirm(self.books, one)

    def hold_for_a_family(self, by: Dice) -> None:
        family = ((by.yes,), (by.yes,), (True, by.yes), (by.yes, True), (True, False, True))[by.often // 2]
        slot = self.slot(by, 1 + len(family))
        deeds.hold(self.books, self.person(by, slot), slot, family=family)

    def confirm(self, by: Dice) -> None:
        self.with_booking(by, ["held"], lambda one: deeds.confirm(self.books, one))

    def cancel(self, by: Dice) -> None:
        """On the phone's own screen, or by a call to the window."""
        give_back = deeds.phone_in if by.yes else deeds.cancel
        self.with_booking(by, ["held", "confirmed"], lambda one: give_back(self.books, one))

    def move(self, by: Dice) -> None:
        """Mostly to another slot of the same subject; sure at once, given up at once, or thought over."""
        self.with_booking(by, ["confirmed"], lambda one: self._move(one, by))

    def _move(self, one: Booking, by: Dice) -> None:
        slot = self.slot(by)
        alike = [other for other in self.slots if other.subject == one.slot.subject and other is not one.slot]
        others = [other for other in alike if other.is_open(clock.now())]
        if others and by.often < OFTEN:
            slot = others[by.where % len(others)]
        if deeds.move(self.books, one, slot) and by.often % 3:
            deeds.decide_move(self.books, one, sure=by.yes)

    def decide_a_move(self, by: Dice) -> None:
        moving = [one for one in self.books.bookings.values() if one.moving is not None]
        if moving:
            deeds.decide_move(self.books, moving[by.where % len(moving)], sure=by.yes)
        else:
            self.with_booking(by, [], lambda one: deeds.decide_move(self.books, one, sure=by.yes))

    def wait(self, by: Dice) -> None:
        """Often for tomorrow alone, where places are few; sometimes for two."""
        subject, days = SUBJECTS[by.where % 2], (1, 1, 2, 20)[by.often % 4]
        deeds.wait(self.books, self.people[by.who], subject, days, (by.yes,) if by.often > OFTEN - 3 else ())

    def stop_waiting(self, by: Dice) -> None:
        """Leave the wait list, or decline what is offered and wait on."""
        offered = [one for one in self.books.waits.values() if one.state == "offered"]
        every = offered if offered and by.often < OFTEN else list(self.books.waits.values())
        if every:
            (deeds.decline if by.often % 3 else deeds.leave)(self.books, every[by.where % len(every)])

    def close_or_reopen(self, by: Dice) -> None:
        """A slot, or the whole day of it, mostly one in which somebody is booked."""
        slot = self.slots[by.where]
        booked = [one.slot for one in self.books.bookings.values() if one.state == "confirmed"]
        if booked and by.often % 2:
            slot = booked[by.where % len(booked)]
        days, closed = list(self.books.closed), [one for one in self.slots if one.closing is not None]
        if days and by.often < 3:
            deeds.unset_day(self.books, days[0])
        elif closed and by.often < 6:
            deeds.reopen(self.books, closed[by.where % len(closed)])
        elif by.yes:
            deeds.close(self.books, slot)
        else:
            deeds.close_day(self.books, slot.day)

    def come(self, by: Dice) -> None:
        """To the desk, or away from it, at whatever time it is."""
        if by.yes:
            self.with_booking(by, ["confirmed"], lambda one: deeds.come(self.books, one))
        else:
            self.with_booking(by, ["checked_in"], deeds.serve)

    def the_time_comes(self, by: Dice) -> None:
        """Half an hour before the next appointment; mostly its people come, and mostly they are served."""
        coming = [one for one in self.books.bookings.values() if one.state == "confirmed"]
        if not coming:
            return
        one = min(coming, key=lambda one: one.slot.starts)
        clock.move_to(max(clock.now(), one.slot.starts - timedelta(minutes=30)))
        rounds.do_chores(self.books)
        if by.often < OFTEN:
            deeds.come(self.books, one)
            if one.state == "checked_in" and by.yes:
                deeds.serve(one)

    def go_on_with_the_draw(self, by: Dice) -> None:
        """Announce it; then some more enter each time, until it is enough."""
        draw = self.the_draw
        if not draw.id:
            draw.announce()
        elif draw.slots[0].release and clock.now() < draw.until and by.often < OFTEN - 1:
            for old in (False, by.yes, False):
                draw.enter(old=old)
        elif draw.slots[0].release:
            draw.draw()

    def time_passes(self, by: Dice) -> None:
        """Some minutes; the worker may be late."""
        clock.advance(timedelta(minutes=(11, 1, 6, 31, 100, 11, 31)[by.who]))
        if by.yes:
            rounds.do_chores(self.books)

    def come_too_late(self, by: Dice) -> None:
        """Somebody decides when the time for it is over and the worker has not been there yet."""
        clock.advance(timedelta(minutes=31))
        (self.confirm if by.yes else self.decide_a_move)(by)

    def the_day_passes(self, by: Dice) -> None:
        """Until the evening, or over the night to the next morning."""
        day = clock.today() + timedelta(days=1) if by.yes else clock.today()
        clock.move_to(max(clock.now(), clock.at_local(day, 8 if by.yes else 23)))
        rounds.do_chores(self.books)

    def the_worker_works(self, by: Dice) -> None:
        del by
        rounds.do_chores(self.books)

    @invariant()
    def the_books_agree(self) -> None:
        office.compare(self.books, clock.now())

    def teardown(self) -> None:
        """When nobody waits any more, no place is kept from the others."""
        if not hasattr(self, "books"):
            return
        for wait in self.books.waits.values():
            deeds.leave(self.books, wait)
        clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 9))
        rounds.do_chores(self.books)
        assert not any(place.kept for slot in self.slots for place in slot.places)
        with unit() as u:
            assert booking.check_books(u) == []
        clock.reset()

    def slot(self, by: Dice, party: int = 0) -> Slot:
        """Any slot; mostly one that is open, with room for so many."""
        fitting = [
            one for one in self.slots
            if one.is_open(clock.now()) and not one.release and one.free(["open", "elder"]) >= party
        ]  # fmt: skip
        return fitting[by.where % len(fitting)] if fitting and by.often < OFTEN else self.slots[by.where]

    def person(self, by: Dice, slot: Slot) -> Person:
        """Any of the people; mostly one who has no appointment of this kind."""
        free = [one for one in self.people if one.verified and not self.books.live(one, slot.subject)]
        free = [one for one in free if one.blocked] or free if by.yes else free
        return free[by.who % len(free)] if free and by.often < OFTEN - 1 else self.people[by.who]

    def with_booking(self, by: Dice, states: list[str], do: Callable[[Booking], Any]) -> None:
        """With one of the bookings, mostly one in such a state."""
        every = list(self.books.bookings.values())
        fitting = [one for one in every if one.state in states]
        if chosen := (every if by.often >= OFTEN else fitting):
            do(chosen[(by.where * 5 + by.who) % len(chosen)])


def tell_by_dice(chance: random.Random) -> None:
    """A long story without an author: Hypothesis likes to repeat itself, and some things are seldom."""
    story = Office()

    def thrown() -> Dice:
        return Dice(
            chance.randrange(7), chance.randrange(len(OFFICE)), chance.randrange(10), chance.random() < 0.5
        )

    few = [chance.choice(limits) for limits in ((2, 7), (2, 50), (2, 100), (1, 3))]
    story.open_the_office(*few, [thrown() for _ in range(3)])
    for what in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=LONG):
        story.step(what, thrown())
        story.the_books_agree()
    story.teardown()


@pytest.mark.timeout(300 + 4 * DEEP)
def test_any_order_of_steps_keeps_the_promises(database: Any) -> None:
    with fresh_town():
        run_unit(catalogue.load_base_data)
        catalogue.open_catalogue(SYSTEM)
        office.open_site()
        unknown = office.citizens(date(1991, 1, 1), 1, verified=False)
        old, older = office.citizens(date(1941, 1, 1), 2, elder=True)
        Office.people = [*office.citizens(date(1990, 1, 1), 5), old, *unknown]
        Office.crowd = [*office.citizens(date(1992, 1, 1), 5), older]
        office.TOLD.clear()
        for number in range(DEEP or DICED):
            tell_by_dice(random.Random(f"{MONDAY} {number} {os.urandom(8).hex() if DEEP else ''}"))
        run_state_machine_as_test(Office, settings=STORIES, _min_steps=SHORTEST)
    if DEEP:
        sys.stdout.write(f"{sorted(office.TOLD.items())}\n")
    done = {step for step, how in office.TOLD if how == "done"}
    assert done == DEEDS, "steps that never succeeded"
    assert {slug for _, slug in office.TOLD} >= REFUSALS, "refusals that nobody met"
