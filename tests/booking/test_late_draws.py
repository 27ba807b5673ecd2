"""Draws and calendars that are late: staff are warned, whoever entered is told once, and refusals say when to come."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import Result

from backend import booking, catalogue
from backend.booking import awaiting
from backend.booking.models import EntryRow
from backend.booking.services import tending
from backend.contracts import DrawDelayed
from backend.kernel import clock
from backend.store.outbox import OutboxRow
from backend.store.unit import run_unit, unit
from tests.booking.makers import EXAM, EXAM_SITE, a_person, book, hold
from tests.booking.releases import (
    COLLEAGUE,
    PLANNER,
    SOURCE,
    VALUE,
    a_day,
    agree_on,
    announce,
    close,
    enter,
    entry_of,
    open_queue,
    record_of,
    release_of,
    slots_on,
    tamper,
    until_the_value,
    withdraw,
)
from tests.booking.test_waiting_http import blocked
from tests.cases.visitors import Visitor, Visitors

OWNER, STRANGE = "BZ-GA", "BZ-JY"
HOUR = timedelta(hours=1)
Type = Callable[..., Result]


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def type_in(visitors: Visitors) -> Iterator[Type]:
    """Type `flask --app wsgi town ...`."""
    import wsgi

    with wsgi.app.app_context():
        yield lambda *words: wsgi.app.test_cli_runner().invoke(args=["town", *words])


@pytest.fixture
def late() -> Iterator[str]:
    """A draw with one entry, whose public value is overdue."""
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    enter(release_id)
    close(release_id)
    clock.move_to(known_at(release_id) + HOUR)
    yield release_id
    run_unit(lambda u: booking.call_off(u, release_id, "测试结束", PLANNER))


def known_at(release_id: str) -> Any:
    return release_of(release_id).public_value_at


def waiting_for(visitor: Visitor, release_id: str) -> list[tuple[str, bool]]:
    answer = visitor.get("/dept/v1/booking-pending")
    assert answer.status_code == 200, answer.text
    return [
        (one["waits_for"], one["late"]) for one in answer.json["draws"] if one["release_id"] == release_id
    ]


def warned_of(release_id: str) -> list[str]:
    return [one for one in run_unit(booking.warnings) if release_id in one]


def delays_of(release_id: str) -> int:
    """How often those who entered were told of a delay."""
    with unit() as u:
        ours = [row.id for row in u.session.query(EntryRow).filter_by(release_id=release_id)]
        told = u.session.query(OutboxRow).filter_by(kind=DrawDelayed.__name__)
        return told.filter(OutboxRow.stream.in_(ours)).count()


def test_a_release_says_when_its_value_is_fixed(visitors: Visitors) -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    seen = visitors.stranger().get(f"/mp/v1/releases/{release_id}").json
    assert (seen["public_source"], seen["late"]) == (SOURCE, False)
    assert seen["public_value_at"].startswith("2026-11-23T")
    close(release_id)
    assert record_of(release_id)["frozen"]["public_value_at"] == known_at(release_id).isoformat()


def test_nobody_writes_a_value_before_it_is_known() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    close(release_id)
    with pytest.raises(booking.ReleaseNotReady) as refused:
        run_unit(lambda u: booking.propose_value(u, release_id, VALUE, PLANNER))
    assert refused.value.detail == "公开数值11月23日11:30才确定，请到时再填写。"


def test_staff_see_what_a_draw_waits_for(visitors: Visitors) -> None:
    slots_on(day := a_day(), 1)
    release_id, planner = announce(day), visitors.officer(OWNER, "planner")
    close(release_id)
    assert waiting_for(planner, release_id) == []
    until_the_value(release_id)
    assert waiting_for(planner, release_id) == [("value", False)]
    run_unit(lambda u: booking.propose_value(u, release_id, VALUE, PLANNER))
    clock.move_to(known_at(release_id) + HOUR)
    assert waiting_for(planner, release_id) == [("second", True)]
    run_unit(lambda u: booking.confirm_value(u, release_id, VALUE, COLLEAGUE))
    assert waiting_for(planner, release_id) == [("draw", True)]
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    assert waiting_for(planner, release_id) == []


def test_a_late_draw_says_what_to_do(visitors: Visitors, late: str) -> None:
    answer = visitors.officer(OWNER, "window_clerk").get("/dept/v1/booking-pending").json
    told = next(one for one in answer["draws"] if one["release_id"] == late)
    assert told["says"] == "请填写公开数值，原定11月23日11:30，已推迟并通知报名人。"
    assert (told["entries"], told["site_id"], told["item_id"]) == (1, EXAM_SITE, EXAM)


def test_foreign_draws_wait_for_others(visitors: Visitors, late: str) -> None:
    assert waiting_for(visitors.officer(STRANGE, "planner"), late) == []


def test_appeals_wait_for_the_department(visitors: Visitors) -> None:
    planner = visitors.officer(OWNER, "planner")
    before = planner.get("/dept/v1/booking-pending").json["appeals"]
    person = blocked(EXAM_SITE)
    with unit() as u:
        block = booking.blocks_of(u, person)[0]
    citizen = visitors.citizen(person)
    appeal = citizen.post(f"/mp/v1/booking-blocks/{block.id}/appeal", {"text": "当天生病住院"})
    assert appeal.status_code in (200, 201), appeal.text
    assert planner.get("/dept/v1/booking-pending").json["appeals"] == before + 1


def test_the_check_warns_of_a_late_draw(late: str, type_in: Type) -> None:
    assert warned_of(late) == [
        f"booking: draw {late} at {EXAM_SITE} waits for its value since {known_at(late).isoformat()}"
    ]
    said = type_in("check").output
    assert f"warning: booking: draw {late}" in said
    assert late not in "".join(line for line in said.splitlines() if not line.startswith("warning: "))


def test_a_draw_in_time_warns_nobody() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    close(release_id)
    clock.move_to(known_at(release_id) + HOUR - timedelta(seconds=1))
    assert warned_of(release_id) == []
    clock.advance(timedelta(seconds=1))
    assert len(warned_of(release_id)) == 1
    agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    assert warned_of(release_id) == []


def test_a_release_without_a_moment_is_late_after_it_opens(late: str) -> None:
    tamper(late, public_value_at=None)
    clock.move_to(release_of(late).opens_at + HOUR - timedelta(seconds=1))
    assert warned_of(late) == []
    clock.advance(timedelta(seconds=1))
    assert len(warned_of(late)) == 1


def test_who_entered_is_told_of_a_delay_once(late: str) -> None:
    assert delays_of(late) == 0
    for _ in range(2):
        tending.tend()
        clock.advance(timedelta(days=1))
    assert delays_of(late) == 1
    assert release_of(late).late


def test_who_left_or_takes_no_part_is_not_told() -> None:
    elsewhere = slots_on(a_day(), 1)[0]
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    gone, out = enter(release_id), enter(release_id)
    book(elsewhere.id, out)
    close(release_id)
    withdraw(release_id, gone)
    clock.move_to(known_at(release_id) + HOUR)
    tending.tend()
    assert delays_of(release_id) == 0
    agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))


def test_a_draw_set_off_in_time_is_no_delay() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    enter(release_id)
    close(release_id)
    agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    clock.advance(timedelta(days=1))
    tending.tend()
    assert delays_of(release_id) == 0


@pytest.mark.parametrize(
    ("today", "ends_on"), [(date(2026, 11, 1), None), (date(2026, 11, 2), date(2026, 12, 31))]
)
def test_a_year_without_calendar_is_warned_of_in_time(today: date, ends_on: date | None) -> None:
    clock.move_to(clock.at_local(today, 10))
    with unit() as u:
        assert catalogue.calendar_years(u) >= {2026}
        assert awaiting.supply_ends_on(u) == ends_on


def test_the_end_of_supply_is_told_to_everybody(visitors: Visitors) -> None:
    assert "booking: no slots open after 2026-12-31: the working days of 2027 are not loaded" in run_unit(
        booking.warnings
    )
    supplies = visitors.officer(OWNER, "planner").get("/dept/v1/booking-pending").json["supplies"]
    mine = next(one for one in supplies if one["site_id"] == EXAM_SITE)
    assert mine["ends_on"] == "2026-12-31"
    assert mine["says"] == "2027年工作日安排还没有载入，12月31日之后放不出号，请联系管理员载入。"


def refusal(slot_id: str, person: str = "") -> tuple[str, str | None]:
    with pytest.raises((booking.NotYourTurn, booking.SlotClosed)) as refused:
        hold(slot_id, person)
    return refused.value.slug, refused.value.detail


def test_a_queue_says_when_it_is_your_turn() -> None:
    slot = slots_on(day := a_day(), 9)[0]
    release_id = announce(day, "queue", batch=1)
    people = [enter(release_id) for _ in range(2)]
    assert refusal(slot.id) == (
        "not-your-turn",
        "这个时段按排队顺序预约，请在11月23日11:00前报名，截止后排定顺序。",
    )
    open_queue(release_id)
    last = max(people, key=lambda one: entry_of(release_id, one).rank or 0)
    assert refusal(slot.id, last)[1] == "这个时段按排队顺序预约，11月23日12:01轮到您，请到时再约。"
    assert refusal(slot.id)[1] == "这个时段按排队顺序预约，您还不在队里；现在报名，会排在最后。"
    withdraw(release_id, last)
    clock.advance(timedelta(minutes=5))
    assert refusal(slot.id, last)[1] == "这个时段按排队顺序预约，您还不在队里；现在报名，会排在最后。"


def test_a_draw_says_that_only_lots_decide() -> None:
    slot = slots_on(day := a_day(), 1)[0]
    release_id = announce(day)
    left = "没有摇出的名额11月23日12:00起向所有人开放。"
    assert refusal(slot.id)[1] == f"这个时段只按摇号分配，请先报名。{left}"
    close(release_id)
    assert refusal(slot.id)[1] == f"这个时段只按摇号分配，报名已截止，请等结果。{left}"


def test_a_published_time_says_when_it_opens() -> None:
    slot = slots_on(a_day(), 1, opens_at=clock.now() + timedelta(hours=3))[0]
    assert refusal(slot.id, a_person()) == ("slot-closed", "这个时段11月23日13:00起开放预约，请到时再约。")
