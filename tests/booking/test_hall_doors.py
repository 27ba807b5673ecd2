"""What the clerk compares and records, which windows are open today, and what those who wait are told."""

from datetime import datetime, timedelta

import pytest

from backend import booking
from backend.booking import Companion, halls, plans, tasks
from backend.booking.hall.doors import CheckedIn, TicketView
from backend.booking.plan.views import GroupWish, WindowWish
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours
from backend.store.unit import run_unit, unit
from tests.booking.halls import OTHER_ITEM, Hall, make_hall, nine, open_the_day, wait
from tests.booking.makers import CLERK, ITEM, a_person, at_desk, book, id_tail_of, make_slot, state_of
from tests.booking.planners import PLANNER
from tests.booking.test_hall import act, at_once, finish, queue_of, ticket_of
from tests.cases.makers import id_number
from tests.cases.visitors import Answer, Visitor, Visitors

LAND, POLICE = "BZ-GT", "BZ-GA"


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture(autouse=True)
def _nine_o_clock(_offices: None) -> None:
    open_the_day()


def slug(answer: Answer) -> str:
    return str(answer.json["type"]).rpartition(":")[2]


def family_at(hall: Hall) -> booking.BookingView:
    """Two people with an appointment at nine, booked this morning."""
    slot = make_slot(4, starts=nine(), site=hall.site)
    clock.move_to(nine() - timedelta(hours=3))
    booked = book(slot.id, companions=(Companion("欧阳测试", id_number()),))
    clock.move_to(nine())
    return booked


def with_code(hall: Hall, booked: booking.BookingView) -> CheckedIn:
    with unit() as u:
        code = booking.booking_of(u, booked.id, booked.person_id).check_in_code or ""
    seen = at_desk(booked, code, hall.site)
    assert isinstance(seen, CheckedIn)
    return seen


def journal_facts(matter: str, trigger: str) -> dict[str, object]:
    with unit() as u:
        return next(dict(one.facts) for one in u.journal_of(matter) if one.trigger == trigger)


def test_the_clerk_sees_whose_cards_to_compare(visitors: Visitors) -> None:
    hall = make_hall()
    booked = family_at(hall)
    [line] = visitors.officer(LAND).get(f"/dept/v1/sites/{hall.site}/bookings").json["items"]
    visit = line["visit"]
    tail = id_tail_of(booked.person_id)
    assert (visit["number"], visit["item_name"], visit["party"]) == (booked.number, booked.item_name, 2)
    assert visit["booker"]["name_masked"] == "测**"
    assert visit["booker"]["id_no_masked"].endswith(f"********{tail}")
    assert [one["name_masked"] for one in visit["companions"]] == ["欧阳**"]
    assert visit["companions"][0]["id_no_masked"][6:14] == "********"
    assert (visit["urgent"], visit["urgent_label"], visit["identity_checked_at"]) == (False, "", None)


def test_a_ticket_carries_the_appointment_behind_it(visitors: Visitors) -> None:
    hall = make_hall()
    seen = with_code(hall, family_at(hall))
    called = hall.call()
    assert called.visit is not None
    assert (called.visit.booking_id, called.visit.state) == (seen.id, "called")
    assert (called.visit.booker.name_masked, len(called.visit.companions)) == ("测**", 1)
    [group] = visitors.officer(LAND).get(f"/dept/v1/sites/{hall.site}/queues").json
    assert group["windows"][0]["ticket"]["visit"]["number"] == seen.number
    assert group["windows"][0]["ticket"]["item_name"] == seen.item_name != ""


def test_of_a_walk_in_only_the_item_is_known() -> None:
    hall = make_hall()
    seen = run_unit(lambda u: booking.halls.take_number(u, hall.site, CLERK, item_id=ITEM))
    assert (seen.visit, seen.item_id) == (None, ITEM)
    assert seen.item_name != ""
    assert hall.walk_in().item_id is None


def test_the_public_never_sees_the_visit(visitors: Visitors) -> None:
    hall = make_hall()
    seen = with_code(hall, family_at(hall))
    for path in (f"/mp/v1/tickets/{ticket_of(seen).id}", f"/screen/v1/sites/{hall.site}/calls"):
        told = visitors.stranger().get(path).text
        assert "visit" not in told
        assert seen.number not in told


