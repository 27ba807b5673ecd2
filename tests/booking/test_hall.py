"""The hall: a number for everybody who is there, called once, in order, and ended."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend import booking
from backend.booking import tasks
from backend.booking.hall.doors import CheckedIn, TicketView
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.store.unit import Actor, Unit, run_unit, unit
from tests.booking.halls import make_hall, open_the_day, ticket_row, wait
from tests.booking.makers import CLERK, at_desk, book, id_tail_of, make_slot, state_of


@pytest.fixture(autouse=True)
def _nine_o_clock(_offices: None) -> None:
    open_the_day()


def act(verb: Callable[..., TicketView], ticket: TicketView, *more: str) -> TicketView:
    return run_unit(lambda u: verb(u, ticket.id, *more, CLERK))


def finish(u: Unit, ticket_id: str, by: Actor) -> TicketView:
    """Done, by a clerk who has looked at the ID card."""
    return booking.halls.finish_ticket(u, ticket_id, by, identity_checked=True)


def ticket_of(seen: CheckedIn) -> TicketView:
    assert seen.ticket is not None
    return seen.ticket


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each of several people got who did something at the same moment."""
    got: list[object] = []
    start = threading.Barrier(len(works))

    def do(work: Callable[[], object]) -> None:
        start.wait()
        try:
            got.append(work())
        except Exception as refused:
            got.append(refused)

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def queue_of(seen: CheckedIn) -> booking.QueueView:
    with unit() as u:
        return booking.queue_of_booking(u, seen.id, seen.person_id)


def test_check_in_gives_a_queue_number() -> None:
    hall = make_hall(True)
    slot = hall.slot(30)
    seen = hall.arrive(slot)
    ticket = ticket_of(seen)
    assert (seen.state, ticket.label, ticket.state) == ("checked_in", "A001", "waiting")
    assert ticket.starts_at == slot.starts_at
    assert hall.walk_in().label == "A002"


def test_a_second_check_in_gives_no_second_number() -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(30))
    with pytest.raises(booking.halls.AlreadyCheckedIn):
        at_desk(seen, site=hall.site, id_tail=id_tail_of(seen.person_id))
    assert hall.walk_in().label == "A002"


def test_an_item_without_windows_gets_no_number() -> None:
    hall = make_hall()
    seen = hall.arrive(make_slot(2, starts=clock.now(), item="SI027", site=hall.site))
    assert seen.ticket is None
    run_unit(lambda u: booking.halls.mark_served(u, seen.id, hall.site, CLERK, identity_checked=True))
    assert state_of(seen) == "served"


def test_numbers_taken_at_once_are_all_different() -> None:
    hall = make_hall()
    labels = {ticket.label for ticket in at_once(*[hall.walk_in] * 8) if isinstance(ticket, TicketView)}
    assert labels == {f"A00{n}" for n in range(1, 9)}


def test_a_number_for_an_item_finds_its_queue() -> None:
    hall = make_hall(other=1)
    taken = run_unit(lambda u: booking.halls.take_number(u, hall.site, CLERK, item_id="SI026"))
    assert (taken.label, taken.booking_id) == ("B001", None)
    with pytest.raises(booking.halls.NoQueueHere):
        run_unit(lambda u: booking.halls.take_number(u, hall.site, CLERK, item_id="SI018"))
    foreign = make_hall().groups["A"]
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.halls.take_number(u, hall.site, CLERK, group_id=foreign))


def test_clerks_calling_at_once_never_call_the_same() -> None:
    hall = make_hall(True, True, False, False)
    slot = hall.slot(0)
    booked = [hall.arrive(slot) for _ in range(3)]
    walked = [hall.walk_in() for _ in range(3)]
    got = at_once(*[lambda n=n: hall.call(n) for n in range(1, 5)])
    called = [ticket for ticket in got if isinstance(ticket, TicketView)]
    assert len({ticket.id for ticket in called}) == len(called) == 4, got
    assert sum(ticket.state == "waiting" for ticket in map(_now, [*map(ticket_of, booked), *walked])) == 2


def _now(ticket: TicketView) -> TicketView:
    with unit() as u:
        return booking.halls.ticket_of(u, ticket.id)


