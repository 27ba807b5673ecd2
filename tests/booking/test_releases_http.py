"""Releases over HTTP and at the keyboard: planners, citizens, and those who doubt."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from backend.booking.releases import draws
from backend.booking.services import drawing, tending
from backend.kernel import clock, ids
from tests.booking.makers import EXAM, EXAM_SITE, ITEM, a_person
from tests.booking.releases import (
    SOURCE,
    SUBJECT,
    VALUE,
    a_day,
    close,
    slots_on,
    tamper_entry,
    until_the_value,
)
from tests.cases.makers import id_number
from tests.cases.visitors import Answer, Visitor, Visitors

OWNER, STRANGE = "BZ-GA", "BZ-GT"
Type = Callable[..., Result]


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def planner(visitors: Visitors) -> Visitor:
    return visitors.officer(OWNER, "planner")


@pytest.fixture
def type_in(visitors: Visitors) -> Iterator[Type]:
    """Type `flask --app wsgi town ...`."""
    import wsgi

    with wsgi.app.app_context():
        yield lambda *words: wsgi.app.test_cli_runner().invoke(args=["town", *words])


def slug(answer: Answer) -> str:
    return str(answer.json["type"]).rsplit(":", 1)[1]


def asked(day: date, mode: str = "draw", **more: Any) -> dict[str, Any]:
    now = clock.local(clock.now())
    return {
        "item_id": EXAM, "subject": SUBJECT, "from_day": day.isoformat(), "to_day": day.isoformat(), "mode": mode,
        "entries_from": now.isoformat(), "entries_until": (now + timedelta(hours=1)).isoformat(),
        "opens_at": (now + timedelta(hours=2)).isoformat(), "public_source": SOURCE,
        "public_value_at": (now + timedelta(minutes=90)).isoformat(), **more,
    }  # fmt: skip


def announced(planner: Visitor, day: date, mode: str = "draw", **more: Any) -> str:
    answer = planner.post(f"/dept/v1/sites/{EXAM_SITE}/releases", asked(day, mode, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def another_value(record: dict[str, Any]) -> str:
    """A public value that gives another order: with three entries not every one does."""
    seed, entries = bytes.fromhex(record["seed"]), record["order"]
    values = (f"30{n:02}.00" for n in range(100))
    return next(
        one for one in values if draws.order_of(seed, one, record["frozen"]["release"], entries) != entries
    )


def drawn(visitors: Visitors, planner: Visitor, people: int = 3) -> tuple[str, list[Visitor]]:
    """A draw for two places from the announcement to its end."""
    slots_on(day := a_day(), 1, 1)
    release_id = announced(planner, day)
    citizens = [visitors.citizen(a_person()) for _ in range(people)]
    for one in citizens:
        assert one.post(f"/mp/v1/releases/{release_id}/entries", {}).status_code == 201
    close(release_id)
    until_the_value(release_id)
    colleague, at = visitors.officer(OWNER, "planner"), f"/dept/v1/releases/{release_id}"
    assert planner.post(f"{at}/public-value", {"value": VALUE}).json["value_proposed"]
    assert colleague.post(f"{at}/public-value/confirmation", {"value": VALUE}).json["public_value"] == VALUE
    assert planner.post(f"{at}/draw").json["drawing"]
    drawing.finish_draws()
    return release_id, citizens


def test_a_draw_is_lived_through_by_phone(visitors: Visitors, planner: Visitor) -> None:
    release_id, citizens = drawn(visitors, planner)
    seen = [one.get(f"/mp/v1/releases/{release_id}/entry").json for one in citizens]
    assert sorted(one["state"] for one in seen) == ["lost", "won", "won"]
    winner = next(n for n, one in enumerate(seen) if one["state"] == "won")
    booked = citizens[winner].get(f"/mp/v1/bookings/{seen[winner]['booking_id']}").json
    assert (booked["state"], booked["origin"], booked["subject"]) == ("confirmed", "draw", SUBJECT)
    assert citizens[winner].get("/mp/v1/entries").json[0] == seen[winner]
    assert citizens[winner].get(f"/mp/v1/entries/{seen[winner]['id']}").json == seen[winner]
    assert citizens[winner - 1].get(f"/mp/v1/entries/{seen[winner]['id']}").status_code == 404


def test_everybody_may_read_what_is_public(visitors: Visitors, planner: Visitor) -> None:
    release_id, _ = drawn(visitors, planner)
    stranger = visitors.stranger()
    listed = stranger.get(f"/mp/v1/releases?item_id={EXAM}").json["items"]
    assert listed[0]["id"] == release_id
    assert listed[0] == stranger.get(f"/mp/v1/releases/{release_id}").json
    assert len(bytes.fromhex(listed[0]["commitment"])) == 32
    record = stranger.get(f"/mp/v1/releases/{release_id}/record")
    assert record.json["public_value"] == VALUE
    assert "ps-" not in record.text
    for path in ("", "/record"):
        assert stranger.get(f"/mp/v1/releases/{ids.new_id('rl')}{path}").status_code == 404


def test_an_open_release_has_no_record_yet(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 1)
    release_id = announced(planner, day)
    answer = visitors.stranger().get(f"/mp/v1/releases/{release_id}/record")
    assert (answer.status_code, slug(answer)) == (409, "release-not-ready")


def test_entering_twice_with_one_key_is_once(visitors: Visitors, planner: Visitor) -> None:
    first, second = slots_on(day := a_day(), 1, 1)
    release_id = announced(planner, day)
    citizen, path, key = visitors.citizen(a_person()), f"/mp/v1/releases/{release_id}/entries", ids.token()
    body = {"wishes": [second.id, first.id]}
    entered = citizen.post(path, body, key=key)
    assert entered.json["wishes"] == [second.id, first.id]
    assert citizen.post(path, body, key=key).json == entered.json
    again = citizen.post(path, body)
    assert (again.status_code, slug(again), again.json["entry_id"]) == (
        409,
        "already-entered",
        entered.json["id"],
    )
    assert citizen.post(f"/mp/v1/releases/{release_id}/entry/withdrawal").json["state"] == "withdrawn"
    assert slug(citizen.post(f"/mp/v1/releases/{release_id}/entry/withdrawal")) == "impossible-move"


def test_a_family_enters_once_by_phone(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 3)
    release_id = announced(planner, day)
    citizen, path = visitors.citizen(a_person()), f"/mp/v1/releases/{release_id}/entries"
    wife, child = ({"name": "测试乙", "id_no": id_number()} for _ in range(2))
    assert slug(citizen.post(path, {"companions": [wife, wife]})) == "invalid-input"
    entered = citizen.post(path, {"companions": [wife, child]})
    assert (entered.status_code, entered.json["party"]) == (201, 3)
    again = visitors.citizen(a_person(id_no=wife["id_no"])).post(path, {})
    assert (again.status_code, slug(again)) == (409, "one-lot-each")
    close(release_id)
    record = visitors.stranger().get(f"/mp/v1/releases/{release_id}/record")
    assert [one["party"] for one in record.json["frozen"]["entries"]] == [3]
    assert wife["id_no"] not in record.text


def test_who_may_not_enter_is_told_why(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 1)
    release_id = announced(planner, day)
    path = f"/mp/v1/releases/{release_id}/entries"
    assert slug(visitors.citizen(a_person(verified=False)).post(path, {})) == "real-name-needed"
    citizen = visitors.citizen(a_person())
    assert slug(citizen.post(path, {"wishes": ["sl-nothing"]})) == "invalid-input"
    assert citizen.post(path, {"case_id": ids.new_id("cs")}).status_code == 404
    assert citizen.post(f"/mp/v1/releases/{ids.new_id('rl')}/entries", {}).status_code == 404
    close(release_id)
    assert slug(citizen.post(path, {})) == "entries-closed"


def test_a_queue_shows_its_way_to_the_phone(visitors: Visitors, planner: Visitor) -> None:
    slot = slots_on(day := a_day(), 2)[0]
    release_id = announced(planner, day, "queue", batch=1)
    citizens = [visitors.citizen(a_person()) for _ in range(2)]
    for one in citizens:
        one.post(f"/mp/v1/releases/{release_id}/entries", {})
    close(release_id)
    seen = [one.get(f"/mp/v1/releases/{release_id}/entry").json for one in citizens]
    last = max(range(2), key=lambda n: seen[n]["rank"])
    assert (seen[last]["ahead"], seen[last]["may_book_now"]) == (1, False)
    clock.advance(timedelta(hours=1))
    tending.tend()
    refused = citizens[last].post("/mp/v1/bookings", {"slot_id": slot.id})
    assert (slug(refused), refused.json["release_id"]) == ("not-your-turn", release_id)
    assert citizens[1 - last].post("/mp/v1/bookings", {"slot_id": slot.id}).status_code == 201
    clock.advance(timedelta(minutes=1))
    assert citizens[last].post("/mp/v1/bookings", {"slot_id": slot.id}).status_code == 201


def test_a_foreign_site_looks_absent(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 1)
    release_id, stranger = announced(planner, day), visitors.officer(STRANGE, "planner")
    assert stranger.post(f"/dept/v1/sites/{EXAM_SITE}/releases", asked(day)).status_code == 404
    assert stranger.get(f"/dept/v1/sites/{EXAM_SITE}/releases").status_code == 404
    assert stranger.get(f"/dept/v1/releases/{release_id}").status_code == 404
    for verb, body in (
        ("call-off", {"reason": "不办了"}),
        ("public-value", {"value": VALUE}),
        ("draw", None),
    ):
        assert stranger.post(f"/dept/v1/releases/{release_id}/{verb}", body).status_code == 404


def test_only_planners_release(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 1)
    clerk = visitors.officer(OWNER, "window_clerk")
    assert slug(clerk.post(f"/dept/v1/sites/{EXAM_SITE}/releases", asked(day))) == "outside-your-scope"
    release_id = announced(planner, day)
    assert clerk.get(f"/dept/v1/releases/{release_id}").json["state"] == "announced"
    assert clerk.get(f"/dept/v1/sites/{EXAM_SITE}/releases").json["items"][0]["id"] == release_id
    close(release_id)
    for verb, body in (
        ("public-value", {"value": VALUE}),
        ("draw", None),
        ("call-off", {"reason": "不办了"}),
    ):
        assert slug(clerk.post(f"/dept/v1/releases/{release_id}/{verb}", body)) == "outside-your-scope"


def test_a_system_announces_but_decides_no_draw(visitors: Visitors) -> None:
    slots_on(day := a_day(), 1)
    system = visitors.system(OWNER)
    release_id = announced(system, day)
    close(release_id)
    answer = system.post(f"/dept/v1/releases/{release_id}/public-value", {"value": VALUE})
    assert slug(answer) == "outside-your-scope"


def test_one_pair_of_hands_is_not_enough(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 1)
    release_id = announced(planner, day)
    at, colleague = f"/dept/v1/releases/{release_id}", visitors.officer(OWNER, "planner")
    assert slug(planner.post(f"{at}/public-value", {"value": VALUE})) == "release-not-ready"
    close(release_id)
    too_early = planner.post(f"{at}/public-value", {"value": VALUE})
    assert (slug(too_early), too_early.json["detail"]) == (
        "release-not-ready",
        "公开数值11月23日11:30才确定，请到时再填写。",
    )
    until_the_value(release_id)
    assert slug(planner.post(f"{at}/draw")) == "public-value-missing"
    assert slug(planner.post(f"{at}/public-value/confirmation", {"value": VALUE})) == "public-value-missing"
    proposed = planner.post(f"{at}/public-value", {"value": VALUE})
    assert VALUE not in proposed.text, "a colleague must look it up, not copy it"
    assert slug(planner.post(f"{at}/public-value/confirmation", {"value": VALUE})) == "same-hands"
    assert slug(colleague.post(f"{at}/public-value/confirmation", {"value": "1"})) == "values-differ"
    assert colleague.post(f"{at}/public-value/confirmation", {"value": VALUE}).json["seed"] is None
    assert slug(planner.post(f"{at}/call-off", {"reason": "不办了"})) == "release-not-ready"


def test_a_release_is_called_off(visitors: Visitors, planner: Visitor) -> None:
    slots_on(day := a_day(), 1)
    release_id = announced(planner, day)
    path = f"/dept/v1/releases/{release_id}/call-off"
    assert planner.post(path, {"reason": "考场检修"}).json["state"] == "called_off"
    assert slug(planner.post(path, {"reason": "再取消一次"})) == "impossible-move"


def test_impossible_releases_are_refused(planner: Visitor) -> None:
    slot = slots_on(day := a_day(), 1)[0]
    at = f"/dept/v1/sites/{EXAM_SITE}"
    for wrong in (
        {"mode": "lottery"}, {"batch": 0}, {"opens_at": "2026-09-24T10:00:00"}, {"item_id": ITEM},
        {"to_day": "2026-01-01"}, {"public_source": " "},
    ):  # fmt: skip
        assert slug(planner.post(f"{at}/releases", asked(day, **wrong))) == "invalid-input", wrong
    opening = {name: asked(day)[name] for name in ("item_id", "subject", "from_day", "to_day", "opens_at")}
    assert planner.post(f"{at}/slots/opening", opening).json["slots"] == 1
    release_id = announced(planner, day)
    in_use = planner.post(f"{at}/releases", asked(day))
    assert (slug(in_use), in_use.json["slots"]) == ("slots-in-use", [slot.id])
    assert slug(planner.post(f"{at}/slots/opening", opening)) == "slots-in-use"
    assert release_id


def test_a_draw_is_replayed_at_the_keyboard(
    visitors: Visitors, planner: Visitor, type_in: Type, tmp_path: Path
) -> None:
    release_id, _ = drawn(visitors, planner)
    told = type_in("replay-draw", release_id)
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "共核对 18 项，全部一致")
    record = visitors.stranger().get(f"/mp/v1/releases/{release_id}/record")
    file = tmp_path / "record.json"
    file.write_bytes(record.data)
    told = type_in("replay-draw", "--file", str(file))
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "共核对 8 项，全部一致")
    forged = another_value(record.json)
    file.write_text(json.dumps({**record.json, "public_value": forged}), "utf-8")
    told = type_in("replay-draw", "--file", str(file))
    assert told.exit_code == 1
    assert f"不符  3 份报名的顺序由种子加公开数值“{forged}”（{SOURCE}）算出" in told.output
    tamper_entry(record.json["order"][0], wishes=["sl-other"])
    told = type_in("replay-draw", release_id)
    assert (told.exit_code, told.output.splitlines()[-1]) == (1, "共核对 18 项，1 项不符")
    tamper_entry(record.json["order"][0], wishes=[])


def test_what_cannot_be_replayed_is_told(planner: Visitor, type_in: Type, tmp_path: Path) -> None:
    slots_on(day := a_day(), 1)
    release_id = announced(planner, day)
    for words, code in (
        (("replay-draw",), 2), (("replay-draw", release_id), 1), (("replay-draw", ids.new_id("rl")), 1),
        (("replay-draw", release_id, "--file", __file__), 2), (("replay-draw", "--file", __file__), 1),
        (("replay-draw", "--file", str(tmp_path / "nothing.json")), 2),
    ):  # fmt: skip
        told = type_in(*words)
        assert told.exit_code == code
        said = told.output.rsplit("Error: ", 1)[1]
        assert not re.search("[a-z]{2,} [a-z]{2,}", said), said
        assert "Traceback" not in told.output
    close(release_id)
    told = type_in("replay-draw", release_id)
    assert told.exit_code == 1
    assert "还没有摇号" in told.output