def test_nobody_is_served_before_the_card_was_seen() -> None:
    hall = make_hall()
    seen = with_code(hall, family_at(hall))
    called = hall.call()
    with pytest.raises(halls.IdentityUnchecked):
        act(booking.halls.finish_ticket, called)
    with pytest.raises(halls.IdentityUnchecked):
        run_unit(lambda u: booking.halls.mark_served(u, seen.id, hall.site, CLERK))
    assert state_of(seen) == "called"
    done = act(finish, called)
    assert done.visit is not None
    assert done.visit.identity_checked_at is not None
    assert journal_facts(seen.id, "served")["identity"] == "at_window"


def test_a_card_seen_at_check_in_is_enough() -> None:
    hall = make_hall()
    booked = family_at(hall)
    seen = at_desk(booked, site=hall.site, id_tail=id_tail_of(booked.person_id))
    assert isinstance(seen, CheckedIn)
    assert seen.visit is not None
    assert seen.visit.identity_checked_at is not None
    served = run_unit(lambda u: booking.halls.mark_served(u, seen.id, hall.site, CLERK))
    assert served.state == "served"
    assert journal_facts(seen.id, "served")["identity"] == "at_check_in"


def test_a_machine_at_the_door_checks_nobody() -> None:
    hall = make_hall()
    booked = family_at(hall)
    tail = id_tail_of(booked.person_id)
    run_unit(lambda u: booking.halls.check_in_by_number(u, booked.number, hall.site, CLERK, id_tail=tail))
    with pytest.raises(halls.IdentityUnchecked):
        act(booking.halls.finish_ticket, hall.call())


def test_a_walk_in_is_finished_without_a_card() -> None:
    hall = make_hall()
    hall.walk_in()
    assert act(booking.halls.finish_ticket, hall.call()).state == "finished"


def test_what_the_evening_ends_was_not_checked() -> None:
    hall = make_hall()
    seen = with_code(hall, family_at(hall))
    hall.call()
    clock.advance(timedelta(days=1))
    tasks.close_hall()
    assert journal_facts(seen.id, "served")["identity"] == "not_recorded"


def test_another_ones_card_ends_the_visit_unserved(visitors: Visitors) -> None:
    hall = make_hall()
    seen = with_code(hall, family_at(hall))
    hall.call()
    path = f"/dept/v1/tickets/{ticket_of(seen).id}"
    clerk = visitors.officer(LAND)
    assert slug(clerk.post(f"{path}/finish", {})) == "identity-unchecked"
    gone = clerk.post(f"{path}/leaving", {"reason": "identity_differs"})
    assert (gone.json["state"], state_of(seen)) == ("left", "left")
    assert journal_facts(seen.id, "left")["reason"] == "identity_differs"
    assert slug(clerk.post(f"{path}/leaving", {})) == "impossible-move"


def test_the_clerk_notes_that_a_walk_in_left(visitors: Visitors) -> None:
    hall = make_hall()
    ticket = hall.walk_in()
    seen = visitors.officer(LAND).post(f"/dept/v1/tickets/{ticket.id}/leaving", {})
    assert seen.json["state"] == "left"


def test_who_will_not_wait_gives_up_on_the_phone(visitors: Visitors) -> None:
    hall = make_hall()
    ticket, phone = hall.walk_in(), visitors.stranger()
    seen = phone.post(f"/mp/v1/tickets/{ticket.id}/leaving")
    assert (seen.json["state"], seen.json["ahead"]) == ("left", None)
    assert "重新取号" in seen.json["why"]
    assert slug(phone.post(f"/mp/v1/tickets/{ticket.id}/leaving")) == "impossible-move"
    assert slug(phone.post(f"/mp/v1/tickets/{ids.new_id('tk')}/leaving")) == "not-found"


def shut(hall: Hall, window: int = 1, **more: bool) -> halls.WindowView:
    return run_unit(lambda u: halls.shut_window(u, hall.windows[window], CLERK, **more))


def open_up(hall: Hall, window: int = 1) -> halls.WindowView:
    return run_unit(lambda u: halls.open_window(u, hall.windows[window], CLERK))


def test_a_window_shut_for_today_calls_nobody() -> None:
    hall = make_hall(False, False)
    hall.walk_in()
    seen = shut(hall)
    assert (seen.open, seen.planned) == (False, True)
    with pytest.raises(booking.halls.WindowShut):
        hall.call(1)
    assert open_up(hall).open
    assert hall.call(1).window == 1


def test_tomorrow_the_plan_has_the_say_again() -> None:
    hall = make_hall()
    shut(hall)
    clock.advance(timedelta(days=1))
    hall.walk_in()
    assert hall.call().window == 1