def test_one_window_serves_one_at_a_time() -> None:
    hall = make_hall()
    for _ in range(4):
        hall.walk_in()
    got = at_once(*[hall.call] * 3)
    assert sum(isinstance(one, TicketView) for one in got) == 1, got
    assert sum(isinstance(one, booking.halls.WindowBusy) for one in got) == 2, got
    with pytest.raises(booking.halls.WindowBusy) as busy:
        hall.call()
    assert "label" in busy.value.extra


def test_a_marked_window_calls_booked_people_first() -> None:
    hall = make_hall(True, False)
    first, second = hall.walk_in(), hall.walk_in()
    wait(20)
    booked = ticket_of(hall.arrive(hall.slot(30)))
    assert hall.call(1).id == booked.id
    assert hall.call(2).id == first.id
    act(finish, booked)
    assert hall.call(1).id == second.id


def test_who_comes_after_the_appointment_queues_like_a_walk_in() -> None:
    hall = make_hall(True)
    slot = hall.slot(0)
    wait(25)
    walked = hall.walk_in()
    wait(10)
    late = ticket_of(hall.arrive(slot))
    assert late.starts_at is None
    assert [hall.call().id, act(finish, walked).id, hall.call().id] == [
        walked.id, walked.id, late.id,
    ]  # fmt: skip


def test_a_shut_window_and_an_empty_queue_call_nobody() -> None:
    hall = make_hall()
    with pytest.raises(booking.halls.NobodyWaiting):
        hall.call()
    hall.walk_in()
    run_unit(
        lambda u: u.session.execute(
            text("UPDATE booking_window SET open = false WHERE site_id = :s"), {"s": hall.site}
        )
    )
    with pytest.raises(booking.halls.WindowShut):
        hall.call()
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.halls.call_next(u, ids.new_id("wi"), CLERK))


def test_calling_finishing_and_serving_go_together() -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(0))
    called = hall.call()
    assert (called.id, called.window, called.calls, state_of(seen)) == (ticket_of(seen).id, 1, 1, "called")
    assert act(finish, called).state == "finished"
    assert state_of(seen) == "served"
    with pytest.raises(ImpossibleMove):
        act(finish, called)


def test_a_number_is_finished_only_after_a_call() -> None:
    ticket = make_hall().walk_in()
    at = booking.halls
    for verb in (at.finish_ticket, at.recall_ticket, at.pass_ticket, at.mark_absent):
        with pytest.raises(ImpossibleMove):
            act(verb, ticket)
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.halls.recall_ticket(u, ids.new_id("tk"), CLERK))


@pytest.mark.parametrize("called", [False, True])
def test_served_at_the_desk_ends_the_number_too(called: bool) -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(0))
    if called:
        hall.call()
    run_unit(lambda u: booking.halls.mark_served(u, seen.id, hall.site, CLERK, identity_checked=True))
    assert (_now(ticket_of(seen)).state, state_of(seen)) == ("finished", "served")


def test_absent_is_only_who_was_called_three_times() -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(0))
    ticket = hall.call()
    act(booking.halls.recall_ticket, ticket)
    with pytest.raises(booking.halls.CalledTooLittle):
        act(booking.halls.mark_absent, ticket)
    assert act(booking.halls.recall_ticket, ticket).calls == 3
    assert act(booking.halls.mark_absent, ticket).state == "absent"
    assert state_of(seen) == "left"


def test_nobody_is_called_out_without_end() -> None:
    hall = make_hall()
    hall.walk_in()
    ticket = hall.call()
    for _ in range(5):
        act(booking.halls.recall_ticket, ticket)
    with pytest.raises(booking.halls.CalledEnough):
        act(booking.halls.recall_ticket, ticket)


def test_who_is_passed_over_lets_three_go_first() -> None:
    hall = make_hall()
    tickets = [hall.walk_in() for _ in range(6)]
    act(booking.halls.pass_ticket, hall.call())
    order = []
    for _ in range(5):
        order.append(hall.call())
        act(finish, order[-1])
        wait(1)
    assert [one.label for one in order] == ["A002", "A003", "A004", "A001", "A005"]
    assert order[3].calls == 2
    assert tickets[0].id == order[3].id


def test_a_booked_person_passed_over_is_checked_in_again() -> None:
    hall = make_hall(True)
    seen = hall.arrive(hall.slot(0))
    passed = act(booking.halls.pass_ticket, hall.call())
    assert (passed.state, passed.window, state_of(seen)) == ("waiting", None, "checked_in")
    assert hall.call().id == passed.id, "alone in the queue, so there is nobody to let go first"


