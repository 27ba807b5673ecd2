"""The wait list: a freed place goes to one person at a time, in their order, and to nobody who passes by."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import tasks
from backend.booking.models import BlockRow, PlaceRow, SlotRow, WaitRow
from backend.booking.services import keeping, offering, taking, waiting
from backend.booking.services.offering import Waiting
from backend.contracts import CaseWithdrawn, PlaceOffered, WaitEnded
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove, InvalidInput, NotYours
from backend.store.outbox import OutboxRow
from backend.store.unit import CLOCK, Unit, run_unit, unit
from tests.booking import waiters
from tests.booking.makers import (
    EXAM,
    ITEM,
    a_person,
    book,
    born_on,
    cancel,
    citizen,
    confirm,
    free_in,
    hold,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.waiters import (
    a_site,
    accept,
    all_at_once,
    decline,
    hands,
    kept_in,
    leave,
    nobody_waits,
    offer,
    second_waits,
    seen,
    triggers,
    wait_for,
)


@pytest.fixture(autouse=True)
def _own_line(_sound: None) -> Iterator[None]:
    yield
    nobody_waits()


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def slot(site: str) -> booking.Slot:
    """A slot of one place, in a week ahead."""
    return make_slot(1, site=site, starts=clock.now() + timedelta(days=7))


@pytest.fixture
def full(slot: booking.Slot) -> booking.BookingView:
    """Somebody who has the only place."""
    return book(slot.id)


def test_a_freed_place_goes_to_the_first_in_line(slot: booking.Slot, full: booking.BookingView) -> None:
    first, second = wait_for(slot), wait_for(slot)
    assert offer() == 0
    cancel(full)
    assert offer() == 1
    told = seen(first)
    assert (told.state, told.ahead, told.offers, told.offers_today) == ("offered", 0, 1, 1)
    assert told.offer is not None
    assert told.offer.slot_id == slot.id
    assert told.offer.held_until - clock.now() > timedelta(minutes=29)
    assert (seen(second).state, seen(second).ahead) == ("waiting", 1)


def test_an_offer_is_told_to_the_town(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    cancel(full)
    offer()
    told = seen(wait)
    assert told.offer is not None
    with unit() as u:
        news = u.session.query(OutboxRow).filter_by(stream=wait.id).one()
    assert news.kind == PlaceOffered.__name__
    assert news.payload["booking_id"] == told.offer.booking_id
    assert triggers(wait.id) == ["begun", "offered"]


def test_a_confirmed_offer_ends_the_wait(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    cancel(full)
    offer()
    taken = accept(wait)
    assert (taken.state, taken.origin) == ("confirmed", "wait_list")
    assert (seen(wait).state, seen(wait).booking_id) == ("taken", taken.id)
    assert triggers(wait.id) == ["begun", "offered", "taken"]


def test_an_offer_that_lapses_goes_to_the_next(slot: booking.Slot, full: booking.BookingView) -> None:
    first, second = wait_for(slot), wait_for(slot)
    cancel(full)
    offer()
    clock.advance(timedelta(minutes=31))
    with pytest.raises(booking.HoldLapsed):
        accept(first)
    assert tasks.lapse_holds() >= 1
    assert kept_in(slot) == 1
    assert offer() == 1
    assert (seen(first).state, seen(second).state) == ("waiting", "offered")
    assert seen(first).booking_id is None


def test_a_declined_offer_goes_on_at_once(slot: booking.Slot, full: booking.BookingView) -> None:
    first, second = wait_for(slot), wait_for(slot)
    cancel(full)
    offer()
    assert decline(first).state == "waiting"
    assert kept_in(slot) == 1
    assert offer() == 1
    assert (seen(first).offers_today, seen(second).state) == (1, "offered")


def test_nobody_is_offered_the_same_time_twice(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    cancel(full)
    offer()
    decline(wait)
    assert offer() == 0
    assert (seen(wait).state, free_in(slot.id), kept_in(slot)) == ("waiting", 1, 0)


def test_leaving_while_offered_passes_the_place_on(slot: booking.Slot, full: booking.BookingView) -> None:
    first, second = wait_for(slot), wait_for(slot)
    cancel(full)
    offer()
    assert leave(first).state == "left"
    assert offer() == 1
    assert seen(second).state == "offered"
    assert triggers(first.id) == ["begun", "offered", "left"]


def test_cancelling_the_offered_booking_is_declining(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    cancel(full)
    offer()
    told = seen(wait)
    assert told.offer is not None
    person, booking_id = waiters.owner_of(wait), told.offer.booking_id
    run_unit(lambda u: booking.cancel_booking(u, booking_id, person, citizen(person)))
    assert seen(wait).state == "waiting"


def test_a_passer_by_cannot_take_a_kept_place(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    cancel(full)
    with pytest.raises(booking.SlotTaken):
        hold(slot.id)
    with unit() as u:
        assert [s.free for s in booking.free_slots(u, ITEM, site_id=slot.site_id)] == [0]
    offer()
    assert seen(wait).state == "offered"


def test_a_passer_by_may_take_what_nobody_waits_for(slot: booking.Slot, full: booking.BookingView) -> None:
    other_day = clock.day_of(slot.starts_at) + timedelta(days=1)
    wait_for(slot, from_day=other_day, to_day=other_day)
    cancel(full)
    assert kept_in(slot) == 0
    assert hold(slot.id).state == "held"


def test_what_suits_nobody_is_let_go(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    blocked = waiters.owner_of(wait)
    with unit() as u:
        u.add(
            BlockRow(
                id=ids.new_id("bl"), person_id=blocked, item_id=ITEM, site_id=slot.site_id, cause_id=full.id,
                state="active", until=clock.now() + timedelta(days=30),
            )
        )  # fmt: skip
    cancel(full)
    assert kept_in(slot) == 1
    assert offer() == 0
    assert (kept_in(slot), free_in(slot.id), seen(wait).state) == (0, 1, "waiting")
    with unit() as u:
        u.session.query(BlockRow).filter_by(person_id=blocked).delete()


def test_a_moved_booking_leaves_its_place_to_those_who_wait(
    slot: booking.Slot, full: booking.BookingView
) -> None:
    wait = wait_for(slot)
    other = make_slot(1, site=slot.site_id, starts=slot.starts_at + timedelta(days=1))
    who = citizen(full.person_id)
    wish = booking.Wish(other.id, full.person_id)
    run_unit(lambda u: booking.hold_move(u, full.id, wish, who))
    run_unit(lambda u: booking.confirm_move(u, full.id, full.person_id, who))
    assert kept_in(slot) == 1
    offer()
    assert seen(wait).state == "offered"


def test_a_hold_that_runs_out_serves_those_who_wait(slot: booking.Slot) -> None:
    hold(slot.id)
    wait = wait_for(slot)
    clock.advance(timedelta(minutes=11))
    tasks.lapse_holds()
    offer()
    assert seen(wait).state == "offered"


def test_new_places_are_kept_one_for_each_who_waits(slot: booking.Slot, full: booking.BookingView) -> None:
    first, second = wait_for(slot), wait_for(slot)

    def enlarge(u: Unit) -> None:
        u.session.query(SlotRow).filter_by(id=slot.id).update({"capacity": 4})
        for number in (2, 3, 4):
            u.add(PlaceRow(slot_id=slot.id, number=number))
        u.flush()
        taking.keep_new(u, slot.id)

    run_unit(enlarge)
    assert kept_in(slot) == 2
    assert offer() == 2
    assert {seen(first).state, seen(second).state} == {"offered"}
    assert (kept_in(slot), free_in(slot.id)) == (0, 1)


def test_who_waits_where_something_is_free_is_offered_it(slot: booking.Slot) -> None:
    wait = wait_for(slot)
    assert offer() == 1
    assert seen(wait).state == "offered"


def test_at_most_three_offers_a_day(site: str) -> None:
    start = clock.now() + timedelta(days=7)
    slots = [make_slot(1, site=site, starts=start + timedelta(hours=n)) for n in range(5)]
    wait = wait_for(slots[0], to_day=clock.day_of(start) + timedelta(days=1))
    for had in (1, 2, 3):
        assert offer() == 1
        assert decline(wait).offers_today == had
    assert offer() == 0
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 8, 1))
    assert offer() == 1
    assert (seen(wait).offers_today, seen(wait).offers) == (1, 4)


def test_leaving_and_coming_again_brings_no_more_offers(site: str) -> None:
    start = clock.now() + timedelta(days=7)
    slots = [make_slot(1, site=site, starts=start + timedelta(hours=n)) for n in range(5)]
    wait = wait_for(slots[0], to_day=clock.day_of(start) + timedelta(days=1))
    for _ in range(3):
        offer()
        decline(wait)
    leave(wait)
    again = wait_for(slots[0], waiters.owner_of(wait), to_day=clock.day_of(start) + timedelta(days=1))
    assert offer() == 0
    assert seen(again).state == "waiting"


def test_a_site_may_offer_less_often(site: str) -> None:
    set_rules(site, offers_a_day=1)
    start = clock.now() + timedelta(days=7)
    slots = [make_slot(1, site=site, starts=start + timedelta(hours=n)) for n in range(2)]
    wait = wait_for(slots[0], to_day=clock.day_of(start) + timedelta(days=1))
    offer()
    decline(wait)
    assert offer() == 0


def test_two_waits_of_a_person_share_the_offers(site: str) -> None:
    """Also when two workers offer at once: the day's offers are counted once more behind the person's lock."""
    for item in (ITEM, EXAM):
        set_rules(site, item, offers_a_day=1)
    person, start = a_person(), clock.now() + timedelta(days=7)
    one = make_slot(1, site=site, starts=start)
    other = make_slot(1, site=site, item=EXAM, subject="科目一", starts=start)
    waits = [wait_for(slot, person) for slot in (one, other)]
    lines = [Waiting(wait.id, person, None) for wait in waits]
    came = second_waits(
        lambda u: offering.offer(u, one.id, lines[0]),
        lambda: run_unit(lambda u: offering.offer(u, other.id, lines[1])),
        commit=True,
    )
    assert came is False
    assert [seen(wait).state for wait in waits] == ["offered", "waiting"]


def test_a_wait_is_offered_one_place_by_two_workers(site: str) -> None:
    start = clock.now() + timedelta(days=7)
    slots = [make_slot(1, site=site, starts=start + timedelta(hours=n)) for n in range(2)]
    wait = wait_for(slots[0], to_day=clock.day_of(start) + timedelta(days=1))
    line = Waiting(wait.id, waiters.owner_of(wait), None)
    came = second_waits(
        lambda u: offering.offer(u, slots[0].id, line),
        lambda: run_unit(lambda u: offering.offer(u, slots[1].id, line)),
        commit=True,
    )
    assert (came, hands(slots[1])) == (False, 0)


def test_one_place_is_offered_to_one_by_two_workers(slot: booking.Slot) -> None:
    waits = [wait_for(slot) for _ in range(2)]
    first, second = (Waiting(wait.id, waiters.owner_of(wait), None) for wait in waits)
    came = second_waits(
        lambda u: offering.offer(u, slot.id, first),
        lambda: run_unit(lambda u: offering.offer(u, slot.id, second)),
        commit=True,
    )
    assert isinstance(came, booking.SlotTaken)
    assert [seen(wait).state for wait in waits] == ["offered", "waiting"]


def test_who_had_their_offers_is_skipped_and_not_dropped(site: str) -> None:
    set_rules(site, offers_a_day=1)
    start = clock.now() + timedelta(days=7)
    slots = [make_slot(1, site=site, starts=start + timedelta(hours=n)) for n in range(2)]
    last = clock.day_of(start) + timedelta(days=1)
    first = wait_for(slots[0], to_day=last)
    offer()
    decline(first)
    second = wait_for(slots[0], to_day=last)
    offer()
    assert (seen(first).state, seen(second).state) == ("waiting", "offered")
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 8, 1))
    tasks.lapse_holds()
    offer()
    assert seen(first).state == "offered"


def test_whom_the_rules_forbid_the_day_is_passed_over(site: str) -> None:
    day = clock.start_of_day(clock.today() + timedelta(days=8))
    subject_one = make_slot(1, item=EXAM, site=site, subject="科目一", starts=day + timedelta(hours=9))
    subject_two = make_slot(1, item=EXAM, site=site, subject="科目二", starts=day + timedelta(hours=11))
    has_one = book(subject_one.id)
    holder = book(subject_two.id)
    first = wait_for(subject_two, has_one.person_id)
    second = wait_for(subject_two)
    cancel(holder)
    assert offer() == 1
    assert (seen(first).state, seen(second).state) == ("waiting", "offered")


def test_an_elder_place_is_offered_to_the_first_elder(site: str) -> None:
    set_rules(site, elder_percent=50)
    slot = make_slot(1, site=site, starts=clock.now() + timedelta(days=7), kinds={"elder": 1})
    born = [date(1950, 1, 1), date(1995, 1, 1), date(1951, 1, 1)]
    old_holder, young, old = (a_person(id_no=born_on(day)) for day in born)
    holder = book(slot.id, old_holder)
    young_wait, old_wait = wait_for(slot, young), wait_for(slot, old)
    cancel(holder)
    assert offer() == 1
    assert (seen(young_wait).state, seen(old_wait).state) == ("waiting", "offered")


def test_no_offer_that_could_not_be_answered_in_time(site: str) -> None:
    starts = clock.now() + timedelta(minutes=60 + 29)
    slot = make_slot(1, site=site, starts=starts, closes_at=starts)
    wait = wait_for(slot)
    assert offer() == 0
    assert seen(wait).state == "waiting"


def test_an_offer_ends_while_people_can_still_come(site: str) -> None:
    starts = clock.now() + timedelta(minutes=60 + 32)
    slot = make_slot(1, site=site, starts=starts, closes_at=starts)
    wait = wait_for(slot)
    offer()
    told = seen(wait)
    assert told.offer is not None
    assert told.offer.held_until <= starts - timedelta(hours=1)


def on_the_day(site: str) -> tuple[booking.Slot, booking.BookingView]:
    """A slot of one place at half past two, booked; nobody can book it since midnight."""
    day = clock.today() + timedelta(days=1)
    slot = make_slot(1, site=site, starts=clock.at_local(day, 14, 30), closes_at=clock.start_of_day(day))
    return slot, book(slot.id)


@pytest.mark.parametrize(("hour", "minute", "is_offered"), [(8, 30, True), (12, 30, True), (13, 40, False)])
def test_a_place_freed_on_the_day_is_offered(site: str, hour: int, minute: int, *, is_offered: bool) -> None:
    slot, booked = on_the_day(site)
    wait = wait_for(slot)
    clock.move_to(clock.at_local(clock.day_of(slot.starts_at), hour, minute))
    run_unit(lambda u: keeping.release(u, keeping.locked(u, booked.id), "cancelled", CLOCK))
    assert kept_in(slot) == int(is_offered)
    assert offer() == int(is_offered)
    assert (seen(wait).state, kept_in(slot)) == ("offered" if is_offered else "waiting", 0)
    if is_offered:
        assert accept(wait).state == "confirmed"
    else:
        assert free_in(slot.id) == 1


def test_a_passer_by_cannot_take_what_was_freed_on_the_day(site: str) -> None:
    slot, booked = on_the_day(site)
    clock.move_to(clock.at_local(clock.day_of(slot.starts_at), 8, 30))
    cancel(booked)
    assert kept_in(slot) == 0
    with pytest.raises(booking.SlotClosed):
        hold(slot.id)


@pytest.mark.parametrize(("rules", "is_offered"), [({"offer_until_minutes": 240}, False), ({}, True)])
def test_a_site_says_until_when_it_offers(site: str, rules: dict[str, int], *, is_offered: bool) -> None:
    slot, booked = on_the_day(site)
    set_rules(site, "", offer_until_minutes=300)
    set_rules(site, ITEM, **rules or {"offer_until_minutes": 60})
    wait = wait_for(slot)
    clock.move_to(clock.at_local(clock.day_of(slot.starts_at), 10, 40))
    cancel(booked)
    assert kept_in(slot) == int(is_offered)
    assert (offer(), seen(wait).state) == (1, "offered") if is_offered else (0, "waiting")


@pytest.mark.parametrize("shut", ["closed", "urgent", "released", "not_yet"])
def test_what_may_not_be_booked_is_not_offered(site: str, shut: str) -> None:
    now = clock.now()
    how: dict[str, dict[str, Any]] = {
        "closed": {"closed_at": now},
        "urgent": {"urgent": True},
        "released": {"release_id": ids.new_id("rl")},
        "not_yet": {"opens_at": now + timedelta(days=1)},
    }
    slot = make_slot(1, site=site, starts=now + timedelta(days=7), **how[shut])
    wait = wait_for(slot)
    assert offer() == 0
    assert seen(wait).state == "waiting"
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=slot.id).update({"release_id": None})


def test_a_walk_in_place_is_never_offered(site: str) -> None:
    slot = make_slot(1, site=site, starts=clock.now() + timedelta(days=7), kinds={"walk_in": 1})
    wait_for(slot)
    assert offer() == 0


def test_a_wait_ends_with_its_last_day(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    clock.move_to(clock.start_of_day(wait.to_day + timedelta(days=1)) + timedelta(minutes=1))
    offer()
    assert seen(wait).state == "ended"
    with unit() as u:
        kinds = [row.kind for row in u.session.query(OutboxRow).filter_by(stream=wait.id)]
    assert kinds == [WaitEnded.__name__]


def test_who_books_otherwise_waits_no_more(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    book(make_slot(1).id, waiters.owner_of(wait))
    offer()
    assert seen(wait).state == "left"


def test_a_case_that_ends_ends_its_wait_and_offer(slot: booking.Slot, full: booking.BookingView) -> None:
    case_id = waiters.new_case()
    wait = wait_for(slot, case_id=case_id)
    cancel(full)
    offer()
    assert seen(wait).offer is not None
    withdrawn = CaseWithdrawn(case_id, waiters.owner_of(wait))
    run_unit(lambda u: booking.on_case_closed(u, withdrawn))
    assert (seen(wait).state, free_in(slot.id)) == ("left", 1)


def test_one_wait_for_the_same_thing(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    with pytest.raises(booking.AlreadyWaiting):
        wait_for(slot, waiters.owner_of(wait))
    leave(wait)
    assert wait_for(slot, waiters.owner_of(wait)).state == "waiting"


def test_who_has_a_booking_need_not_wait(slot: booking.Slot, full: booking.BookingView) -> None:
    with pytest.raises(booking.AlreadyBooked):
        wait_for(slot, full.person_id)


def test_a_wait_must_make_sense(slot: booking.Slot) -> None:
    day, wrong = clock.day_of(slot.starts_at), InvalidInput
    for more in (
        {"to_day": day - timedelta(days=1)},
        {"from_day": clock.today() - timedelta(days=9), "to_day": clock.today() - timedelta(days=1)},
        {"to_day": day + timedelta(days=200)},
        {"subject": "科目九"},
        {"site_id": "si-bozhou-police"},
        {"site_id": "si-nowhere"},
    ):
        with pytest.raises(wrong):
            wait_for(slot, **more)


def test_anothers_wait_looks_absent(slot: booking.Slot, full: booking.BookingView) -> None:
    wait, stranger = wait_for(slot), a_person()
    for verb in (booking.leave_wait, booking.decline_offer):
        with pytest.raises(NotYours):
            run_unit(lambda u, verb=verb: verb(u, wait.id, stranger, citizen(stranger)))  # type: ignore[misc]


def test_nothing_offered_is_nothing_to_decline(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    with pytest.raises(ImpossibleMove):
        decline(wait)
    leave(wait)
    with pytest.raises(ImpossibleMove):
        leave(wait)


def test_several_free_places_go_to_several_people(site: str) -> None:
    slot = make_slot(3, site=site, starts=clock.now() + timedelta(days=7))
    holders = [book(slot.id) for _ in range(3)]
    waits = [wait_for(slot) for _ in range(5)]
    for holder in holders:
        cancel(holder)
    assert offer() == 3
    assert [seen(one).state for one in waits] == ["offered"] * 3 + ["waiting"] * 2


def test_two_workers_offer_each_place_once(site: str) -> None:
    slot = make_slot(4, site=site, starts=clock.now() + timedelta(days=7))
    holders = [book(slot.id) for _ in range(4)]
    waits = [wait_for(slot) for _ in range(6)]
    for holder in holders:
        cancel(holder)
    counts = all_at_once([offer] * 3)
    assert sum(counts) == 4
    assert Counter(seen(one).state for one in waits[:4]) == {"offered": 4}
    assert (hands(slot), kept_in(slot)) == (4, 0)


def test_passers_by_and_workers_never_lose_a_place(site: str) -> None:
    slot = make_slot(3, site=site, starts=clock.now() + timedelta(days=7))
    holders = [book(slot.id) for _ in range(3)]
    waits = [wait_for(slot) for _ in range(3)]
    people = [a_person() for _ in range(6)]

    def pass_by(person: str) -> booking.BookingView:
        return hold(slot.id, person)

    frees = [lambda one=one: cancel(one) for one in holders]
    grabs = [lambda one=one: pass_by(one) for one in people]
    outcome = all_at_once([*frees, *grabs, offer, offer])
    offer()
    assert all(isinstance(one, booking.SlotTaken) for one in outcome[3:9])
    assert [seen(one).state for one in waits] == ["offered"] * 3
    assert (hands(slot), kept_in(slot)) == (3, 0)


def test_declining_and_running_out_at_once_passes_it_on_once(
    slot: booking.Slot, full: booking.BookingView
) -> None:
    first, second = wait_for(slot), wait_for(slot)
    cancel(full)
    offer()
    clock.advance(timedelta(minutes=31))
    all_at_once([lambda: decline(first), tasks.lapse_holds, lambda: leave(first)])
    offer()
    assert seen(first).state in ("waiting", "left")
    assert (seen(second).state, hands(slot)) == ("offered", 1)


def test_a_place_is_kept_while_offers_cannot_go_out(slot: booking.Slot, full: booking.BookingView) -> None:
    """The worker may die between the freeing and the offer: the next round finds the place."""
    wait = wait_for(slot)
    cancel(full)
    clock.advance(timedelta(hours=1))
    with pytest.raises(booking.SlotTaken):
        hold(slot.id)
    assert offer() == 1
    assert accept(wait).state == "confirmed"


def test_offers_do_not_count_as_places_thrown_away(site: str) -> None:
    set_rules(site, lapses_a_day=1)
    slot = make_slot(1, site=site, starts=clock.now() + timedelta(days=7))
    wait = wait_for(slot)
    offer()
    decline(wait)
    held = hold(slot.id, waiters.owner_of(wait))
    assert state_of(confirm(held)) == "confirmed"


def test_the_books_notice_an_offer_without_a_wait(slot: booking.Slot) -> None:
    wait = wait_for(slot)
    offer()
    told = seen(wait)
    assert told.offer is not None
    with unit() as u:
        row = u.session.get_one(WaitRow, wait.id)
        row.state = "waiting"
    with unit() as u:
        assert any(told.offer.booking_id in finding for finding in booking.check_books(u))
        u.session.get_one(WaitRow, wait.id).state = "offered"


def test_at_night_a_freed_place_is_kept_until_the_morning(
    slot: booking.Slot, full: booking.BookingView
) -> None:
    wait = wait_for(slot)
    clock.move_to(clock.at_local(clock.today(), 23))
    cancel(full)
    assert (offer(), kept_in(slot), seen(wait).state) == (0, 1, "waiting")
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 8, 1))
    assert (offer(), seen(wait).state) == (1, "offered")


def test_what_closes_before_the_morning_is_let_go_at_night(site: str) -> None:
    starts = clock.at_local(clock.today() + timedelta(days=1), 8)
    early = make_slot(1, site=site, starts=starts, closes_at=starts)
    booked = book(early.id)
    wait = wait_for(early)
    clock.move_to(clock.at_local(clock.today(), 23))
    cancel(booked)
    assert (offer(), kept_in(early), seen(wait).state) == (0, 0, "waiting")


def test_one_who_waits_keeps_one_new_place_from_the_others(site: str) -> None:
    new = make_slot(10, site=site, starts=clock.now() + timedelta(days=7))
    wait_for(new)
    clock.move_to(clock.at_local(clock.today(), 23))
    run_unit(lambda u: taking.keep_new(u, new.id))
    run_unit(lambda u: taking.keep_new(u, new.id))
    assert kept_in(new) == 1
    assert hold(new.id).state == "held"


def test_leaving_while_being_offered_leaves_no_hold_behind(
    slot: booking.Slot, full: booking.BookingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = wait_for(slot)
    cancel(full)
    look, looked = waiting.own_wait, []

    def and_then_offered(u: Unit, wait_id: str, person_id: str) -> str | None:
        found = look(u, wait_id, person_id)
        if not looked:
            looked.append(found)
            all_at_once([offer])
        return found

    monkeypatch.setattr(waiting, "own_wait", and_then_offered)
    assert leave(wait).state == "left"
    assert looked == [None]
    assert free_in(slot.id) == 1


def test_a_refusal_after_the_confirmation_cancels_nothing(
    slot: booking.Slot, full: booking.BookingView
) -> None:
    wait = wait_for(slot)
    cancel(full)
    offer()
    told, person = seen(wait).offer, waiters.owner_of(wait)
    assert told is not None
    answer = second_waits(
        lambda u: booking.confirm_booking(u, told.booking_id, person, citizen(person)),
        lambda: decline(wait),
        commit=True,
    )
    assert isinstance(answer, ImpossibleMove)
    with unit() as u:
        assert booking.booking_of(u, told.booking_id, person).state == "confirmed"
    assert (seen(wait).state, hands(slot)) == ("taken", 1)


def test_two_refusals_at_once_pass_one_offer(slot: booking.Slot, full: booking.BookingView) -> None:
    wait = wait_for(slot)
    cancel(full)
    offer()
    answers = all_at_once([lambda: decline(wait)] * 3)
    assert sum(isinstance(one, ImpossibleMove) for one in answers) == 2
    assert triggers(wait.id) == ["begun", "offered", "passed"]


def test_an_odd_refusal_of_one_stops_no_offer(
    slot: booking.Slot,
    full: booking.BookingView,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd, other = wait_for(slot), wait_for(slot)
    cancel(full)
    held = offering.hold

    def hold_or_break(u: Unit, seen: Any, wish: Any, *more: Any, **named: Any) -> booking.BookingView:
        if wish.person_id == waiters.owner_of_in(u, odd):
            raise InvalidInput
        return held(u, seen, wish, *more, **named)

    monkeypatch.setattr(offering, "hold", hold_or_break)
    assert offer() == 1
    assert (seen(odd).state, seen(other).state) == ("waiting", "offered")
    assert [one.wait_id for one in caplog.records if hasattr(one, "wait_id")] == [odd.id]
    assert waiters.owner_of(odd) not in caplog.text
