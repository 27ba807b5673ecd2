"""A closed time: other times to choose from, the head of the wait list, and closings that meet what people do."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import plans, tasks
from backend.booking.closing import rehousing
from backend.booking.machine import WAIT
from backend.booking.models import BookingRow, PlaceRow, WaitRow
from backend.booking.services.keeping import locked, release
from backend.booking.views import Companion, Wish
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove, NotYours, Problem
from backend.store.unit import SYSTEM, Unit, run_unit, unit
from tests.booking.makers import (
    CLERK,
    a_person,
    book,
    born_on,
    cancel,
    citizen,
    confirm,
    free_in,
    hold,
    id_tail_of,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.planners import MONDAY, PLANNER, a_site, on_monday, seen, set_day, unset_day
from tests.booking.waiters import all_at_once, nobody_waits, offer, second_waits
from tests.cases.makers import id_number
from tests.cases.visitors import Visitors

DAY = date(2026, 10, 8)


@pytest.fixture(autouse=True)
def _monday(_sound: None) -> Iterator[None]:
    """Whoever is displaced here is gone afterwards: what the next test counts is its own."""
    on_monday()
    nobody_waits()
    yield
    with unit() as u:
        rows = u.session.query(BookingRow).filter(
            BookingRow.state == "confirmed", BookingRow.displaced_from.is_not(None)
        )
        left = [row.id for row in rows]
    for booking_id in left:
        run_unit(lambda u, one=booking_id: release(u, locked(u, one), "cancelled", SYSTEM))  # type: ignore[misc]
    offer()
    nobody_waits()


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def subject() -> str:
    """A subject of our own: nobody else's slots fit."""
    return ids.token()[:12]


def at(days: int, site: str, subject: str, capacity: int = 4, hour: int = 9, **more: Any) -> booking.Slot:
    """A slot so many days after the closed one."""
    day = DAY + timedelta(days=days)
    given = {"closes_at": clock.start_of_day(day)} | more
    return make_slot(capacity, starts=clock.at_local(day, hour), site=site, subject=subject, **given)


def closed(site: str, *who: booking.BookingView) -> None:
    set_day(site, DAY)
    rehousing.rehouse()


def target(booked: booking.BookingView) -> str | None:
    moving = seen(booked).moving
    return moving.slot_id if moving else None


def others(booked: booking.BookingView) -> list[str]:
    with unit() as u:
        return [one.slot_id for one in booking.other_times(u, booked.id, booked.person_id)]


def choose(booked: booking.BookingView, slot: booking.Slot) -> booking.BookingView:
    wish, who = Wish(slot.id, booked.person_id), citizen(booked.person_id)
    return run_unit(lambda u: booking.hold_move(u, booked.id, wish, who))


def settle(booked: booking.BookingView) -> booking.BookingView:
    who = citizen(booked.person_id)
    return run_unit(lambda u: booking.confirm_move(u, booked.id, booked.person_id, who))


def line_of(booked: booking.BookingView) -> list[tuple[str, str | None]]:
    """The person's waits: state, and the appointment each stands for."""
    with unit() as u:
        rows = u.session.query(WaitRow).filter_by(person_id=booked.person_id).order_by(WaitRow.id)
        return [(row.state, row.instead_of) for row in rows]


def wait_for(slot: booking.Slot) -> str:
    """Somebody waits for a place like this one; only tests have such a subject, so nobody asks the catalogue."""
    day, wait_id, person = clock.day_of(slot.starts_at), ids.new_id("wt"), a_person()
    with unit() as u:
        wait = WaitRow(
            id=wait_id, person_id=person, item_id=slot.item_id, subject=slot.subject, site_id=slot.site_id,
            from_day=day, to_day=day, since=clock.now(), offers=0,
        )  # fmt: skip
        u.begin(WAIT, wait, by=citizen(person), says="候补")
        u.add(wait)
    return wait_id


def wait_state(wait_id: str) -> str:
    with unit() as u:
        return u.session.get_one(WaitRow, wait_id).state


def places_of(booked: booking.BookingView) -> set[str]:
    """The slots in which a booking has places."""
    with unit() as u:
        return {row.slot_id for row in u.session.query(PlaceRow).filter_by(booking_id=booked.id)}