def test_a_transfer_keeps_number_and_place_in_time() -> None:
    hall = make_hall(False, other=1)
    seen = hall.arrive(hall.slot(0))
    wait(1)
    later = hall.walk_in("B")
    moved = act(booking.halls.transfer_ticket, hall.call(), hall.groups["B"])
    assert (moved.label, moved.group_id, moved.calls) == ("A001", hall.groups["B"], 0)
    assert state_of(seen) == "checked_in"
    assert hall.call(2).id == moved.id
    act(finish, moved)
    assert hall.call(2).id == later.id


def test_a_transfer_goes_to_another_queue_of_the_site() -> None:
    hall = make_hall()
    hall.walk_in()
    called = hall.call()
    with pytest.raises(booking.halls.SameGroup):
        act(booking.halls.transfer_ticket, called, hall.groups["A"])
    with pytest.raises(NotYours):
        act(booking.halls.transfer_ticket, called, make_hall().groups["A"])


def test_the_end_of_the_day_ends_every_number() -> None:
    tasks.close_hall()  # what other days have left behind
    hall = make_hall()
    slot = hall.slot(0)
    served, waiting = hall.arrive(slot), hall.arrive(slot)
    walked, called = hall.walk_in(), hall.call()
    assert called.id == ticket_of(served).id
    assert tasks.close_hall() == 0, "the day is not over"
    clock.advance(timedelta(days=1))
    assert tasks.close_hall() >= 3
    assert [_now(one).state for one in (ticket_of(served), ticket_of(waiting), walked)] == [
        "finished", "left", "left",
    ]  # fmt: skip
    assert (state_of(served), state_of(waiting)) == ("served", "left")
    assert hall.walk_in().label == "A001", "numbers begin anew each day"
    assert hall.call().label == "A001", "the window is free again"


def test_one_broken_number_does_not_keep_the_others_open(caplog: pytest.LogCaptureFixture) -> None:
    hall = make_hall()
    broken, sound = ticket_of(hall.arrive(hall.slot(0))), hall.walk_in()
    harm = "UPDATE booking_booking SET state = :s WHERE id = :b"
    run_unit(lambda u: u.session.execute(text(harm), {"s": "confirmed", "b": broken.booking_id}))
    clock.advance(timedelta(days=1))
    tasks.close_hall()
    assert (_now(broken).state, _now(sound).state) == ("waiting", "left")
    assert [line.message for line in caplog.records] == ["a ticket could not be closed"]
    run_unit(lambda u: u.session.execute(text(harm), {"s": "checked_in", "b": broken.booking_id}))
    assert tasks.close_hall() == 1


def test_who_came_where_no_numbers_are_given_was_served() -> None:
    hall = make_hall()
    seen = hall.arrive(make_slot(2, starts=clock.now(), item="SI027", site=hall.site))
    clock.advance(timedelta(days=1))
    assert tasks.close_hall() >= 1
    assert state_of(seen) == "served"


def test_people_see_how_many_are_ahead_and_how_long() -> None:
    hall = make_hall(False, False)
    slot = hall.slot(0)
    booked = [hall.arrive(slot) for _ in range(4)]
    assert [(queue_of(one).ahead, queue_of(one).minutes) for one in booked] == [
        (0, 0),
        (1, 15),
        (2, 30),
        (3, 45),
    ]
    hall.call(1), hall.call(2)
    assert (queue_of(booked[2]).ahead, queue_of(booked[2]).minutes) == (0, 15)
    seen = queue_of(booked[0])
    assert (seen.state, seen.window, seen.ahead, seen.minutes) == ("called", 1, None, None)


def test_the_pace_of_the_day_tells_how_long() -> None:
    hall = make_hall(False)
    for _ in range(4):
        hall.walk_in()
    for _ in range(3):
        called = hall.call()
        wait(4)
        act(finish, called)
    hall.call()
    last = hall.walk_in()
    with unit() as u:
        assert booking.queue_of_ticket(u, last.id).minutes in (4, 5), "rounded up from what the clock ran"


def test_before_check_in_there_is_no_place_in_the_queue() -> None:
    hall = make_hall()
    slot = hall.slot(60)
    clock.advance(timedelta(hours=-3))
    booked = book(slot.id)
    with unit() as u:
        with pytest.raises(booking.NotInQueue):
            booking.queue_of_booking(u, booked.id, booked.person_id)
        with pytest.raises(NotYours):
            booking.queue_of_booking(u, booked.id, ids.new_id("ps"))
        with pytest.raises(NotYours):
            booking.queue_of_ticket(u, ids.new_id("tk"))