def test_the_windows_tell_their_day_in_the_journal() -> None:
    hall = make_hall()
    shut(hall), shut(hall), open_up(hall)
    with unit() as u:
        told = [(one.trigger, one.facts["window"]) for one in u.journal_of(hall.site)]
    assert told == [("window_shut", 1), ("window_opened", 1)]


def test_whoever_stands_at_a_window_is_served_first() -> None:
    hall = make_hall(False, False)
    hall.walk_in()
    called = hall.call()
    with pytest.raises(booking.halls.WindowBusy) as busy:
        shut(hall)
    assert busy.value.extra["label"] == called.label
    act(finish, called)
    assert not shut(hall).open


def test_a_window_hands_over_whom_it_called() -> None:
    hall = make_hall(False, False)
    seen, later = hall.arrive(hall.slot(0)), hall.walk_in()
    called = hall.call()
    assert called.id == ticket_of(seen).id
    shut(hall, hand_over=True)
    assert state_of(seen) == "checked_in"
    again = hall.call(2)
    assert (again.id, again.calls) == (called.id, 1), "the place in time was kept"
    act(finish, again)
    assert hall.call(2).id == later.id


def test_the_last_open_window_leaves_nobody_alone() -> None:
    hall = make_hall(False, other=1)
    hall.walk_in()
    hall.call()
    with pytest.raises(booking.halls.WindowBusy, match="没有其他开放的窗口"):
        shut(hall, hand_over=True)


def test_calling_and_shutting_at_once_agree() -> None:
    hall = make_hall(False, False)
    hall.walk_in()
    got = at_once(hall.call, lambda: shut(hall))
    called = [one for one in got if isinstance(one, TicketView)]
    refused = [one for one in got if isinstance(one, (booking.halls.WindowShut, booking.halls.WindowBusy))]
    assert len(called) + len(refused) == (2 if called else 1), got
    assert len(refused) == 1, got


def test_only_the_hall_opens_and_shuts_its_windows(visitors: Visitors) -> None:
    hall = make_hall()
    path = f"/dept/v1/windows/{hall.windows[1]}"
    clerk = visitors.officer(LAND, "window_clerk")
    assert clerk.post(f"{path}/shutting", {}).json["open"] is False
    assert clerk.post(f"{path}/opening").json["open"] is True
    assert slug(visitors.officer(LAND, "finance").post(f"{path}/opening")) == "outside-your-scope"
    assert slug(visitors.officer(POLICE).post(f"{path}/shutting", {})) == "not-found"
    with pytest.raises(NotYours):
        run_unit(lambda u: halls.open_window(u, ids.new_id("wi"), CLERK))


def test_the_planners_word_is_newer_than_the_clerks() -> None:
    hall = make_hall(False, False)
    shut(hall, 2)
    put(hall, groups(second=True))
    assert not _open(hall, 2), "the plan says nothing new"
    put(hall, groups(second=False))
    put(hall, groups(second=True))
    assert _open(hall, 2)


def _open(hall: Hall, number: int) -> bool:
    with unit() as u:
        windows = booking.halls.queues_at(u, hall.site)[0].windows
    return next(one.open for one in windows if one.number == number)


def groups(*, second: bool = True, a: str = "A区", b: str = "", letter: str = "A") -> list[GroupWish]:
    windows = (WindowWish(1, False, True), WindowWish(2, False, second))
    first = GroupWish(letter, a, (ITEM,), windows)
    return [first, GroupWish("B", b, (OTHER_ITEM,), (WindowWish(3, False, True),))] if b else [first]


def put(hall: Hall, wishes: list[GroupWish]) -> None:
    run_unit(lambda u: plans.put_groups(u, hall.site, wishes, PLANNER))


@pytest.mark.parametrize("letters", [("B区", "A区"), ("C区", "A区")])
def test_a_letter_stays_once_numbers_were_given(letters: tuple[str, str]) -> None:
    hall = make_hall(False, False, other=1)
    hall.walk_in("B")
    with pytest.raises(plans.LetterInUse):
        put(hall, groups(a=letters[0], b=letters[1]))
    clock.advance(timedelta(days=1))
    tasks.close_hall()
    put(hall, groups(a=letters[0], b=letters[1]))


def test_a_group_gets_no_new_letter_today() -> None:
    hall = make_hall(False, False)
    hall.walk_in()
    with pytest.raises(plans.LetterInUse):
        put(hall, groups(letter="C"))
    put(hall, groups(a="另一个名字"))


