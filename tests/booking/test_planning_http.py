"""Planners over HTTP: who may plan, a plan in a sheet, and how the places were used."""

import io
import secrets
from datetime import date, timedelta
from typing import Any

import pytest
import requests
from openpyxl import Workbook, load_workbook

from backend import booking
from backend.booking import plans, tasks
from backend.booking.plan.sheets import COLUMNS, PATTERNS
from backend.kernel import clock
from backend.store.unit import run_unit, unit
from tests.booking.makers import CLERK, EXAM, ITEM, a_person, at_desk, book, cancel, make_slot
from tests.booking.planners import MONDAY, PLANNER, a_site, on_monday, plan, set_day, slots_at, times
from tests.people.makers import ask, officer, slug

HEADINGS = {one.field: one.heading for one in COLUMNS[PATTERNS]}

LAND, CITY = "BZ-GT", "341600"
PATTERN = {
    "item_id": ITEM, "weekdays": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "12:00", "slot_minutes": 60,
    "capacity": 4, "valid_from": "2026-09-01",
}  # fmt: skip
ROW = (ITEM, None, None, "一二三四五", "09:00", "12:00", 60, 4, "否", "2026-09-01", None)


@pytest.fixture
def planner(town: Any) -> Any:
    """Asks as a planner of the land department."""
    return _clerk(town, "planner")


def _clerk(town: Any, *roles: str, department: str = LAND) -> Any:
    token = officer(town, *roles, department_id=department, region_code=CITY).token
    on_monday()

    def asking(method: str, path: str, body: Any = None) -> requests.Response:
        return ask(town, method, f"/dept/v1/sites/{path}", body, token=token)

    asking.token = token  # type: ignore[attr-defined]
    return asking


def bring(town: Any, planner: Any, site: str, packed: bytes, path: str = "") -> requests.Response:
    heads = {"Authorization": f"Bearer {planner.token}", "Idempotency-Key": secrets.token_hex(8),
             "Content-Type": plans.MEDIA}  # fmt: skip
    url = f"{town.base_url}/dept/v1/sites/{site}/plan/sheet{path}"
    return requests.request("POST" if path else "PUT", url, data=packed, headers=heads, timeout=30)


def sheet(*rows: Any, headings: Any = None) -> bytes:
    made = Workbook()
    made.worksheets[0].title = "每周排班"
    made.worksheets[0].append(list(headings or HEADINGS.values()))
    for row in rows:
        made.worksheets[0].append(list(row))
    packed = io.BytesIO()
    made.save(packed)
    return packed.getvalue()


def findings(answer: requests.Response) -> set[tuple[int, str]]:
    assert slug(answer) == "plan-refused", answer.text
    return {(one["row"], one["column"]) for one in answer.json()["findings"]}


def test_a_planner_plans_a_site_from_nothing(planner: Any) -> None:
    site = a_site()
    groups = [
        {"letter": "A", "name": "登记", "item_ids": [ITEM], "windows": [{"number": 1, "booked_first": True}]}
    ]
    group = planner("PUT", f"{site}/plan/groups", {"groups": groups}).json()[0]
    added = planner("POST", f"{site}/plan/patterns", PATTERN | {"group_id": group["id"]})
    assert added.status_code == 201, added.text
    assert added.json()["slots"]["opened"] == 18
    pattern_id = added.json()["pattern"]["id"]
    assert (
        slug(planner("POST", f"{site}/plan/patterns", PATTERN | {"group_id": group["id"]}))
        == "pattern-overlaps"
    )
    changed = planner("PUT", f"{site}/plan/patterns/{pattern_id}", PATTERN | {"capacity": 9}).json()
    assert changed["pattern"]["capacity"] == 9
    rules = planner("PUT", f"{site}/plan/rules", {"item_id": ITEM, "rules": {"elder_percent": 20}}).json()
    assert rules["rules"]["rules"] == {"elder_percent": 20}
    closed = planner("PUT", f"{site}/plan/days/2026-10-08", {"kind": "closed", "reason": "设备检修"})
    assert closed.json()["slots"]["closed"] == 3
    seen = planner("GET", f"{site}/plan").json()
    assert [one["day"] for one in seen["days"]] == ["2026-10-08"]
    assert [one["item_id"] for one in seen["rules"]] == [ITEM]
    assert seen["groups"][0]["windows"][0]["booked_first"]
    assert planner("DELETE", f"{site}/plan/days/2026-10-08").json()["slots"]["reopened"] == 3
    gone = planner("DELETE", f"{site}/plan/patterns/{changed['pattern']['id']}")
    assert gone.json()["removed"] == 18
    assert slug(planner("DELETE", f"{site}/plan/patterns/{pattern_id}")) == "not-found"