def test_three_other_times_are_named_beside_the_held(site: str, subject: str) -> None:
    booked, slots = book(at(0, site, subject).id), [at(n, site, subject) for n in range(1, 7)]
    full = at(1, site, subject, 1, hour=8)
    book(full.id)
    assert others(booked) == []
    closed(site)
    assert target(booked) == slots[0].id
    assert others(booked) == [slot.id for slot in slots[1:4]]
    stranger = a_person()
    with unit() as u, pytest.raises(NotYours):
        booking.other_times(u, booked.id, stranger)


def test_other_times_are_chosen_on_the_phone(town: Any, site: str, subject: str) -> None:
    import wsgi

    booked, slots = book(at(0, site, subject).id), [at(n, site, subject) for n in range(1, 4)]
    closed(site)
    who = Visitors(wsgi.app.test_client()).citizen(booked.person_id)
    at_door = f"/mp/v1/bookings/{booked.id}"
    named = who.get(f"{at_door}/other-times")
    assert [one["slot_id"] for one in named.json] == [slot.id for slot in slots[1:]]
    assert named.json[0]["site"]["id"] == site
    moved = who.post(f"{at_door}/move", {"slot_id": named.json[1]["slot_id"]})
    assert moved.json["moving"]["slot_id"] == slots[2].id
    assert who.post(f"{at_door}/move/confirmation").json["slot_id"] == slots[2].id
    assert who.get(f"{at_door}/other-times").json == []
    stranger = Visitors(wsgi.app.test_client()).citizen(a_person())
    assert stranger.get(f"{at_door}/other-times").status_code == 404


def test_the_hold_moves_over_to_the_chosen_time(site: str, subject: str) -> None:
    booked, slots = book(at(0, site, subject).id), [at(n, site, subject) for n in range(1, 4)]
    closed(site)
    clock.advance(timedelta(hours=3))
    moving = choose(booked, slots[2]).moving
    assert moving is not None
    # As long to answer as before, not the ten minutes of somebody who moves of their own will.
    assert moving.until == pytest.approx(clock.now() + timedelta(hours=21), abs=timedelta(minutes=1))
    assert places_of(booked) == {booked.slot_id, slots[2].id}
    assert (free_in(slots[0].id), free_in(slots[2].id)) == (4, 3)
    assert others(booked) == [slots[0].id, slots[1].id]
    assert settle(booked).slot_id == slots[2].id
    assert places_of(booked) == {slots[2].id}


def test_a_chosen_time_just_taken_keeps_the_hold(site: str, subject: str) -> None:
    booked, held, wanted = book(at(0, site, subject).id), at(1, site, subject), at(2, site, subject, 1)
    closed(site)
    book(wanted.id)
    with pytest.raises(booking.SlotTaken):
        choose(booked, wanted)
    assert places_of(booked) == {booked.slot_id, held.id}


def test_two_choices_at_once_leave_one_hold(site: str, subject: str) -> None:
    booked, slots = book(at(0, site, subject).id), [at(n, site, subject) for n in range(1, 6)]
    closed(site)
    works: list[Callable[[], Any]] = [lambda one=slot: choose(booked, one) for slot in slots[1:]]  # type: ignore[misc]
    told = all_at_once([*works, tasks.lapse_moves, rehousing.rehouse])
    assert not [one for one in told if isinstance(one, Exception)]
    assert len(places_of(booked)) == 2
    assert sum(free_in(slot.id) for slot in slots) == 19


def test_a_chosen_time_that_closes_is_answered_anew(site: str, subject: str) -> None:
    booked, slots = book(at(0, site, subject).id), [at(n, site, subject) for n in range(1, 4)]
    closed(site)
    choose(booked, slots[1])
    set_day(site, DAY + timedelta(days=2))
    rehousing.rehouse()
    assert target(booked) == slots[0].id


def test_limits_do_not_bind_who_must_move(site: str, subject: str) -> None:
    booked = book(at(0, site, subject).id)
    at(1, site, subject)
    second = at(4, site, subject)
    set_rules(site, booked.item_id, per_week=1)
    other = make_slot(site=site, starts=clock.at_local(DAY + timedelta(days=5), 9), subject=subject + "b")
    book(other.id, booked.person_id)
    closed(site)
    assert choose(booked, second).moving is not None


