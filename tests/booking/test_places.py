"""Places: never oversold, never lost, and every refusal says why."""

import threading
from datetime import timedelta

import pytest

from backend import booking, catalogue
from backend.booking import tasks
from backend.booking.models import BookingRow, PlaceRow
from backend.contracts import CaseWithdrawn
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours, TooMany
from backend.store.unit import Actor, Unit, run_unit, unit
from tests.booking.makers import EXAM, ITEM, a_person, at_desk, citizen, confirm, hold, make_slot
from tests.booking.waiters import second_waits


@pytest.fixture
def slot() -> booking.Slot:
    """A slot of our own with four free places, on a day ahead."""
    return make_slot(4)


def test_thirty_people_at_once_get_four_places(slot: booking.Slot) -> None:
    got, refused, people = [], [], [a_person() for _ in range(30)]

    def want() -> None:
        try:
            got.append(hold(slot.id, people.pop()))
        except booking.SlotTaken as taken:
            refused.append(taken)

    threads = [threading.Thread(target=want) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (4, 26)
    with unit() as u:
        assert booking.check_books(u) == []


def test_one_person_holds_one_place_per_item(slot: booking.Slot) -> None:
    person = a_person()
    hold(slot.id, person)
    with pytest.raises(booking.AlreadyBooked):
        hold(slot.id, person)


def test_a_hold_not_confirmed_goes_back(slot: booking.Slot) -> None:
    held = hold(slot.id)
    clock.advance(timedelta(minutes=11))
    with pytest.raises(booking.HoldLapsed):
        confirm(held)
    assert tasks.lapse_holds() >= 1
    with unit() as u:
        assert next(s for s in booking.free_slots(u, ITEM, limit=10_000) if s.id == slot.id).free == 4
        assert booking.booking_of(u, held.id, held.person_id).state == "lapsed"


def test_a_closed_slot_is_refused(slot: booking.Slot) -> None:
    clock.move_to(slot.starts_at - timedelta(minutes=30))
    with pytest.raises(booking.SlotClosed):
        hold(slot.id)


def test_an_unknown_slot_looks_absent() -> None:
    with pytest.raises(NotYours):
        hold(ids.new_id("sl"))


def test_another_persons_booking_looks_absent(slot: booking.Slot) -> None:
    held = hold(slot.id)
    stranger = ids.new_id("ps")
    with unit() as u, pytest.raises(NotYours):
        booking.booking_of(u, held.id, stranger)
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.cancel_booking(u, held.id, stranger, Actor("citizen", stranger)))


def test_cancelling_frees_the_place_until_two_hours_before(slot: booking.Slot) -> None:
    booked = confirm(hold(slot.id))
    who = Actor("citizen", booked.person_id)
    clock.move_to(slot.starts_at - timedelta(hours=1, minutes=59))
    with pytest.raises(booking.TooLateToCancel):
        run_unit(lambda u: booking.cancel_booking(u, booked.id, booked.person_id, who))
    clock.move_to(slot.starts_at - timedelta(hours=2, minutes=1))
    assert (
        run_unit(lambda u: booking.cancel_booking(u, booked.id, booked.person_id, who)).state == "cancelled"
    )
    with unit() as u:
        assert u.session.query(PlaceRow).filter_by(slot_id=slot.id, booking_id=None).count() == 4


def test_check_in_needs_the_right_code_day_and_site(slot: booking.Slot) -> None:
    booked = confirm(hold(slot.id))
    assert booked.check_in_code is not None
    with pytest.raises(booking.halls.WrongDayOrSite):
        at_desk(booked, booked.check_in_code)
    clock.move_to(slot.starts_at)
    with pytest.raises(booking.halls.WrongDayOrSite):
        at_desk(booked, booked.check_in_code, "si-bozhou-exam")
    assert at_desk(booked, "000000" if booked.check_in_code != "000000" else "111111") is None
    seen = at_desk(booked, booked.check_in_code)
    assert seen is not None
    assert seen.state == "checked_in"
    assert seen.check_in_code is None
    with pytest.raises(booking.halls.AlreadyCheckedIn):
        at_desk(booked, booked.check_in_code)


def test_five_wrong_codes_end_the_guessing(slot: booking.Slot) -> None:
    booked = confirm(hold(slot.id))
    clock.move_to(slot.starts_at)
    wrong = "000000" if booked.check_in_code != "000000" else "111111"
    for _ in range(5):
        assert at_desk(booked, wrong) is None
    with pytest.raises(TooMany):
        at_desk(booked, booked.check_in_code or "")


def test_who_does_not_come_is_noted_when_the_day_is_over(slot: booking.Slot) -> None:
    booked = confirm(hold(slot.id))
    clock.move_to(slot.ends_at + timedelta(days=1))
    assert tasks.mark_those_missed() >= 1
    with unit() as u:
        assert booking.booking_of(u, booked.id, booked.person_id).state == "missed"
        assert booking.check_books(u) == []


def test_a_withdrawn_case_gives_its_place_back(slot: booking.Slot) -> None:
    case_id = ids.new_id("cs")
    booked = confirm(hold(slot.id, case_id=case_id))
    run_unit(lambda u: booking.on_case_closed(u, CaseWithdrawn(case_id, booked.person_id)))
    with unit() as u:
        assert booking.booking_of(u, booked.id, booked.person_id).state == "cancelled"


def test_slots_open_on_working_days_only_and_once() -> None:
    clock.move_to(clock.at_local(clock.today().replace(year=2026, month=9, day=24), 10))
    first = run_unit(booking.open_slots)
    assert first > 0
    assert run_unit(booking.open_slots) == 0
    calendar = run_unit(catalogue.calendar)
    with unit() as u:
        slots = booking.free_slots(u, EXAM, site_id="si-bozhou-exam", limit=10_000)
    assert {"科目一", "科目二", "科目三"} <= {s.subject for s in slots}
    assert "" not in {s.subject for s in slots}
    opened = [s for s in slots if clock.day_of(s.starts_at).month in (9, 10) and s.starts_at > clock.now()]
    assert opened
    assert all(calendar.is_workday(clock.day_of(s.starts_at)) for s in opened)


def test_the_books_notice_a_place_without_its_booking(slot: booking.Slot) -> None:
    held = hold(slot.id)
    with unit() as u:
        u.session.query(PlaceRow).filter_by(booking_id=held.id).update({"booking_id": None})
    with unit() as u:
        assert any(held.id in finding for finding in booking.check_books(u))
        u.session.query(PlaceRow).filter_by(slot_id=slot.id, number=1).update({"booking_id": held.id})
    with unit() as u:
        assert u.get(BookingRow, held.id) is not None


def test_two_phones_at_once_learn_of_one_booking(slot: booking.Slot) -> None:
    person, held = a_person(), list[booking.BookingView]()

    def first(u: Unit) -> None:
        held.append(booking.hold_slot(u, booking.Wish(slot.id, person), citizen(person)))

    refused = second_waits(first, lambda: hold(make_slot(1).id, person), commit=True)
    assert isinstance(refused, booking.AlreadyBooked)
    assert refused.extra == {"booking_id": held[0].id, "state": "held"}