def test_what_is_wrong_is_told_by_field(planner: Any) -> None:
    site = a_site()
    wrong = planner("POST", f"{site}/plan/patterns", PATTERN | {"closes": "08:00", "capacity": 0})
    assert slug(wrong) == "invalid-input"
    assert {one["field"] for one in wrong.json()["errors"]} == {"closes", "capacity"}
    odd = planner("PUT", f"{site}/plan/rules", {"rules": {"per_day": 0, "nonsense": 1}})
    assert {one["field"] for one in odd.json()["errors"]} == {"rules.per_day", "rules.nonsense"}
    assert (
        slug(planner("PUT", f"{site}/plan/days/2026-09-27", {"kind": "closed", "reason": "停电"}))
        == "not-this-day"
    )
    for odd_day in ("yesterday", "20261125", "2026-W48-1", "2026-11-5", "2026-02-30"):
        closing = planner("PUT", f"{site}/plan/days/{odd_day}", {"kind": "closed", "reason": "停电"})
        assert (slug(closing), slug(planner("DELETE", f"{site}/plan/days/{odd_day}"))) == ("not-found",) * 2
    for odd_day in ("1795564800", "2026-11-25T00:00:00", "20261125"):
        asked = f"{site}/utilisation?from={odd_day}&to=2026-11-26"
        assert slug(planner("GET", asked)) == "invalid-input"
    hours = {"kind": "hours", "hours": [["12:00", "09:00"]], "reason": "停电"}
    assert slug(planner("PUT", f"{site}/plan/days/2026-10-08", hours)) == "invalid-input"
    assert slug(planner("GET", f"{site}/utilisation?from=2026-01-01&to=2026-12-31")) == "invalid-input"


def test_only_planners_of_the_department_plan(town: Any) -> None:
    site = a_site()
    clerk, stranger = _clerk(town, "window_clerk"), _clerk(town, "planner", department="BZ-GA")
    assert clerk("GET", f"{site}/plan").status_code == 200
    assert slug(clerk("POST", f"{site}/plan/patterns", PATTERN)) == "outside-your-scope"
    assert (
        slug(clerk("POST", f"{site}/slots/closing", {"slot_ids": ["sl-1"], "reason": "停电"}))
        == "outside-your-scope"
    )
    for path in ("plan", "plan/sheet", "slots", "displaced", "utilisation?from=2026-10-01&to=2026-10-02"):
        assert slug(stranger("GET", f"{site}/{path}")) == "not-found"
    assert slug(stranger("POST", f"{site}/plan/patterns", PATTERN)) == "not-found"


def test_single_slots_are_seen_closed_and_opened(planner: Any) -> None:
    site = a_site()
    plan(site)
    listed = planner("GET", f"{site}/slots?day=2026-10-08").json()
    assert [(one["capacity"], one["taken"], one["closed_at"]) for one in listed] == [(4, 0, None)] * 3
    booked = book(listed[0]["id"])
    body = {"slot_ids": [listed[0]["id"]], "reason": "窗口调整"}
    assert planner("POST", f"{site}/slots/closing", body).json() == {
        "closed": 1,
        "reopened": 0,
        "affected": 1,
    }
    assert planner("GET", f"{site}/slots?day=2026-10-08").json()[0]["closed_why"] == "窗口调整"
    tasks.find_other_times()
    assert planner("GET", f"{site}/displaced?day=2026-10-08").json()["offered"] == 1
    again = planner("POST", f"{site}/slots/reopening", {"slot_ids": [listed[0]["id"]]})
    assert again.json()["reopened"] == 1
    foreign = {"slot_ids": [make_slot().id], "reason": "停电"}
    assert slug(planner("POST", f"{site}/slots/closing", foreign)) == "not-found"
    assert booked.slot_id == listed[0]["id"]


