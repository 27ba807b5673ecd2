"""How places were used: every figure against what was counted by hand."""

import csv
import io
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from backend import booking
from backend.booking import plans, tasks
from backend.booking.machine import WAIT
from backend.booking.models import SiteRow, WaitRow
from backend.booking.views import Companion
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours
from backend.store.unit import CLOCK, run_unit, unit
from tests.booking.makers import (
    CLERK,
    ITEM,
    a_person,
    at_desk,
    book,
    born_on,
    cancel,
    id_tail_of,
    make_slot,
    set_rules,
)
from tests.booking.planners import PLANNER, a_site, on_monday, set_day
from tests.booking.waiters import nobody_waits
from tests.cases.makers import id_number

DAY = date(2026, 9, 29)
NEXT = DAY + timedelta(days=1)


def wait(site: str | None, first: date, last: date, state: str, party: int = 1) -> None:
    with unit() as u:
        row = WaitRow(
            id=ids.new_id("wt"), person_id=ids.new_id("ps"), item_id=ITEM, site_id=site, from_day=first, to_day=last,
            since=clock.now(), offers=0, party=party, subject=ids.token()[:12],
            instead_of=ids.new_id("bk") if state == "taken" else None,
        )  # fmt: skip
        u.begin(WAIT, row, by=CLOCK, says="候补")
        row.state = state
        u.add(row)


def a_lived_day() -> tuple[str, str]:
    """A site and its group A. Slot one (09:00, six places): a family of two served, one missed, one elder served.

    Slot two (10:00, four places): one cancelled in time, a family of two cancelled late; it belongs to no group.
    Two walk in. Three waits were in vain, one was taken; a slot of the next day stays empty, a closed one is not seen.
    """
    on_monday()
    nobody_waits()
    site = a_site(hours=[])
    groups = [plans.GroupWish("A", "=cmd|calc", (ITEM,), (plans.WindowWish(1),))]
    group = run_unit(lambda u: plans.put_groups(u, site, groups, PLANNER))[0].id
    kinds = {"elder": 1, "walk_in": 2}
    one = make_slot(6, starts=clock.at_local(DAY, 9), site=site, kinds=kinds, group_id=group)
    two = make_slot(
        4, starts=clock.at_local(DAY, 10), site=site, group_id="", closes_at=clock.at_local(DAY, 8)
    )
    make_slot(5, starts=clock.at_local(NEXT, 9), site=site, group_id=group)
    make_slot(7, starts=clock.at_local(NEXT, 10), site=site, group_id=group, closed_at=clock.now())
    family = book(one.id, companions=(Companion("测试乙", id_number()),))
    misses, elder = (
        book(one.id, a_person(id_no=born_on(date(1990, 1, 1)))),
        a_person(id_no=born_on(date(1950, 1, 1))),
    )
    _take_elder_place(site, one.id, elder)
    early, late = book(two.id), book(two.id, companions=(Companion("测试丙", id_number()),))
    cancel(early)
    clock.move_to(clock.at_local(DAY, 8, 0))
    cancel_late(late, site)
    _serve(site, family)
    for _ in range(2):
        run_unit(lambda u: booking.halls.take_number(u, site, CLERK, group_id=group, item_id=""))
    clock.move_to(clock.at_local(NEXT, 8))
    tasks.mark_those_missed()
    assert misses.party == 1
    for state in ("waiting", "ended", "taken", "left"):
        wait(site, DAY, NEXT, state)
    wait(None, NEXT, NEXT, "waiting", party=2)
    wait(site, NEXT + timedelta(days=5), NEXT + timedelta(days=9), "waiting")
    wait(a_site(), DAY, NEXT, "waiting")
    return site, group


def cancel_late(booked: booking.BookingView, site: str) -> None:
    run_unit(lambda u: booking.halls.cancel_for_caller(u, booked.id, site, "来电取消", CLERK))


def _take_elder_place(site: str, slot_id: str, person: str) -> None:
    set_rules(site, ITEM, elder_percent=20)
    booked = book(slot_id, person)
    clock.move_to(booked.starts_at)
    _serve(site, booked)
    on_monday()


