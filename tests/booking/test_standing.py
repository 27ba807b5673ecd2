"""Who does not come again and again is blocked for a while, may say why, and is heard."""

from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import tasks
from backend.booking.models import APPEAL, BlockRow, BookingRow, SlotRow
from backend.booking.rules import Rules
from backend.booking.services.standing import blocked_until, note_missed
from backend.contracts import BlockDecided, BookingBlocked
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.store.outbox import OutboxRow
from backend.store.unit import run_unit, unit
from tests.booking.makers import CLERK, EXAM, a_person, book, citizen, hold, make_slot, set_rules, state_of
from tests.booking.waiters import a_site, all_at_once, block_rows, blocks_of, triggers, wait_for
from tests.cases.makers import id_number


@pytest.fixture
def site() -> str:
    return a_site()


def miss(site: str, person: str, *, days: int = 1, **more: Any) -> booking.BookingView:
    """Book for a day ahead, and let the day pass without coming."""
    slot = make_slot(1, site=site, starts=clock.now() + timedelta(days=days), **more)
    booked = book(slot.id, person)
    pass_day_of(slot)
    return booked


def pass_day_of(slot: booking.Slot) -> None:
    clock.move_to(clock.start_of_day(clock.day_of(slot.ends_at) + timedelta(days=1)) + timedelta(minutes=1))
    tasks.mark_those_missed()


def blocked(site: str) -> str:
    """Somebody who has missed twice."""
    person = a_person()
    for _ in range(2):
        miss(site, person)
    return person


def appeal(person: str, text: str = "当天住院，附出院小结") -> booking.BlockView:
    block = blocks_of(person)[0].id
    return run_unit(lambda u: booking.appeal_block(u, block, person, text, citizen(person)))


def decide(person: str, *, lift: bool) -> booking.BlockView:
    block = blocks_of(person)[0].id
    return run_unit(lambda u: booking.halls.decide_block(u, block, CLERK, lift=lift, why="情况属实"))


def ahead(site: str, **more: Any) -> booking.Slot:
    """A slot in the next week."""
    return make_slot(4, site=site, starts=clock.now() + timedelta(days=8), **more)


def test_one_missed_appointment_blocks_nobody(site: str) -> None:
    person = a_person()
    missed = miss(site, person)
    assert state_of(missed) == "missed"
    assert blocks_of(person) == []
    assert hold(ahead(site).id, person).state == "held"


def test_two_missed_block_for_three_months(site: str) -> None:
    person = blocked(site)
    (block,) = blocks_of(person)
    assert (block.state, block.may_appeal, block.over) == ("active", True, False)
    assert [one.site_name for one in block.missed] == ["测试办事点"] * 2
    with pytest.raises(booking.BookingSuspended) as refused:
        hold(ahead(site).id, person)
    assert refused.value.extra["block_id"] == block.id
    assert "暂停到" in (refused.value.detail or "")


def test_a_block_is_told_to_the_town(site: str) -> None:
    person = blocked(site)
    (block,) = blocks_of(person)
    with unit() as u:
        kinds = [row.kind for row in u.session.query(OutboxRow).filter_by(stream=block.id)]
    assert kinds == [BookingBlocked.__name__]
    assert triggers(block.id) == ["begun"]


def test_a_block_ends_by_itself(site: str) -> None:
    person = blocked(site)
    (block,) = blocks_of(person)
    clock.move_to(block.until + timedelta(seconds=1))
    assert hold(ahead(site).id, person).state == "held"
    assert blocks_of(person)[0].over


def test_months_are_counted_by_the_calendar_of_shanghai() -> None:
    until = blocked_until(date(2026, 11, 29), Rules(block_months=3))
    assert until == clock.start_of_day(date(2027, 2, 28))
    assert blocked_until(date(2026, 8, 30), Rules(block_months=6)) == clock.start_of_day(date(2027, 2, 28))


def test_a_block_is_for_its_item_alone(site: str) -> None:
    person = blocked(site)
    assert hold(ahead(site, item=EXAM, subject="科目一").id, person).state == "held"


def test_who_is_blocked_need_not_wait(site: str) -> None:
    person = blocked(site)
    with pytest.raises(booking.BookingSuspended):
        wait_for(ahead(site), person)


def test_old_misses_are_forgotten(site: str) -> None:
    person = a_person()
    miss(site, person)
    clock.advance(timedelta(days=100))
    miss(site, person)
    assert blocks_of(person) == []


def test_a_site_may_be_more_patient(site: str) -> None:
    set_rules(site, missed=3, per_week=9)
    person = blocked(site)
    assert blocks_of(person) == []
    miss(site, person)
    assert len(blocks_of(person)) == 1


def test_a_site_that_blocks_for_no_time_blocks_nobody(site: str) -> None:
    set_rules(site, block_months=0)
    assert blocks_of(blocked(site)) == []