def test_a_sheet_goes_out_and_comes_back_unchanged(town: Any, planner: Any) -> None:
    site = a_site(ITEM, EXAM)
    group = plans.GroupWish("A", "登记", (ITEM,), ())
    group_id = run_unit(lambda u: plans.put_groups(u, site, [group], PLANNER))[0].id
    plan(site, group_id=group_id)
    plan(site, item_id=EXAM, subject="科目二", weekdays=(6, 7), urgent=True, valid_to=date(2026, 12, 31))
    out = planner("GET", f"{site}/plan/sheet")
    assert out.headers["Content-Type"].startswith(plans.MEDIA)
    rows = list(load_workbook(io.BytesIO(out.content)).worksheets[0].iter_rows(values_only=True))
    assert rows[0] == tuple(HEADINGS.values())
    assert len(rows) == 3
    back = bring(town, planner, site, out.content)
    told = back.json()
    assert (told["added"], told["withdrawn"], told["unchanged"]) == (0, 0, 2), told
    assert (told["days"], told["rules"], told["hours"], told["windows"]) == (0, 0, False, False)


def test_a_sheet_is_the_whole_plan(town: Any, planner: Any) -> None:
    site = a_site()
    plan(site)
    booked = book(slots_at(site)[0].id)
    clocked = (ITEM, None, "", 135, _excel(14), _excel(16), 60.0, "3", None, "2026/9/1", None)
    answer = bring(town, planner, site, sheet(clocked, [None] * 11))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["added"], told["withdrawn"], told["slots"]["removed"]) == (1, 1, 17)
    assert [one["id"] for one in told["slots"]["kept"]] == [booked.slot_id]
    with unit() as u:
        only = plans.plan_of(u, site).patterns
    assert [(one.weekdays, one.opens, one.closes, one.capacity) for one in only] == [
        ((1, 3, 5), "14:00", "16:00", 3)
    ]


def test_planners_look_before_they_change(town: Any, planner: Any) -> None:
    site = a_site()
    pattern_id = plan(site).pattern.id
    listed = slots_at(site)
    booked = book(listed[0].id)
    asked = {
        "hours": {"hours": [["08:00", "09:00"]]}, "withdraw": [pattern_id], "add": [PATTERN | {"capacity": 2}],
        "rules": [{"rules": {"walk_in_percent": 50}}],
        "days": [{"day": "2026-10-08", "set": {"kind": "closed", "reason": "停电"}}],
    }  # fmt: skip
    told = planner("POST", f"{site}/plan/preview", asked)
    assert told.status_code == 200, told.text
    assert told.json()["closing"] == {"closed": 3, "reopened": 0, "affected": 0}
    assert [one["id"] for one in told.json()["slots"]["kept"]] == [booked.slot_id]
    given = sheet((*ROW[:7], 2, *ROW[8:]))
    before = bring(town, planner, site, given, "/preview").json()
    assert [one.id for one in slots_at(site)] == [one.id for one in listed]
    assert planner("GET", f"{site}/plan/mismatches").json() == []
    assert before == bring(town, planner, site, given).json()
    named = planner("GET", f"{site}/plan/mismatches").json()
    assert [(one["id"], one["taken"], one["planned"], one["why"]) for one in named] == [
        (booked.slot_id, 1, True, "booked")
    ]
    wrong = planner("POST", f"{site}/plan/preview", {"withdraw": ["pt-none"]})
    assert slug(wrong) == "not-found"
    assert (
        slug(bring(town, planner, site, sheet((*ROW[:4], "25:00", *ROW[5:])), "/preview")) == "plan-refused"
    )


def test_only_planners_preview_and_set_hours(town: Any) -> None:
    site = a_site()
    clerk, stranger = _clerk(town, "window_clerk"), _clerk(town, "planner", department="BZ-GA")
    hours = {"hours": [["09:00", "12:00"]]}
    for method, path, body in (("PUT", "plan/hours", hours), ("POST", "plan/preview", {"hours": hours})):
        assert slug(clerk(method, f"{site}/{path}", body)) == "outside-your-scope"
        assert slug(stranger(method, f"{site}/{path}", body)) == "not-found"
    assert slug(bring(town, clerk, site, sheet(ROW), "/preview")) == "outside-your-scope"
    for path in ("plan/mismatches", "utilisation/file?from=2026-10-01&to=2026-10-02"):
        assert slug(stranger("GET", f"{site}/{path}")) == "not-found"
        assert clerk("GET", f"{site}/{path}").status_code == 200


def test_hours_and_extra_times_are_planned_over_http(planner: Any) -> None:
    site = a_site(hours=[])
    opened = planner("PUT", f"{site}/plan/hours", {"hours": [["09:00", "10:00"]]})
    assert opened.json()["slots"]["opened"] == 12
    extra = {"kind": "extra", "hours": [["18:00", "19:00"]], "reason": "高峰加开"}
    assert planner("PUT", f"{site}/plan/days/2026-10-08", extra).json()["fitted"]["opened"] == 2
    turned = {"hours": [["10:00", "09:00"]]}
    assert slug(planner("PUT", f"{site}/plan/hours", turned)) == "invalid-input"