def _serve(site: str, booked: booking.BookingView) -> None:
    clock.move_to(booked.starts_at)
    assert at_desk(booked, site=site, id_tail=id_tail_of(booked.person_id)) is not None
    run_unit(lambda u: booking.halls.mark_served(u, booked.id, site, CLERK))


def test_every_figure_is_as_counted_by_hand() -> None:
    site, group = a_lived_day()
    with unit() as u:
        told = plans.utilisation(u, site, DAY, NEXT)
    assert [(one.day, one.use.places, one.use.taken, one.walk_ins, one.waiting) for one in told.dates] == [
        (DAY, 8, 4, 2, 2), (NEXT, 5, 0, 0, 4),
    ]  # fmt: skip
    total = told.total
    assert (total.places, total.walk_in, total.taken, total.free) == (13, 2, 4, 9)
    assert (total.served, total.missed, total.left, total.cancelled_late) == (3, 1, 0, 2)
    assert (total.taken_percent, total.served_percent) == (30.8, 23.1)
    assert (told.walk_ins, told.waiting) == (2, 4)
    by_group = {
        one.group_id: (one.use.places, one.use.served, one.use.cancelled_late, one.walk_ins)
        for one in told.groups
    }
    assert by_group == {"": (4, 0, 2, 0), group: (9, 3, 0, 2)}
    assert [(one.kind, one.places, one.taken, one.served, one.missed) for one in told.kinds] == [
        ("open", 12, 3, 2, 1), ("elder", 1, 1, 1, 0), ("walk_in", 2, 2, 0, 0),
    ]  # fmt: skip
    assert [(one.day, one.item_id, one.waiting) for one in told.days] == [(DAY, ITEM, 2), (NEXT, ITEM, 4)]


def test_the_download_says_the_same_line_by_line() -> None:
    site, _group = a_lived_day()
    with unit() as u:
        u.session.get_one(SiteRow, site).name = '=HYPERLINK("x")'
    with unit() as u:
        book_bytes = plans.utilisation_book(u, site, DAY, NEXT)
        tables = {
            by: plans.utilisation_csv(u, site, DAY, NEXT, by) for by in ("day", "item", "group", "kind")
        }
    lines = {by: list(csv.reader(io.StringIO(table.decode("utf-8-sig")))) for by, table in tables.items()}
    safe = '\'=HYPERLINK("x")'
    assert lines["day"][1:] == [
        ["2026-09-29", safe, "8", "2", "4", "4", "3", "1", "0", "2", "50.0", "37.5", "2", "2"],
        ["2026-09-30", safe, "5", "0", "0", "5", "0", "0", "0", "0", "0.0", "0.0", "0", "4"],
    ]  # fmt: skip
    assert [line[2:] for line in lines["kind"][1:] if line[0] == "2026-09-29"] == [
        ["", "所有人", "4", "0", "0", "0", "0"],
        ["A =cmd|calc", "所有人", "3", "3", "2", "1", "0"],
        ["A =cmd|calc", "老年人", "1", "1", "1", "0", "0"],
        ["A =cmd|calc", "现场", "2", "2", "0", "0", "0"],
    ]
    made = load_workbook(io.BytesIO(book_bytes))
    assert made.sheetnames == ["按日", "按事项", "按窗口组", "按名额"]
    for name, by in zip(made.sheetnames, lines, strict=True):
        cells = [cell for row in made[name].iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"]
        assert made[name].max_row == len(lines[by])
    with unit() as u, pytest.raises(NotYours):
        plans.utilisation_csv(u, "si-none", DAY, NEXT, "day")


def test_a_closed_day_has_no_use_but_its_walk_ins() -> None:
    site, _group = a_lived_day()
    set_day(site, NEXT)
    with unit() as u:
        told = plans.utilisation(u, site, NEXT, NEXT)
    assert [(one.day, one.use.places, one.waiting) for one in told.dates] == [(NEXT, 0, 4)]