def test_places_of_the_elderly_are_for_the_elderly(site: str, subject: str) -> None:
    set_rules(site, "SI025", elder_percent=50)
    first = at(0, site, subject, 9)
    old, young = (book(first.id, a_person(id_no=born_on(date(year, 1, 1)))) for year in (1950, 1990))
    couple = book(
        first.id, a_person(id_no=born_on(date(1948, 1, 1))),
        companions=(Companion("测试乙", born_on(date(1949, 2, 2))),),
    )  # fmt: skip
    mixed = book(
        first.id, a_person(id_no=born_on(date(1947, 1, 1))),
        companions=(Companion("测试丙", born_on(date(1990, 3, 3))),),
    )  # fmt: skip
    kept = at(1, site, subject, 3, kinds={"elder": 3})
    later = at(2, site, subject, 3)
    closed(site)
    assert (target(old), target(couple)) == (kept.id, kept.id)
    assert (target(young), target(mixed)) == (later.id, later.id)


def test_who_finds_nothing_is_first_in_line(site: str, subject: str) -> None:
    first = at(0, site, subject)
    displaced = book(first.id)
    full = at(2, site, subject, 1)
    holder = book(full.id)
    waiter = wait_for(full)
    closed(site)
    assert line_of(displaced) == [("waiting", displaced.id)]
    with unit() as u:
        assert plans.displaced_on(u, site, DAY).unplaced == 1
        told = booking.facts_for(u, displaced.id)
        assert "候补最前" in told["instead"]
    cancel(holder)
    with pytest.raises(booking.SlotTaken):  # it is kept for those who wait
        hold(full.id)
    offer()
    assert target(displaced) == full.id
    assert wait_state(waiter) == "waiting"
    assert line_of(displaced) == [("taken", displaced.id)]
    assert rehousing.rehouse() == 0


def test_a_place_kept_for_others_goes_to_the_displaced(site: str, subject: str) -> None:
    displaced = book(at(0, site, subject).id)
    full = at(2, site, subject, 1)
    holder = book(full.id)
    waiter = wait_for(full)
    cancel(holder)
    closed(site)
    assert target(displaced) == full.id
    offer()
    assert wait_state(waiter) == "waiting"


def test_a_family_without_a_place_waits_together(site: str, subject: str) -> None:
    first = at(0, site, subject)
    family = book(first.id, companions=tuple(Companion("测试乙", id_number()) for _ in range(2)))
    full = at(2, site, subject, 3)
    holders = [book(full.id) for _ in range(3)]
    closed(site)
    cancel(holders[0])
    offer()
    assert target(family) is None
    for one in holders[1:]:
        cancel(one)
    rehousing.rehouse()
    offer()
    if target(family) is None:  # the first place was let go before the others came
        rehousing.rehouse()
    assert target(family) == full.id


def test_whose_time_came_waits_on_before_all_others(site: str, subject: str) -> None:
    first = at(0, site, subject)
    displaced = book(first.id)
    full = at(12, site, subject, 1)
    holder = book(full.id)
    early = wait_for(full)
    closed(site)
    clock.move_to(first.starts_at + timedelta(minutes=1))
    rehousing.rehouse()
    assert state_of(displaced) == "cancelled"
    offer()
    assert line_of(displaced) == [("waiting", displaced.id)]
    cancel(holder)
    offer()
    assert line_of(displaced) == [("offered", displaced.id)]
    assert wait_state(early) == "waiting"


@pytest.mark.parametrize("ending", ["cancelled", "opened", "chosen"])
def test_the_head_of_the_line_is_left_again(site: str, subject: str, ending: str) -> None:
    displaced = book(at(0, site, subject).id)
    closed(site)
    assert line_of(displaced) == [("waiting", displaced.id)]
    if ending == "cancelled":
        cancel(displaced)
    elif ending == "opened":
        unset_day(site, DAY)
    else:
        choose(displaced, at(3, site, subject))
    offer()
    assert line_of(displaced) == [("left", displaced.id)]


