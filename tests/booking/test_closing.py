"""A closed day: everybody who had an appointment is offered another time once, and nobody is blamed."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import plans, tasks
from backend.booking.closing import rehousing
from backend.booking.services import keeping
from backend.booking.services.holding import hold as write_hold
from backend.booking.services.looking import look
from backend.booking.views import Companion, Wish
from backend.contracts import BookingDisplaced, BookingRestored
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours
from backend.store import lean
from backend.store.unit import SYSTEM, run_unit, unit
from tests.booking.makers import (
    a_person,
    book,
    cancel,
    citizen,
    confirm,
    free_in,
    hold,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.planners import MONDAY, PLANNER, a_site, on_monday, seen, set_day, slots_at, unset_day
from tests.cases.makers import id_number

DAY = date(2026, 10, 8)
POLICE = "si-bozhou-police"


@pytest.fixture(autouse=True)
def _monday() -> None:
    on_monday()


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def subject() -> str:
    """A subject of our own: nobody else's slots fit."""
    return ids.token()[:12]


def at(day: date, hour: int, site: str, subject: str, capacity: int = 4, **more: Any) -> booking.Slot:
    given = {"closes_at": clock.start_of_day(day)} | more
    return make_slot(capacity, starts=clock.at_local(day, hour), site=site, subject=subject, **given)


def told(booked: booking.BookingView) -> list[bool]:
    """What the person was told of closings: whether another time was found."""
    found = "SELECT payload->>'found' FROM store_outbox WHERE kind = %s AND stream = %s ORDER BY id"
    with unit() as u:
        rows = lean.execute(u.session, found, (BookingDisplaced.__name__, booked.id)).fetchall()
    return [value == "true" for (value,) in rows]


def restored(booked: booking.BookingView) -> int:
    """How often the person was told that the old time is open again."""
    found = "SELECT count(*) FROM store_outbox WHERE kind = %s AND stream = %s"
    with unit() as u:
        row = lean.execute(u.session, found, (BookingRestored.__name__, booked.id)).fetchone()
    return int(row[0]) if row else 0


def settle(moved: booking.BookingView) -> booking.BookingView:
    who = citizen(moved.person_id)
    return run_unit(lambda u: booking.confirm_move(u, moved.id, moved.person_id, who))


def test_the_next_place_is_held_for_everybody(site: str, subject: str) -> None:
    closed, later = at(DAY, 9, site, subject), at(DAY + timedelta(days=1), 9, site, subject)
    people = [book(closed.id) for _ in range(3)]
    change = set_day(site, DAY)
    assert (change.slots.closed, change.slots.affected) == (1, 3)
    rehousing.rehouse()
    for one in map(seen, people):
        assert one.state == "confirmed"
        assert one.moving is not None
        assert one.moving.slot_id == later.id
        assert one.moving.until == pytest.approx(clock.now() + timedelta(hours=24), abs=timedelta(minutes=1))
        assert told(one) == [True]
    assert rehousing.rehouse() == 0
    assert free_in(later.id) == 1
    moved = settle(people[0])
    assert (moved.slot_id, moved.moving) == (later.id, None)
    with unit() as u:
        how_far = plans.displaced_on(u, site, DAY)
    assert (how_far.slots, how_far.offered, how_far.moved, how_far.waiting) == (1, 2, 1, 0)


