"""What the answers of the booking office show, refuse and leave open to people at home, on the phone, at the desk."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import Companion, Wish, plans
from backend.booking.models import SiteRow
from backend.booking.services import tending
from backend.kernel import clock, ids
from backend.kernel.problems import TooMany
from backend.people import register
from backend.store.unit import run_unit, unit
from tests.booking import releases
from tests.booking.makers import (
    CLERK,
    EXAM,
    EXAM_SITE,
    HALL,
    ITEM,
    a_person,
    at_desk,
    book,
    born_on,
    citizen,
    confirm,
    free_in,
    hold,
    id_tail_of,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.waiters import a_site, triggers
from tests.cases.makers import id_number
from tests.cases.visitors import Answer, Visitor, Visitors

LAND, POLICE = "BZ-GT", "BZ-GA"


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def strict_site(site: str) -> Iterator[str]:
    """One place held and thrown away a day is enough here."""
    set_rules(site, ITEM, lapses_a_day=1)
    yield site
    set_rules(site, ITEM)


def mine(one: booking.BookingView) -> booking.BookingView:
    """The booking as its owner sees it now."""
    with unit() as u:
        return booking.booking_of(u, one.id, one.person_id)


def slug(answer: Answer) -> str:
    return str(answer.json.get("type", "")).rsplit(":", 1)[-1]


def wrong_code(one: booking.BookingView) -> str:
    return "000000" if one.check_in_code != "000000" else "111111"


def wrong_tail(one: booking.BookingView) -> str:
    return "1234" if id_tail_of(one.person_id) != "1234" else "4321"


def id_no_of(person_id: str) -> str:
    with unit() as u:
        return register.id_no_of(register.person_row(u, person_id))


def move_to(one: booking.BookingView, slot: booking.Slot) -> booking.BookingView:
    wish = Wish(slot.id, one.person_id)
    return run_unit(lambda u: booking.hold_move(u, one.id, wish, citizen(one.person_id)))


def call_off(who: Visitor, one: booking.BookingView, **more: str) -> Answer:
    told = {"site_id": one.site.id, "reason": "来电说临时有事", **more}
    return who.post(f"/dept/v1/bookings/{one.id}/cancellation", told)


def test_a_closed_time_shows_why_and_no_code(site: str) -> None:
    slot = make_slot(1, site=site)
    one = book(slot.id)
    assert (one.closed, one.closed_why, mine(one).closed) == (False, "", False)
    assert mine(one).check_in_code is not None
    run_unit(lambda u: plans.close_slots(u, site, [slot.id], "停电", CLERK))
    seen = mine(one)
    assert (seen.state, seen.closed, seen.closed_why, seen.check_in_code) == ("confirmed", True, "停电", None)


def test_a_move_shows_the_other_site(site: str) -> None:
    one, other = book(make_slot(1, site=site).id), a_site()
    told = move_to(one, make_slot(1, site=other))
    assert told.site.id == site
    assert told.moving is not None
    assert told.moving.site.id == other
    assert told.moving.site.address == "测试地址"


def test_a_site_shows_phone_hours_and_whereabouts(visitors: Visitors) -> None:
    hall = next(
        one for one in visitors.stranger().get(f"/mp/v1/sites?item_id={ITEM}").json if one["id"] == HALL
    )
    assert (hall["phone"], hall["latitude"], hall["longitude"]) == ("12345", 33.84, 115.78)
    assert hall["hours"] == [["09:00", "12:00"], ["14:30", "17:00"]]
    held = hold(make_slot(1).id)
    assert held.site == confirm(held).site == mine(held).site
    assert (held.site.phone, held.site.latitude) == ("12345", 33.84)


def test_a_site_without_coordinates_says_none(site: str) -> None:
    with unit() as u:
        u.session.query(SiteRow).filter_by(id=site).update({"phone": "0558"})
    seen = hold(make_slot(1, site=site).id).site
    assert (seen.phone, seen.hours, seen.latitude, seen.longitude) == ("0558", [], None, None)


def test_the_window_cancels_for_who_phones(visitors: Visitors, site: str) -> None:
    slot, clerk = make_slot(1, site=site), visitors.officer(LAND)
    one = book(slot.id)
    clock.move_to(slot.starts_at - timedelta(minutes=5))
    seen = call_off(clerk, one, reason="来电13812345678说临时有事")
    assert (seen.status_code, seen.json["state"], free_in(slot.id)) == (200, "cancelled", 1)
    with unit() as u:
        last = u.journal_of(one.id)[-1]
    assert (last.trigger, last.actor.kind) == ("cancelled", "staff")
    assert "临时有事" in str(last.facts["reason"])
    assert "13812345678" not in str(last.facts)
    assert slug(call_off(clerk, one)) == "impossible-move"


def test_the_window_cancels_nothing_that_has_begun(visitors: Visitors, site: str) -> None:
    slot = make_slot(1, site=site)
    one, clerk = book(slot.id), visitors.officer(LAND)
    clock.move_to(slot.starts_at)
    assert slug(call_off(clerk, one)) == "too-late-to-cancel"
    assert state_of(one) == "confirmed"


def test_another_departments_window_cancels_nothing(visitors: Visitors, site: str) -> None:
    one, strange = book(make_slot(1, site=site).id), visitors.officer(POLICE)
    assert slug(call_off(strange, one)) == "not-found"
    assert slug(call_off(strange, one, site_id=EXAM_SITE)) == "wrong-day-or-site"
    assert slug(call_off(visitors.officer(LAND), one, reason="无")) == "invalid-input"
    assert triggers(one.id)[-1] == "confirmed"


def test_what_the_window_cancels_blames_nobody(visitors: Visitors, strict_site: str) -> None:
    slot, clerk = make_slot(1, site=strict_site), visitors.officer(LAND)
    one = book(slot.id)
    assert call_off(clerk, one).status_code == 200
    again = hold(slot.id, one.person_id)
    run_unit(lambda u: booking.cancel_booking(u, again.id, again.person_id, citizen(again.person_id)))
    with pytest.raises(booking.TooManyHolds):
        hold(slot.id, one.person_id)


def test_wrong_codes_refuse_codes_for_ten_minutes(site: str) -> None:
    slot = make_slot(1, site=site)
    one = book(slot.id)
    clock.move_to(slot.starts_at)
    for _ in range(5):
        assert at_desk(one, wrong_code(one), site) is None
    clock.advance(timedelta(minutes=9))
    with pytest.raises(TooMany) as refused:
        at_desk(one, one.check_in_code or "", site)
    assert 0 < (refused.value.retry_after or 0) <= 61
    clock.advance(timedelta(minutes=1, seconds=1))
    assert at_desk(one, wrong_code(one), site) is None
    assert at_desk(one, one.check_in_code or "", site) is not None


def test_wrong_codes_never_lock_out_the_card(site: str) -> None:
    slot = make_slot(1, site=site)
    one = book(slot.id)
    clock.move_to(slot.starts_at)
    for _ in range(5):
        at_desk(one, wrong_code(one), site)
    assert at_desk(one, site=site, id_tail=wrong_tail(one)) is None
    assert at_desk(one, site=site, id_tail=id_tail_of(one.person_id)) is not None


def test_wrong_cards_are_counted_on_their_own(site: str) -> None:
    slot = make_slot(1, site=site)
    one = book(slot.id)
    clock.move_to(slot.starts_at)
    for _ in range(5):
        assert at_desk(one, site=site, id_tail=wrong_tail(one)) is None
    with pytest.raises(TooMany):
        at_desk(one, site=site, id_tail=id_tail_of(one.person_id))
    assert at_desk(one, one.check_in_code or "", site) is not None


def test_slow_mistakes_are_forgotten(site: str) -> None:
    slot = make_slot(1, site=site)
    one = book(slot.id)
    clock.move_to(slot.starts_at)
    for _ in range(6):
        assert at_desk(one, wrong_code(one), site) is None
        clock.advance(timedelta(minutes=3))
    assert at_desk(one, one.check_in_code or "", site) is not None


def others_of(full: booking.Slot, **more: Any) -> list[dict[str, Any]]:
    with pytest.raises(booking.SlotTaken) as refused:
        hold(full.id, **more)
    found = refused.value.extra["alternatives"]
    assert isinstance(found, list)
    return found


def test_alternatives_begin_with_the_same_site(site: str) -> None:
    soon, subject, elsewhere = clock.now() + timedelta(days=3), ids.token()[:20], a_site()
    set_rules(site, elder_percent=50)
    days = [soon + timedelta(days=n) for n in range(6)]
    full = make_slot(1, site=site, subject=subject, starts=days[5])
    book(full.id)
    assert others_of(full) == []
    far = [make_slot(2, site=elsewhere, subject=subject, starts=days[n]) for n in (1, 0, 2)]
    late, early = (make_slot(2, site=site, subject=subject, starts=days[n]) for n in (4, 3))
    elder = make_slot(2, site=site, subject=subject, starts=days[2], kinds={"elder": 1})
    pair = {"companions": (Companion("测试乙", born_on(date(1996, 3, 1))),)}
    assert [one["slot_id"] for one in others_of(full, **pair)] == [early.id, late.id, far[1].id]
    found = others_of(full, person_id=a_person(id_no=born_on(date(1996, 3, 2))))
    assert [one["slot_id"] for one in found] == [elder.id, early.id, late.id]
    assert found[0] == {
        "slot_id": elder.id, "site": {"id": site, "name": "测试办事点", "address": "测试地址"}, "free": 1,
        "starts_at": elder.starts_at.isoformat(), "ends_at": elder.ends_at.isoformat(),
    }  # fmt: skip


def test_a_family_that_moves_is_shown_room_for_all(site: str) -> None:
    subject, later = ids.token()[:20], clock.now() + timedelta(days=9)
    family = book(make_slot(2, site=site, subject=subject, starts=later).id, companions=(_sister(),))
    full = make_slot(1, site=site, subject=subject, starts=later + timedelta(days=1))
    book(full.id)
    make_slot(1, site=site, subject=subject)
    roomy = make_slot(2, site=site, subject=subject)
    with pytest.raises(booking.SlotTaken) as refused:
        move_to(family, full)
    found = refused.value.extra["alternatives"]
    assert isinstance(found, list)
    assert [one["slot_id"] for one in found] == [roomy.id]


def test_where_nothing_is_left_the_wait_list_is_named(site: str) -> None:
    full = make_slot(1, site=site, subject=ids.token()[:20])
    book(full.id)
    with pytest.raises(booking.SlotTaken) as refused:
        hold(full.id)
    assert "可登记候补" in str(refused.value.detail)
    assert refused.value.extra["alternatives"] == []


@pytest.mark.parametrize(("sure", "advice"), [(False, "先确认或取消"), (True, "原预约上改期")])
def test_the_booking_one_has_already_is_named(site: str, sure: bool, advice: str) -> None:
    slot, person = make_slot(2, site=site), a_person()
    one = (book if sure else hold)(slot.id, person)
    with pytest.raises(booking.AlreadyBooked) as refused:
        hold(make_slot(1, site=site).id, person)
    assert refused.value.extra == {"booking_id": one.id, "state": one.state}
    assert advice in str(refused.value.detail)


def test_another_subject_or_a_finished_one_does_not_count(site: str) -> None:
    first = book(make_slot(1, site=site, subject="科目一").id)
    other = make_slot(1, site=site, subject="科目二", starts=clock.now() + timedelta(days=10))
    assert hold(other.id, first.person_id).state == "held"
    run_unit(lambda u: booking.cancel_booking(u, first.id, first.person_id, citizen(first.person_id)))
    again = make_slot(1, site=site, subject="科目一", starts=clock.now() + timedelta(days=20))
    assert hold(again.id, first.person_id).state == "held"


def test_free_places_count_the_elders_apart(visitors: Visitors, site: str) -> None:
    set_rules(site, elder_percent=40)
    slot = make_slot(5, site=site, kinds={"elder": 2, "walk_in": 1})
    hold(slot.id, a_person(id_no=born_on(date(1996, 3, 1))))
    seen = visitors.stranger().get(f"/mp/v1/slots?item_id={ITEM}&site_id={site}").json
    assert [(one["id"], one["free"], one["elder_free"]) for one in seen["items"]] == [(slot.id, 1, 2)]


def test_nobody_comes_along_twice_or_with_themselves(visitors: Visitors, site: str) -> None:
    person, other = a_person(), id_number()
    numbers = [other, other, id_no_of(person), "349901199001010000"]
    told = {
        "slot_id": make_slot(5, item=EXAM, subject="科目一", site=site).id,
        "companions": [{"name": "测试乙", "id_no": id_no.lower()} for id_no in numbers],
    }
    refused = visitors.citizen(person).post("/mp/v1/bookings", told)
    assert slug(refused) == "invalid-input", refused.text
    assert [one["field"] for one in refused.json["errors"]] == [f"companions.{n}.id_no" for n in (1, 2, 3)]
    told["companions"] = [{"name": "测试乙", "id_no": other}]
    assert visitors.citizen(person).post("/mp/v1/bookings", told).status_code == 201


@pytest.mark.parametrize("mode", ["draw", "queue"])
def test_who_entered_reads_why_it_was_called_off(mode: str) -> None:
    day = releases.a_day()
    releases.slots_on(day, 2)
    release_id = releases.announce(day, mode)
    person = releases.enter(release_id)
    assert releases.entry_of(release_id, person).why_label == ""
    reason = "考场检修，改到下月，详询13812345678"
    run_unit(lambda u: booking.call_off(u, release_id, reason, releases.PLANNER))
    tending.tend()
    seen = releases.entry_of(release_id, person)
    assert seen.state == "called_off"
    assert seen.why_label == releases.release_of(release_id).called_off_why
    assert seen.why_label.startswith("考场检修，改到下月")
    assert "13812345678" not in seen.why_label


def _sister() -> Companion:
    return Companion("测试乙", id_number())