def test_who_only_held_a_place_is_told(site: str, subject: str) -> None:
    held = hold(at(0, site, subject).id)
    set_day(site, DAY, reason="停电检修")
    with pytest.raises(booking.SlotClosed):
        confirm(held)
    rehousing.rehouse()
    with unit() as u:
        told = booking.facts_for(u, held.id)
    assert ("closed_over" in told, told["closed_why"]) == (True, "停电检修")
    gone = hold(at(5, site, subject).id)
    cancel(gone)
    set_day(site, DAY + timedelta(days=5))
    with unit() as u:
        assert "closed_over" not in booking.facts_for(u, gone.id)


def test_a_part_of_a_day_is_closed(site: str, subject: str) -> None:
    morning, noon = at(0, site, subject), at(0, site, subject, hour=11)
    early, late = book(morning.id), book(noon.id)
    closing = run_unit(lambda u: plans.close_slots(u, site, [morning.id], "停电", PLANNER))
    assert (closing.closed, closing.affected) == (1, 1)
    assert run_unit(lambda u: plans.close_slots(u, site, [morning.id], "停电", PLANNER)) == plans.Closing()
    rehousing.rehouse()
    assert (seen(early).closed, seen(late).closed) == (True, False)
    with unit() as u:
        assert plans.displaced_on(u, site, DAY).slots == 1


def test_closing_the_refuge_too_finds_another(site: str, subject: str) -> None:
    people = [book(at(0, site, subject, 8).id) for _ in range(1)]
    slots = [at(n, site, subject, 1) for n in (1, 2)]
    closed(site)
    told = all_at_once([rehousing.rehouse, lambda: set_day(site, DAY + timedelta(days=1)), rehousing.rehouse])
    assert not [one for one in told if isinstance(one, Exception)]
    rehousing.rehouse()
    assert [target(one) for one in people] == [slots[1].id]
    assert free_in(slots[0].id) == 1


def _close(site: str) -> Callable[[Unit], Any]:
    return lambda u: plans.close_day(u, site, DAY, "停电", PLANNER)


@pytest.mark.parametrize("commit", [True, False])
def test_a_hold_waits_for_a_closing(site: str, subject: str, *, commit: bool) -> None:
    slot, person = at(0, site, subject), a_person()
    told = second_waits(_close(site), lambda: hold(slot.id, person), commit=commit)
    assert isinstance(told, booking.SlotClosed) if commit else told.state == "held"


def test_a_confirmation_beside_a_closing_is_answered(site: str, subject: str) -> None:
    later, held = at(1, site, subject), hold(at(0, site, subject).id)
    told = all_at_once([lambda: confirm(held), lambda: set_day(site, DAY), rehousing.rehouse])
    assert not isinstance(told[1], Exception)
    rehousing.rehouse()
    if isinstance(told[0], Problem):
        assert (state_of(held), places_of(held)) == ("cancelled", set())
    else:
        assert (state_of(held), target(held)) == ("confirmed", later.id)


def test_a_confirmation_not_yet_written_is_found(site: str, subject: str) -> None:
    """It saw the slot open; the closing does not wait for it, and the next pass finds the appointment."""
    later, held = at(1, site, subject), hold(at(0, site, subject).id)
    who = citizen(held.person_id)
    with unit() as u:
        booking.confirm_booking(u, held.id, held.person_id, who)
        (change,) = all_at_once([lambda: set_day(site, DAY)])
        assert change.slots.closed == 1
    rehousing.rehouse()
    assert target(held) == later.id


@pytest.mark.parametrize("closes", ["the old", "the new"])
def test_a_move_beside_a_closing_ends_well(site: str, subject: str, closes: str) -> None:
    old, new = (at(n, site, subject) for n in (0, 2))
    booked = book(old.id)
    choose(booked, new)
    day = DAY + timedelta(days=0 if closes == "the old" else 2)
    told = all_at_once([lambda: settle(booked), lambda: set_day(site, day), rehousing.rehouse])
    assert not isinstance(told[1], Exception)
    rehousing.rehouse()
    settled = not isinstance(told[0], Problem)
    if closes == "the old":
        assert settled
        assert (seen(booked).slot_id, target(booked)) == (new.id, None)
    elif settled:
        assert (seen(booked).slot_id, target(booked)) == (new.id, old.id)
    else:
        assert (seen(booked).slot_id, target(booked)) == (old.id, None)


