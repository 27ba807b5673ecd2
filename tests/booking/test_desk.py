"""What the desk knows of who stands before it: the case, the day's list, the evidence, and each refusal by name."""

from datetime import timedelta
from typing import Any

import pytest

from backend import booking, cases
from backend.booking import Companion, halls, tasks
from backend.booking.models import BookingRow, WindowGroupRow
from backend.contracts import BookingCancelled, CaseWithdrawn
from backend.department import bookings
from backend.kernel import clock, ids
from backend.store.outbox import OutboxRow
from backend.store.unit import run_unit, unit
from tests.booking import releases
from tests.booking.halls import OTHER_ITEM, Hall, make_hall, nine, open_the_day
from tests.booking.makers import (
    CLERK,
    EXAM,
    EXAM_SITE,
    ITEM,
    a_person,
    at_desk,
    book,
    cancel,
    citizen,
    free_in,
    hold,
    id_tail_of,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.test_hall_walk_ins import slot_at, walkers
from tests.booking.test_standing import appeal, blocked
from tests.booking.test_urgent import booked_late, kind_of, late, moving, sent_by
from tests.booking.waiters import a_site, blocks_of, triggers, wait_for
from tests.cases.makers import file_case, id_number, officer
from tests.cases.visitors import Answer, Visitor, Visitors

LAND, POLICE = "BZ-GT", "BZ-GA"


@pytest.fixture
def visitors(town: Any) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def clerk(visitors: Visitors) -> Visitor:
    return visitors.officer(LAND, "window_clerk")


def put(who: Visitor, path: str, body: Any) -> Answer:
    return Answer.of(who.http.put(path, json=body, headers={**who.headers, "Idempotency-Key": ids.token()}))


def a_case() -> tuple[str, str]:
    """A case that passed its pre-review, and its citizen."""
    case_id, person_id = file_case(ITEM, a_person())
    run_unit(lambda u: cases.pass_pre_review(u, case_id, officer()))
    return case_id, person_id


def with_case(hall: Hall) -> tuple[booking.BookingView, str]:
    """Somebody at the hall whose appointment belongs to a case, checked in at nine."""
    case_id, person_id = a_case()
    slot = make_slot(2, starts=nine(), site=hall.site)
    clock.move_to(nine() - timedelta(hours=3))
    booked = book(slot.id, person_id, case_id=case_id)
    clock.move_to(nine())
    at_desk(booked, site=hall.site, id_tail=id_tail_of(person_id))
    return booked, case_id


# --- the case behind the number -------------------------------------------------------------------------------------


def test_the_called_number_leads_to_the_case(visitors: Visitors, clerk: Visitor) -> None:
    open_the_day()
    hall = make_hall()
    booked, case_id = with_case(hall)
    called = clerk.post(f"/dept/v1/windows/{hall.windows[1]}/calls").json["visit"]
    [group] = clerk.get(f"/dept/v1/sites/{hall.site}/queues").json
    [line] = clerk.get(f"/dept/v1/sites/{hall.site}/bookings").json["items"]
    one = clerk.get(f"/dept/v1/bookings/{booked.id}").json["visit"]
    file = visitors.officer(LAND, "handler").get(f"/dept/v1/cases/{case_id}")
    assert file.status_code == 200, file.text
    with unit() as u:
        number = cases.case_number_of(u, case_id)
    for visit in (called, group["windows"][0]["ticket"]["visit"], line["visit"], one):
        assert (visit["case_id"], visit["case_number"]) == (case_id, number)
        assert (visit["case_state"], visit["case_state_label"]) == ("preapproved", "预审通过")


def test_a_visit_without_a_case_names_none(clerk: Visitor) -> None:
    booked = book(make_slot(1, site=a_site()).id)
    visit = clerk.get(f"/dept/v1/bookings/{booked.id}").json["visit"]
    assert (visit["case_id"], visit["case_number"], visit["case_state"]) == (None, "", "")


def test_anothers_sites_appointment_looks_absent(visitors: Visitors, clerk: Visitor) -> None:
    booked = book(make_slot(1, site=a_site()).id)
    path = f"/dept/v1/bookings/{booked.id}"
    seen = clerk.get(path)
    assert (seen.status_code, seen.json["check_in_code"]) == (200, None)
    assert visitors.officer(POLICE).get(path).status_code == 404
    assert clerk.get(f"/dept/v1/bookings/{ids.new_id('bk')}").status_code == 404


# --- urgency --------------------------------------------------------------------------------------------------------


def decide(who: Visitor, booking_id: str, accepted: bool, reason: str = "证明不符合急办条件") -> Answer:
    return who.post(f"/dept/v1/bookings/{booking_id}/urgency", {"accepted": accepted, "reason": reason})


def test_refused_urgency_cancels_without_blame(visitors: Visitors, clerk: Visitor) -> None:
    site, who = a_site(), visitors.citizen(a_person())
    set_rules(site, EXAM, lapses_a_day=1, per_week=9)
    slot, evidence = late(site), sent_by(who)
    booked = booked_late(who, slot, evidence)
    seen = decide(clerk, booked, False, "证明看不清，来电13812345678")
    assert (seen.status_code, seen.json["state"], free_in(slot.id)) == (200, "cancelled", 3)
    mine = who.get(f"/mp/v1/bookings/{booked}").json
    assert mine["cancelled_why"].startswith("证明看不清")
    assert "13812345678" not in mine["cancelled_why"]
    with unit() as u:
        told = booking.facts_for(u, booked)
        last = u.journal_of(booked)[-1]
        assert (
            u.session.query(OutboxRow).filter_by(stream=booked, kind=BookingCancelled.__name__).count() == 1
        )
    assert (told["cancelled_why"], told["refused"]) == (mine["cancelled_why"], "cancelled")
    assert "not_after" not in told, "it is told also when the hour has come"
    assert (last.trigger, last.actor.kind, last.facts["reason"]) == (
        "refused",
        "staff",
        mine["cancelled_why"],
    )
    assert kind_of(decide(clerk, booked, False)) == "impossible-move"
    assert kind_of(decide(clerk, booked, True)) == "impossible-move"
    booked_late(who, slot, evidence)


def test_accepted_urgency_is_noted_for_the_desk(visitors: Visitors, clerk: Visitor) -> None:
    site, who = a_site(), visitors.citizen(a_person())
    slot = late(site)
    booked = booked_late(who, slot, sent_by(who))
    seen = decide(clerk, booked, True, "病历属实")
    assert (seen.status_code, seen.json["state"]) == (200, "confirmed")
    assert seen.json["visit"]["urgency_accepted_at"] is not None
    assert triggers(booked)[-1] == "urgency_accepted"
    day = clock.day_of(slot.starts_at)
    (line,) = clerk.get(f"/dept/v1/sites/{site}/urgent-visits?day={day}").json
    assert line["visit"]["accepted_at"] == seen.json["visit"]["urgency_accepted_at"]


def test_other_evidence_is_looked_at_anew(visitors: Visitors, clerk: Visitor) -> None:
    site, who = a_site(), visitors.citizen(a_person())
    set_rules(site, EXAM, per_week=9)
    booked = booked_late(who, late(site), sent_by(who))
    decide(clerk, booked, True, "病历属实")

    def accepted() -> bool:
        with unit() as u:
            return u.session.get_one(BookingRow, booked).urgency_accepted_at is not None

    who.post(f"/mp/v1/bookings/{booked}/move", {"slot_id": late(site, 12).id})
    assert accepted(), "the same reason and evidence, at another hour"
    who.post(f"/mp/v1/bookings/{booked}/move", moving(late(site, 13), sent_by(who)))
    assert not accepted()


def test_only_the_desks_people_decide_on_urgency(visitors: Visitors, clerk: Visitor) -> None:
    site, who = a_site(), visitors.citizen(a_person())
    slot = late(site)
    booked = booked_late(who, slot, sent_by(who))
    assert decide(visitors.officer(POLICE), booked, False).status_code == 404
    assert decide(visitors.officer(LAND, "planner"), booked, False).status_code == 403
    assert decide(visitors.system(LAND), booked, False).status_code == 403
    usual = book(make_slot(1, site=site).id)
    assert decide(clerk, usual.id, False).status_code == 404
    clock.move_to(slot.ends_at)
    assert kind_of(decide(clerk, booked, False)) == "too-late-to-cancel"


def test_whoever_has_come_is_refused_at_the_window_only(visitors: Visitors, clerk: Visitor) -> None:
    site, who = a_site(), visitors.citizen(a_person())
    slot = late(site)
    booked = booked_late(who, slot, sent_by(who))
    clock.move_to(slot.starts_at)
    clerk.post(
        f"/dept/v1/bookings/{booked}/check-in", {"site_id": site, "id_tail": id_tail_of(who.person_id)}
    )
    assert kind_of(decide(clerk, booked, False)) == "impossible-move"
    assert decide(clerk, booked, True).status_code == 200


# --- why it was cancelled -------------------------------------------------------------------------------------------


def test_who_phoned_reads_the_reason_of_the_window(visitors: Visitors, clerk: Visitor) -> None:
    one = book(make_slot(1, site=a_site()).id)
    told = {"site_id": one.site.id, "reason": "来电说临时有事"}
    seen = clerk.post(f"/dept/v1/bookings/{one.id}/cancellation", told).json
    assert seen["cancelled_why"] == "来电说临时有事"
    with unit() as u:
        assert booking.facts_for(u, one.id)["cancelled_brief"] == "来电说临时有事"


def test_a_case_that_ended_says_why_the_visit_is_off() -> None:
    case_id, person_id = a_case()
    one = book(make_slot(1, site=a_site()).id, person_id, case_id=case_id)
    run_unit(lambda u: cases.withdraw_case(u, case_id, person_id, "不办了", citizen(person_id)))
    run_unit(lambda u: booking.on_case_closed(u, CaseWithdrawn(case_id, person_id)))
    with unit() as u:
        seen, told = booking.booking_of(u, one.id, person_id), booking.facts_for(u, one.id)
    assert (seen.state, seen.cancelled_why) == ("cancelled", told["cancelled_why"])
    assert "已经结束" in seen.cancelled_why
    assert "refused" not in told


def test_what_the_citizen_cancels_needs_no_reason() -> None:
    one = cancel(book(make_slot(1, site=a_site()).id))
    assert one.cancelled_why == ""
    with unit() as u:
        assert "cancelled_why" not in booking.facts_for(u, one.id)


# --- two groups at one time -----------------------------------------------------------------------------------------


def test_two_groups_at_one_time_are_told_apart(visitors: Visitors) -> None:
    site, groups = a_site(), {ids.new_id("wg"): f"{letter}区登记窗口" for letter in "AB"}
    with unit() as u:
        for letter, (group_id, name) in zip("AB", groups.items(), strict=True):
            u.add(WindowGroupRow(id=group_id, site_id=site, name=name, letter=letter, item_ids=[ITEM]))
    starts = clock.now() + timedelta(days=3)
    slots = [make_slot(1, site=site, starts=starts, group_id=group_id) for group_id in groups]
    listed = visitors.stranger().get(f"/mp/v1/slots?item_id={ITEM}&site_id={site}").json["items"]
    assert {one["group_id"]: one["group_name"] for one in listed} == groups
    for slot, (group_id, name) in zip(slots, groups.items(), strict=True):
        who = visitors.citizen(a_person())
        held = hold(slot.id, who.person_id)
        sure = who.post(f"/mp/v1/bookings/{held.id}/confirmation").json
        mine = who.get(f"/mp/v1/bookings/{held.id}").json
        assert (held.group_id, held.group_name) == (group_id, name)
        assert [(one["group_id"], one["group_name"]) for one in (sure, mine)] == [(group_id, name)] * 2


# --- single doors ---------------------------------------------------------------------------------------------------


def test_one_wait_and_one_block_are_ones_own(visitors: Visitors) -> None:
    site = a_site()
    person = blocked(site)
    who, stranger = visitors.citizen(person), visitors.citizen(a_person())
    block = blocks_of(person)[0].id
    full = make_slot(1, site=site, item=EXAM, subject="科目一")
    book(full.id)
    wait = wait_for(full, person).id
    for path, public_id in (("waits", wait), ("booking-blocks", block)):
        seen = who.get(f"/mp/v1/{path}/{public_id}")
        assert (seen.status_code, seen.json["id"]) == (200, public_id)
        assert stranger.get(f"/mp/v1/{path}/{public_id}").status_code == 404
        assert who.get(f"/mp/v1/{path}/{ids.new_id(public_id[:2])}").status_code == 404


# --- the list of the day --------------------------------------------------------------------------------------------


def listed(who: Visitor, site: str, **asked: object) -> list[str]:
    """Ids in the list of a site."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    answer = who.get(f"/dept/v1/sites/{site}/bookings?{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["items"]]


def test_the_day_lists_also_who_will_not_come(clerk: Visitor) -> None:
    site = a_site()
    slot = make_slot(4, site=site, starts=clock.now() + timedelta(days=1))
    gone, stays, day = cancel(book(slot.id)), book(slot.id), clock.day_of(slot.starts_at)
    assert set(listed(clerk, site, day=day)) == {gone.id, stays.id}
    assert listed(clerk, site, day=day, state="cancelled") == [gone.id]
    assert listed(clerk, site) == []
    clock.move_to(clock.start_of_day(day + timedelta(days=1)) + timedelta(minutes=1))
    tasks.mark_those_missed()
    assert listed(clerk, site, day=day, state="missed") == [stays.id]


def test_a_cancelled_visitor_is_found_by_number_or_card(clerk: Visitor) -> None:
    site, sister = a_site(), id_number()
    slot = make_slot(4, site=site, starts=clock.now() + timedelta(days=1))
    one = cancel(book(slot.id, companions=(Companion("测试乙", sister),)))
    book(slot.id)
    day, typed = clock.day_of(slot.starts_at), one.number.lower()
    assert listed(clerk, site, number=typed) == [one.id], "on any day"
    assert listed(clerk, site, number=typed, day=clock.today()) == []
    assert listed(clerk, a_site(), number=typed) == []
    for tail in (id_tail_of(one.person_id), sister[-4:].lower()):
        assert one.id in listed(clerk, site, day=day, id_tail=tail)
        assert listed(clerk, site, day=day, id_tail=tail, state="held") == []
        assert listed(clerk, site, id_tail=tail) == []


def test_the_list_of_the_day_comes_in_pages(clerk: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookings, "PAGE", 2)
    site, first = a_site(), clock.now() + timedelta(hours=4)
    booked = [book(make_slot(2, site=site, starts=first + timedelta(minutes=n // 2)).id).id for n in range(5)]
    last = book(make_slot(1, site=site, starts=first + timedelta(hours=1)).id)
    booked.append(last.id)
    seen: list[str] = []
    cursor: str | None = ""
    for _ in range(3):
        answer = clerk.get(f"/dept/v1/sites/{site}/bookings?cursor={cursor}").json
        seen += [one["id"] for one in answer["items"]]
        cursor = answer["next"]
    assert seen == booked
    assert cursor is None
    assert listed(clerk, site, id_tail=id_tail_of(last.person_id)) == [last.id], "also beyond the first page"
    assert kind_of(clerk.get(f"/dept/v1/sites/{site}/bookings?cursor=x")) == "malformed-request"


# --- appeals --------------------------------------------------------------------------------------------------------


def test_appeals_are_answered_by_planners_and_handlers_alone(visitors: Visitors) -> None:
    site = a_site()
    person = blocked(site)
    appeal(person)
    block = blocks_of(person)[0].id
    path, answer = f"/dept/v1/booking-blocks/{block}/decision", {"lift": True, "reason": "情况属实"}

    def sees(who: Visitor) -> bool:
        return any(one["block"]["id"] == block for one in who.get("/dept/v1/booking-appeals").json["items"])

    for role in ("window_clerk", "audit_admin"):
        one = visitors.officer(LAND, role)
        assert one.post(path, answer).status_code == (403 if role == "window_clerk" else 404)
        assert not sees(one)
    assert visitors.system(LAND).post(path, answer).status_code == 403
    planner = visitors.officer(LAND, "planner")
    assert sees(planner)
    assert sees(visitors.officer(LAND, "handler"))
    assert planner.post(path, answer).json["state"] == "lifted"


# --- refusals by name -----------------------------------------------------------------------------------------------


def groups_of(*windows: int, letter: str = "A") -> dict[str, Any]:
    numbered = [{"number": number, "booked_first": False, "open": True} for number in windows]
    return {"groups": [{"letter": letter, "name": "A区", "item_ids": [ITEM], "windows": numbered}]}


def test_a_full_walk_in_quota_is_refused_by_name(clerk: Visitor) -> None:
    open_the_day()
    hall = make_hall()
    set_rules(hall.site, walk_ins_beyond=False)
    slot_at(hall, 0, 1)
    path, wish = f"/dept/v1/sites/{hall.site}/tickets", {"item_id": ITEM}
    assert clerk.post(path, wish).status_code == 201
    refused = clerk.post(path, wish)
    assert (refused.status_code, kind_of(refused)) == (409, "walk-ins-full")
    assert isinstance(refused.json["alternatives"], list)


def test_a_letter_or_window_in_use_stays_as_it_is(visitors: Visitors, clerk: Visitor) -> None:
    open_the_day()
    hall, planner = make_hall(False, False), visitors.officer(LAND, "planner")
    path = f"/dept/v1/sites/{hall.site}/plan/groups"
    hall.walk_in()
    changed = put(planner, path, groups_of(1, 2, letter="C"))
    assert (changed.status_code, kind_of(changed), changed.json["letter"]) == (409, "letter-in-use", "A")
    assert clerk.post(f"/dept/v1/windows/{hall.windows[1]}/calls").status_code == 200
    gone = put(planner, path, groups_of(2))
    assert (gone.status_code, kind_of(gone), gone.json["window"]) == (409, "window-in-use", 1)


def test_a_shut_window_calls_nobody(clerk: Visitor) -> None:
    open_the_day()
    hall = make_hall()
    hall.walk_in()
    at = f"/dept/v1/windows/{hall.windows[1]}"
    assert clerk.post(f"{at}/shutting", {}).status_code == 200
    refused = clerk.post(f"{at}/calls")
    assert (refused.status_code, kind_of(refused)) == (409, "window-shut")


def test_rules_wait_for_a_draw_under_way(visitors: Visitors) -> None:
    releases.slots_on(day := releases.a_day(), 1)
    release_id = releases.announce(day)
    releases.close(release_id)
    path, wish = f"/dept/v1/sites/{EXAM_SITE}/plan/rules", {"item_id": EXAM, "rules": {"per_day": 3}}
    refused = put(visitors.officer(POLICE, "planner"), path, wish)
    assert (refused.status_code, kind_of(refused)) == (409, "draw-under-way")
    assert refused.json["release_id"].startswith("rl-")
    releases.draw(release_id)


# --- sent to another queue ------------------------------------------------------------------------------------------


def send(hall: Hall, letter: str) -> halls.TicketView:
    called = hall.call()
    return run_unit(lambda u: halls.transfer_ticket(u, called.id, hall.groups[letter], CLERK))


def test_who_is_sent_on_leaves_the_place_to_others() -> None:
    open_the_day()
    hall = make_hall(False, other=1)
    here, there = slot_at(hall, 0, 1), slot_at(hall, 0, 1, item=OTHER_ITEM)
    ticket = hall.walk_in()
    assert walkers(here) == [ticket.id]
    seen = send(hall, "B")
    assert (walkers(here), walkers(there), seen.beyond) == ([], [ticket.id], False)
    assert not hall.walk_in().beyond


def test_where_no_place_is_left_the_number_stands_all_the_same() -> None:
    open_the_day()
    hall = make_hall(False, other=1)
    here, there = slot_at(hall, 0, 1), slot_at(hall, 0, 1, item=OTHER_ITEM)
    first = hall.walk_in("B")
    hall.walk_in()
    seen = send(hall, "B")
    assert (walkers(here), walkers(there), seen.beyond) == ([], [first.id], False)


def test_who_came_beyond_the_places_finds_one_elsewhere() -> None:
    open_the_day()
    hall = make_hall(False, other=1)
    slot_at(hall, 0, 0), slot_at(hall, -60, 1)
    there = slot_at(hall, 0, 1, item=OTHER_ITEM)
    assert hall.walk_in().beyond
    seen = send(hall, "B")
    assert (walkers(there), seen.beyond, seen.note) == ([seen.id], False, "")


def test_an_appointment_sent_on_takes_no_walk_in_place() -> None:
    open_the_day()
    hall = make_hall(False, other=1)
    there = slot_at(hall, 0, 1, item=OTHER_ITEM)
    seen = hall.arrive(hall.slot(0))
    send(hall, "B")
    assert walkers(there) == []
    assert state_of(seen) == "checked_in"
