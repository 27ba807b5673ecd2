"""The chores of the office, lived again in our own books: what they decide must have been theirs to decide."""

from datetime import datetime, timedelta

from sqlalchemy import text

from backend.booking import tasks
from backend.booking.releases import tasks as release_tasks
from backend.kernel import clock
from backend.store.unit import unit
from tests.booking.ledger import Booking, Ledger, Person, Slot, Wait
from tests.booking.office import TOLD, compare, places_of

DAY_FROM, DAY_UNTIL = 8, 22
"""Nobody is woken for an offer."""
_NEW = text("""
    SELECT id, person_id, slot_id, state, held_until, party FROM booking_booking
    WHERE origin = :origin AND id <> ALL(:known) ORDER BY id
""")
_LINES = text("""
    SELECT id, instead_of, from_day, to_day FROM booking_wait WHERE instead_of IS NOT NULL AND id <> ALL(:known)
    ORDER BY id
""")
_GATHERING = text("SELECT wait_id, slot_id FROM booking_gathering WHERE until > :now")
_MOVING = text("SELECT moving_to, moving_until FROM booking_booking WHERE id = :id")


def do_chores(books: Ledger) -> None:
    """All chores of the worker, one after the other, each compared with what it should have done."""
    _lapse(books)
    _note_missed(books)
    if any(slot.release for slot in books.slots.values()):
        release_tasks.tend_releases()
    compare(books, clock.now(), rounds=True)
    rehouse(books)
    offer(books)


def _lapse(books: Ledger) -> None:
    tasks.lapse_holds()
    tasks.lapse_moves()
    now = clock.now()
    for one in list(books.bookings.values()):
        if one.state == "held" and one.until <= now:
            books.end(one, "lapsed")
            TOLD["lapse", "done"] += 1
        elif one.moving_until is not None and one.moving_until <= now:
            books.forget_move(one)
            TOLD["lapse of a move", "done"] += 1


def _note_missed(books: Ledger) -> None:
    tasks.mark_those_missed()
    midnight = clock.start_of_day(clock.today())
    for one in books.bookings.values():
        if one.state != "confirmed" or one.moving is not None or one.slot.ends >= midnight:
            continue
        if one.slot.closing is not None or (one.told and one.told[0] == one.slot.id):
            books.end(one, "cancelled")
            continue
        one.state = "missed"
        TOLD["missing", "done"] += 1
        missed = sum(other.state == "missed" for other in books.of(one.person))
        one.person.blocked = one.person.blocked or missed >= books.rules.missed


def rehouse(books: Ledger) -> None:
    """Everybody in a closed slot has an answer: the next fitting place held, or the word that there is none."""
    tasks.find_other_times()
    now = clock.now()
    for one in list(books.bookings.values()):
        if one.state == "held" and one.slot.closing is not None:
            one.told = (one.slot.id, one.slot.closing)
            _take_offer_back(books, one)
            books.end(one, "cancelled")
        elif one.moving is not None and one.moving.closing is not None:
            one.told = None if one.answered == one.moving.id else one.told
            books.forget_move(one)
    asking = [one for one in books.bookings.values() if _is_unanswered(one)]
    for one in sorted(asking, key=lambda one: (one.slot.starts, one.id)):
        _answer(books, one, now)
    for one in asking:
        left = [slot.id for slot in books.slots.values() if one.moving is None and books.fits(one, slot, now)]
        assert not left, f"{one.id} was told that there is nothing, and there is {left}"
    _adopt_lines(books)
    for one in list(books.bookings.values()):
        if _is_over(one, now):
            books.end(one, "cancelled")
    compare(books, now, rounds=True)


def _take_offer_back(books: Ledger, one: Booking) -> None:
    """What the office itself ended may be offered again."""
    for wait in books.waits.values():
        if wait.offer == one.id:
            wait.tried.discard(one.slot.id)


def _is_unanswered(one: Booking) -> bool:
    if one.state != "confirmed" or one.moving is not None or one.slot.closing is None:
        return False
    return one.told != (one.slot.id, one.slot.closing) or one.answered is None


