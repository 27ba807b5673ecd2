"""The wait list, blocks and appeals through the windows; and one person is one person, whatever the account."""

from datetime import timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import tasks
from backend.kernel import clock
from backend.store.unit import run_unit
from tests.booking.makers import EXAM, a_person, book, cancel, citizen, make_slot
from tests.booking.waiters import LAND, a_site, nobody_waits, offer
from tests.cases.makers import id_number
from tests.cases.visitors import Answer, Visitor, Visitors
from tests.people.conftest import corner, letters  # noqa: F401
from tests.people.makers import by_phone, sent_code, slug, verified

SUBJECT = "科目一"
"""The exam is booked on its own; the registration of a home needs its case first."""


@pytest.fixture
def visitors(town: Any) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture(autouse=True)
def _own_line(_sound: None) -> Any:
    yield
    nobody_waits()


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def slot(site: str) -> booking.Slot:
    """A slot of one place, in a week ahead."""
    return make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=7))


def somebody(visitors: Visitors) -> Visitor:
    return visitors.citizen(a_person())


def wish_for(slot: booking.Slot, **more: Any) -> dict[str, Any]:
    day = clock.day_of(slot.starts_at).isoformat()
    told = {"item_id": slot.item_id, "subject": slot.subject, "site_id": slot.site_id}
    return {**told, "from_day": day, "to_day": day, **more}


def waits_of(who: Visitor) -> list[dict[str, Any]]:
    return list(who.get("/mp/v1/waits").json["items"])


def kind_of(answer: Answer) -> str:
    return str(answer.json["type"]).rsplit(":", 1)[1]


def test_waiting_being_offered_and_confirming(visitors: Visitors, slot: booking.Slot) -> None:
    holder, who = book(slot.id), somebody(visitors)
    joined = who.post("/mp/v1/waits", wish_for(slot))
    assert (joined.status_code, joined.json["state"], joined.json["ahead"]) == (201, "waiting", 0)
    cancel(holder)
    offer()
    (wait,) = waits_of(who)
    assert (wait["state_label"], wait["offer"]["site_name"]) == ("待确认", "测试办事点")
    sure = who.post(f"/mp/v1/bookings/{wait['offer']['booking_id']}/confirmation")
    assert (sure.status_code, sure.json["state"]) == (200, "confirmed")
    assert [one["state"] for one in waits_of(who)] == ["taken"]


def test_declining_and_leaving(visitors: Visitors, slot: booking.Slot) -> None:
    who, next_one = somebody(visitors), somebody(visitors)
    wait = who.post("/mp/v1/waits", wish_for(slot)).json["id"]
    assert next_one.post("/mp/v1/waits", wish_for(slot)).json["ahead"] == 1
    nothing = who.post(f"/mp/v1/waits/{wait}/refusal")
    assert (nothing.status_code, kind_of(nothing)) == (409, "impossible-move")
    offer()
    assert who.post(f"/mp/v1/waits/{wait}/refusal").json["offers_today"] == 1
    offer()
    assert waits_of(next_one)[0]["state"] == "offered"
    assert who.post(f"/mp/v1/waits/{wait}/withdrawal").json["state"] == "left"
    assert who.post(f"/mp/v1/waits/{wait}/withdrawal").status_code == 409
    assert who.post(f"/mp/v1/waits/{waits_of(next_one)[0]['id']}/withdrawal").status_code == 404


def test_waits_that_are_refused(visitors: Visitors, slot: booking.Slot) -> None:
    who = somebody(visitors)
    assert kind_of(who.post("/mp/v1/waits", wish_for(slot, item_id="SI999"))) == "item-unknown"
    assert kind_of(who.post("/mp/v1/waits", wish_for(slot, subject="科目九"))) == "invalid-input"
    assert kind_of(who.post("/mp/v1/waits", wish_for(slot, from_day="soon"))) == "invalid-input"
    filed_first = wish_for(slot, item_id="SI025", subject="")
    assert kind_of(who.post("/mp/v1/waits", filed_first)) == "invalid-input"
    assert who.post("/mp/v1/waits", wish_for(slot)).status_code == 201
    assert kind_of(who.post("/mp/v1/waits", wish_for(slot))) == "already-waiting"
    assert (
        kind_of(visitors.citizen(book(slot.id).person_id).post("/mp/v1/waits", wish_for(slot)))
        == "already-booked"
    )
    visitor = visitors.citizen(a_person(verified=False))
    assert kind_of(visitor.post("/mp/v1/waits", wish_for(slot))) == "real-name-needed"
    assert visitors.stranger().post("/mp/v1/waits", wish_for(slot)).status_code == 401


def test_a_family_waits_and_is_offered_places_together(visitors: Visitors, site: str) -> None:
    pair = make_slot(2, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=7))
    who, wife = somebody(visitors), {"name": "测试乙", "id_no": id_number()}
    wrong = who.post("/mp/v1/waits", wish_for(pair, companions=[{**wife, "id_no": "34160019900101000X"}]))
    assert (kind_of(wrong), wrong.json["errors"][0]["field"]) == ("invalid-input", "companions.0.id_no")
    joined = who.post("/mp/v1/waits", wish_for(pair, companions=[wife]))
    assert (joined.status_code, joined.json["party"]) == (201, 2)
    assert wife["id_no"] not in joined.text
    offer()
    (wait,) = waits_of(who)
    sure = who.post(f"/mp/v1/bookings/{wait['offer']['booking_id']}/confirmation")
    assert (sure.json["state"], sure.json["party"]) == ("confirmed", 2)


