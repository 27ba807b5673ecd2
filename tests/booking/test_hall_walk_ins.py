"""Those who walk in take the places kept for them; the hall counts them as honestly as appointments."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend import booking
from backend.booking import halls, plans, tasks
from backend.booking.hall.doors import TicketView
from backend.booking.models import PlaceRow
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove
from backend.store.unit import Unit, run_unit, unit
from tests.booking.halls import OTHER_ITEM, Hall, make_hall, nine, open_the_day
from tests.booking.makers import CLERK, ITEM, free_in, hold, make_slot, set_rules
from tests.booking.planners import PLANNER
from tests.booking.test_hall import act, at_once, finish


@pytest.fixture(autouse=True)
def _nine_o_clock(_offices: None) -> None:
    open_the_day()


def slot_at(hall: Hall, minutes: int, walk_ins: int, capacity: int = 3, item: str = ITEM) -> booking.Slot:
    """Half an hour with places for walk-ins, beginning so many minutes after nine."""
    starts = nine() + timedelta(minutes=minutes)
    return make_slot(capacity, starts=starts, site=hall.site, item=item, kinds={"walk_in": walk_ins})


def walkers(slot: booking.Slot) -> list[str]:
    """The queue numbers that have places in a slot."""
    with unit() as u:
        held = u.session.query(PlaceRow).filter(PlaceRow.slot_id == slot.id, PlaceRow.ticket_id.is_not(None))
        return [place.ticket_id or "" for place in held.order_by(PlaceRow.number)]


def take(hall: Hall, item: str) -> TicketView:
    return run_unit(lambda u: booking.halls.take_number(u, hall.site, CLERK, item_id=item))


def test_a_walk_in_takes_a_place_of_the_current_slot() -> None:
    hall = make_hall()
    now, later = slot_at(hall, -10, 1), slot_at(hall, 20, 1)
    first, second = hall.walk_in(), hall.walk_in()
    assert (walkers(now), walkers(later)) == ([first.id], [second.id])
    assert not first.beyond
    assert first.starts_at is None


def test_walk_ins_leave_the_bookable_places_alone() -> None:
    hall = make_hall()
    slot = slot_at(hall, 120, 1, capacity=2)
    hall.walk_in()
    over = hall.walk_in()
    assert over.beyond
    clock.move_to(nine() - timedelta(hours=1))
    hold(slot.id)
    with unit() as u:
        assert [one.free for one in booking.free_slots(u, ITEM, site_id=hall.site)] == [0]
    with pytest.raises(booking.SlotTaken):
        hold(slot.id)


def test_nobody_takes_a_place_of_another_queue_or_day() -> None:
    hall = make_hall(False, other=1)
    other, over = slot_at(hall, 0, 1, item=OTHER_ITEM), slot_at(hall, -60, 1)
    tomorrow = slot_at(hall, 24 * 60, 1)
    assert hall.walk_in().beyond, "places were planned for today, and their time is over"
    assert (walkers(other), walkers(over), walkers(tomorrow)) == ([], [], [])
    assert walkers(other) == []
    assert not take(hall, OTHER_ITEM).beyond


def test_where_no_places_are_kept_everybody_queues() -> None:
    hall = make_hall()
    slot_at(hall, 0, 0)
    seen = hall.walk_in()
    assert (seen.beyond, seen.note) == (False, "")


def test_who_comes_beyond_the_places_is_told() -> None:
    hall = make_hall()
    slot_at(hall, 0, 1)
    assert hall.walk_in().note == ""
    seen = hall.walk_in()
    assert seen.beyond
    assert "现场名额已取完" in seen.note
    with unit() as u:
        assert "现场名额已取完" in booking.queue_of_ticket(u, seen.id).why


def test_a_strict_site_lets_nobody_queue_beyond() -> None:
    hall = make_hall()
    set_rules(hall.site, walk_ins_beyond=False)
    today, next_day = slot_at(hall, 0, 1), slot_at(hall, 24 * 60, 0)
    hall.walk_in()
    with pytest.raises(halls.WalkInsFull) as refused:
        take(hall, ITEM)
    others = refused.value.extra["alternatives"]
    assert isinstance(others, list)
    assert (others[0]["slot_id"], others[0]["item_id"]) == (next_day.id, ITEM), "the same site first"
    assert len(walkers(today)) == 1
    with pytest.raises(halls.WalkInsFull):
        hall.walk_in()


def test_a_refused_walk_in_uses_up_no_number() -> None:
    hall = make_hall()
    set_rules(hall.site, walk_ins_beyond=False)
    slot_at(hall, 0, 1)
    first = hall.walk_in()
    with pytest.raises(halls.WalkInsFull):
        take(hall, ITEM)
    run_unit(lambda u: halls.leave_ticket(u, first.id, "left", CLERK))
    assert hall.walk_in().label == "A002"


def test_walk_ins_at_once_take_different_places() -> None:
    hall = make_hall()
    set_rules(hall.site, walk_ins_beyond=False)
    slot = slot_at(hall, 0, 3)
    got = at_once(*[lambda: take(hall, ITEM)] * 6)
    assert len(set(walkers(slot))) == 3
    assert sum(isinstance(one, TicketView) for one in got) == 3
    assert sum(isinstance(one, halls.WalkInsFull) for one in got) == 3


def left(hall: Hall, ticket: TicketView) -> None:
    run_unit(lambda u: halls.leave_ticket(u, ticket.id, "left", CLERK))


def left_when_called(hall: Hall, ticket: TicketView) -> None:
    hall.call()
    left(hall, ticket)


def gave_up(hall: Hall, ticket: TicketView) -> None:
    run_unit(lambda u: booking.give_up_number(u, ticket.id, CLERK))


def absent(hall: Hall, ticket: TicketView) -> None:
    hall.call()
    for _ in range(2):
        act(booking.halls.recall_ticket, ticket)
    act(booking.halls.mark_absent, ticket)


@pytest.mark.parametrize("went", [left, left_when_called, gave_up, absent])
def test_who_leaves_unserved_frees_the_place(went: Callable[[Hall, TicketView], None]) -> None:
    hall = make_hall()
    slot = slot_at(hall, 0, 1)
    ticket = hall.walk_in()
    went(hall, ticket)
    assert walkers(slot) == []
    assert not hall.walk_in().beyond


def test_who_was_served_keeps_the_place() -> None:
    hall = make_hall()
    slot = slot_at(hall, 0, 1)
    ticket = hall.walk_in()
    act(finish, hall.call())
    assert walkers(slot) == [ticket.id]


def test_the_evening_frees_what_nobody_was_served_on() -> None:
    hall = make_hall()
    slot = slot_at(hall, 0, 2)
    served, _waiting = hall.walk_in(), hall.walk_in()
    act(finish, hall.call())
    clock.advance(timedelta(days=1))
    tasks.close_hall()
    assert walkers(slot) == [served.id]


def test_a_phone_gives_up_no_appointment() -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(0))
    assert seen.ticket is not None
    for ticket in (seen.ticket.id, act(finish, hall.call()).id):
        with pytest.raises(ImpossibleMove):
            run_unit(lambda u, t=ticket: booking.give_up_number(u, t, CLERK))  # type: ignore[misc]


def test_who_has_an_appointment_takes_no_walk_in_place() -> None:
    hall = make_hall()
    slot = slot_at(hall, 0, 2)
    hall.arrive(slot)
    assert walkers(slot) == []
    assert free_in(slot.id) == 2


def test_a_changed_plan_spares_a_slot_with_walk_ins() -> None:
    hall = make_hall()
    soon = nine() + timedelta(minutes=30)
    slot = make_slot(2, starts=soon, site=hall.site, kinds={"walk_in": 1}, group_id="")
    ticket = hall.walk_in()
    hours = [["13:00", "14:00"]]
    changed = run_unit(lambda u: plans.set_hours(u, hall.site, clock.today(), hours, "停电", PLANNER))
    assert [(one.id, one.taken) for one in changed.fitted.kept] == [(slot.id, 1)]
    assert walkers(slot) == [ticket.id]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE booking_ticket SET state = 'left', ended_at = taken_at WHERE id = :t",
        "UPDATE booking_ticket SET beyond = true WHERE id = :t",
        "UPDATE booking_slot SET starts_at = starts_at + interval '1 day' WHERE id = :s",
        "UPDATE booking_place SET ticket_id = 'tk-nobody' WHERE ticket_id = :t",
    ],
)
def test_the_books_notice_a_place_held_by_nobody(harm: str) -> None:
    hall = make_hall()
    slot, ticket = slot_at(hall, 0, 1), hall.walk_in()

    def look(u: Unit) -> list[str]:
        u.session.execute(text(harm), {"t": ticket.id, "s": slot.id})
        found = booking.check_books(u)
        u.session.rollback()
        return found

    with unit() as u:
        assert any("walk-in" in finding for finding in look(u))


@pytest.mark.parametrize("harm", ["kind = 'open'", "booking_id = 'bk-somebody'"])
def test_the_database_refuses_a_place_in_two_hands(harm: str) -> None:
    hall = make_hall()
    slot_at(hall, 0, 1)
    ticket = hall.walk_in()
    statement = text(f"UPDATE booking_place SET {harm} WHERE ticket_id = :t")
    with pytest.raises(Exception, match="walk_in_has_a_ticket"), unit() as u:
        u.session.execute(statement, {"t": ticket.id})
