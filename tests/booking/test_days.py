"""Looking for a day and a time: what is free, what is not and why, and nothing that is cut off in silence."""

from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import Wish, plans, tasks
from backend.kernel import clock, ids
from backend.runtime.paging import cursor
from backend.store import lean
from backend.store.unit import run_unit, unit
from tests.booking.conftest import MONDAY
from tests.booking.makers import CLERK, ITEM, a_person, book, born_on, citizen, hold, make_slot, set_rules
from tests.booking.planners import PLANNER
from tests.booking.waiters import a_site
from tests.cases.visitors import Answer, Visitor, Visitors


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def phone(_offices: None) -> Visitor:
    import wsgi

    return Visitors(wsgi.app.test_client()).stranger()


def slug(answer: Answer) -> str:
    return str(answer.json["type"]).rpartition(":")[2]


def on(day: int, hour: int = 9) -> Any:
    return clock.at_local(MONDAY + timedelta(days=day), hour)


def days(site: str, first: int = 0, last: int = 6, **more: Any) -> list[booking.DayOfSlots]:
    with unit() as u:
        span = MONDAY + timedelta(days=first), MONDAY + timedelta(days=last)
        return booking.days_at(u, site, ITEM, *span, **more)


def states(site: str) -> list[str]:
    return [one.state for one in days(site)]


def test_every_day_says_what_can_be_had(site: str) -> None:
    set_rules(site, elder_percent=25, elder_until_hours=12)
    make_slot(3, site=site, starts=on(0, 8))
    free = make_slot(4, site=site, starts=on(1), kinds={"elder": 1, "walk_in": 1})
    full = make_slot(1, site=site, starts=on(2))
    book(full.id), hold(free.id, a_person(id_no=born_on(date(1996, 3, 1))))
    make_slot(1, site=site, starts=on(3), opens_at=on(1, 12))
    assert states(site) == ["over", "open", "full", "soon", "none", "rest", "rest"]
    _, tuesday, wednesday, thursday, *_ = days(site)
    assert (tuesday.day, tuesday.free, tuesday.elder_free) == (MONDAY + timedelta(days=1), 1, 1)
    assert (wednesday.free, wednesday.state_label) == (0, "已约满")
    assert (thursday.opens_at, thursday.free) == (on(1, 12), 0)


def test_places_the_elderly_left_count_for_everybody_at_last(phone: Visitor, site: str) -> None:
    set_rules(site, elder_percent=50, elder_until_hours=24)
    slot, young = make_slot(2, site=site, starts=on(1, 12), kinds={"elder": 1}), date(1996, 3, 1)
    hold(slot.id, a_person(id_no=born_on(young)))
    path = f"/mp/v1/slots?item_id={ITEM}&site_id={site}"
    for at, state, label, free, elder in (
        (on(0, 11), "elder", "老年人可约", 0, 1), (on(0, 12), "open", "可预约", 1, 0),
    ):  # fmt: skip
        clock.move_to(at)
        [day], [seen] = days(site, 1, 1), phone.get(path).json["items"]
        assert (day.state, day.state_label, day.free, day.elder_free) == (state, label, free, elder)
        assert (seen["state"], seen["state_label"], seen["free"], seen["elder_free"]) == (
            state,
            label,
            free,
            elder,
        )
    hold(slot.id)
    assert (days(site, 1, 1)[0].state, phone.get(path).json["items"][0]["state"]) == ("full", "full")


def test_where_no_quota_is_kept_any_more_places_are_everybodys(site: str) -> None:
    set_rules(site, elder_percent=0)
    slot = make_slot(1, site=site, starts=on(3), kinds={"elder": 1})
    assert [(one.state, one.free, one.elder_free) for one in days(site, 3, 3)] == [("open", 1, 0)]
    assert hold(slot.id).state == "held"


def test_a_closed_day_says_why(site: str) -> None:
    make_slot(1, site=site, starts=on(1))
    run_unit(lambda u: plans.close_day(u, site, MONDAY + timedelta(days=1), "设备检修", PLANNER))
    run_unit(lambda u: plans.close_day(u, site, MONDAY + timedelta(days=4), "全员培训", PLANNER))
    seen = days(site)
    assert [(one.state, one.reason) for one in (seen[1], seen[4])] == [
        ("closed", "设备检修"), ("closed", "全员培训"),
    ]  # fmt: skip


def test_a_closed_hour_is_told_beside_the_open_ones(site: str) -> None:
    shut, _ = make_slot(1, site=site, starts=on(1)), make_slot(2, site=site, starts=on(1, 10))
    run_unit(lambda u: plans.close_slots(u, site, [shut.id], "停电", CLERK))
    assert [(one.state, one.free, one.reason) for one in days(site, 1, 1)] == [("open", 2, "停电")]


def test_urgent_and_foreign_places_count_for_nobody(site: str) -> None:
    make_slot(1, site=site, starts=on(1), urgent=True)
    make_slot(1, site=a_site(), starts=on(1))
    make_slot(2, site=site, starts=on(1, 11), subject="科目一")
    assert [one.free for one in days(site, 1, 1)] == [2]
    assert [one.state for one in days(site, 1, 1, subject="")] == ["none"]


