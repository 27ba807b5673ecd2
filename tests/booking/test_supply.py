"""Supply: patterns become slots by the calendar, and no plan ever touches somebody's place."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import plans
from backend.booking.models import PatternRow, SlotRow
from backend.booking.services.holding import hold
from backend.booking.services.looking import look
from backend.booking.views import Wish
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput, NotYours
from backend.store.unit import run_unit, unit
from tests.booking.makers import EXAM, ITEM, a_person, book, cancel, citizen, set_rules
from tests.booking.planners import (
    PLANNER,
    a_site,
    days,
    kinds_in,
    on_monday,
    plan,
    set_day,
    slots_at,
    times,
    unset_day,
    wish,
    withdraw,
)


def test_patterns_open_slots_on_working_days_ahead() -> None:
    on_monday()
    site = a_site()
    change = plan(site)
    assert change.slots.opened == 6 * 3
    assert days(site) == ["09-29", "09-30", "10-08", "10-09", "10-10", "10-12"]
    assert run_unit(booking.open_slots) >= 0
    assert run_unit(booking.open_slots) == 0


def test_a_working_saturday_is_worked_like_a_monday() -> None:
    on_monday()
    site = a_site()
    plan(site, weekdays=(1,))
    plan(site, weekdays=(6,), opens="14:00", closes="15:00")
    assert days(site) == ["10-10", "10-12"]
    assert not [one for one in times(site) if one.endswith("14:00")]


def test_a_plain_weekend_is_worked_where_it_is_listed() -> None:
    on_monday()
    site = a_site(hours=[])
    plan(site, weekdays=(6, 7), urgent=True, opens="09:00", closes="11:00")
    # 3 and 4 October lie in the National Day holiday; the 11th is a plain Sunday.
    assert days(site) == ["10-11"]
    slot = slots_at(site)[0]
    assert slot.urgent
    assert slot.starts_at - slot.closes_at == timedelta(hours=slot.cancel_before_hours)


def test_a_site_without_patterns_goes_by_its_hours() -> None:
    on_monday()
    site = a_site(ITEM, EXAM, hours=[["09:00", "10:00"]])
    run_unit(booking.open_slots)
    assert [one.capacity for one in slots_at(site) if one.item_id == ITEM] == [4] * 12
    assert {one.subject for one in slots_at(site) if one.item_id == EXAM} == {"科目一", "科目二", "科目三"}


def test_the_first_pattern_takes_the_place_of_the_hours() -> None:
    on_monday()
    site = a_site(ITEM, hours=[["09:00", "10:00"]])
    run_unit(booking.open_slots)
    booked = book(next(one.id for one in slots_at(site) if clock.day_of(one.starts_at) == date(2026, 10, 9)))
    change = plan(site, opens="14:00", closes="15:00", valid_from=date(2026, 10, 9))
    assert [one.id for one in change.slots.kept] == [booked.slot_id]
    # The 29th, 30th and 8th come before the plan; the 9th keeps the slot in which somebody has a place.
    hours = [f"{day} 09:{minute}" for day in ("09-29", "09-30", "10-08") for minute in ("00", "30")]
    planned = [f"{day} 14:00" for day in ("10-09", "10-10", "10-12")]
    assert times(site) == sorted([*hours, "10-09 09:00", *planned])


def test_quotas_become_kinds_of_places_rounded_down() -> None:
    on_monday()
    site = a_site()
    set_rules(site, ITEM, elder_percent=25, walk_in_percent=30)
    plan(site, capacity=7)
    assert kinds_in(slots_at(site)[0].id) == ["elder"] + ["open"] * 4 + ["walk_in"] * 2


def test_withdrawing_keeps_slots_that_have_bookings() -> None:
    on_monday()
    site = a_site()
    change = plan(site)
    booked = book(slots_at(site)[0].id)
    fitted = withdraw(site, change.pattern.id)
    assert (fitted.removed, len(fitted.kept)) == (17, 1)
    kept = fitted.kept[0]
    assert (kept.id, kept.taken, kept.planned, kept.why) == (booked.slot_id, 1, False, "booked")
    assert [one.id for one in slots_at(site)] == [booked.slot_id]
    with pytest.raises(NotYours):
        withdraw(site, change.pattern.id)
    assert run_unit(booking.open_slots) >= 0
    assert len(slots_at(site)) == 1


def test_a_changed_pattern_resizes_only_free_slots() -> None:
    on_monday()
    site = a_site()
    change = plan(site)
    booked = book(slots_at(site)[0].id)
    changed = run_unit(lambda u: plans.change_pattern(u, site, change.pattern.id, wish(capacity=6), PLANNER))
    assert (changed.slots.resized, changed.slots.removed, changed.slots.opened) == (17, 0, 0)
    assert [(one.id, one.planned) for one in changed.slots.kept] == [(booked.slot_id, True)]
    assert [one.capacity for one in slots_at(site)] == [4] + [6] * 17
    assert [len(kinds_in(one.id)) for one in slots_at(site)] == [4] + [6] * 17


def test_a_slot_once_booked_is_closed_and_comes_back() -> None:
    on_monday()
    site = a_site()
    change = plan(site)
    booked = cancel(book(slots_at(site)[0].id))
    assert withdraw(site, change.pattern.id).removed == 18
    assert [one.id for one in slots_at(site) if one.closed_at] == [booked.slot_id]
    again = plan(site)
    assert (again.slots.opened, again.slots.resized) == (17, 1)
    assert len(times(site)) == 18


def test_a_withdrawal_waits_for_whoever_has_looked() -> None:
    on_monday()
    site = a_site()
    change, person = plan(site), a_person()
    slot_id = slots_at(site)[0].id
    thread = threading.Thread(target=withdraw, args=(site, change.pattern.id))

    def late() -> None:
        with unit() as u:
            seen = look(u, slot_id, person)
            thread.start()
            thread.join(0.3)
            assert thread.is_alive()
            hold(u, seen, Wish(slot_id, person), citizen(person), until=clock.now() + timedelta(minutes=5))

    with pytest.raises(booking.SlotTaken):
        late()
    thread.join()
    assert slots_at(site) == []


@pytest.mark.parametrize(
    "other",
    [
        {"opens": "11:00", "closes": "13:00"},
        {"weekdays": (5, 6), "opens": "08:00", "closes": "18:00"},
        {"valid_from": date(2026, 12, 1), "valid_to": date(2026, 12, 2)},
    ],
)
def test_overlapping_patterns_are_refused(other: dict[str, Any]) -> None:
    on_monday()
    site = a_site()
    first = plan(site)
    with pytest.raises(plans.PatternOverlaps) as refused:
        plan(site, **other)
    assert refused.value.extra["pattern_id"] == first.pattern.id


def test_patterns_beside_each_other_are_welcome() -> None:
    on_monday()
    site = a_site(ITEM, EXAM)
    plan(site, valid_to=date(2026, 10, 9))
    plan(site, opens="12:00", closes="13:00")
    plan(site, weekdays=(6,))
    plan(site, urgent=True, weekdays=(1,))
    plan(site, valid_from=date(2026, 10, 10))
    plan(site, item_id=EXAM, subject="科目一")
    plan(site, item_id=EXAM, subject="科目二")
    with unit() as u:
        assert len(plans.plan_of(u, site).patterns) == 7


def test_two_planners_at_once_get_one_pattern() -> None:
    on_monday()
    site, told = a_site(), list[Exception | None]()

    def want() -> None:
        try:
            plan(site)
            told.append(None)
        except plans.PatternOverlaps as refused:
            told.append(refused)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(None) == 1
    assert len(told) == 4


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("closes", {"opens": "12:00", "closes": "09:00"}),
        ("closes", {"opens": "09:00", "closes": "09:00"}),
        ("opens", {"opens": "09:60"}),
        ("closes", {"closes": "24:00"}),
        ("opens", {"opens": "9:00"}),
        ("slot_minutes", {"slot_minutes": 181}),
        ("slot_minutes", {"slot_minutes": 0}),
        ("capacity", {"capacity": 0}),
        ("weekdays", {"weekdays": ()}),
        ("weekdays", {"weekdays": (1, 8)}),
        ("weekdays", {"weekdays": (1, 1)}),
        ("valid_to", {"valid_to": date(2026, 9, 27)}),
        ("item_id", {"item_id": "SI001"}),
        ("subject", {"subject": "科目一"}),
        ("subject", {"item_id": EXAM}),
        ("group_id", {"group_id": "wg-hall-a"}),
    ],
)
def test_an_impossible_pattern_is_refused_by_field(field: str, wrong: dict[str, Any]) -> None:
    on_monday()
    site = a_site(ITEM, EXAM)
    with pytest.raises(InvalidInput) as refused:
        plan(site, **wrong)
    assert [one["field"] for one in refused.value.errors] == [field]
    assert slots_at(site) == []


def test_a_day_with_other_hours_is_worked_then() -> None:
    on_monday()
    site = a_site()
    plan(site)
    change = set_day(site, date(2026, 10, 8), [["14:00", "15:00"]])
    assert (change.fitted.removed, change.fitted.opened, change.slots.closed) == (3, 1, 0)
    assert [one for one in times(site) if one.startswith("10-08")] == ["10-08 14:00"]
    assert set_day(site, date(2026, 10, 3), [["09:00", "10:00"]]).fitted.opened == 1
    assert "10-03" in days(site)
    unset_day(site, date(2026, 10, 8))
    assert len([one for one in times(site) if one.startswith("10-08")]) == 3


@pytest.mark.parametrize(
    "hours", [[], [["10:00", "09:00"]], [["09:00", "25:00"]], [["09:00", "12:00"], ["11:00", "13:00"]]]
)
def test_impossible_hours_of_a_day_are_refused(hours: Any) -> None:
    on_monday()
    site = a_site()
    with pytest.raises(InvalidInput):
        set_day(site, date(2026, 10, 8), hours)


def test_other_quotas_change_free_slots_only() -> None:
    on_monday()
    site = a_site()
    plan(site)
    booked = book(slots_at(site)[0].id)
    change = run_unit(lambda u: plans.put_rules(u, site, ITEM, {"elder_percent": 50}, PLANNER))
    assert change.slots.resized == 17
    assert kinds_in(booked.slot_id) == ["open"] * 4
    assert kinds_in(slots_at(site)[1].id) == ["elder", "elder", "open", "open"]
    with pytest.raises(InvalidInput):
        run_unit(lambda u: plans.put_rules(u, site, "", {"walk_in_percent": 60}, PLANNER))
    with pytest.raises(InvalidInput):
        run_unit(lambda u: plans.put_rules(u, site, "SI001", {}, PLANNER))


def test_window_groups_are_put_as_a_whole() -> None:
    on_monday()
    site = a_site(ITEM, EXAM)
    windows = tuple(plans.WindowWish(n, booked_first=n == 1) for n in (1, 2))
    group = plans.GroupWish("A", "登记", (ITEM,), windows)
    put = run_unit(lambda u: plans.put_groups(u, site, [group], PLANNER))
    assert [(one.number, one.booked_first) for one in put[0].windows] == [(1, True), (2, False)]
    plan(site, group_id=put[0].id)
    exam = plans.GroupWish("B", "登记", (EXAM,), windows[:1])
    with pytest.raises(plans.WindowInUse):
        run_unit(lambda u: plans.put_groups(u, site, [exam], PLANNER))
    renamed = plans.GroupWish("A", "综合", (ITEM,), windows[1:])
    after = run_unit(lambda u: plans.put_groups(u, site, [renamed, exam], PLANNER))
    assert [(one.letter, one.name, [w.number for w in one.windows]) for one in after] == [
        ("A", "综合", [2]), ("B", "登记", [1]),
    ]  # fmt: skip
    twice = plans.GroupWish("a", "综合", ("SI001",), (plans.WindowWish(2), plans.WindowWish(2)))
    with pytest.raises(InvalidInput) as refused:
        run_unit(lambda u: plans.put_groups(u, site, [renamed, twice], PLANNER))
    assert len(refused.value.errors) == 4


def test_sites_are_loaded_once_and_planned_by_the_department() -> None:
    site_id = ids.new_id("si")
    group = {"id": ids.new_id("wg"), "letter": "A", "name": "登记", "item_ids": [ITEM],
             "windows": [{"id": ids.new_id("wi"), "number": 1, "booked_first": True}]}  # fmt: skip
    pattern = {"id": ids.new_id("pt"), "group_id": group["id"], "item_id": ITEM, "weekdays": [1], "opens": "09:00",
               "closes": "10:00", "slot_minutes": 30, "capacity": 2, "valid_from": "2026-01-01"}  # fmt: skip
    site = {"id": site_id, "name": "测试大厅", "kind": "hall", "department_id": "BZ-GT", "region_code": "341600",
            "address": "测试地址", "hours": [["09:00", "12:00"]], "item_ids": [ITEM], "latitude": 33.84,
            "longitude": 115.78, "phone": "12345", "groups": [group], "patterns": [pattern]}  # fmt: skip
    assert run_unit(lambda u: booking.load_sites(u, [site])) == 1
    withdraw(site_id, str(pattern["id"]))
    assert run_unit(lambda u: booking.load_sites(u, [site])) == 0
    with unit() as u:
        seen = plans.plan_of(u, site_id)
        assert (seen.latitude, seen.phone, seen.patterns) == ("33.840000", "12345", ())
        assert u.session.query(PatternRow).filter_by(site_id=site_id).count() == 1


def test_a_slot_under_a_release_is_left_alone() -> None:
    on_monday()
    site = a_site()
    change = plan(site)
    slot_id = slots_at(site)[0].id
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=slot_id).update({"release_id": "rl-test"})
    fitted = withdraw(site, change.pattern.id)
    assert [(one.why, one.taken) for one in fitted.kept] == [("release", 0)]
    assert [one.id for one in slots_at(site)] == [slot_id]
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=slot_id).update({"release_id": None})


def test_a_pattern_withdrawn_on_its_first_day_never_was() -> None:
    on_monday()
    site = a_site(hours=[["09:00", "09:30"]])
    change = plan(site, valid_from=clock.today())
    assert withdraw(site, change.pattern.id).removed == 18 - 6
    assert len(times(site)) == 6