def test_a_choice_waits_for_the_closing_of_its_target(site: str, subject: str) -> None:
    old, new = at(0, site, subject), at(2, site, subject)
    booked = book(old.id)
    closing: Callable[[Unit], Any] = lambda u: plans.close_day(  # noqa: E731
        u, site, DAY + timedelta(days=2), "停电", PLANNER
    )
    told = second_waits(closing, lambda: choose(booked, new), commit=True)
    assert isinstance(told, booking.SlotClosed)
    assert places_of(booked) == {old.id}


def test_who_has_checked_in_is_served_all_the_same(site: str, subject: str) -> None:
    soon = clock.now() + timedelta(minutes=30)
    slot = make_slot(starts=soon, site=site, subject=subject, closes_at=soon)
    comes, stays = book(slot.id), book(slot.id)

    def come() -> Any:
        tail = id_tail_of(comes.person_id)
        return run_unit(lambda u: booking.halls.check_in(u, comes.id, site, CLERK, id_tail=tail))

    told = all_at_once([come, lambda: set_day(site, MONDAY), rehousing.rehouse])
    assert not [one for one in told if isinstance(one, Exception)]
    rehousing.rehouse()
    assert state_of(comes) == "checked_in"
    assert (seen(comes).moving, seen(stays).closed) == (None, True)
    with pytest.raises(ImpossibleMove):
        choose(comes, at(2, site, subject))


def test_people_are_moved_in_while_their_refuge_closes(site: str, subject: str) -> None:
    """The offer is being written when the refuge is closed: the closing waits, and the offer is replaced."""
    booked, refuge, last = book(at(0, site, subject).id), at(1, site, subject), at(2, site, subject)
    set_day(site, DAY)
    told = second_waits(
        lambda u: rehousing._answer(u, booked.id), lambda: set_day(site, DAY + timedelta(days=1)), commit=True
    )
    assert told.slots.closed == 1
    assert target(booked) == refuge.id
    rehousing.rehouse()
    assert target(booked) == last.id
    assert places_of(booked) == {booked.slot_id, last.id}


def test_opened_while_people_are_moved_out_nobody_loses(site: str, subject: str) -> None:
    slot, later = at(0, site, subject, 6), at(1, site, subject, 3)
    people = [book(slot.id) for _ in range(6)]
    set_day(site, DAY)
    told = all_at_once([rehousing.rehouse, lambda: unset_day(site, DAY), rehousing.rehouse])
    assert not [one for one in told if isinstance(one, Exception)]
    rehousing.rehouse()
    offer()
    assert all(state_of(one) == "confirmed" and not seen(one).closed for one in people)
    assert free_in(later.id) >= 0
    assert not [state for one in people for state, _ in line_of(one) if state == "waiting"]


def test_a_place_cannot_be_held_twice_for_a_move(site: str, subject: str) -> None:
    booked, wanted = book(at(0, site, subject).id), at(1, site, subject)
    choose(booked, wanted)
    assert choose(booked, wanted).moving is not None
    assert free_in(wanted.id) == 3


def test_an_offer_ended_by_a_closing_is_made_again(site: str, subject: str) -> None:
    wait_id = wait_for(at(0, site, subject, capacity=1))
    assert (offer(), wait_state(wait_id)) == (1, "offered")
    closed(site)
    assert (offer(), wait_state(wait_id)) == (0, "waiting")
    unset_day(site, DAY)
    assert (offer(), wait_state(wait_id)) == (1, "offered")


def test_an_odd_refusal_of_one_leaves_the_others_served(
    site: str, subject: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slot, refuge = at(0, site, subject), at(1, site, subject)
    odd, *others_there = (book(slot.id) for _ in range(3))
    answer = rehousing._answer

    def answer_or_break(u: Unit, booking_id: str) -> bool:
        if booking_id == odd.id:
            raise booking.LimitReached
        return answer(u, booking_id)

    monkeypatch.setattr(rehousing, "_answer", answer_or_break)
    set_day(site, DAY)
    assert rehousing.rehouse() == 2
    assert [target(one) for one in (odd, *others_there)] == [None, refuge.id, refuge.id]
    assert [one.booking_id for one in caplog.records if hasattr(one, "booking_id")] == [odd.id]
    assert odd.person_id not in caplog.text
    monkeypatch.undo()
    assert (rehousing.rehouse(), target(odd)) == (1, refuge.id)
