"""What a site asks over what the item says: when slots open, close and may be given back; and reading it beforehand."""

from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking, catalogue
from backend.booking import plans
from backend.booking.explaining import span
from backend.booking.models import SlotRow
from backend.booking.rules import Rules, terms_of
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.people import register
from backend.store.unit import run_unit, unit
from tests.booking.makers import EXAM, ITEM, a_person, book, cancel, citizen, hold, make_slot
from tests.booking.planners import PLANNER, a_site, days, on_monday, plan, slots_at
from tests.cases.visitors import Visitors

USUAL = catalogue.BookingRule(
    slot_minutes=30, capacity_per_slot=4, open_days_ahead=5, min_lead_days=1, cancel_before_hours=2
)


def put(site: str, item: str = ITEM, **rules: Any) -> plans.RulesChange:
    return run_unit(lambda u: plans.put_rules(u, site, item, rules, PLANNER))


def planned() -> str:
    """A site whose patterns are open for the usual days."""
    on_monday()
    site = a_site()
    plan(site)
    return site


def change(slot: SlotRow) -> SlotRow:
    with unit() as u:
        row = u.session.get_one(SlotRow, slot.id)
        u.session.expunge(row)
        return row


def told(site: str, item: str = EXAM) -> booking.RulesTold:
    with unit() as u:
        return booking.rules_told(u, site, item)


def test_the_item_is_the_default_and_the_site_goes_over_it() -> None:
    usual, own = terms_of(Rules(), USUAL), terms_of(Rules(lead_days=0, cancel_before_minutes=45), USUAL)
    assert (usual.open_days_ahead, usual.lead_days, usual.cancel_before_minutes) == (5, 1, 120)
    assert (own.open_days_ahead, own.lead_days, own.cancel_before_hours) == (5, 0, 0.75)


def test_booking_ends_with_the_lead_or_the_cut_off() -> None:
    begins = clock.at_local(date(2026, 11, 27), 9)
    ends = [
        terms_of(Rules(lead_days=lead, cut_off_minutes=cut_off), USUAL).closes_at(begins, urgent=False)
        for lead, cut_off in ((0, None), (0, 90), (1, 90), (2, None), (1, 3 * 24 * 60))
    ]
    assert ends == [
        begins, begins - timedelta(minutes=90), clock.at_local(date(2026, 11, 27), 0),
        clock.at_local(date(2026, 11, 26), 0), begins - timedelta(days=3),
    ]  # fmt: skip


def test_an_urgent_time_knows_no_lead_but_a_cut_off() -> None:
    begins = clock.at_local(date(2026, 11, 27), 20)
    by_item, by_site = (
        terms_of(one, USUAL).closes_at(begins, urgent=True) for one in (Rules(), Rules(cut_off_minutes=30))
    )
    assert (begins - by_item, begins - by_site) == (timedelta(hours=2), timedelta(minutes=30))


def test_a_site_opens_more_days_ahead_than_the_item() -> None:
    site = planned()
    before = days(site)
    assert put(site, open_days_ahead=7).slots.opened > 0
    assert len(days(site)) == len(before) + 2


def test_fewer_days_ahead_take_free_slots_back() -> None:
    site = planned()
    before, last = days(site), slots_at(site)[-1]
    booked = book(last.id)
    changed = put(site, open_days_ahead=3)
    assert days(site) == [*before[:-2], before[-1]]
    assert [(one.id, one.why) for one in changed.slots.kept] == [(last.id, "booked")]
    cancel(booked)


def test_what_a_release_gave_out_further_ahead_stays() -> None:
    site = planned()
    far = make_slot(2, site=site, starts=slots_at(site)[-1].starts_at + timedelta(days=9), group_id="")
    put(site, open_days_ahead=3)
    assert far.id in {one.id for one in slots_at(site)}


def test_new_terms_reach_the_slots_that_are_open() -> None:
    site = planned()
    put(site, cancel_before_minutes=30, lead_days=0, cut_off_minutes=15)
    slot = slots_at(site)[-1]
    assert slot.closes_at == slot.starts_at - timedelta(minutes=15)
    booked = book(slot.id)
    clock.move_to(slot.starts_at - timedelta(minutes=31))
    assert booked.cancel_until == slot.starts_at - timedelta(minutes=30)
    assert cancel(booked).state == "cancelled"


def test_cancelling_is_refused_from_the_minute_of_the_rule() -> None:
    site = planned()
    put(site, cancel_before_minutes=30)
    slot = slots_at(site)[-1]
    booked = book(slot.id)
    clock.move_to(slot.starts_at - timedelta(minutes=29))
    with pytest.raises(booking.TooLateToCancel):
        cancel(booked)