def _answer(books: Ledger, one: Booking, now: datetime) -> None:
    with unit() as u:
        slot_id, until = u.session.execute(_MOVING, {"id": one.id}).one()
    was_told = one.told == (one.slot.id, one.slot.closing)
    one.told, one.answered = (one.slot.id, one.slot.closing), slot_id
    line = next((w for w in books.waits.values() if w.instead_of == one.id and w.state == "waiting"), None)
    if slot_id is None:
        mine = (w for w in books.waits.values() if w.person is one.person and w.subject == one.slot.subject)
        waiting = next((w for w in mine if w.state == "waiting"), None)
        if waiting is not None and not was_told:
            waiting.instead_of = one.id
        return
    slot = books.slots[slot_id]
    assert books.fits(one, slot, now), f"{one.id} was given {slot_id}, which does not fit"
    kinds = books.kinds(slot, one.person, now, elders=one.elders)
    books.book(one, slot, places_of(one.id, slot), kinds, from_kept=True)
    one.moving, one.moving_until = slot, until
    TOLD["rehousing", "done"] += 1
    if was_told and line is not None:
        line.state = "taken"


def _adopt_lines(books: Ledger) -> None:
    """Whoever was told that there is nothing stands first on the wait list from now on."""
    with unit() as u:
        rows = u.session.execute(_LINES, {"known": list(books.waits)}).all()
    for wait_id, booking_id, first, last in rows:
        one = books.bookings[booking_id]
        assert one.told == (one.slot.id, one.slot.closing)
        assert one.answered is None
        books.waits[wait_id] = Wait(
            wait_id, one.person, one.slot.subject, first, last, one.party, one.elders, booking_id
        )
        TOLD["standing first", "done"] += 1


def _is_over(one: Booking, now: datetime) -> bool:
    if one.state != "confirmed" or one.moving is not None or not one.told or one.told[0] != one.slot.id:
        return False
    if one.slot.closing is None:
        return one.slot.ends < clock.start_of_day(clock.today())
    return one.slot.starts <= now and one.told == (one.slot.id, one.slot.closing)


def offer(books: Ledger) -> None:
    """Each freed place to one who waits, in their order, in waking hours; none is left while somebody wants it."""
    now, awake = clock.now(), DAY_FROM <= clock.local(clock.now()).hour < DAY_UNTIL
    _end_waits(books, now)
    lines = {slot.id: _line(books, slot, now) for slot in books.slots.values()}
    kept = {
        slot.id: {n for n, place in enumerate(slot.places) if place.kept} for slot in books.slots.values()
    }
    tasks.offer_freed_places()
    given = adopt(books, "wait_list", now)
    assert awake or not given, "somebody was woken for an offer"
    for one, _ in given:
        wait = next((w for w in lines[one.slot.id] if w.person is one.person and w.state == "waiting"), None)
        assert wait is not None, f"{one.id} was offered to somebody who does not wait for it"
        assert one.party == wait.party
        assert one.until <= min(clock.now() + timedelta(minutes=30), one.slot.starts - timedelta(minutes=60))
        wait.state, wait.offer = "offered", one.id
        wait.tried.add(one.slot.id)
        books.offers.append((one.person, clock.today()))
        TOLD["offer" if one.party == 1 else "offer to a family", "done"] += 1
    if awake:
        _require_fair(books, given, lines, now)
    compare(books, now, rounds=True)
    _require_gathered(books, kept, now)


def _end_waits(books: Ledger, now: datetime) -> None:
    for wait in books.waits.values():
        if wait.state != "waiting":
            continue
        mine = [
            one for one in books.of(wait.person)
            if one.state in ("confirmed", "checked_in", "called") and one.slot.subject == wait.subject
        ]  # fmt: skip
        others = [one for one in mine if one.id != wait.instead_of]
        if wait.last < clock.today():
            wait.state = "ended"
        elif others or (wait.instead_of is not None and not _stands(books.bookings[wait.instead_of], now)):
            wait.state = "left"


def _stands(one: Booking, now: datetime) -> bool:
    """Whether an appointment in a closed slot still waits for another time."""
    unanswered = (
        one.told is not None and one.told[0] == one.slot.id and one.answered is None and not one.moving
    )
    ended = one.state == "cancelled" and one.slot.starts <= now
    return unanswered and one.slot.closing is not None and (one.state == "confirmed" or ended)