def test_what_the_site_closed_is_nobodys_fault(site: str) -> None:
    person = a_person()
    miss(site, person)
    slot = make_slot(1, site=site, starts=clock.now() + timedelta(days=1))
    booked = book(slot.id, person)
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=slot.id).update({"closed_at": clock.now()})
    pass_day_of(slot)
    assert state_of(booked) == "cancelled"
    assert blocks_of(person) == []


def test_a_booking_on_the_move_is_not_missed_yet(site: str) -> None:
    slot, other = (make_slot(1, site=site, starts=clock.now() + timedelta(days=n)) for n in (1, 3))
    booked = book(slot.id)
    who = citizen(booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, booking.Wish(other.id, booked.person_id), who))
    pass_day_of(slot)
    assert state_of(booked) == "confirmed"
    tasks.lapse_moves()
    tasks.mark_those_missed()
    assert state_of(booked) == "missed"


def test_who_checked_in_has_missed_nothing(site: str) -> None:
    person = a_person()
    miss(site, person)
    slot = make_slot(1, site=site, starts=clock.now() + timedelta(days=1))
    booked = book(slot.id, person)
    clock.move_to(slot.starts_at)
    code = run_unit(lambda u: booking.booking_of(u, booked.id, person)).check_in_code or ""
    run_unit(lambda u: booking.halls.check_in(u, booked.id, site, CLERK, code=code))
    pass_day_of(slot)
    assert (state_of(booked), blocks_of(person)) == ("checked_in", [])


def test_two_missed_on_one_day_are_both_counted(site: str) -> None:
    """Two workers note them at once: the second counts what the first wrote."""
    set_rules(site, item=EXAM, per_day=2)
    person, day = a_person(), clock.start_of_day(clock.today() + timedelta(days=2))
    slots = [
        make_slot(1, site=site, item=EXAM, subject=subject, starts=day + timedelta(hours=hour))
        for subject, hour in (("科目一", 9), ("科目二", 11))
    ]
    booked = [book(slot.id, person) for slot in slots]
    clock.move_to(day + timedelta(days=1, minutes=1))

    def note(one: booking.BookingView) -> bool:
        return run_unit(lambda u: note_missed(u, one.id, one.slot_id, person))

    assert all_at_once([lambda one=one: note(one) for one in booked * 2]).count(True) == 2  # type: ignore[misc]
    assert block_rows(person) == 1


def test_a_third_missed_on_the_same_day_is_no_second_block(site: str) -> None:
    set_rules(site, item=EXAM, per_day=3, per_week=3)
    person, day = a_person(), clock.start_of_day(clock.today() + timedelta(days=2))
    for subject, hour in (("科目一", 9), ("科目二", 11), ("科目三", 14)):
        book(
            make_slot(1, site=site, item=EXAM, subject=subject, starts=day + timedelta(hours=hour)).id, person
        )
    clock.move_to(day + timedelta(days=1, minutes=1))
    tasks.mark_those_missed()
    assert block_rows(person) == 1


def test_noting_again_changes_nothing(site: str) -> None:
    person = blocked(site)
    tasks.mark_those_missed()
    assert block_rows(person) == 1


def test_an_appeal_is_sealed_and_heard_once(site: str) -> None:
    person = blocked(site)
    told = appeal(person)
    assert (told.state, told.may_appeal, told.appeal) == ("appealed", False, "当天住院，附出院小结")
    with unit() as u:
        row = u.session.get_one(BlockRow, told.id)
        assert row.appeal is not None
        assert "住院" not in row.appeal.decode("utf-8", "ignore")
    assert APPEAL.place == "booking_block.appeal"
    with pytest.raises(ImpossibleMove):
        appeal(person)


def test_an_appeal_keeps_the_block_until_it_is_decided(site: str) -> None:
    person = blocked(site)
    appeal(person)
    with pytest.raises(booking.BookingSuspended):
        hold(ahead(site).id, person)


def test_a_lifted_block_lets_book_at_once(site: str) -> None:
    person = blocked(site)
    appeal(person)
    told = decide(person, lift=True)
    assert (told.state, told.over, told.decided_why) == ("lifted", True, "情况属实")
    assert hold(ahead(site).id, person).state == "held"
    with unit() as u:
        news = u.session.query(OutboxRow).filter_by(stream=told.id, kind=BlockDecided.__name__).one()
    assert news.payload["lifted"] is True


def test_what_a_lifted_block_counted_counts_no_more(site: str) -> None:
    person = blocked(site)
    appeal(person)
    decide(person, lift=True)
    clock.advance(timedelta(days=5))
    miss(site, person)
    assert block_rows(person) == 1
    clock.advance(timedelta(days=5))
    miss(site, person)
    assert [one.state for one in blocks_of(person)] == ["active", "lifted"]