def test_who_has_booked_keeps_the_time_to_cancel() -> None:
    """A stricter rule is for slots nobody was promised; a milder one is everybody's."""
    site = planned()
    booked_in, free = slots_at(site)[-1], slots_at(site)[-2]
    booked = book(booked_in.id)
    put(site, cancel_before_minutes=24 * 60, lead_days=2)
    assert [change(one).cancel_before_hours for one in (booked_in, free)] == [2, 24]
    assert change(booked_in).closes_at == change(free).closes_at
    put(site, cancel_before_minutes=60)
    assert [change(one).cancel_before_hours for one in (booked_in, free)] == [1, 1]
    cancel(booked)


def test_the_rule_of_a_site_is_asked_when_moving() -> None:
    site = planned()
    put(site, cancel_before_minutes=3 * 24 * 60)
    first, other = slots_at(site)[-2:]
    booked = book(first.id)
    clock.move_to(first.starts_at - timedelta(days=2, hours=23))
    wish = booking.Wish(other.id, booked.person_id)
    with pytest.raises(booking.TooLateToCancel):
        run_unit(lambda u: booking.hold_move(u, booked.id, wish, citizen(booked.person_id)))


def test_no_place_is_held_after_the_cut_off() -> None:
    site = planned()
    put(site, lead_days=0, cut_off_minutes=90)
    slot = slots_at(site)[-1]
    clock.move_to(slot.starts_at - timedelta(minutes=90))
    with pytest.raises(booking.SlotClosed):
        hold(slot.id, a_person())


def test_rules_are_read_before_booking() -> None:
    site = a_site(EXAM)
    put(
        site, EXAM, per_day=2, per_week=3, cancel_before_minutes=90, lead_days=0, open_days_ahead=8, missed=3,
        block_months=1, elder_percent=20, cut_off_minutes=60, max_party=1,
    )  # fmt: skip
    read = told(site)
    for says in (
        "同一事项每人每天最多预约 2 次，每周 3 次，每月 6 次；按人计算，作为同行人也算一次。",
        "可以预约今后 8 个工作日内的时段。",
        "当天还没有开始的时段也可以预约。",
        "每个时段开始前 1 小时停止预约。",
        "预约时间开始前 90 分钟以上，可以在网上取消或改期；之后请致电办事窗口。",
        "1 个月内有 3 次约了没来（同行人同样计算），会暂停网上预约这件事 1 个月，可以申诉，也可以到现场取号办理。",
        "不用先提交申请，可以直接预约。",
        "每次只能约本人一个名额。",
        "每个时段留 20% 的名额给 60 岁以上的老年人，开始前 1 天还有剩余的，所有人都可以约。",
    ):
        assert says in read.says
    assert (read.figures.per_day, read.figures.cancel_before_minutes, read.figures.case_needed) == (
        2,
        90,
        None,
    )
    assert (read.modes, read.urgent_reasons) == (("at_once",), {})


def test_rules_say_when_an_application_comes_first() -> None:
    read = told("si-bozhou-hall", ITEM)
    assert read.figures.case_needed == "pre_review"
    assert "先在网上提交申请，通过预审后，再为自己的这份申请预约。" in read.says


def test_rules_name_the_reasons_where_the_site_opens_late() -> None:
    site = planned()
    plan(site, urgent=True, weekdays=(6, 7))
    read = told(site, ITEM)
    assert read.urgent_reasons == booking.URGENT_REASONS
    assert read.says[-1].startswith("非工作时间的时段只给急办的人")


def test_spans_are_told_in_whole_units() -> None:
    assert [span(minutes) for minutes in (0, 45, 60, 90, 1440, 2880, 1500)] == [
        "0 分钟", "45 分钟", "1 小时", "90 分钟", "1 天", "2 天", "25 小时",
    ]  # fmt: skip


def test_rules_of_no_site_or_no_bookable_item() -> None:
    with pytest.raises(NotYours):
        told("si-nowhere")
    with pytest.raises(booking.NotBookable):
        told(a_site(), EXAM)


def test_strangers_read_the_rules_over_http(town: Any) -> None:
    import wsgi

    site = a_site(EXAM)
    stranger = Visitors(wsgi.app.test_client()).stranger()
    answer = stranger.get(f"/mp/v1/sites/{site}/rules?item_id={EXAM}")
    assert answer.status_code == 200
    assert answer.json["figures"]["missed"] == 2
    assert answer.json["subjects"] == ["科目一", "科目二", "科目三"]
    assert stranger.get(f"/mp/v1/sites/{site}/rules?item_id={ITEM}").status_code == 403
    assert stranger.get(f"/mp/v1/sites/nowhere/rules?item_id={EXAM}").status_code == 404


def test_where_a_phone_is_enough_it_must_be_proven(town: Any) -> None:
    import wsgi

    site = a_site(EXAM)
    put(site, EXAM, level=1)
    slot = make_slot(1, site=site, item=EXAM, subject="科目一")
    with unit() as u:
        visitor = register.new_person(u).id
    asked = Visitors(wsgi.app.test_client()).citizen(visitor).post("/mp/v1/bookings", {"slot_id": slot.id})
    assert (asked.status_code, asked.json["type"].rsplit(":", 1)[1]) == (403, "phone-needed")
    assert "验证手机号后可以预约。" in told(site).says