def test_the_same_site_comes_before_a_sooner_time(site: str, subject: str) -> None:
    closed, other = at(DAY, 9, site, subject), a_site()
    at(MONDAY + timedelta(days=1), 9, other, subject)
    own = at(DAY + timedelta(days=5), 9, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    assert target(booked) == own.id


def test_another_site_helps_when_ours_is_full(site: str, subject: str) -> None:
    closed, other = at(DAY, 9, site, subject), a_site()
    soonest = at(DAY, 10, other, subject)
    at(DAY + timedelta(days=1), 9, other, subject)
    at(DAY + timedelta(days=1), 9, site, subject, closed_at=clock.now())
    at(DAY + timedelta(days=1), 10, site, subject, urgent=True)
    at(DAY + timedelta(days=1), 11, site, subject, opens_at=clock.now() + timedelta(days=1))
    at(MONDAY, 17, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    assert target(booked) == soonest.id


def test_a_family_stays_together(site: str, subject: str) -> None:
    closed = at(DAY, 9, site, subject)
    family = book(closed.id, companions=tuple(Companion("测试乙", id_number()) for _ in range(2)))
    small, large = (
        at(DAY + timedelta(days=n), 9, site, subject, capacity) for n, capacity in ((1, 2), (2, 3))
    )
    set_day(site, DAY)
    rehousing.rehouse()
    assert target(family) == large.id
    assert (free_in(small.id), free_in(large.id)) == (2, 0)


def test_who_finds_no_place_is_told_once_and_tried_again(site: str, subject: str) -> None:
    booked = book(at(DAY, 9, site, subject).id)
    set_day(site, DAY)
    rehousing.rehouse()
    assert rehousing.rehouse() == 0
    assert told(booked) == [False]
    assert state_of(booked) == "confirmed"
    later = at(DAY + timedelta(days=1), 9, site, subject)
    rehousing.rehouse()
    assert told(booked) == [False, True]
    assert target(booked) == later.id


def test_an_offer_that_passed_is_not_repeated(site: str, subject: str) -> None:
    closed, later = at(DAY, 9, site, subject), at(DAY + timedelta(days=1), 9, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    clock.advance(timedelta(hours=24, minutes=1))
    tasks.lapse_moves()
    assert rehousing.rehouse() == 0
    assert (state_of(booked), target(booked), told(booked)) == ("confirmed", None, [True])
    # The owner still chooses freely, even too late for the rules of a slot that stands.
    clock.move_to(closed.starts_at - timedelta(hours=1))
    who = citizen(booked.person_id)
    wish = Wish(later.id, booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, wish, who))
    assert settle(booked).slot_id == later.id


def test_when_the_time_comes_nobody_is_blamed(site: str, subject: str) -> None:
    closed = at(DAY, 9, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    clock.move_to(closed.starts_at + timedelta(minutes=1))
    rehousing.rehouse()
    assert state_of(booked) == "cancelled"
    clock.advance(timedelta(days=1))
    tasks.mark_those_missed()
    assert state_of(booked) == "cancelled"
    with unit() as u:
        assert plans.displaced_on(u, site, DAY).cancelled == 1


def test_an_offer_still_held_outlives_the_old_time(site: str, subject: str) -> None:
    clock.move_to(clock.at_local(DAY, 8))
    closed = at(DAY, 9, site, subject, closes_at=clock.at_local(DAY, 9))
    later = at(DAY + timedelta(days=4), 9, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    clock.move_to(clock.at_local(DAY + timedelta(days=1), 7))
    tasks.mark_those_missed()
    assert rehousing.rehouse() == 0
    assert settle(booked).slot_id == later.id


def test_an_offer_ends_before_its_own_slot_closes(site: str, subject: str) -> None:
    closed, soon = at(DAY, 9, site, subject), at(MONDAY + timedelta(days=1), 9, site, subject)
    set_rules(site, closed.item_id, closure_hours=48)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    moving = seen(booked).moving
    assert moving is not None
    assert (moving.slot_id, moving.until) == (soon.id, clock.start_of_day(MONDAY + timedelta(days=1)))


def test_a_place_only_held_is_given_up(site: str, subject: str) -> None:
    held = hold(at(DAY, 9, site, subject).id)
    set_day(site, DAY)
    rehousing.rehouse()
    assert state_of(held) == "cancelled"
    with pytest.raises(booking.SlotClosed):
        confirm(held)


def test_nobody_new_gets_into_a_closed_slot(site: str, subject: str) -> None:
    closed = at(DAY, 9, site, subject)
    set_day(site, DAY)
    with pytest.raises(booking.SlotClosed):
        hold(closed.id)


@pytest.mark.parametrize("sure", [False, True])
def test_who_looked_before_the_closing_is_found(site: str, subject: str, *, sure: bool) -> None:
    closed, later = at(DAY, 9, site, subject), at(DAY + timedelta(days=1), 9, site, subject)
    person = a_person()
    with unit() as u:
        looked = look(u, closed.id, person)
        thread = threading.Thread(target=set_day, args=(site, DAY))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()  # the closing waits for whoever has looked
        wish, until = Wish(closed.id, person), clock.now() + timedelta(minutes=10)
        held = write_hold(u, looked, wish, citizen(person), until=until)
        if sure:  # as a draw does
            keeping.step(u, keeping.locked(u, held.id), "confirmed", SYSTEM)
    thread.join()
    rehousing.rehouse()
    assert (state_of(held), target(held)) == (("confirmed", later.id) if sure else ("cancelled", None))


def test_a_move_into_a_closed_slot_is_dropped(site: str, subject: str) -> None:
    old, wanted = at(DAY, 9, site, subject), at(DAY + timedelta(days=1), 9, site, subject)
    booked = book(old.id)
    who, wish = citizen(booked.person_id), Wish(wanted.id, booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, wish, who))
    set_day(site, DAY + timedelta(days=1))
    rehousing.rehouse()
    assert (target(booked), seen(booked).slot_id, told(booked)) == (None, old.id, [])


def test_an_offer_that_is_closed_too_is_replaced(site: str, subject: str) -> None:
    slots = [at(DAY + timedelta(days=n), 9, site, subject) for n in range(3)]
    booked = book(slots[0].id)
    set_day(site, DAY)
    rehousing.rehouse()
    assert target(booked) == slots[1].id
    set_day(site, DAY + timedelta(days=1))
    rehousing.rehouse()
    assert target(booked) == slots[2].id
    assert told(booked) == [True, True]
    assert free_in(slots[1].id) == 4


def test_who_moved_into_a_closed_slot_is_moved_on(site: str, subject: str) -> None:
    slots = [at(DAY + timedelta(days=n), 9, site, subject) for n in range(3)]
    booked = book(slots[0].id)
    set_day(site, DAY)
    rehousing.rehouse()
    settle(booked)
    set_day(site, DAY + timedelta(days=1))
    rehousing.rehouse()
    assert target(booked) == slots[2].id


def test_half_done_work_is_finished_and_offered_once(site: str, subject: str) -> None:
    closed, later = at(DAY, 9, site, subject, 8), at(DAY + timedelta(days=1), 9, site, subject, 6)
    people = [book(closed.id) for _ in range(8)]
    set_day(site, DAY)
    assert run_unit(lambda u: rehousing._answer(u, people[3].id))
    threads = [threading.Thread(target=rehousing.rehouse) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told(one)[0] for one in people) == [False, False] + [True] * 6
    assert all(len(told(one)) == 1 for one in people)
    assert free_in(later.id) == 0


def test_a_day_opened_again_has_its_bookings_still(site: str, subject: str) -> None:
    closed, later = at(DAY, 9, site, subject), at(DAY + timedelta(days=1), 9, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    assert unset_day(site, DAY).slots.reopened == 1
    assert all(one.closed_at is None for one in slots_at(site))
    book(closed.id)
    who = citizen(booked.person_id)
    run_unit(lambda u: booking.drop_move(u, booked.id, booked.person_id, who))
    assert rehousing.rehouse() == 0
    assert (seen(booked).slot_id, free_in(later.id)) == (closed.id, 4)
    with unit() as u:
        assert any("恢复开放" in line.says for line in u.journal_of(booked.id))
    assert restored(booked) == 1
    # A second closing owes a second answer.
    set_day(site, DAY)
    rehousing.rehouse()
    assert told(booked) == [True, True]
    unset_day(site, DAY)
    assert restored(booked) == 2


def test_who_was_not_told_of_the_closing_hears_nothing(site: str, subject: str) -> None:
    booked = book(at(DAY, 9, site, subject).id)
    set_day(site, DAY)
    unset_day(site, DAY)
    assert restored(booked) == 0


def test_facts_tell_a_time_that_passed_closed(site: str, subject: str) -> None:
    closed, mine = at(DAY, 9, site, subject), at(DAY, 11, site, subject)
    booked, own = book(closed.id), book(mine.id)
    set_day(site, DAY, reason="设备检修，只开一场。")
    rehousing.rehouse()
    facts = run_unit(lambda u: booking.facts_for(u, booked.id))
    assert (facts["closed_why"], facts["closed_brief"]) == ("设备检修，只开一场", "设备检修")
    cancel(own)
    assert "closed_over" not in run_unit(lambda u: booking.facts_for(u, own.id))
    clock.move_to(closed.starts_at + timedelta(minutes=1))
    rehousing.rehouse()
    facts = run_unit(lambda u: booking.facts_for(u, booked.id))
    assert (facts["closed_why"], "not_after" in facts) == ("设备检修，只开一场", False)
    assert "closed_over" in facts


def test_who_believed_the_closing_has_missed_nothing(site: str, subject: str) -> None:
    closed = at(DAY, 9, site, subject)
    booked = book(closed.id)
    set_day(site, DAY)
    rehousing.rehouse()
    unset_day(site, DAY)
    clock.move_to(clock.at_local(DAY + timedelta(days=1), 8))
    tasks.mark_those_missed()
    rehousing.rehouse()
    assert state_of(booked) == "cancelled"


def test_a_slot_closed_by_itself_stays_closed(site: str, subject: str) -> None:
    alone, other = at(DAY, 9, site, subject), at(DAY, 10, site, subject)
    run_unit(lambda u: plans.close_slots(u, site, [alone.id], "系统维护", PLANNER))
    assert set_day(site, DAY).slots.closed == 1
    assert set_day(site, DAY, reason="停电").slots.closed == 0
    with pytest.raises(plans.NotThisDay):
        run_unit(lambda u: plans.reopen_slots(u, site, [alone.id], PLANNER))
    unset_day(site, DAY)
    assert [one.id for one in slots_at(site) if one.closed_at] == [alone.id]
    assert run_unit(lambda u: plans.reopen_slots(u, site, [alone.id, other.id], PLANNER)).reopened == 1


def test_shorter_hours_close_what_lies_outside(site: str) -> None:
    slot_ids = _planned(site)
    booked = book(slot_ids["11:00"])
    change = set_day(site, DAY, [["09:00", "11:00"]])
    assert (change.slots.closed, change.slots.affected, change.fitted.removed) == (1, 1, 0)
    rehousing.rehouse()
    assert target(booked) is not None
    unset_day(site, DAY)
    assert all(one.closed_at is None for one in slots_at(site))


def test_a_day_gone_by_and_foreign_slots_are_refused(site: str, subject: str) -> None:
    slot = at(MONDAY, 9, site, subject)
    with pytest.raises(plans.NotThisDay):
        set_day(site, MONDAY - timedelta(days=1))
    with pytest.raises(NotYours):
        unset_day(site, DAY)
    with pytest.raises(NotYours):
        run_unit(lambda u: plans.close_slots(u, POLICE, [slot.id], "停电", PLANNER))
    with pytest.raises(plans.NotThisDay):
        run_unit(lambda u: plans.close_slots(u, site, [slot.id], "停电", PLANNER))


def _planned(site: str) -> dict[str, str]:
    """Hourly slots of the day by a pattern: time → id."""
    run_unit(lambda u: plans.add_pattern(u, site, _wish(), PLANNER))
    on_day = [one for one in slots_at(site) if clock.day_of(one.starts_at) == DAY]
    return {f"{clock.local(one.starts_at):%H:%M}": one.id for one in on_day}


def _wish() -> plans.PatternWish:
    return plans.PatternWish("SI025", (1, 2, 3, 4, 5), "09:00", "12:00", 60, 4, date(2026, 9, 1))


def target(booked: booking.BookingView) -> str | None:
    """The slot that is held for a move."""
    moving = seen(booked).moving
    return moving.slot_id if moving else None