def test_the_wait_is_told_with_its_reasons() -> None:
    hall = make_hall(True, False)
    early = hall.arrive(hall.slot(60))
    walked = [hall.walk_in() for _ in range(2)]
    with unit() as u:
        seen = booking.queue_of_ticket(u, walked[1].id)
    assert (seen.site, seen.open_windows, seen.first_windows) == ("测试大厅", (1, 2), (1,))
    assert (seen.pace_minutes, seen.pace_from, seen.ahead) == (30, "plan", 1)
    assert seen.expected_at == nine() + timedelta(minutes=seen.minutes or 0)
    assert seen.why.startswith("按取号先后排队；预约优先窗口（1号）先叫到点的预约号。前面还有 1 人。")
    assert "到点前 15 分钟起，预约优先窗口（1号）先叫您" in queue_of(early).why
    wait(50)
    assert "现在先叫您" in queue_of(early).why


def test_the_reason_follows_passes_and_late_arrivals() -> None:
    hall = make_hall(False)
    slot = hall.slot(0)
    passed = act(booking.halls.pass_ticket, (hall.walk_in(), hall.call())[1])
    for _ in range(3):
        hall.walk_in()
    with unit() as u:
        assert "让后面 3 位先办" in booking.queue_of_ticket(u, passed.id).why
    wait(40)
    assert queue_of(hall.arrive(slot)).why.startswith("预约时段已过，按到达先后排队。")


def test_the_estimate_says_where_it_comes_from() -> None:
    hall = make_hall(False)
    for _ in range(3):
        hall.walk_in()
        called = hall.call()
        wait(7.5)
        act(finish, called)
    last = hall.walk_in()
    with unit() as u:
        seen = booking.queue_of_ticket(u, last.id)
    assert (seen.pace_minutes, seen.pace_from) == (8, "today")
    assert "按今天每人约 8 分钟估算" in seen.why


def test_without_open_windows_no_time_is_promised() -> None:
    hall = make_hall(False)
    ticket = hall.walk_in()
    shut(hall)
    with unit() as u:
        seen = booking.queue_of_ticket(u, ticket.id)
    assert (seen.minutes, seen.expected_at, seen.open_windows) == (None, None, ())
    assert "现在没有开放的窗口" in seen.why


def test_a_shut_window_is_no_part_of_the_estimate() -> None:
    hall = make_hall(False, False)
    tickets = [hall.walk_in() for _ in range(3)]
    hall.call(1)
    with unit() as u:
        before = booking.queue_of_ticket(u, tickets[2].id).minutes
    shut(hall, 2)
    with unit() as u:
        after = booking.queue_of_ticket(u, tickets[2].id).minutes
    assert (before, after) == (5, 20)


def test_a_ticket_that_is_over_says_what_to_do() -> None:
    hall = make_hall(False)
    hall.walk_in()
    ticket = hall.call()
    with unit() as u:
        assert booking.queue_of_ticket(u, ticket.id).why == "请到 1 号窗口。"
    act(finish, ticket)
    with unit() as u:
        seen = booking.queue_of_ticket(u, ticket.id)
    assert (seen.why, seen.pace_minutes) == ("已办完。", None)


def test_the_machine_reads_what_the_phone_shows(visitors: Visitors) -> None:
    hall = make_hall()
    slot = hall.slot(0)
    person = a_person()
    clock.move_to(nine() - timedelta(hours=3))
    told = book(slot.id, person)
    clock.move_to(nine())
    phone: Visitor = visitors.citizen(person)
    shown = phone.get(f"/mp/v1/bookings/{told.id}").json
    assert shown["check_in_text"] == f"ZB:{told.number}:{shown['check_in_code']}"
    left = datetime.fromisoformat(shown["code_until"]) - clock.wire_now()
    assert timedelta(seconds=-1) < left <= timedelta(minutes=5)
    path = f"/dept/v1/sites/{hall.site}/check-ins"
    seen = visitors.system(LAND).post(path, {"scanned": shown["check_in_text"]})
    assert seen.json["ticket"]["label"] == "A001"
    gone = phone.get(f"/mp/v1/bookings/{told.id}").json
    assert (gone["check_in_text"], gone["code_until"]) == (None, None)
    with pytest.raises(booking.halls.AlreadyCheckedIn):
        at_desk(told, site=hall.site, id_tail=id_tail_of(person))
