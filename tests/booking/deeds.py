"""What people do in the office of the stories: each deed in the real office and, if it was done there, in our books."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from backend import booking
from backend.booking import Companion, ReleasePlan, SlotRange, WaitWish, Wish, plans
from backend.kernel import clock
from backend.store.unit import run_unit, unit
from tests.booking import office, reasons, rounds
from tests.booking.ledger import Booking, Ledger, Person, Slot, Wait
from tests.booking.makers import CLERK, EXAM, born_on, citizen, id_tail_of
from tests.booking.office import SITE, act
from tests.booking.releases import COLLEAGUE, PLANNER, SOURCE, VALUE

YOUNG, OLD, HOUR = date(1980, 1, 1), date(1930, 1, 1), timedelta(hours=1)


def hold(
    books: Ledger, person: Person, slot: Slot, *, family: tuple[bool, ...] = (), device: str = ""
) -> Booking | None:
    """For oneself, or for others too, each of them old or young."""
    now, elders = clock.now(), all(family)
    others = _companions(books, family)
    wish = Wish(slot.id, person.id, companions=others, device=device)
    why = reasons.of_hold(books, person, slot, now, party=wish.party, elders=elders, device=device)
    step = "hold for a family" if family else "hold"
    held = act(step, lambda u: booking.hold_slot(u, wish, citizen(person.id)), why)
    if held is None or held.held_until is None:
        return None
    one = Booking(held.id, person, slot, wish.party, now, held.held_until, elders=elders, device=device)
    kinds = books.kinds(slot, person, now, elders=elders)
    books.book(one, slot, office.places_of(one.id, slot), kinds, from_kept=False)
    return one


def _companions(books: Ledger, family: tuple[bool, ...]) -> tuple[Companion, ...]:
    """Others, old or young, of whom nobody was ever named before: each is born on a day of their own."""
    first, books.companions = books.companions, books.companions + len(family)
    days = [(OLD if old else YOUNG) + timedelta(days=first + n) for n, old in enumerate(family)]
    return tuple(Companion("测试乙", born_on(day)) for day in days)


def confirm(books: Ledger, one: Booking) -> None:
    who, why = citizen(one.person.id), reasons.of_confirm(one, clock.now())
    if act("confirm", lambda u: booking.confirm_booking(u, one.id, one.person.id, who), why):
        one.state = "confirmed"
        for wait in books.waits.values():
            if wait.offer == one.id:
                wait.state = "taken"


def cancel(books: Ledger, one: Booking) -> None:
    who, why = citizen(one.person.id), reasons.of_cancel(one, clock.now())
    if act("cancel", lambda u: booking.cancel_booking(u, one.id, one.person.id, who), why):
        books.end(one, "cancelled")


def phone_in(books: Ledger, one: Booking) -> None:
    """The window gives the place back for somebody who phones."""
    why = reasons.of_phoning_in(one, clock.now())
    if act("phoning in", lambda u: booking.halls.cancel_for_caller(u, one.id, SITE, "生病", CLERK), why):
        one.excused = True
        books.end(one, "cancelled")


def move(books: Ledger, one: Booking, slot: Slot) -> bool:
    """Hold another time; whether it is held now."""
    now = clock.now()
    why, wish = reasons.of_move(books, one, slot, now), Wish(slot.id, one.person.id)
    moved = act("move", lambda u: booking.hold_move(u, one.id, wish, citizen(one.person.id)), why)
    if moved is None or slot is one.moving:
        return False
    books.forget_move(one)
    kinds = books.kinds(slot, one.person, now, elders=one.elders)
    books.book(one, slot, office.places_of(one.id, slot), kinds, from_kept=False)
    one.moving, one.moving_until = slot, moved.moving.until if moved.moving else None
    one.moves.append(now)
    if one.told is not None and one.answered is not None and one.slot.closing is not None:
        one.answered = slot.id
    return True


def decide_move(books: Ledger, one: Booking, *, sure: bool) -> None:
    person, who = one.person.id, citizen(one.person.id)
    if sure:
        why = reasons.of_confirm_move(one, clock.now())
        if act("confirm move", lambda u: booking.confirm_move(u, one.id, person, who), why):
            books.arrive(one)
    elif act("drop move", lambda u: booking.drop_move(u, one.id, person, who), reasons.of_drop_move(one)):
        books.forget_move(one)


def wait(books: Ledger, person: Person, subject: str, days: int, family: tuple[bool, ...] = ()) -> None:
    today, last = clock.today(), clock.today() + timedelta(days=days)
    others = _companions(books, family)
    why = reasons.of_wait(books, person, subject, 1 + len(family))
    wish = WaitWish(person.id, EXAM, today, last, subject=subject, site_id=SITE, companions=others)
    step = "wait with a family" if family else "wait"
    joined = act(step, lambda u: booking.join_wait(u, wish, citizen(person.id)), why)
    if joined is not None:
        books.waits[joined.id] = Wait(joined.id, person, subject, today, last, wish.party, all(family))


def leave(books: Ledger, one: Wait) -> None:
    person, why = one.person.id, reasons.of_leaving(one)
    if act("leave", lambda u: booking.leave_wait(u, one.id, person, citizen(person)), why):
        offered, one.state = books.bookings.get(one.offer or ""), "left"
        if offered is not None and offered.state == "held":
            one.offer = None
            books.end(offered, "cancelled")


def decline(books: Ledger, one: Wait) -> None:
    person, why = one.person.id, reasons.of_declining(one)
    if act("decline", lambda u: booking.decline_offer(u, one.id, person, citizen(person)), why):
        books.end(books.bookings[one.offer or ""], "cancelled")


def come(books: Ledger, one: Booking) -> None:
    """Somebody stands at the desk with an ID card, at whatever time it is."""
    tail, why = id_tail_of(one.person.id), reasons.of_check_in(books, one, clock.now())
    if act("check in", lambda u: booking.halls.check_in(u, one.id, SITE, CLERK, id_tail=tail), why):
        books.forget_move(one)
        one.state = "checked_in"


def serve(one: Booking) -> None:
    if act("serving", lambda u: booking.halls.mark_served(u, one.id, SITE, CLERK), reasons.of_serving(one)):
        one.state = "served"


def close(books: Ledger, slot: Slot) -> None:
    why = reasons.of_closing([slot], clock.now())
    if act("closing", lambda u: plans.close_slots(u, SITE, [slot.id], "停电", CLERK), why):
        books.close([slot], clock.now())


def reopen(books: Ledger, slot: Slot) -> None:
    why = reasons.of_closing([slot], clock.now()) | ({"not-this-day"} if slot.day in books.closed else set())
    if act("reopening", lambda u: plans.reopen_slots(u, SITE, [slot.id], CLERK), why):
        books.reopen([slot], clock.now())


def close_day(books: Ledger, on: date) -> None:
    why = reasons.of_day(on)
    if (
        act("closing a day", lambda u: plans.close_day(u, SITE, on, "停电", CLERK), why)
        and on not in books.closed
    ):
        slots = [one for one in books.slots.values() if one.day == on]
        books.closed[on] = books.close(slots, clock.now())


def unset_day(books: Ledger, on: date) -> None:
    if act("unsetting a day", lambda u: plans.unset_day(u, SITE, on, CLERK), reasons.of_day(on)):
        books.reopen(books.closed.pop(on), clock.now())


@dataclass
class Draw:
    """A draw of the slots of one day, at which a crowd enters: young people who are all alike, and an old one."""

    books: Ledger
    crowd: list[Person]
    day: date
    id: str = ""
    until: datetime = field(default_factory=clock.now)
    opens: datetime = field(default_factory=clock.now)
    entered: list[Person] = field(default_factory=list)

    @property
    def slots(self) -> list[Slot]:
        return [slot for slot in self.books.slots.values() if slot.day == self.day]

    def announce(self) -> None:
        now, subject = clock.now(), self.slots[0].subject
        self.until, self.opens = now + timedelta(hours=2), now + timedelta(hours=4)
        if any(slot.closing is not None or slot.closes <= self.opens for slot in self.slots):
            return
        places = SlotRange(SITE, EXAM, subject, self.day, self.day)
        plan = ReleasePlan(
            places,
            "draw",
            now,
            self.until,
            self.opens,
            public_source=SOURCE,
            public_value_at=self.until + HOUR,
        )
        taken = any(place.booking for slot in self.slots for place in slot.places)
        why = {"slots-in-use"} if taken else set[str]()
        self.id = act("announcing", lambda u: booking.announce(u, plan, PLANNER), why) or ""
        for slot in self.slots:
            slot.release = bool(self.id)

    def enter(self, *, old: bool) -> None:
        person = next((one for one in self.crowd if one not in self.entered and one.elder == old), None)
        if person is not None:
            who = citizen(person.id)
            act("entering", lambda u: booking.enter(u, self.id, person.id, (), None, who), set())
            self.entered.append(person)

    def draw(self) -> None:
        """Entries close, two agree on the value, and what was drawn is handed out and replayed."""
        clock.move_to(max(clock.now(), self.until + HOUR))
        rounds.do_chores(self.books)
        run_unit(lambda u: booking.propose_value(u, self.id, VALUE, PLANNER))
        run_unit(lambda u: booking.confirm_value(u, self.id, VALUE, COLLEAGUE))
        act("drawing", lambda u: booking.draw(u, self.id, PLANNER), set())
        won = rounds.hand_out(self.books, self.entered)
        # Whoever was lucky stands in front: all are alike, so a story goes on in the same way each time it is told.
        self.crowd[:] = won + [one for one in self.crowd if one not in won]
        for slot in self.slots:
            slot.release, slot.opens = False, self.opens
            self.books.opened(slot)
        with unit() as u:
            assert [one.says for one in booking.replay_release(u, self.id) if not one.agrees] == []
