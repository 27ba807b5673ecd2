"""What people read when they are refused: what is the matter this time, and what they can do instead."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking, cases
from backend.booking import plans, tasks
from backend.kernel import clock
from backend.store.unit import run_unit, unit
from tests.booking import releases
from tests.booking.halls import Hall, make_hall
from tests.booking.makers import (
    CLERK,
    EXAM,
    ITEM,
    a_person,
    book,
    born_on,
    confirm,
    hold,
    id_tail_of,
    make_slot,
    set_rules,
)
from tests.booking.waiters import a_site, blocks_of
from tests.cases.makers import file_case, id_number, officer
from tests.cases.visitors import Answer, Visitor, Visitors

DEPARTMENT, SUBJECT = "BZ-GT", "科目一"
HOUR, OLD, YOUNG = timedelta(hours=1), date(1950, 3, 1), date(1996, 3, 1)


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def announced() -> Iterator[Callable[[], str]]:
    """Announces draws in which nobody is left afterwards."""
    made: list[str] = []

    def announce() -> str:
        day = releases.a_day()
        releases.slots_on(day, 1)
        made.append(releases.announce(day))
        return made[-1]

    yield announce
    for release_id in made:
        run_unit(lambda u, one=release_id: booking.call_off(u, one, "测试结束", releases.PLANNER))  # type: ignore[misc]


@pytest.fixture
def hall() -> Hall:
    return make_hall(False, department=DEPARTMENT)


def exam(site: str, days: int = 7, capacity: int = 1, **more: Any) -> booking.Slot:
    """A slot at nine of a subject that only this test knows, like its site."""
    starts = clock.at_local(clock.today() + timedelta(days=days), 9)
    return make_slot(
        capacity, **{"site": site, "item": EXAM, "subject": site[-20:], "starts": starts, **more}
    )


def ask(who: Visitor, slot: booking.Slot, *, beside: str = "") -> Answer:
    return who.post(f"/mp/v1/bookings/{beside}/move" if beside else "/mp/v1/bookings", {"slot_id": slot.id})


def sure(who: Visitor, booking_id: str, step: str = "") -> Answer:
    return who.post(f"/mp/v1/bookings/{booking_id}{step}/confirmation")


def slug(answer: Answer) -> str:
    return str(answer.json.get("type", "")).rsplit(":", 1)[-1]


def others(answer: Answer) -> list[str]:
    return [one["slot_id"] for one in answer.json["alternatives"]]


def test_a_slot_taken_names_what_is_left(visitors: Visitors, site: str) -> None:
    full, free = exam(site, 7), exam(site, 8)
    book(full.id)
    who = visitors.citizen(a_person())
    refused = ask(who, full)
    assert (refused.status_code, slug(refused), others(refused)) == (409, "slot-taken", [free.id])
    assert "detail" not in refused.json
    book(free.id)
    assert ask(who, full).json["detail"] == "近期没有其他空余时段，可登记候补。"


@pytest.mark.parametrize(("days", "sees"), [(5, False), (1, True)])
def test_places_of_the_elderly_are_shown_to_whom_they_suit(
    visitors: Visitors, site: str, days: int, sees: bool
) -> None:
    set_rules(site, EXAM, elder_percent=50, elder_until_hours=30)
    full, kept = exam(site, 6), exam(site, days, 2, kinds={"elder": 2})
    book(full.id)
    young, old = (ask(visitors.citizen(a_person(id_no=born_on(day))), full) for day in (YOUNG, OLD))
    assert others(old) == [kept.id]
    assert others(young) == ([kept.id] if sees else [])
    assert ("剩下的名额先留给老年人" in young.json.get("detail", "")) is not sees


@pytest.mark.parametrize(
    ("more", "says"),
    [({"opens_at": clock.at_local(date(2026, 11, 25), 8)}, "11月25日08:00起开放预约"), ({}, "能同时约 2 人")],
)
def test_nothing_left_is_only_said_when_true(
    visitors: Visitors, site: str, more: dict[str, Any], says: str
) -> None:
    full = exam(site, 7, 2)
    book(full.id), exam(site, 8, 1, **more)
    told: dict[str, Any] = {"slot_id": full.id}
    if more:
        book(full.id)
    else:
        told["companions"] = [{"name": "测试乙", "id_no": id_number()}]
    detail = visitors.citizen(a_person()).post("/mp/v1/bookings", told).json["detail"]
    assert says in detail
    assert "近期没有其他空余时段" not in detail


@pytest.mark.parametrize("noted", [False, True])
def test_a_lapsed_hold_says_so(visitors: Visitors, site: str, noted: bool) -> None:
    slot, who = exam(site), visitors.citizen(a_person())
    held = ask(who, slot).json
    clock.advance(timedelta(minutes=11))
    if noted:
        tasks.lapse_holds()
    refused = sure(who, held["id"])
    assert (refused.status_code, slug(refused)) == (409, "hold-lapsed")
    assert others(refused) == ([slot.id] if noted else [])


def test_confirming_twice_is_no_failure(visitors: Visitors, site: str) -> None:
    """The first answer was lost on the way; the phone asks again with another key."""
    who = visitors.citizen(a_person())
    held = ask(who, exam(site)).json["id"]
    first, second = (sure(who, held) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.json["state"], second.json["check_in_code"]) == ("confirmed", first.json["check_in_code"])
    with unit() as u:
        assert [line.trigger for line in u.journal_of(held)].count("confirmed") == 1


@pytest.mark.parametrize("noted", [False, True])
def test_a_lapsed_move_says_so(visitors: Visitors, site: str, noted: bool) -> None:
    booked, other = book(exam(site).id), exam(site, 8)
    who = visitors.citizen(booked.person_id)
    assert ask(who, other, beside=booked.id).status_code == 200
    clock.advance(timedelta(minutes=11))
    if noted:
        tasks.lapse_moves()
    refused = sure(who, booked.id, "/move")
    assert slug(refused) == "hold-lapsed"
    assert others(refused) == ([other.id] if noted else [])


def test_a_move_that_was_dropped_is_no_lapse(visitors: Visitors, site: str) -> None:
    booked = book(exam(site).id)
    who = visitors.citizen(booked.person_id)
    assert slug(sure(who, booked.id, "/move")) == "impossible-move"
    ask(who, exam(site, 8), beside=booked.id)
    assert who.post(f"/mp/v1/bookings/{booked.id}/move/withdrawal").status_code == 200
    assert slug(sure(who, booked.id, "/move")) == "impossible-move"


def test_moving_to_the_same_or_another_thing(visitors: Visitors, site: str) -> None:
    slot = exam(site, capacity=2)
    booked = book(slot.id)
    who = visitors.citizen(booked.person_id)
    assert slug(ask(who, slot, beside=booked.id)) == "same-slot"
    assert slug(ask(who, exam(site, subject=SUBJECT), beside=booked.id)) == "other-item"


def test_a_case_does_not_book_for_another_item(visitors: Visitors, site: str) -> None:
    case_id, person = file_case(ITEM, a_person())
    run_unit(lambda u: cases.pass_pre_review(u, case_id, officer()))
    who = visitors.citizen(person)
    refused = who.post("/mp/v1/bookings", {"slot_id": exam(site).id, "case_id": case_id})
    assert (refused.status_code, slug(refused)) == (409, "other-item")
    day = clock.today().isoformat()
    wish = {"item_id": EXAM, "subject": SUBJECT, "from_day": day, "to_day": day, "case_id": case_id}
    refused = who.post("/mp/v1/waits", wish)
    assert slug(refused) == "other-item", refused.text


def test_too_many_holds_wait_for_tomorrow(visitors: Visitors, site: str) -> None:
    set_rules(site, EXAM, lapses_a_day=1)
    slot, who = exam(site), visitors.citizen(a_person())
    held = ask(who, slot).json
    assert who.post(f"/mp/v1/bookings/{held['id']}/cancellation").status_code == 200
    refused = ask(who, slot)
    assert (refused.status_code, slug(refused)) == (429, "too-many-holds")
    assert int(refused.headers["Retry-After"]) <= 24 * 3600


def blocked(site: str) -> str:
    """Somebody who missed twice."""
    person = a_person()
    for _ in range(2):
        book(exam(site, 1).id, person)
        clock.move_to(clock.start_of_day(clock.today() + timedelta(days=2)))
        tasks.mark_those_missed()
    return person


def test_an_appeal_after_the_end_is_too_late(visitors: Visitors, site: str) -> None:
    person = blocked(site)
    [block] = blocks_of(person)
    clock.move_to(block.until)
    refused = visitors.citizen(person).post(f"/mp/v1/booking-blocks/{block.id}/appeal", {"text": "当天住院"})
    assert (refused.status_code, slug(refused)) == (409, "appeal-too-late")


def test_every_door_says_how_long_the_block_lasts(
    visitors: Visitors, site: str, announced: Callable[[], str]
) -> None:
    person = blocked(site)
    who, [block], day = visitors.citizen(person), blocks_of(person), clock.today().isoformat()
    until, at = clock.local(block.until), {"from_day": day, "to_day": day}
    for refused in (
        ask(who, exam(site, 9)),
        who.post("/mp/v1/waits", {"item_id": EXAM, "subject": SUBJECT, **at}),
        who.post(f"/mp/v1/releases/{announced()}/entries", {}),
    ):
        assert (refused.status_code, slug(refused)) == (403, "booking-suspended"), refused.text
        assert refused.json["detail"] == f"暂停到{until:%Y年%m月%d日}。"
        assert refused.json["block_id"] == block.id


def test_entering_names_the_booking_one_has(
    visitors: Visitors, site: str, announced: Callable[[], str]
) -> None:
    booked = book(exam(site, subject=releases.SUBJECT).id)
    refused = visitors.citizen(booked.person_id).post(f"/mp/v1/releases/{announced()}/entries", {})
    assert (slug(refused), refused.json["booking_id"], refused.json["state"]) == (
        "already-booked", booked.id, "confirmed",
    )  # fmt: skip


def test_closed_entries_say_when_in_words(visitors: Visitors, announced: Callable[[], str]) -> None:
    release = announced()
    with unit() as u:
        until = booking.release_of(u, release).entries_until
    clock.move_to(until)
    refused = visitors.citizen(a_person()).post(f"/mp/v1/releases/{release}/entries", {})
    local = clock.local(until)
    assert slug(refused) == "entries-closed"
    assert f"报名已在{local.month}月{local.day}日{local:%H:%M}截止" in refused.json["detail"]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("past", "已经过去"),
        ("too-near", "11月24日08:00已停止预约"),
        ("closed", "原因：停电。"),
        ("not-open-yet", "起开放预约"),
    ],
)
def test_a_closed_slot_says_why_and_what_else(visitors: Visitors, site: str, reason: str, says: str) -> None:
    more = {"opens_at": clock.now() + HOUR} if reason == "not-open-yet" else {}
    slot, free = exam(site, 1, **more), exam(site, 3)
    if reason == "closed":
        run_unit(lambda u: plans.close_slots(u, site, [slot.id], "停电。", CLERK))
    elif not more:
        clock.move_to(slot.ends_at if reason == "past" else slot.starts_at - HOUR)
    refused = ask(visitors.citizen(a_person()), slot)
    assert (refused.status_code, slug(refused), refused.json["reason"]) == (409, "slot-closed", reason)
    assert says in refused.json["detail"]
    assert others(refused) == [free.id]
    assert refused.json.get("closed_why") == ("停电。" if reason == "closed" else None)


@pytest.mark.parametrize("noted", [False, True])
@pytest.mark.parametrize("moving", [False, True])
def test_confirming_into_a_closed_slot_says_why(
    visitors: Visitors, site: str, noted: bool, moving: bool
) -> None:
    slot, free = exam(site, 2), exam(site, 3)
    booked = book(exam(site, 9).id) if moving else hold(slot.id)
    who = visitors.citizen(booked.person_id)
    if moving:
        ask(who, slot, beside=booked.id)
    run_unit(lambda u: plans.close_slots(u, site, [slot.id], "停电。", CLERK))
    if noted:
        tasks.find_other_times()
    refused = sure(who, booked.id, "/move" if moving else "")
    assert (slug(refused), refused.json["closed_why"], others(refused)) == (
        "slot-closed",
        "停电。",
        [free.id],
    )


def arrived(visitors: Visitors, hall: Hall) -> tuple[booking.BookingView, Visitor]:
    """An appointment in the hall that begins now, and the clerk there."""
    slot = make_slot(4, site=hall.site, starts=clock.now() + timedelta(days=1))
    booked = book(slot.id)
    clock.move_to(slot.starts_at)
    return booked, visitors.officer(DEPARTMENT)


def at_the_door(
    who: Visitor, hall_site: str, booked: booking.BookingView, **shown: str
) -> tuple[Answer, Answer]:
    """At the desk, and at the machine."""
    code = shown.get("code")
    read = {"scanned": f"ZB:{booked.number}:{code}"} if code else {"number": booked.number, **shown}
    desk = who.post(f"/dept/v1/bookings/{booked.id}/check-in", {"site_id": hall_site, **shown})
    return desk, who.post(f"/dept/v1/sites/{hall_site}/check-ins", read)


def test_checking_in_twice_names_the_number(visitors: Visitors, hall: Hall) -> None:
    booked, clerk = arrived(visitors, hall)
    tail = id_tail_of(booked.person_id)
    first = clerk.post(f"/dept/v1/bookings/{booked.id}/check-in", {"site_id": hall.site, "id_tail": tail})
    ticket = first.json["ticket"]
    for shown in ({"id_tail": tail}, {"code": booked.check_in_code or ""}):
        for again in at_the_door(clerk, hall.site, booked, **shown):
            assert (again.status_code, slug(again)) == (409, "already-checked-in")
            assert again.json["detail"] == "您已签到，号码 A001，请等候叫号。"
            told = {name: again.json[name] for name in ("label", "group", "ticket_id", "window")}
            assert told == {"label": "A001", "group": "A区", "ticket_id": ticket["id"], "window": None}
    hall.call()
    assert at_the_door(clerk, hall.site, booked, id_tail=tail)[0].json["detail"].endswith("请到 1 号窗口。")


def test_where_no_numbers_are_given_one_waits_all_the_same(visitors: Visitors, site: str) -> None:
    slot = make_slot(1, site=site)
    booked = book(slot.id)
    clock.move_to(slot.starts_at)
    clerk, tail = visitors.officer(DEPARTMENT), id_tail_of(booked.person_id)
    first, again = at_the_door(clerk, site, booked, id_tail=tail)
    assert (first.status_code, slug(again)) == (200, "already-checked-in")
    assert again.json["detail"] == "您已签到，请在现场等候办理。"


@pytest.mark.parametrize(
    ("reason", "shift", "says"),
    [
        ("wrong-day", timedelta(days=-1), "不是今天"), ("wrong-day", timedelta(days=1), "已经过去"),
        ("too-early", timedelta(hours=-2), "09:00 起可以签到"), ("too-late", timedelta(hours=2), "签到到 11:30 为止"),
    ],
)  # fmt: skip
def test_who_comes_at_the_wrong_time_reads_the_right_one(
    visitors: Visitors, hall: Hall, reason: str, shift: timedelta, says: str
) -> None:
    slot = make_slot(1, site=hall.site, starts=clock.at_local(clock.today() + timedelta(days=3), 10))
    booked = book(slot.id)
    clock.move_to(slot.starts_at + shift)
    clerk, tail = visitors.officer(DEPARTMENT), id_tail_of(booked.person_id)
    for refused in at_the_door(clerk, hall.site, booked, id_tail=tail):
        assert (slug(refused), refused.json["reason"]) == ("wrong-day-or-site", reason)
        assert says in refused.json["detail"]
        assert "11月26日10:00" in refused.json["detail"]
        assert refused.json["starts_at"] == slot.starts_at.isoformat()


def test_another_site_says_where_only_to_the_owner(visitors: Visitors, hall: Hall, site: str) -> None:
    booked, clerk = arrived(visitors, hall)
    tail = id_tail_of(booked.person_id)
    wrong = "1234" if tail != "1234" else "4321"
    for refused in at_the_door(clerk, site, booked, id_tail=wrong):
        assert slug(refused) == "wrong-check-in-code"
        assert "测试大厅" not in refused.text
    for refused in at_the_door(clerk, site, booked, id_tail=tail):
        assert (refused.json["reason"], refused.json["site"]["name"]) == ("wrong-site", "测试大厅")
        assert "测试大厅（测试路）" in refused.json["detail"]
    unproven = clerk.post(
        f"/dept/v1/bookings/{booked.id}/served", {"site_id": site, "identity_checked": True}
    )
    assert (slug(unproven), unproven.json["detail"]) == ("wrong-day-or-site", "这个预约不在本办事点。")
    assert "starts_at" not in unproven.json


def test_what_is_not_confirmed_or_over_is_told_apart(visitors: Visitors, site: str) -> None:
    slot = make_slot(2, site=site, starts=clock.now() + timedelta(minutes=70))
    held, clerk = hold(slot.id), visitors.officer(DEPARTMENT)
    refused = at_the_door(clerk, site, held, id_tail=id_tail_of(held.person_id))[0]
    assert (slug(refused), "先在手机上确认" in refused.json["detail"]) == ("impossible-move", True)
    confirm(held)
    run_unit(lambda u: booking.halls.cancel_for_caller(u, held.id, site, "来电取消", CLERK))
    refused = at_the_door(clerk, site, held, id_tail=id_tail_of(held.person_id))[0]
    assert "这个预约已取消，不能签到" in refused.json["detail"]


def test_every_refusal_says_what_to_do_next() -> None:
    """A title that only says no leaves people standing."""
    for problem in (booking.LimitReached, booking.NotYourTurn, booking.EntriesClosed):
        assert "请" in problem.title, problem.slug
