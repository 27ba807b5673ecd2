"""Sites of their own for the tests of planning, and what their planners do."""

from datetime import date
from typing import Any

from backend import booking
from backend.booking import plans
from backend.booking.models import PlaceRow, SiteRow, SlotRow
from backend.booking.plan.views import Fitted, PatternChange, PatternWish
from backend.kernel import clock, ids
from backend.store.unit import Actor, run_unit, unit
from tests.booking.makers import ITEM

PLANNER = Actor("staff", "st-01hzzzzzzzzzzzzzzzzzzzzzzy", "预约管理员")
MONDAY = date(2026, 9, 28)
"""Six working days follow on 29 and 30 September, 8, 9, 10 (a Saturday that is worked) and 12 October."""


def a_site(*items: str, hours: Any = None) -> str:
    """A site of the land department that handles these items (SI025 when none is named)."""
    site = SiteRow(
        id=ids.new_id("si"), name="测试大厅", kind="hall", department_id="BZ-GT", region_code="341600",
        address="测试地址", hours=[["09:00", "12:00"]] if hours is None else hours, item_ids=list(items or (ITEM,)),
    )  # fmt: skip
    with unit() as u:
        u.add(site)
        return site.id


def on_monday() -> None:
    clock.move_to(clock.at_local(MONDAY, 10))


def wish(**more: Any) -> PatternWish:
    """Monday to Friday, nine to twelve, slots of an hour with four places."""
    given: dict[str, Any] = {
        "item_id": ITEM, "weekdays": (1, 2, 3, 4, 5), "opens": "09:00", "closes": "12:00", "slot_minutes": 60,
        "capacity": 4, "valid_from": date(2026, 9, 1),
    }  # fmt: skip
    return PatternWish(**(given | more))


def plan(site_id: str, **more: Any) -> PatternChange:
    return run_unit(lambda u: plans.add_pattern(u, site_id, wish(**more), PLANNER))


def withdraw(site_id: str, pattern_id: str) -> Fitted:
    return run_unit(lambda u: plans.withdraw_pattern(u, site_id, pattern_id, PLANNER))


def slots_at(site_id: str) -> list[SlotRow]:
    """Every slot of a site, by time."""
    with unit() as u:
        rows = u.session.query(SlotRow).filter_by(site_id=site_id).order_by(SlotRow.starts_at).all()
        u.session.expunge_all()
        return rows


def times(site_id: str) -> list[str]:
    """Day and time of the open slots of a site: "10-10 09:00"."""
    return [f"{clock.local(one.starts_at):%m-%d %H:%M}" for one in slots_at(site_id) if one.closed_at is None]


def days(site_id: str) -> list[str]:
    return sorted({one[:5] for one in times(site_id)})


def kinds_in(slot_id: str) -> list[str]:
    with unit() as u:
        places = u.session.query(PlaceRow).filter_by(slot_id=slot_id).order_by(PlaceRow.number)
        return [place.kind for place in places]


def set_day(site_id: str, day: date, hours: Any = None, reason: str = "设备检修") -> plans.DayChange:
    """Close a day, or give it other hours."""
    if hours is None:
        return run_unit(lambda u: plans.close_day(u, site_id, day, reason, PLANNER))
    return run_unit(lambda u: plans.set_hours(u, site_id, day, hours, reason, PLANNER))


def unset_day(site_id: str, day: date) -> plans.DayChange:
    return run_unit(lambda u: plans.unset_day(u, site_id, day, PLANNER))


def seen(booked: booking.BookingView) -> booking.BookingView:
    """A booking as its owner sees it now."""
    with unit() as u:
        return booking.booking_of(u, booked.id, booked.person_id)