def test_the_days_cost_one_statement(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    days(site)
    sent, execute = list[str](), lean.execute

    def listening(session: Any, statement: str, values: Any = ()) -> Any:
        sent.append(statement)
        return execute(session, statement, values)

    monkeypatch.setattr("backend.booking.days.lean.execute", listening)
    days(site, 0, 61)
    assert len(sent) == 1


def test_days_are_asked_over_http_within_bounds(phone: Visitor, site: str) -> None:
    make_slot(2, site=site, starts=on(1))
    path = f"/mp/v1/sites/{site}/days?item_id={ITEM}"
    seen = phone.get(f"{path}&from=2026-11-24&to=2026-11-24").json
    assert seen == [
        {
            "day": "2026-11-24", "state": "open", "state_label": "可预约", "free": 2, "elder_free": 0,
            "opens_at": None, "reason": "",
        }
    ]  # fmt: skip
    assert [one["day"] for one in phone.get(path).json][::30] == ["2026-11-23", "2026-12-23"]
    for span in ("from=2026-11-24&to=2026-11-23", "from=2026-11-23&to=2027-01-24"):
        assert slug(phone.get(f"{path}&{span}")) == "invalid-input"
    assert slug(phone.get(f"/mp/v1/sites/si-nowhere/days?item_id={ITEM}")) == "not-found"
    assert phone.get(f"/mp/v1/sites/{site}/days?item_id=SI999&to=2026-11-23").json[0]["state"] == "none"


def test_a_year_without_calendar_is_no_error(site: str) -> None:
    with unit() as u:
        [seen] = booking.days_at(u, site, ITEM, date(2099, 1, 3), date(2099, 1, 3))
    assert seen.state == "none"


def test_more_slots_than_a_page_are_not_lost(phone: Visitor, site: str) -> None:
    made = [make_slot(1, site=site, starts=on(1) + timedelta(minutes=n // 2)).id for n in range(103)]
    path = f"/mp/v1/slots?item_id={ITEM}&site_id={site}"
    first = phone.get(path).json
    assert len(first["items"]) == 100
    second = phone.get(f"{path}&cursor={first['next']}").json
    assert second["next"] is None
    seen = [one["id"] for one in first["items"] + second["items"]]
    assert len(seen) == 103
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    "keys", [("gestern", "sl-1"), ("0001-01-01T00:00:00+14:00", "sl"), ("2026-11-23", "sl")]
)
def test_a_forged_cursor_of_slots_is_refused(phone: Visitor, keys: tuple[str, str]) -> None:
    assert slug(phone.get(f"/mp/v1/slots?item_id={ITEM}&cursor={cursor(*keys)}")) == "malformed-request"


def test_a_slot_says_until_when_it_can_be_held(phone: Visitor, site: str) -> None:
    slot = make_slot(1, site=site, starts=on(1), closes_at=on(0, 20))
    [seen] = phone.get(f"/mp/v1/slots?item_id={ITEM}&site_id={site}").json["items"]
    assert (seen["id"], seen["closes_at"]) == (slot.id, on(0, 20).isoformat())
    clock.move_to(on(0, 20))
    assert phone.get(f"/mp/v1/slots?item_id={ITEM}&site_id={site}").json["items"] == []


def test_a_closed_slot_is_shown_when_asked_for(phone: Visitor, site: str) -> None:
    slot = make_slot(2, site=site, starts=on(1))
    run_unit(lambda u: plans.close_slots(u, site, [slot.id], "停电", CLERK))
    path = f"/mp/v1/slots?item_id={ITEM}&site_id={site}"
    assert phone.get(path).json["items"] == []
    [seen] = phone.get(f"{path}&closed=true").json["items"]
    assert (seen["closed"], seen["closed_why"], seen["free"]) == (True, "停电", 0)


def test_a_booking_names_its_item_and_its_code(site: str) -> None:
    held = hold(make_slot(1, site=site).id)
    assert (held.check_in_text, held.code_until) == (None, None)
    sure = run_unit(lambda u: booking.confirm_booking(u, held.id, held.person_id, citizen(held.person_id)))
    with unit() as u:
        seen = booking.booking_of(u, held.id, held.person_id)
    assert held.item_name == sure.item_name == seen.item_name != ""
    assert sure.check_in_text == seen.check_in_text == f"ZB:{sure.number}:{sure.check_in_code}"
    assert sure.code_until == seen.code_until
    assert sure.code_until is not None
    assert clock.wire_now() < sure.code_until <= clock.wire_now() + timedelta(minutes=5)


def test_a_moved_booking_still_says_why_it_had_to(site: str) -> None:
    old = make_slot(1, site=site, starts=on(1))
    one = book(old.id, a_person())
    run_unit(lambda u: plans.close_slots(u, site, [old.id], "停电。", CLERK))
    tasks.find_other_times()
    new = make_slot(1, site=site, starts=on(2))
    wish, who = Wish(new.id, one.person_id), citizen(one.person_id)
    run_unit(lambda u: booking.hold_move(u, one.id, wish, who))
    moved = run_unit(lambda u: booking.confirm_move(u, one.id, one.person_id, who))
    assert (moved.closed, moved.closed_why, moved.displaced_why) == (False, "", "停电。")
    with unit() as u:
        lines = [entry.says for entry in u.journal_of(one.id)]
    assert "原时段停办，原因：停电" in lines


def test_ids_of_nobody_are_not_found(phone: Visitor) -> None:
    assert slug(phone.get(f"/mp/v1/sites/{ids.new_id('si')}/days?item_id={ITEM}")) == "not-found"
