"""People with a phone and no cards: every outcome of what they wait for reaches them by short message."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import wsgi
from backend import booking, catalogue
from backend.booking import tasks as booking_tasks
from backend.booking.models import EntryRow, SlotRow
from backend.booking.questions import spoken
from backend.booking.services import drawing, keeping, standing, tending
from backend.contracts import Event, PersonRegistered
from backend.kernel import clock
from backend.people import register
from backend.people.machine import PERSON
from backend.store.outbox import OutboxRow
from backend.store.unit import SYSTEM, Unit, run_unit, unit
from tests.booking import releases
from tests.booking.makers import CLERK, EXAM, book, citizen, make_slot
from tests.booking.waiters import a_site, leave, nobody_waits, offer, seen, wait_for
from tests.cases.makers import id_number
from tests.notifications.makers import Resident, send

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def _offices(database: str) -> None:
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    sites = json.loads(Path("data/sites.json").read_text("utf-8"))
    run_unit(lambda u: booking.load_sites(u, sites))


@pytest.fixture
def guest(person: Resident, _offices: None) -> Iterator[Resident]:
    """Somebody who may book, has accepted no card and wants no pushes."""

    def verify(u: Unit) -> None:
        row = register.person_row(u, person.id)
        register.write_identity(row, "测试甲", id_number(), "authority")
        u.step(PERSON, row, "identity_verified", by=SYSTEM)
        u.record(PersonRegistered(row.id, row.id))

    run_unit(verify)
    person.prefer(push_off=True)
    yield person
    nobody_waits()
    with unit() as u:
        assert booking.check_books(u) == []


@pytest.fixture
def slot(guest: Resident) -> booking.Slot:
    """A slot of one place at a site of its own."""
    return make_slot(1, site=a_site(), starts=clock.now() + WEEK)


def texts_after(guest: Resident, matter: str) -> list[str]:
    """What came by short message when every ear has heard the last fact of a matter."""
    before = guest.texts()
    with unit() as u:
        rows = u.session.query(OutboxRow).filter_by(stream=matter).order_by(OutboxRow.id.desc()).limit(1)
        heard = [Event.kinds[row.kind].from_payload(row.payload) for row in rows]
    for event in heard:
        for ear in wsgi.SUBSCRIPTIONS.get(type(event), ()):
            run_unit(lambda u, e=ear, n=event: e(u, n))  # type: ignore[misc]
    send()
    assert guest.cards() == []
    return [text for text in guest.texts() if text not in before]


def told(guest: Resident, matter: str, *parts: str) -> None:
    """One short message came, and it says all of this."""
    texts = texts_after(guest, matter)
    assert len(texts) == 1, texts
    assert not [part for part in parts if part not in texts[0]], texts[0]


def a_day() -> date:
    """A day on which no test has slots, whatever day it believes to live on."""
    return releases.a_day() + timedelta(days=200)


def a_draw(*people: str, places: int = 1) -> str:
    """A release by draw, entered by these people."""
    releases.slots_on(day := a_day(), places)
    release_id = releases.announce(day)
    for one in people:
        releases.enter(release_id, one)
    return release_id


def entry_id(release_id: str, person: str) -> str:
    return releases.entry_of(release_id, person).id


def test_an_offer_names_all_that_is_needed_to_take_it(guest: Resident, slot: booking.Slot) -> None:
    wait = wait_for(slot, guest.id)
    offer()
    until = spoken(clock.now() + timedelta(minutes=30))
    told(
        guest, wait.id, "新房首次登记", spoken(slot.starts_at), "测试办事点", "共1人", f"保留到{until}",
        "打开掌办“我的预约”点“确认”", "过时让给下一位",
    )  # fmt: skip


def test_an_offer_that_ran_out_says_what_is_left_today(guest: Resident, slot: booking.Slot) -> None:
    wait = wait_for(slot, guest.id)
    offer()
    offered = seen(wait).offer
    assert offered is not None
    clock.advance(timedelta(minutes=31))
    booking_tasks.lapse_holds()
    told(guest, offered.booking_id, spoken(slot.starts_at), "已让给下一位", "您仍在候补", "今天还可再保留2次")


def test_in_the_evening_it_counts_the_offers_of_the_morning(guest: Resident, slot: booking.Slot) -> None:
    clock.move_to(clock.at_local(clock.today(), 21, 50))
    wait = wait_for(slot, guest.id)
    offer()
    offered = seen(wait).offer
    assert offered is not None
    clock.advance(timedelta(minutes=31))
    booking_tasks.lapse_holds()
    assert texts_after(guest, offered.booking_id) == []
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 8, 1))
    send()
    assert "今天还可再保留3次" in guest.texts()[0]


def test_who_waits_no_more_hears_nothing_of_an_offer(guest: Resident, slot: booking.Slot) -> None:
    wait = wait_for(slot, guest.id)
    offer()
    offered = seen(wait).offer
    assert offered is not None
    clock.advance(timedelta(minutes=31))
    booking_tasks.lapse_holds()
    leave(wait)
    assert texts_after(guest, offered.booking_id) == []


def test_a_hold_of_ones_own_that_ran_out_is_no_news(guest: Resident, slot: booking.Slot) -> None:
    held = run_unit(lambda u: booking.hold_slot(u, booking.Wish(slot.id, guest.id), citizen(guest.id)))
    run_unit(lambda u: keeping.lapse(u, keeping.locked(u, held.id)))
    assert texts_after(guest, held.id) == []


def test_a_wait_that_ended_is_told(guest: Resident, slot: booking.Slot) -> None:
    book(slot.id)
    wait = wait_for(slot, guest.id)
    clock.move_to(clock.at_local(wait.to_day + timedelta(days=1), 9))
    offer()
    told(guest, wait.id, "没有等到空位", "候补已结束", "打开掌办")


def test_who_lost_in_a_draw_is_told(guest: Resident) -> None:
    release_id = a_draw(guest.id)
    with unit() as u:
        u.session.execute(
            update(EntryRow).where(EntryRow.release_id == release_id).values(wishes=["sl-none"])
        )
    releases.draw(release_id)
    told(guest, entry_id(release_id, guest.id), "没有中签", "打开掌办核对摇号过程")


def test_who_won_in_a_draw_is_told(guest: Resident) -> None:
    release_id = a_draw(guest.id)
    releases.draw(release_id)
    told(guest, entry_id(release_id, guest.id), "中签", "按时前来")


def test_who_was_passed_over_in_a_draw_is_told(guest: Resident) -> None:
    release_id = a_draw(guest.id)
    book(releases.slots_on(a_day(), 1)[0].id, guest.id)
    releases.draw(release_id)
    told(guest, entry_id(release_id, guest.id), "没有安排到时段", "打开掌办查看")


@pytest.mark.parametrize("mode", ["queue", "draw"])
def test_a_release_called_off_is_told(guest: Resident, mode: str) -> None:
    releases.slots_on(day := a_day(), 1)
    release_id = releases.announce(day, mode)
    releases.enter(release_id, guest.id)
    run_unit(lambda u: booking.call_off(u, release_id, "考场检修", releases.PLANNER))
    tending.tend()
    told(guest, entry_id(release_id, guest.id), "放号已取消", "打开掌办")


def a_late_draw(guest: Resident) -> str:
    release_id = a_draw(guest.id)
    releases.close(release_id)
    releases.until_the_value(release_id)
    clock.advance(timedelta(hours=1))
    tending.tend()
    return release_id


def test_a_late_draw_is_told(guest: Resident) -> None:
    release_id = a_late_draw(guest)
    told(guest, entry_id(release_id, guest.id), "摇号推迟", "报名仍然有效")
    run_unit(lambda u: booking.call_off(u, release_id, "测试结束", releases.PLANNER))


def test_a_delay_that_is_over_is_not_told(guest: Resident) -> None:
    release_id = a_late_draw(guest)
    entry = entry_id(release_id, guest.id)
    releases.agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, releases.PLANNER))
    assert texts_after(guest, entry) == []
    drawing.finish_draws()
    told(guest, entry, "中签")


def test_a_delay_not_yet_out_dies_with_the_result(guest: Resident) -> None:
    release_id = a_late_draw(guest)
    entry = entry_id(release_id, guest.id)
    clock.move_to(clock.at_local(clock.today(), 23))
    assert texts_after(guest, entry) == []
    releases.agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, releases.PLANNER))
    drawing.finish_draws()
    assert texts_after(guest, entry) == []
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 8, 1))
    send()
    assert ["中签" in text for text in guest.texts()] == [True]


def missed(guest: Resident) -> booking.BookingView:
    booked = book(make_slot(1, starts=clock.now() + timedelta(days=1)).id, guest.id)
    clock.move_to(clock.at_local(clock.day_of(booked.ends_at) + timedelta(days=1), 9))
    booking_tasks.mark_those_missed()
    return booked


def test_an_appointment_missed_is_told(guest: Resident) -> None:
    told(guest, missed(guest).id, "没有按时到场", "暂停网上预约", "提前取消")


def test_a_block_and_its_appeal_are_told(guest: Resident) -> None:
    for _ in range(2):
        missed(guest)
    with unit() as u:
        block = booking.blocks_of(u, guest.id)[0]
    told(guest, block.id, "暂停到", "申诉")
    run_unit(lambda u: booking.appeal_block(u, block.id, guest.id, "当天生病住院", citizen(guest.id)))
    run_unit(lambda u: standing.decide_block(u, block.id, CLERK, lift=False, why="没有证明"))
    told(guest, block.id, "没有成立")


def test_a_closed_time_that_passed_is_told(guest: Resident) -> None:
    slot = make_slot(1, item=EXAM, subject="只此一场", starts=clock.now() + WEEK)
    booked = book(slot.id, guest.id)
    with unit() as u:
        row = u.session.get_one(SlotRow, slot.id)
        row.closed_at, row.closed_why = clock.now(), "停电检修"
    clock.move_to(slot.starts_at + timedelta(minutes=1))
    booking_tasks.find_other_times()
    told(guest, booked.id, "停办", "停电检修", "重新预约")


def test_who_gives_back_their_own_offer_hears_nothing(guest: Resident, slot: booking.Slot) -> None:
    wait = wait_for(slot, guest.id)
    offer()
    offered = seen(wait).offer
    assert offered is not None
    run_unit(lambda u: booking.decline_offer(u, wait.id, guest.id, citizen(guest.id)))
    assert texts_after(guest, offered.booking_id) == []