def _excel(hour: int) -> Any:
    return clock.local(clock.at_local(MONDAY, hour)).time()


def test_a_sheet_with_impossible_times_changes_nothing(town: Any, planner: Any) -> None:
    site = a_site()
    plan(site)
    before = times(site)
    rows = [
        (*ROW[:4], "25:00", "12:75", 60, 4, "否", "2026-09-01", None),
        (*ROW[:4], "12:00", "09:00", 60, 4, "否", "2026-09-01", None),
        (*ROW[:4], "09:00", "09:30", 60, 0, "否", "2026-09-01", None),
        ("SI999", None, "Z", "八", "09:00", "12:00", "很久", 4, "也许", "九月", None),
        (*ROW[:4], "=A1", "12:00", 60, 4, "否", "2026-09-01", "2026-08-01"),
    ]  # fmt: skip
    unreadable = {(2, "E"), (2, "F"), (5, "D"), (5, "G"), (5, "I"), (5, "J"), (6, "E")}
    impossible = {(3, "F"), (4, "G"), (4, "H")}
    assert findings(bring(town, planner, site, sheet(*rows))) == unreadable | impossible
    unknown = ("SI999", None, "Z", *ROW[3:])
    assert findings(bring(town, planner, site, sheet(unknown))) == {(2, "A"), (2, "C")}
    assert findings(bring(town, planner, site, sheet(ROW, ROW))) == {(3, "E")}
    assert times(site) == before


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"PK\x03\x04 not a workbook",
        sheet(headings=("事项编号",)),
        sheet(ROW, headings=(*HEADINGS.values(), "备注")),
        sheet(ROW, headings=("事项编号", *tuple(HEADINGS.values())[:-1])),
    ],
)
def test_a_file_that_is_no_plan_is_refused(town: Any, planner: Any, packed: bytes) -> None:
    assert findings(bring(town, planner, a_site(), packed))


def test_utilisation_counts_people_by_day_and_group(planner: Any) -> None:
    site = a_site()
    plan(site, opens="09:00", closes="11:00", capacity=5)
    first, second = slots_at(site)[:2]
    day = clock.day_of(first.starts_at)
    _come_and_go(site, first.id, second.id)
    set_day(site, date(2026, 10, 8))
    answer = planner("GET", f"{site}/utilisation?from=2026-09-29&to=2026-10-08")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [one["day"] for one in told["days"]] == [day.isoformat(), "2026-09-30"]
    assert told["days"][0]["use"] == {
        "places": 10, "walk_in": 0, "taken": 2, "free": 8, "served": 1, "missed": 1, "left": 0, "cancelled_late": 1,
        "taken_percent": 20.0, "served_percent": 10.0,
    }  # fmt: skip
    assert told["total"]["places"] == 20
    assert [(one["kind"], one["places"], one["served"]) for one in told["kinds"]] == [("open", 20, 1)]
    for kind in ("xlsx", "csv"):
        out = planner("GET", f"{site}/utilisation/file?from=2026-09-29&to=2026-10-08&format={kind}")
        assert out.status_code == 200, out.text
        assert out.headers["Content-Disposition"].endswith(f'.{kind}"')
    assert "\r\n2026-09-29,测试大厅,10,0,2,8,1,1,0,1,20.0,10.0,0," in out.content.decode("utf-8-sig")
    span = "utilisation/file?from=2026-10-08&to=2026-10-07"
    assert slug(planner("GET", f"{site}/{span}")) == "invalid-input"
    assert [(one["group_id"], one["use"]["places"]) for one in told["groups"]] == [("", 20)]


def _come_and_go(site: str, first: str, second: str) -> None:
    """One is served, one does not come, one cancels in time and one late."""
    comes, misses, early, late = (book(slot, a_person()) for slot in (first, first, second, second))
    cancel(early)
    clock.move_to(comes.starts_at - timedelta(hours=2, minutes=10))
    cancel(late)
    clock.move_to(comes.starts_at)
    with unit() as u:
        code = booking.booking_of(u, comes.id, comes.person_id).check_in_code
    assert at_desk(comes, code or "", site) is not None
    run_unit(lambda u: booking.halls.mark_served(u, comes.id, site, CLERK, identity_checked=True))
    clock.move_to(misses.starts_at + timedelta(days=1))
    tasks.mark_those_missed()
