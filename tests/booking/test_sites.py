"""Sites are the departments' own: what one is called and handles, new ones, a city's own file, postal points."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend import booking
from backend.booking import plans
from backend.booking.models import SiteRow, WindowGroupRow
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput
from backend.store.unit import SYSTEM, run_unit, unit
from tests.booking.makers import ITEM, a_person, book, cancel, free_in, hold
from tests.booking.planners import PLANNER, a_site, plan, slots_at, times, withdraw
from tests.people.makers import ask, officer, slug

LAND, CITY, POSTAL = "BZ-GT", "341600", "si-bozhou-postal"
GIVEN = {
    "name": "谯城区便民大厅", "address": "亳州市谯城区光明路 1 号", "phone": "0558-5550001", "latitude": 33.8765432,
    "longitude": 115.7654321, "item_ids": [ITEM],
}  # fmt: skip


@pytest.fixture
def planner(town: Any) -> Any:
    """Asks as a planner of the land department."""
    return _staff(town, "planner")


def _staff(town: Any, role: str, department: str = LAND) -> Any:
    token = officer(town, role, department_id=department, region_code=CITY).token
    return lambda method, path, body=None: ask(town, method, f"/dept/v1/sites{path}", body, token=token)


def shown(site_id: str) -> plans.Plan:
    with unit() as u:
        return plans.plan_of(u, site_id)


def test_a_planner_sets_what_a_site_is(planner: Any) -> None:
    site = a_site()
    answer = planner("PUT", f"/{site}", GIVEN)
    assert answer.status_code == 200, answer.text
    told = answer.json()["site"]
    assert (told["name"], told["phone"], told["latitude"]) == ("谯城区便民大厅", "0558-5550001", "33.876543")
    now = shown(site)
    assert (now.address, now.longitude, now.item_ids) == ("亳州市谯城区光明路 1 号", "115.765432", (ITEM,))


def test_an_item_that_is_added_gets_its_slots(planner: Any) -> None:
    site = a_site()
    change = planner("PUT", f"/{site}", GIVEN | {"item_ids": [ITEM, "SI026"]}).json()
    assert change["slots"]["opened"] > 0
    assert {one.item_id for one in slots_at(site)} == {"SI026"}


def test_strangers_and_colleagues_set_no_site(town: Any, planner: Any) -> None:
    site = a_site()
    assert slug(_staff(town, "planner", "BZ-GA")("PUT", f"/{site}", GIVEN)) == "not-found"
    assert slug(_staff(town, "window_clerk")("PUT", f"/{site}", GIVEN)) == "outside-your-scope"
    assert (
        slug(planner("POST", "", GIVEN | {"kind": "hall", "department_id": "BZ-GA"})) == "outside-your-scope"
    )
    assert slug(_staff(town, "window_clerk")("POST", "", GIVEN | {"kind": "hall"})) == "outside-your-scope"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"item_ids": []}, "item_ids"),
        ({"item_ids": [ITEM, ITEM]}, "item_ids"),
        ({"item_ids": ["SI999"]}, "item_ids.0"),
        ({"latitude": None}, "latitude"),
        ({"latitude": 91.0}, "latitude"),
        ({"phone": "打给我"}, "phone"),
    ],
)
def test_what_is_wrong_is_told_by_field(planner: Any, wrong: dict[str, Any], field: str) -> None:
    for answer in (
        planner("PUT", f"/{a_site()}", GIVEN | wrong),
        planner("POST", "", {**GIVEN, "kind": "hall", **wrong}),
    ):
        assert slug(answer) == "invalid-input", answer.text
        assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_an_item_in_use_is_not_dropped(planner: Any) -> None:
    site = a_site(ITEM, "SI026", hours=[])
    change = plan(site, valid_from=clock.today())
    only = GIVEN | {"item_ids": ["SI026"]}
    refused = planner("PUT", f"/{site}", only)
    assert (slug(refused), refused.json()["items"]) == ("items-in-use", [ITEM])
    booked = book(slots_at(site)[0].id)
    withdraw(site, change.pattern.id)
    assert slug(planner("PUT", f"/{site}", only | {"drop_slots": True})) == "items-in-use"
    assert shown(site).item_ids == (ITEM, "SI026"), "nothing was done by halves"
    cancel(booked)
    dropped = planner("PUT", f"/{site}", only | {"drop_slots": True})
    assert (dropped.status_code, dropped.json()["slots"]["removed"]) == (200, 1)
    assert (shown(site).item_ids, times(site)) == (("SI026",), [])


def test_a_window_group_keeps_its_items(planner: Any) -> None:
    site = a_site(ITEM, "SI026", hours=[])
    wish = plans.GroupWish("A", "登记", (ITEM,), (plans.WindowWish(1),))
    run_unit(lambda u: plans.put_groups(u, site, [wish], PLANNER))
    assert slug(planner("PUT", f"/{site}", GIVEN | {"item_ids": ["SI026"]})) == "items-in-use"


def test_free_slots_go_with_their_item_only_when_asked(planner: Any) -> None:
    site = a_site(ITEM, "SI026", hours=[["09:00", "10:00"]])
    run_unit(booking.open_slots)
    only = GIVEN | {"item_ids": ["SI026"]}
    assert slug(planner("PUT", f"/{site}", only)) == "items-in-use"
    assert planner("PUT", f"/{site}", only | {"drop_slots": True}).json()["slots"]["removed"] > 0
    assert {one.item_id for one in slots_at(site)} == {"SI026"}


def test_a_new_site_belongs_to_its_planners_department(planner: Any) -> None:
    answer = planner("POST", "", GIVEN | {"kind": "hall", "hours": [["09:00", "12:00"]]})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["site"]["department_id"], told["site"]["region_code"], told["site"]["kind"]) == (
        LAND,
        CITY,
        "hall",
    )
    assert told["slots"]["opened"] == len(slots_at(told["site"]["id"])) > 0
    bad_hours = planner("POST", "", GIVEN | {"kind": "hall", "hours": [["12:00", "09:00"]]})
    assert slug(bad_hours) == "invalid-input"


def test_loading_never_writes_over_a_city() -> None:
    [given] = [one for one in json.loads(Path("data/sites.json").read_text("utf-8")) if one["id"] == POSTAL]
    wish = plans.SiteWish("改过的名字", "改过的地址", "", None, None, ("SI002",))
    run_unit(lambda u: plans.put_site(u, POSTAL, wish, PLANNER))
    before = shown(POSTAL)
    changed = {**given, "groups": [*given["groups"], {**given["groups"][0], "id": "wg-other", "letter": "Q"}]}
    assert run_unit(lambda u: booking.load_sites(u, [changed])) == 0
    assert shown(POSTAL) == before
    assert before.name == "改过的名字"


def a_file(**more: Any) -> dict[str, Any]:
    """A site as a city writes it down."""
    group = {
        "id": ids.new_id("wg"),
        "letter": "A",
        "name": "登记",
        "item_ids": [ITEM],
        "windows": [{"number": 1}],
    }
    pattern = {"group_id": group["id"], "item_id": ITEM, "weekdays": [1, 2, 3, 4, 5], "opens": "09:00",
               "closes": "10:00", "slot_minutes": 30, "capacity": 2, "valid_from": "2026-01-01"}  # fmt: skip
    return {**GIVEN, "id": ids.new_id("si"), "kind": "hall", "department_id": LAND, "region_code": CITY,
            "hours": [["09:00", "12:00"]], "groups": [group], "patterns": [pattern], **more}  # fmt: skip


def take_in(*sites: dict[str, Any]) -> booking.SitesTaken:
    packed = json.dumps(sites, ensure_ascii=False).encode()
    return run_unit(lambda u: booking.import_sites(u, packed, SYSTEM))


def test_a_citys_own_file_brings_sites_with_their_plan() -> None:
    one, other = a_file(), a_file(kind="postal", groups=[], patterns=[])
    assert take_in(one, other) == booking.SitesTaken((one["id"], other["id"]), (), ())
    seen = shown(one["id"])
    assert ([group.letter for group in seen.groups], len(seen.patterns)) == (["A"], 1)
    assert slots_at(one["id"])
    assert take_in(one, other) == booking.SitesTaken((), (), (one["id"], other["id"]))
    moved = {**one, "address": "亳州市谯城区新址", "hours": [], "patterns": []}
    assert take_in(moved).changed == (one["id"],)
    assert shown(one["id"]).address == "亳州市谯城区新址"
    assert shown(one["id"]).patterns == seen.patterns, "its plan is its department's"


def test_a_file_with_faults_brings_nothing() -> None:
    good, bad = (
        a_file(),
        a_file(item_ids=[ITEM, "SI999"], department_id="BZ-NONE", hours=[["12:00", "09:00"]]),
    )
    bad["patterns"] = [
        {**bad["patterns"][0], "capacity": 0},
        {**bad["patterns"][0], "id": good["groups"][0]["id"]},
    ]
    with pytest.raises(InvalidInput) as refused:
        take_in(good, bad, a_file(id=good["id"]))
    fields = {one["field"] for one in refused.value.errors}
    assert fields >= {
        "1.department_id", "1.item_ids.1", "1.hours.0", "1.patterns.0.capacity", "1.patterns.1",
        "1.patterns.1.id", "2.id",
    }  # fmt: skip
    with unit() as u:
        assert u.get(SiteRow, good["id"]) is None


def test_a_file_takes_no_item_that_is_booked() -> None:
    site = a_file()
    take_in(site)
    booked = hold(slots_at(site["id"])[0].id)
    with pytest.raises(InvalidInput) as refused:
        take_in({**site, "item_ids": ["SI026"]})
    assert [one["field"] for one in refused.value.errors] == ["0.item_ids"]
    cancel(booked)


def test_a_postal_point_is_planned_and_booked() -> None:
    with unit() as u:
        site = booking.site_of(u, POSTAL)
        assert site.kind == "postal"
        assert POSTAL in [one.id for one in booking.sites_for(u, "SI002")]
        run_group = u.session.query(WindowGroupRow.id).filter_by(site_id=POSTAL, letter="P").one()[0]
    before = len(times(POSTAL))
    plan(
        POSTAL, item_id="SI002", group_id=run_group, opens="17:30", closes="18:30", slot_minutes=30, capacity=1,
        valid_from=date(2026, 11, 23),
    )  # fmt: skip
    assert len(times(POSTAL)) > before
    evening = next(one for one in slots_at(POSTAL) if clock.local(one.starts_at).hour == 17)
    person = a_person()
    booked = book(evening.id, person)
    assert (booked.site.id, booked.state, free_in(evening.id)) == (POSTAL, "confirmed", 0)
    cancel(booked)