def test_the_same_request_twice_waits_once(visitors: Visitors, slot: booking.Slot) -> None:
    who = somebody(visitors)
    first, again = (who.post("/mp/v1/waits", wish_for(slot), key="the-same-key") for _ in range(2))
    assert (first.status_code, again.json["id"]) == (201, first.json["id"])
    assert len(waits_of(who)) == 1


def blocked(site: str) -> str:
    """Somebody who missed twice."""
    person = a_person()
    for _ in range(2):
        starts = clock.now() + timedelta(days=1)
        slot = make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=starts)
        book(slot.id, person)
        clock.move_to(
            clock.start_of_day(clock.day_of(slot.ends_at) + timedelta(days=1)) + timedelta(minutes=1)
        )
        tasks.mark_those_missed()
    return person


def test_an_appeal_and_its_answer(visitors: Visitors, site: str) -> None:
    person = blocked(site)
    who, officer = visitors.citizen(person), visitors.officer(LAND, "handler")
    slot = make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=8))
    refused = who.post("/mp/v1/bookings", {"slot_id": slot.id})
    assert (refused.status_code, kind_of(refused)) == (403, "booking-suspended")
    (block,) = who.get("/mp/v1/booking-blocks").json
    assert (block["id"], block["may_appeal"], len(block["missed"])) == (refused.json["block_id"], True, 2)
    path = f"/mp/v1/booking-blocks/{block['id']}/appeal"
    assert who.post(path, {"text": "长" * 501}).status_code == 422
    assert who.post(path, {"text": "当天住院"}).json["state"] == "appealed"
    assert who.post(path, {"text": "再说一次"}).status_code == 409
    listed = [
        one
        for one in officer.get("/dept/v1/booking-appeals").json["items"]
        if one["block"]["id"] == block["id"]
    ]
    assert [one["block"]["appeal"] for one in listed] == ["当天住院"]
    assert listed[0]["person"]["name_masked"] == "测**"
    decision = f"/dept/v1/booking-blocks/{block['id']}/decision"
    assert officer.post(decision, {"lift": True, "reason": "情况属实"}).json["state"] == "lifted"
    assert who.get("/mp/v1/booking-blocks").json[0]["decided_why"] == "情况属实"
    assert who.post("/mp/v1/bookings", {"slot_id": slot.id}).status_code == 201


def test_another_departments_appeal_looks_absent(visitors: Visitors, site: str) -> None:
    person = blocked(site)
    (block,) = run_unit(lambda u: booking.blocks_of(u, person))
    run_unit(lambda u: booking.appeal_block(u, block.id, person, "当天住院", citizen(person)))
    stranger = visitors.officer("BZ-GA", "handler")
    assert all(
        one["block"]["id"] != block.id for one in stranger.get("/dept/v1/booking-appeals").json["items"]
    )
    answer = {"lift": True, "reason": "情况属实"}
    assert stranger.post(f"/dept/v1/booking-blocks/{block.id}/decision", answer).status_code == 404
    own = visitors.officer(LAND, "handler")
    assert (
        own.post(f"/dept/v1/booking-blocks/{block.id}/decision", {"lift": True, "reason": ""}).status_code
        == 422
    )
    assert own.post(f"/dept/v1/booking-blocks/{block.id}/decision", answer).status_code == 200
    assert own.post(f"/dept/v1/booking-blocks/{block.id}/decision", answer).status_code == 409
    foreign = visitors.citizen(a_person())
    assert foreign.post(f"/mp/v1/booking-blocks/{block.id}/appeal", {"text": "不是我"}).status_code == 404


def test_rules_count_the_person_and_not_the_account(corner: Any, letters: Any, site: str) -> None:  # noqa: F811
    """A second phone and a second login of the same human being: the register joins them, and one a day is one."""
    day = clock.start_of_day(clock.today() + timedelta(days=9))
    one, other = (
        make_slot(1, site=site, item=EXAM, subject=subject, starts=day + timedelta(hours=hour))
        for subject, hour in (("科目一", 9), ("科目二", 14))
    )
    known, newcomer = verified(corner, letters), by_phone(corner, letters)
    assert known.ask("POST", "/bookings", {"slot_id": one.id}).status_code == 201
    assert slug(newcomer.ask("POST", "/bookings", {"slot_id": other.id})) == "real-name-needed"
    newcomer.name, newcomer.id_no = known.name, known.id_no
    joined = newcomer.register(code=sent_code(corner, letters, known.phone, "real_name")).json()
    newcomer.take(joined)
    assert newcomer.id == known.id
    assert slug(newcomer.ask("POST", "/bookings", {"slot_id": other.id})) == "booking-limit-reached"
    assert [b["slot_id"] for b in newcomer.ask("GET", "/bookings").json()["items"]] == [one.id]


def test_nobody_names_the_whole_town_as_companions(visitors: Visitors, slot: booking.Slot) -> None:
    who = somebody(visitors)
    strangers = [{"name": "测试乙", "id_no": id_number()} for _ in range(31)]
    asked = [{"slot_id": slot.id, "companions": strangers[n : n + 5]} for n in range(0, 30, 5)]
    for body in [*asked, asked[0]]:  # naming the same again costs nothing
        assert kind_of(who.post("/mp/v1/bookings", body)) != "too-many-requests"
    for path, body in (
        ("/mp/v1/bookings", {"slot_id": slot.id, "companions": strangers[30:]}),
        ("/mp/v1/waits", wish_for(slot, companions=strangers[30:])),
        ("/mp/v1/releases/rl-none/entries", {"companions": strangers[30:]}),
    ):
        refused = who.post(path, body)
        assert (refused.status_code, kind_of(refused)) == (429, "too-many-requests"), path
        assert refused.json["retry_after"] > 3600
    assert kind_of(who.post("/mp/v1/bookings", asked[0])) != "too-many-requests"