def _line(books: Ledger, slot: Slot, now: datetime) -> list[Wait]:
    """Who may be offered a place, those whose own time was closed before the others."""
    ready = [wait for wait in books.waits.values() if books.is_ready(wait, slot, now)]
    return sorted(ready, key=lambda wait: wait.instead_of is None)


def adopt(books: Ledger, origin: str, now: datetime) -> list[tuple[Booking, list[int]]]:
    """Bookings that the office made on its own, with the places they have; each place was free, or kept."""
    with unit() as u:
        rows = u.session.execute(_NEW, {"origin": origin, "known": list(books.bookings)}).all()
    found = []
    for booking_id, person_id, slot_id, state, until, party in rows:
        person = next(one for one in books.people if one.id == person_id)
        slot, waits = books.slots[slot_id], [w for w in books.waits.values() if w.person.id == person_id]
        elders = all(w.elders for w in waits if w.state == "waiting" and w.subject == slot.subject)
        one = Booking(booking_id, person, slot, party, now, until, state, origin, elders)
        numbers = places_of(booking_id, slot)
        books.book(one, slot, numbers, books.kinds(slot, person, now, elders=elders), from_kept=True)
        found.append((one, numbers))
    return found


def _require_fair(
    books: Ledger, given: list[tuple[Booking, list[int]]], lines: dict[str, list[Wait]], now: datetime
) -> None:
    for one, numbers in given:
        line = lines[one.slot.id]
        mine = next(n for n, wait in enumerate(line) if wait.offer == one.id)
        kinds = {one.slot.places[n - 1].kind for n in numbers}
        for wait in line[:mine]:
            still = books.is_ready(wait, one.slot, now) and wait.party <= one.party
            passed = still and kinds <= books.kinds(one.slot, wait.person, now, elders=wait.elders)
            assert not passed, f"{one.id} was offered past {wait.id}, who waits longer"
    for slot in books.slots.values():
        line = _line(books, slot, now)
        if any(wait.party > 1 for wait in line):
            continue  # places may gather for the family
        for wait in line:
            kinds = books.kinds(slot, wait.person, now, elders=wait.elders)
            wasted = [n for n, p in enumerate(slot.places, 1) if p.booking is None and p.kind in kinds]
            assert not wasted, f"{slot.id}/{wasted} rots while {wait.id} waits for it"


def _require_gathered(books: Ledger, kept: dict[str, set[int]], now: datetime) -> None:
    """What gathers for the family at the head of a line is not let go before its time."""
    with unit() as u:
        rows = u.session.execute(_GATHERING, {"now": now}).all()
    for wait_id, slot_id in rows:
        wait, slot = books.waits[wait_id], books.slots[slot_id]
        if _line(books, slot, now)[:1] != [wait]:
            continue
        kinds = books.kinds(slot, wait.person, now, elders=wait.elders)
        mine = [slot.places[n] for n in kept[slot_id]]
        if any(place.booking is None and place.kind in kinds for place in mine):
            TOLD["gathering", "done"] += 1
            assert all(place.kept or place.booking for place in mine), (
                f"{slot_id} gathers no longer for {wait_id}"
            )


def hand_out(books: Ledger, entered: list[Person]) -> list[Person]:
    """What was drawn: as many winners as there are places for them; returns them, those of a slot together."""
    slots = [
        slot
        for slot in books.slots.values()
        if slot.release and slot.closing is None and slot.starts > clock.now()
    ]
    elders = sum(one.elder for one in entered)
    in_quota = min(elders, sum(slot.free({"elder"}) for slot in slots))
    in_open = min(len(entered) - in_quota, sum(slot.free({"open"}) for slot in slots))
    release_tasks.carry_on_draws()
    won = [one for one, _ in adopt(books, "draw", clock.now())]
    assert all(one.person in entered and one.state == "confirmed" for one in won)
    assert len(won) == in_quota + in_open, f"{len(won)} won, {in_quota} and {in_open} could"
    return [one.person for one in sorted(won, key=lambda one: one.slot.id)]