def test_the_screen_shows_numbers_and_windows_only() -> None:
    hall = make_hall(False, False, other=1)
    seen = hall.arrive(hall.slot(0))
    for _ in range(3):
        hall.walk_in()
    first, second = hall.call(1), hall.call(2)
    assert first.booking_id == seen.id
    wait(1)
    act(booking.halls.recall_ticket, first)
    act(booking.halls.pass_ticket, second)
    screen = hall.screen()
    assert [(call.label, call.window, call.calls, call.open) for call in screen.calls] == [
        ("A001", 1, 2, True)
    ]
    assert [(group.letter, group.waiting, group.passed) for group in screen.groups] == [
        ("A", 3, ("A002",)), ("B", 0, ()),
    ]  # fmt: skip
    act(finish, first)
    assert [call.open for call in hall.screen().calls] == [False]
    clock.advance(timedelta(days=1))
    assert hall.screen().calls == ()
    assert tasks.close_hall() > 0


def test_the_screen_forgets_all_but_the_last_twenty() -> None:
    hall = make_hall()
    for _ in range(22):
        hall.walk_in()
        act(finish, hall.call())
    labels = [call.label for call in hall.screen().calls]
    assert labels == [f"A{n:03d}" for n in range(22, 2, -1)]


def test_the_clerk_sees_windows_and_the_line() -> None:
    hall = make_hall(True, other=1)
    walked, booked = hall.walk_in(), ticket_of(hall.arrive(hall.slot(30)))
    called = hall.call()
    with unit() as u:
        a, b = booking.halls.queues_at(u, hall.site)
    assert called.id == walked.id, "the appointment was not due yet"
    assert [one.label for one in a.waiting] == [booked.label]
    assert (a.windows[0].booked_first, a.windows[0].ticket) == (True, called)
    assert (b.letter, b.waiting, b.windows[0].ticket) == ("B", (), None)


def test_a_number_tells_its_life_in_the_journal() -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(0))
    ticket = hall.call()
    act(booking.halls.recall_ticket, ticket)
    act(finish, ticket)
    with unit() as u:
        assert [line.trigger for line in u.journal_of(ticket.id)] == [
            "begun",
            "called",
            "recalled",
            "finished",
        ]
        assert [line.trigger for line in u.journal_of(seen.id)][-4:] == [
            "checked_in",
            "called",
            "recalled",
            "served",
        ]


def test_a_booking_is_found_by_its_number_at_the_machine() -> None:
    hall = make_hall()
    slot = hall.slot(90)
    clock.advance(timedelta(hours=-3))
    booked = book(slot.id)
    clock.move_to(slot.starts_at)
    typed = f"{booked.number[:4].lower()} {booked.number[4:]}"
    code = booked.check_in_code or ""
    seen = run_unit(lambda u: booking.halls.check_in_by_number(u, typed, hall.site, CLERK, code=code))
    assert seen is not None
    assert ticket_of(seen).label == "A001"
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.halls.check_in_by_number(u, "Y0000000000Z", hall.site, CLERK, code=code))


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        ("UPDATE booking_booking SET state = 'checked_in' WHERE id = :b", "called and its booking is not"),
        ("UPDATE booking_ticket SET state = 'waiting' WHERE id = :t", "without a called ticket"),
        ("UPDATE booking_ticket SET window_id = NULL WHERE id = :t", "has no window"),
        ("UPDATE booking_ticket SET person_id = 'ps-x' WHERE id = :t", "do not belong together"),
        ("UPDATE booking_ticket SET ended_at = called_at WHERE id = :t", "has no end"),
    ],
)
def test_the_books_notice_what_does_not_fit(harm: str, fault: str) -> None:
    hall = make_hall()
    seen = hall.arrive(hall.slot(0))
    ticket = hall.call()

    def look(u: Unit) -> list[str]:
        u.session.execute(text(harm), {"t": ticket.id, "b": seen.id})
        found = booking.check_books(u)
        u.session.rollback()
        return found

    with unit() as u:
        assert any(fault in finding for finding in look(u))
    assert ticket_row(ticket.id).state == "called"
