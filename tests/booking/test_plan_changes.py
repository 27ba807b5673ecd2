"""A plan that changes: planners see it before, booked slots stay as they are, and those that do not fit are named."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backend import booking
from backend.booking import plans
from backend.booking.models import PlaceRow, SlotRow
from backend.store.unit import Unit, run_unit, unit
from tests.booking.makers import EXAM, ITEM, book, cancel, hold, state_of
from tests.booking.planners import PLANNER, a_site, on_monday, plan, set_day, slots_at, times, wish

Change = Callable[[Unit, str, str], plans.Fitted]


@pytest.fixture(autouse=True)
def _monday() -> None:
    on_monday()


def _group(u: Unit, site: str, *groups: plans.GroupWish) -> Any:
    return plans.put_groups(u, site, groups, PLANNER)


def _pattern(**more: Any) -> Change:
    return lambda u, site, one: plans.change_pattern(u, site, one, wish(**more), PLANNER).slots


CHANGES: dict[str, Change] = {
    "fewer places": _pattern(capacity=2),
    "more places": _pattern(capacity=9),
    "longer slots": _pattern(slot_minutes=90),
    "other hours": _pattern(opens="13:00", closes="15:00"),
    "other days": _pattern(weekdays=(3,)),
    "another item": _pattern(item_id=EXAM, subject="科目二"),
    "from later on": _pattern(valid_from=date(2026, 10, 13)),
    "no pattern": lambda u, site, one: plans.withdraw_pattern(u, site, one, PLANNER),
    "quotas": lambda u, site, one: plans.put_rules(u, site, ITEM, {"elder_percent": 50}, PLANNER).slots,
    "a shorter horizon": lambda u, site, one: (
        plans.put_rules(u, site, ITEM, {"open_days_ahead": 1}, PLANNER).slots
    ),
}


def as_it_is(slot_id: str) -> tuple[Any, ...]:
    """What people in a slot were promised, and its places."""
    with unit() as u:
        row = u.session.get_one(SlotRow, slot_id)
        places = u.session.query(PlaceRow).filter_by(slot_id=slot_id).order_by(PlaceRow.number)
        kinds = [(one.number, one.kind, one.booking_id) for one in places]
        return row.starts_at, row.ends_at, row.capacity, row.closed_at, row.item_id, kinds


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_what_is_booked(change: str) -> None:
    site = a_site(ITEM, EXAM)
    pattern_id = plan(site).pattern.id
    slots = slots_at(site)
    booked, held = book(slots[17].id), hold(slots[16].id)
    before = as_it_is(booked.slot_id), as_it_is(held.slot_id)
    fitted = run_unit(lambda u: CHANGES[change](u, site, pattern_id))
    assert (as_it_is(booked.slot_id), as_it_is(held.slot_id)) == before
    assert {one.id for one in fitted.kept} >= {booked.slot_id, held.slot_id}
    assert fitted.opened + fitted.resized + fitted.removed > 0
    with unit() as u:
        named = {one.id: one.taken for one in plans.mismatches(u, site)}
    if change != "a shorter horizon":  # what is too far ahead is planned all the same
        assert named == {booked.slot_id: 1, held.slot_id: 1}
    assert (state_of(booked), state_of(held)) == ("confirmed", "held")


@pytest.mark.parametrize("change", CHANGES)
def test_a_preview_tells_and_does_nothing(change: str) -> None:
    site = a_site(ITEM, EXAM)
    pattern_id = plan(site).pattern.id
    booked = book(slots_at(site)[0].id)
    with unit() as u:
        before = plans.plan_of(u, site)
    slots = [as_it_is(one.id) for one in slots_at(site)]
    told = plans.previewed(lambda u: CHANGES[change](u, site, pattern_id))
    with unit() as u:
        assert plans.plan_of(u, site) == before
        assert plans.mismatches(u, site) == ()
    assert [as_it_is(one.id) for one in slots_at(site)] == slots
    done = run_unit(lambda u: CHANGES[change](u, site, pattern_id))
    assert told == done
    assert state_of(booked) == "confirmed"


def test_site_hours_change_free_slots_only() -> None:
    site = a_site(hours=[["09:00", "11:00"]])
    run_unit(booking.open_slots)
    booked = book(slots_at(site)[0].id)
    change = run_unit(lambda u: plans.put_hours(u, site, [["10:00", "11:00"]], PLANNER))
    assert [one.id for one in change.slots.kept] == [booked.slot_id]
    assert (change.slots.removed, change.slots.opened) == (11, 0)
    assert len(slots_at(site)) == 13
    with unit() as u:
        assert [one.planned for one in plans.mismatches(u, site)] == [False]


def test_a_window_group_with_bookings_stays() -> None:
    site = a_site(ITEM, EXAM)
    both = (plans.GroupWish("A", "登记", (ITEM,), ()), plans.GroupWish("B", "考试", (EXAM,), ()))
    first = run_unit(lambda u: _group(u, site, *both))[0]
    pattern_id = plan(site, group_id=first.id).pattern.id
    booked = book(slots_at(site)[0].id)
    with pytest.raises(plans.WindowInUse):
        run_unit(lambda u: _group(u, site, both[1]))
    run_unit(lambda u: plans.withdraw_pattern(u, site, pattern_id, PLANNER))
    with pytest.raises(plans.WindowInUse):
        run_unit(lambda u: _group(u, site, both[1]))
    assert slots_at(site)[0].group_id == first.id
    cancel(booked)
    set_day(site, date(2026, 9, 29))
    assert [one.letter for one in run_unit(lambda u: _group(u, site, both[1]))] == ["B"]


def test_a_slot_fits_again_when_the_plan_returns() -> None:
    site = a_site()
    pattern_id = plan(site).pattern.id
    booked = book(slots_at(site)[0].id)
    smaller = run_unit(lambda u: plans.change_pattern(u, site, pattern_id, wish(capacity=2), PLANNER))
    with unit() as u:
        assert [one.id for one in plans.mismatches(u, site)] == [booked.slot_id]
    back = run_unit(lambda u: plans.change_pattern(u, site, smaller.pattern.id, wish(), PLANNER))
    assert back.slots.kept == ()
    with unit() as u:
        assert plans.mismatches(u, site) == ()


def test_extra_hours_are_worked_beside_the_usual() -> None:
    site, day = a_site(), date(2026, 10, 8)
    plan(site)
    extra = [["11:00", "13:00"], ["18:00", "19:00"]]
    change = run_unit(lambda u: plans.set_hours(u, site, day, extra, "高峰加开", PLANNER, "extra"))
    # The first overlaps what is worked anyway, so it is left out.
    assert (change.fitted.opened, change.fitted.removed, change.slots.closed) == (1, 0, 0)
    assert [one[6:] for one in times(site) if one.startswith("10-08")] == ["09:00", "10:00", "11:00", "18:00"]
    assert run_unit(lambda u: plans.unset_day(u, site, day, PLANNER)).fitted.removed == 1
    sunday = date(2026, 10, 11)
    extra = [["09:00", "10:00"]]
    assert (
        run_unit(lambda u: plans.set_hours(u, site, sunday, extra, "加开", PLANNER, "extra")).fitted.opened
        == 1
    )


def test_extra_hours_join_the_hours_of_a_site() -> None:
    site, day, extra = (
        a_site(hours=[["09:00", "10:00"]]),
        date(2026, 10, 8),
        [["09:30", "11:00"], ["14:00", "14:30"]],
    )
    run_unit(booking.open_slots)
    run_unit(lambda u: plans.set_hours(u, site, day, extra, "加开", PLANNER, "extra"))
    assert [one[6:] for one in times(site) if one.startswith("10-08")] == ["09:00", "09:30", "14:00"]