def test_an_upheld_block_stands_and_is_not_appealed_again(site: str) -> None:
    person = blocked(site)
    appeal(person)
    assert decide(person, lift=False).state == "upheld"
    with pytest.raises(booking.BookingSuspended):
        hold(ahead(site).id, person)
    for again in (lambda: appeal(person), lambda: decide(person, lift=True)):
        with pytest.raises(ImpossibleMove):
            again()


def test_nothing_is_decided_without_an_appeal(site: str) -> None:
    person = blocked(site)
    with pytest.raises(ImpossibleMove):
        decide(person, lift=True)


def test_a_block_that_is_over_needs_no_appeal(site: str) -> None:
    person = blocked(site)
    clock.move_to(blocks_of(person)[0].until)
    with pytest.raises(booking.AppealTooLate):
        appeal(person)


def test_anothers_block_looks_absent(site: str) -> None:
    block, stranger = blocks_of(blocked(site))[0].id, a_person()
    with pytest.raises(NotYours):
        run_unit(lambda u: booking.appeal_block(u, block, stranger, "不是我的", citizen(stranger)))
    assert blocks_of(stranger) == []


def test_each_department_sees_the_appeals_of_its_sites(site: str) -> None:
    mine, other = blocked(site), blocked(a_site("BZ-GA"))
    for person in (mine, other):
        appeal(person)
    with unit() as u:
        seen = [
            one.person_id
            for one in booking.halls.appeals(u, lambda at: at.department_id == "BZ-GT", limit=1000)
        ]
    assert mine in seen
    assert other not in seen


def test_the_books_notice_a_block_without_a_cause(site: str) -> None:
    person = blocked(site)
    (block,) = blocks_of(person)
    with unit() as u:
        cause = u.session.get_one(BlockRow, block.id).cause_id
        u.session.get_one(BookingRow, cause).state = "served"
    with unit() as u:
        assert any(block.id in finding for finding in booking.check_books(u))
        u.session.get_one(BookingRow, cause).state = "missed"


def family(number: str) -> dict[str, Any]:
    return {"companions": (booking.Companion("测试乙", number),)}


def miss_together(site: str, number: str, person: str = "") -> booking.BookingView:
    """Somebody books for two, and nobody comes."""
    slot = make_slot(2, site=site, starts=clock.now() + timedelta(days=1))
    booked = book(slot.id, person, **family(number))
    pass_day_of(slot)
    return booked


def blocked_along(site: str) -> tuple[str, str]:
    """Somebody of the register for whom others have booked twice in vain, and their ID number."""
    along = a_person(id_no=(number := id_number()))
    for _ in range(2):
        miss_together(site, number)
    return along, number


def test_who_was_to_come_along_has_missed_too(site: str) -> None:
    along, _ = blocked_along(site)
    (block,) = blocks_of(along)
    assert [(one.number, one.site_name, one.came_along) for one in block.missed] == [
        ("", "测试办事点", True)
    ] * 2
    with pytest.raises(booking.BookingSuspended):
        hold(ahead(site).id, along)


def test_own_visits_and_those_along_are_counted_together(site: str) -> None:
    along = a_person(id_no=(number := id_number()))
    own = miss(site, along)
    miss_together(site, number)
    (block,) = blocks_of(along)
    assert [(one.number, one.came_along) for one in block.missed] == [(own.number, False), ("", True)]


def test_one_appointment_may_block_everybody_in_it(site: str) -> None:
    person, along = a_person(), a_person(id_no=(number := id_number()))
    for _ in range(2):
        miss_together(site, number, person)
    assert (block_rows(person), block_rows(along)) == (1, 1)


def test_who_is_blocked_does_not_come_along_either(site: str) -> None:
    number = id_number()
    along = a_person(id_no=number)
    for _ in range(2):
        miss(site, along)
    slot = make_slot(4, site=site, starts=clock.now() + timedelta(days=8))
    for deed in (lambda: hold(slot.id, **family(number)), lambda: wait_for(slot, **family(number))):
        with pytest.raises(booking.CompanionNotFree) as refused:
            deed()
        assert refused.value.extra == {"companions": [0]}
    appeal(along)
    decide(along, lift=True)
    assert hold(slot.id, **family(number)).state == "held"


def test_served_together_nobody_has_missed(site: str) -> None:
    along = a_person(id_no=(number := id_number()))
    miss(site, along)
    slot = make_slot(2, site=site, starts=clock.now() + timedelta(days=1))
    booked = book(slot.id, **family(number))
    clock.move_to(slot.starts_at)
    code = run_unit(lambda u: booking.booking_of(u, booked.id, booked.person_id)).check_in_code or ""
    run_unit(lambda u: booking.halls.check_in(u, booked.id, site, CLERK, code=code))
    pass_day_of(slot)
    assert blocks_of(along) == []
