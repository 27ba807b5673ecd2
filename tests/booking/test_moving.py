"""Another time for an appointment: the old place stands until the new one is sure, and nobody gains by it."""

from datetime import timedelta

import pytest

from backend import booking
from backend.booking import Companion, Wish, plans, tasks
from backend.booking.models import SlotRow
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.store.unit import run_unit, unit
from tests.booking.makers import (
    CLERK,
    EXAM,
    a_person,
    at_desk,
    book,
    cancel,
    citizen,
    free_in,
    hold,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.waiters import a_site, all_at_once, hands, triggers
from tests.cases.makers import id_number


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def old(site: str) -> booking.Slot:
    return make_slot(1, site=site, starts=clock.now() + timedelta(days=9))


@pytest.fixture
def new(site: str) -> booking.Slot:
    return make_slot(1, site=site, starts=clock.now() + timedelta(days=11))


@pytest.fixture
def booked(old: booking.Slot) -> booking.BookingView:
    return book(old.id)


def hold_move(one: booking.BookingView, to: booking.Slot | str) -> booking.BookingView:
    wish = Wish(to if isinstance(to, str) else to.id, one.person_id)
    return run_unit(lambda u: booking.hold_move(u, one.id, wish, citizen(one.person_id)))


def confirm_move(one: booking.BookingView) -> booking.BookingView:
    return run_unit(lambda u: booking.confirm_move(u, one.id, one.person_id, citizen(one.person_id)))


def drop_move(one: booking.BookingView) -> booking.BookingView:
    return run_unit(lambda u: booking.drop_move(u, one.id, one.person_id, citizen(one.person_id)))


def test_both_places_are_held_until_the_move_is_sure(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    told = hold_move(booked, new)
    assert (told.slot_id, told.state) == (old.id, "confirmed")
    assert told.moving is not None
    assert told.moving.slot_id == new.id
    assert (free_in(old.id), free_in(new.id)) == (0, 0)
    moved = confirm_move(booked)
    assert (moved.slot_id, moved.moving, moved.number) == (new.id, None, booked.number)
    assert (free_in(old.id), free_in(new.id)) == (1, 0)
    assert triggers(booked.id)[-2:] == ["move_held", "moved"]


def test_dropping_a_move_changes_nothing(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    hold_move(booked, new)
    told = drop_move(booked)
    assert (told.slot_id, told.moving) == (old.id, None)
    assert (free_in(old.id), free_in(new.id)) == (0, 1)
    for again in (drop_move, confirm_move):
        with pytest.raises(ImpossibleMove):
            again(booked)


def test_a_move_not_confirmed_lapses(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    hold_move(booked, new)
    clock.advance(timedelta(minutes=11))
    with pytest.raises(booking.HoldLapsed):
        confirm_move(booked)
    assert tasks.lapse_moves() >= 1
    assert (free_in(old.id), free_in(new.id), state_of(booked)) == (0, 1, "confirmed")


def test_choosing_again_gives_the_first_choice_back(
    booked: booking.BookingView, new: booking.Slot, site: str
) -> None:
    other = make_slot(1, site=site, starts=clock.now() + timedelta(days=12))
    hold_move(booked, new)
    assert hold_move(booked, other).moving is not None
    assert (free_in(new.id), free_in(other.id)) == (1, 0)


def test_the_same_time_is_refused(booked: booking.BookingView, old: booking.Slot) -> None:
    with pytest.raises(booking.SameSlot):
        hold_move(booked, old)


def test_another_item_or_subject_is_refused(booked: booking.BookingView, site: str) -> None:
    exam = make_slot(1, site=site, item=EXAM, subject="科目一")
    with pytest.raises(booking.OtherItem):
        hold_move(booked, exam)
    taken = book(exam.id)
    with pytest.raises(booking.OtherItem):
        hold_move(taken, make_slot(1, site=site, item=EXAM, subject="科目二"))


def test_a_full_time_is_refused_with_others(site: str) -> None:
    subject, day = ids.token()[:20], timedelta(days=1)
    old, new = (make_slot(1, site=site, subject=subject, starts=clock.now() + n * day) for n in (9, 11))
    one = book(old.id)
    book(new.id)
    elsewhere = make_slot(1, site=a_site(), subject=subject, starts=clock.now() + 5 * day)
    late, early = (make_slot(1, site=site, subject=subject, starts=clock.now() + n * day) for n in (7, 6))
    with pytest.raises(booking.SlotTaken) as refused:
        hold_move(one, new)
    others = refused.value.extra["alternatives"]
    assert isinstance(others, list)
    assert [other["slot_id"] for other in others] == [early.id, late.id, elsewhere.id]
    assert hands(new) == 1


def test_an_unknown_time_or_booking_looks_absent(booked: booking.BookingView, new: booking.Slot) -> None:
    with pytest.raises(NotYours):
        hold_move(booked, ids.new_id("sl"))
    stranger = a_person()
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.hold_move(u, booked.id, Wish(new.id, stranger), citizen(stranger)))
    hold_move(booked, new)
    for verb in (booking.confirm_move, booking.drop_move):
        with pytest.raises(NotYours):
            run_unit(lambda u, verb=verb: verb(u, booked.id, stranger, citizen(stranger)))  # type: ignore[misc]


def test_a_time_that_closed_is_refused(booked: booking.BookingView, site: str) -> None:
    shut = make_slot(1, site=site, closed_at=clock.now())
    with pytest.raises(booking.SlotClosed):
        hold_move(booked, shut)


def test_only_what_is_sure_can_be_moved(old: booking.Slot, new: booking.Slot) -> None:
    held = hold(old.id)
    with pytest.raises(ImpossibleMove):
        hold_move(held, new)
    cancel(held)
    with pytest.raises(ImpossibleMove):
        hold_move(held, new)


def test_shortly_before_it_is_too_late_to_move(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    clock.move_to(old.starts_at - timedelta(hours=1, minutes=59))
    with pytest.raises(booking.TooLateToCancel):
        hold_move(booked, new)
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=old.id).update({"closed_at": clock.now()})
    assert hold_move(booked, new).moving is not None


def test_a_family_moves_together_or_not_at_all(site: str) -> None:
    two = (Companion("测试乙", id_number()),)
    old, small = (make_slot(n, site=site) for n in (2, 1))
    large = make_slot(3, site=site)
    family = book(old.id, companions=two)
    with pytest.raises(booking.SlotTaken):
        hold_move(family, small)
    assert (hands(small), hands(old)) == (0, 2)
    hold_move(family, large)
    confirm_move(family)
    assert (hands(large), hands(old)) == (2, 0)


def test_moving_is_no_way_around_one_a_day(site: str) -> None:
    day = clock.start_of_day(clock.today() + timedelta(days=9))
    one = make_slot(1, site=site, item=EXAM, subject="科目一", starts=day + timedelta(hours=9))
    two = make_slot(1, site=site, item=EXAM, subject="科目二", starts=day + timedelta(days=8, hours=9))
    two_that_day = make_slot(1, site=site, item=EXAM, subject="科目二", starts=day + timedelta(hours=14))
    first = book(one.id)
    second = book(two.id, first.person_id)
    with pytest.raises(booking.LimitReached):
        hold_move(second, two_that_day)
    assert free_in(two_that_day.id) == 1


def test_a_day_being_moved_to_counts_already(site: str) -> None:
    day = clock.start_of_day(clock.today() + timedelta(days=9))
    two = make_slot(1, site=site, item=EXAM, subject="科目二", starts=day + timedelta(days=8, hours=9))
    two_that_day = make_slot(1, site=site, item=EXAM, subject="科目二", starts=day + timedelta(hours=14))
    one_that_day = make_slot(1, site=site, item=EXAM, subject="科目一", starts=day + timedelta(hours=9))
    second = book(two.id)
    hold_move(second, two_that_day)
    with pytest.raises(booking.LimitReached):
        hold(one_that_day.id, second.person_id)
    drop_move(second)
    assert hold(one_that_day.id, second.person_id).state == "held"


def test_within_its_own_day_a_booking_moves_freely(
    booked: booking.BookingView, old: booking.Slot, site: str
) -> None:
    later = make_slot(1, site=site, starts=old.starts_at + timedelta(minutes=1))
    hold_move(booked, later)
    assert confirm_move(booked).slot_id == later.id


def test_cancelling_on_the_move_frees_both_places(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    hold_move(booked, new)
    cancel(booked)
    assert (free_in(old.id), free_in(new.id)) == (1, 1)


def test_who_checks_in_stays_and_gives_the_other_place_back(site: str) -> None:
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 12))
    old = make_slot(1, site=site, starts=clock.now() + timedelta(minutes=30), cancel_before_hours=0)
    new = make_slot(1, site=site, starts=clock.now() + timedelta(days=1))
    one = book_late(old)
    hold_move(one, new)
    assert at_desk(one, one.check_in_code or "", site) is not None
    assert free_in(new.id) == 1
    clock.advance(timedelta(minutes=11))
    tasks.lapse_moves()
    assert state_of(one) == "checked_in"
    run_unit(lambda u: booking.halls.mark_served(u, one.id, site, CLERK, identity_checked=True))


def test_two_confirmations_at_once_move_once(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    hold_move(booked, new)
    outcome = all_at_once([lambda: confirm_move(booked)] * 4)
    assert sum(isinstance(one, ImpossibleMove) for one in outcome) == 3
    assert (free_in(old.id), free_in(new.id)) == (1, 0)
    assert triggers(booked.id).count("moved") == 1


def test_two_choices_at_once_leave_one(booked: booking.BookingView, new: booking.Slot, site: str) -> None:
    other = make_slot(1, site=site, starts=clock.now() + timedelta(days=12))
    all_at_once([lambda: hold_move(booked, new), lambda: hold_move(booked, other)])
    assert free_in(new.id) + free_in(other.id) == 1


def test_confirming_and_lapsing_at_once_agree(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    hold_move(booked, new)
    clock.advance(timedelta(minutes=11))
    outcome = all_at_once([lambda: confirm_move(booked), tasks.lapse_moves, lambda: drop_move(booked)])
    assert isinstance(outcome[0], booking.HoldLapsed | ImpossibleMove)
    assert (free_in(old.id), free_in(new.id)) == (0, 1)
    assert triggers(booked.id).count("move_dropped") == 1


def test_confirming_and_cancelling_at_once_agree(
    booked: booking.BookingView, old: booking.Slot, new: booking.Slot
) -> None:
    hold_move(booked, new)
    all_at_once([lambda: confirm_move(booked), lambda: cancel(booked)])
    assert state_of(booked) == "cancelled"
    assert (free_in(old.id), free_in(new.id)) == (1, 1)


def test_two_people_swap_without_a_third_place(site: str) -> None:
    """Both want the other's time: neither gets it, since neither has given up their own."""
    first, second = make_slot(1, site=site), make_slot(1, site=site, starts=clock.now() + timedelta(days=12))
    one, other = book(first.id), book(second.id)
    outcome = all_at_once([lambda: hold_move(one, second), lambda: hold_move(other, first)])
    assert all(isinstance(refused, booking.SlotTaken) for refused in outcome)
    assert (hands(first), hands(second)) == (1, 1)


def test_ten_want_to_move_to_one_place(site: str, new: booking.Slot) -> None:
    set_rules(site)
    crowd = [book(make_slot(1, site=site).id) for _ in range(10)]
    outcome = all_at_once([lambda one=one: hold_move(one, new) for one in crowd])  # type: ignore[misc]
    assert sum(isinstance(refused, booking.SlotTaken) for refused in outcome) == 9
    assert hands(new) == 1


def book_late(slot: booking.Slot) -> booking.BookingView:
    """Book what closes only when it begins."""
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=slot.id).update({"closes_at": slot.starts_at})
    return book(slot.id)


def test_a_move_into_a_slot_that_closed_meanwhile_is_refused(
    booked: booking.BookingView, new: booking.Slot, site: str
) -> None:
    hold_move(booked, new)
    run_unit(lambda u: plans.close_slots(u, site, [new.id], "停电", CLERK))
    with pytest.raises(booking.SlotClosed):
        confirm_move(booked)
    assert state_of(booked) == "confirmed"


def test_a_hold_in_a_slot_that_closed_meanwhile_cannot_be_confirmed(new: booking.Slot, site: str) -> None:
    held = hold(new.id)
    run_unit(lambda u: plans.close_slots(u, site, [new.id], "停电", CLERK))
    with pytest.raises(booking.SlotClosed):
        run_unit(lambda u: booking.confirm_booking(u, held.id, held.person_id, citizen(held.person_id)))
