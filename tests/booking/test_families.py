"""Families wait and enter as one: places together or none, one lot, and nobody robbed by whoever needs more."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import Companion, tasks
from backend.booking.models import BlockRow, BookingRow, PlaceRow, WaitRow
from backend.booking.releases import draws
from backend.booking.releases.replaying import replay
from backend.booking.services import drawing, offering, taking, tending
from backend.booking.services.offering import Waiting
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput
from backend.store.unit import CLOCK, run_unit, unit
from tests.booking import releases
from tests.booking.makers import (
    EXAM,
    EXAM_SITE,
    a_person,
    book,
    born_on,
    cancel,
    citizen,
    free_in,
    hold,
    make_slot,
    set_rules,
)
from tests.booking.releases import announce, close, draw, entry_of, faults, record_of, slots_on
from tests.booking.waiters import a_site, accept, decline, hands, kept_in, nobody_waits, offer, seen, wait_for
from tests.cases.makers import id_number

OLD, YOUNG = date(1950, 1, 1), date(1995, 1, 1)


@pytest.fixture(autouse=True)
def _own_line(_sound: None) -> Iterator[None]:
    yield
    nobody_waits()


@pytest.fixture
def site() -> str:
    return a_site()


def family(count: int, born: date | None = None) -> tuple[Companion, ...]:
    """So many who come along."""
    return tuple(Companion("测试乙", born_on(born) if born else id_number()) for _ in range(count))


def a_slot(site: str, capacity: int, **more: Any) -> booking.Slot:
    return make_slot(capacity, site=site, starts=clock.now() + timedelta(days=7), **more)


def full(slot: booking.Slot) -> list[booking.BookingView]:
    """Everybody who has the slot's places."""
    return [book(slot.id) for _ in range(slot.capacity)]


def taken_by(booking_id: str) -> list[tuple[int, str]]:
    """Number and kind of the places of a booking."""
    with unit() as u:
        rows = u.session.query(PlaceRow).filter_by(booking_id=booking_id).order_by(PlaceRow.number)
        return [(row.number, row.kind) for row in rows]


def test_a_family_is_offered_places_together(site: str) -> None:
    slot = a_slot(site, 3)
    holders = full(slot)
    wait = wait_for(slot, companions=family(2))
    assert wait.party == 3
    for holder in holders:
        cancel(holder)
    assert offer() == 1
    booked = accept(wait)
    assert (booked.state, booked.party, free_in(slot.id)) == ("confirmed", 3, 0)


def test_the_names_of_a_waiting_family_are_sealed(site: str) -> None:
    slot, coming = a_slot(site, 2), family(1)
    wait = wait_for(slot, companions=coming)
    with unit() as u:
        kept = u.session.get_one(WaitRow, wait.id).companions
    assert kept is not None
    assert coming[0].id_no.encode() not in kept
    assert "测试乙".encode() not in kept


def test_freed_places_gather_for_the_family_in_front(site: str) -> None:
    slot = a_slot(site, 2)
    first, second = full(slot)
    couple, single = wait_for(slot, companions=family(1)), wait_for(slot)
    cancel(first)
    assert (offer(), kept_in(slot), seen(single).state) == (0, 1, "waiting")
    with pytest.raises(booking.SlotTaken):
        hold(slot.id)
    clock.advance(timedelta(minutes=119))
    cancel(second)
    assert (offer(), seen(couple).state, hands(slot)) == (1, "offered", 2)


def test_who_stands_behind_a_family_is_not_starved(site: str) -> None:
    slot = a_slot(site, 2)
    first, _second = full(slot)
    couple, single = wait_for(slot, companions=family(1)), wait_for(slot)
    cancel(first)
    offer()
    clock.advance(timedelta(minutes=120))
    assert (offer(), seen(single).state, seen(couple).state) == (1, "offered", "waiting")


def test_a_single_in_front_is_asked_before_a_family(site: str) -> None:
    slot = a_slot(site, 2)
    first, _second = full(slot)
    single, couple = wait_for(slot), wait_for(slot, companions=family(1))
    cancel(first)
    assert (offer(), seen(single).state, seen(couple).state) == (1, "offered", "waiting")


def test_a_place_gathers_once_for_a_family(site: str) -> None:
    slot = a_slot(site, 2)
    first, _second = full(slot)
    wait_for(slot, companions=family(1))
    cancel(first)
    offer()
    clock.advance(timedelta(minutes=120))
    assert (offer(), kept_in(slot)) == (0, 0)
    cancel(book(slot.id))
    assert (offer(), kept_in(slot)) == (0, 0)
    assert hold(slot.id).state == "held"


def test_a_family_gathers_in_one_slot_at_a_time(site: str) -> None:
    slots = [make_slot(2, site=site, starts=clock.now() + timedelta(days=7, hours=n)) for n in range(2)]
    holders = [full(slot)[0] for slot in slots]
    last = clock.day_of(slots[0].starts_at) + timedelta(days=1)
    wait_for(slots[0], companions=family(1), to_day=last)
    single = wait_for(slots[0], to_day=last)
    for holder in holders:
        cancel(holder)
    assert offer() == 1
    assert sorted(kept_in(slot) for slot in slots) == [0, 1]
    assert seen(single).state == "offered"


def test_gathering_in_vain_makes_the_next_one_longer(site: str) -> None:
    slots = [make_slot(2, site=site, starts=clock.now() + timedelta(days=7, hours=n)) for n in range(2)]
    holders = [full(slot)[0] for slot in slots]
    wait_for(slots[0], companions=family(1), to_day=clock.day_of(slots[0].starts_at) + timedelta(days=1))
    cancel(holders[0])
    offer()
    clock.advance(timedelta(minutes=120))
    offer()
    cancel(holders[1])
    offer()
    clock.advance(timedelta(minutes=239))
    assert (offer(), kept_in(slots[1])) == (0, 1)
    clock.advance(timedelta(minutes=1))
    assert (offer(), kept_in(slots[1])) == (0, 0)


def test_nothing_gathers_when_others_could_not_be_asked(site: str) -> None:
    """Two offers of half an hour must still fit before the last hour."""
    starts = clock.now() + timedelta(minutes=60 + 60)
    slot = make_slot(2, site=site, starts=starts, closes_at=starts)
    first, _second = full(slot)
    wait_for(slot, companions=family(1))
    single = wait_for(slot)
    run_unit(lambda u: booking.halls.cancel_for_caller(u, first.id, site, "临时有事", CLOCK))
    assert (offer(), seen(single).state) == (1, "offered")


def test_what_passers_by_see_free_does_not_gather(site: str) -> None:
    slot = a_slot(site, 2)
    book(slot.id)
    wait_for(slot, companions=family(1))
    assert (offer(), kept_in(slot)) == (0, 0)
    assert hold(slot.id).state == "held"


def test_a_slot_too_small_keeps_nothing_for_a_family(site: str) -> None:
    slot = a_slot(site, 1)
    holder = book(slot.id)
    wait_for(slot, companions=family(1))
    cancel(holder)
    assert kept_in(slot) == 0


def test_new_places_are_kept_for_a_whole_family(site: str) -> None:
    slot = a_slot(site, 5)
    wait_for(slot, companions=family(2))
    clock.move_to(clock.at_local(clock.today(), 23))
    run_unit(lambda u: taking.keep_new(u, slot.id))
    assert kept_in(slot) == 3


def test_a_family_that_declines_passes_all_places_on(site: str) -> None:
    slot = a_slot(site, 2)
    couple, *singles = wait_for(slot, companions=family(1)), wait_for(slot), wait_for(slot)
    assert offer() == 1
    decline(couple)
    assert offer() == 2
    assert [seen(one).state for one in singles] == ["offered"] * 2


def test_an_offer_between_kept_and_free_places_loses_none(site: str) -> None:
    """Places 1 and 3 were given back, 2 is free to all: the couple takes two, and one stays kept for the next."""
    slot = a_slot(site, 3)
    first, second, third = full(slot)
    cancel(second)
    couple, _next = wait_for(slot, companions=family(1)), wait_for(slot)
    clock.move_to(clock.at_local(clock.today(), 23))
    for one in (first, third):
        cancel(one)
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 8, 1))
    with unit() as u:
        row = u.session.get_one(WaitRow, couple.id)
        line = Waiting(row.id, row.person_id, None, row.party, row.companions)
    assert run_unit(lambda u: offering.offer(u, slot.id, line))
    assert (hands(slot), kept_in(slot)) == (2, 1)
    assert offer() == 1


@pytest.mark.parametrize(("born", "is_offered"), [(OLD, True), (YOUNG, False)])
def test_all_of_a_family_must_be_old_for_elder_places(site: str, born: date, *, is_offered: bool) -> None:
    set_rules(site, elder_percent=100)
    slot = a_slot(site, 2, kinds={"elder": 2})
    wait = wait_for(slot, a_person(id_no=born_on(OLD)), companions=family(1, born))
    assert offer() == int(is_offered)
    assert seen(wait).state == ("offered" if is_offered else "waiting")


def test_who_comes_along_elsewhere_is_passed_over(site: str) -> None:
    slot, coming = a_slot(site, 2), family(1)
    person = a_person(id_no=coming[0].id_no)
    couple = wait_for(slot, companions=coming)
    book(make_slot(1, starts=slot.starts_at + timedelta(hours=2)).id, person)
    assert (offer(), seen(couple).state) == (0, "waiting")


def test_a_party_beyond_the_rules_does_not_wait(site: str) -> None:
    slot = a_slot(site, 9)
    with pytest.raises(InvalidInput) as refused:
        wait_for(slot, companions=family(5))
    assert refused.value.errors[0]["field"] == "companions"
    wait = wait_for(slot, companions=family(4))
    set_rules(site, max_party=4)
    assert (offer(), seen(wait).state) == (0, "waiting")


def test_a_family_keeps_its_party_after_an_offer_ran_out(site: str) -> None:
    slots = [make_slot(2, site=site, starts=clock.now() + timedelta(days=7, hours=n)) for n in range(2)]
    wait = wait_for(slots[0], companions=family(1))
    offer()
    clock.advance(timedelta(minutes=31))
    tasks.lapse_holds()
    offer()
    told = seen(wait)
    assert (told.state, told.offers_today, told.party) == ("offered", 2, 2)


def enter(release_id: str, companions: tuple[Companion, ...] = (), person: str = "", **more: Any) -> str:
    """Somebody enters with their family."""
    person = person or a_person()
    wishes = more.get("wishes", ())
    run_unit(lambda u: booking.enter(u, release_id, person, wishes, None, citizen(person), companions))
    return person


def test_a_family_draws_one_lot_for_all() -> None:
    slot = slots_on(day := releases.a_day(), 5)[0]
    release_id = announce(day)
    people = [enter(release_id, family(1)), enter(release_id, family(2))]
    draw(release_id)
    assert [entry_of(release_id, one).state for one in people] == ["won", "won"]
    record = record_of(release_id)
    assert (len(record["order"]), len(record["won"]), free_in(slot.id)) == (2, 5, 0)
    assert sorted(one["party"] for one in record["frozen"]["entries"]) == [2, 3]
    assert faults(release_id) == []
    with unit() as u:
        rows = u.session.query(BookingRow).filter(BookingRow.person_id.in_(people)).all()
        assert sorted(row.party for row in rows) == [2, 3]
        assert all(row.companions for row in rows)


def test_names_are_in_no_record() -> None:
    slots_on(day := releases.a_day(), 3)
    release_id, coming = announce(day), family(1)
    enter(release_id, coming)
    draw(release_id)
    assert coming[0].id_no not in str(record_of(release_id))
    assert "测试乙" not in str(record_of(release_id))


def frozen(
    entries: list[tuple[str, int]], slots: list[tuple[str, int, int]], *, elder: bool = False
) -> draws.Frozen:
    return draws.Frozen(
        format=draws.FORMAT, release="rl-test", site="si-test", item=EXAM, subject="", mode="draw", commitment="",
        public_source="", entries_until="", frozen_at="",
        entries=tuple(draws.EntryLine(id=one, wishes=(), elder=elder, out="", party=party) for one, party in entries),
        slots=tuple(draws.SlotLine(id=one, starts_at="", open=places, elder=old) for one, places, old in slots),
    )  # fmt: skip


def given(what: draws.Frozen, refused: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    order = [one.id for one in what.entries]
    seats = draws.winners(draws.award(what, order, (), refused or {}), refused or {})
    return [(seat.entry, seat.slot, seat.kind) for seat in seats]


def test_a_family_wins_where_all_of_it_has_room() -> None:
    what = frozen([("single", 1), ("three", 3), ("late", 1)], [("s1", 3, 0), ("s2", 3, 0)])
    assert [(entry, slot) for entry, slot, _ in given(what)] == [
        ("single", "s1"), ("three", "s2"), ("three", "s2"), ("three", "s2"), ("late", "s1"),
    ]  # fmt: skip


def test_a_family_without_room_leaves_it_to_the_next() -> None:
    what = frozen([("two", 2), ("single", 1)], [("s1", 1, 0)])
    assert given(what) == [("single", "s1", "open")]


def test_an_old_couple_takes_places_of_both_kinds() -> None:
    what = frozen([("couple", 2)], [("s1", 1, 1)], elder=True)
    assert given(what) == [("couple", "s1", "elder"), ("couple", "s1", "open")]


def test_all_places_of_a_refused_family_go_on() -> None:
    what = frozen([("two", 2), ("a", 1), ("b", 1)], [("s1", 2, 0)])
    assert [entry for entry, _, _ in given(what, {"two": "withdrawn"})] == ["a", "b"]


def test_a_drawn_couple_sits_on_the_quotas_it_drew() -> None:
    set_rules(EXAM_SITE, EXAM, elder_percent=50)
    slot = slots_on(day := releases.a_day(), 4, kinds={"elder": 3})[0]
    release_id = announce(day)
    persons = [a_person(id_no=born_on(OLD)) for _ in range(2)]
    for person in persons:
        enter(release_id, family(1, OLD), person)
    draw(release_id)
    won = record_of(release_id)["won"]
    assert [seat["kind"] for seat in won] == ["elder", "elder", "elder", "open"]
    assert (free_in(slot.id), faults(release_id)) == (0, [])
    last = next(one for one in persons if entry_of(release_id, one).id == won[-1]["entry"])
    assert [kind for _, kind in taken_by(str(entry_of(release_id, last).booking_id))] == ["elder", "open"]
    set_rules(EXAM_SITE, EXAM)


def test_a_drawn_family_leaves_the_places_of_others_alone() -> None:
    """Elder places are open to all by the time of the draw, but these were drawn by nobody of the family."""
    set_rules(EXAM_SITE, EXAM, elder_percent=30, elder_until_hours=24 * 30)
    slot = slots_on(clock.today() + timedelta(days=19), 3)[0]
    with unit() as u:
        u.session.get_one(PlaceRow, (slot.id, 2)).kind = "elder"
    release_id = announce(clock.day_of(slot.starts_at))
    couple = enter(release_id, family(1, YOUNG), a_person(id_no=born_on(YOUNG)))
    draw(release_id)
    assert taken_by(str(entry_of(release_id, couple).booking_id)) == [(1, "open"), (3, "open")]
    set_rules(EXAM_SITE, EXAM)


def test_one_human_being_draws_one_lot() -> None:
    slots_on(day := releases.a_day(), 4)
    release_id, coming = announce(day), family(1)
    husband, wife_no = id_number(), coming[0].id_no
    enter(release_id, coming, a_person(id_no=husband))
    wife = a_person(id_no=wife_no)
    for other, who in (((), wife), ((Companion("测试甲", husband),), wife), (coming, "")):
        with pytest.raises(booking.OneLotEach):
            enter(release_id, other, who)
    with pytest.raises(booking.OneLotEach):
        enter(release_id, (Companion("测试甲", husband),))


def test_who_left_an_entry_may_enter_in_another() -> None:
    slots_on(day := releases.a_day(), 4)
    release_id, coming = announce(day), family(1)
    person = enter(release_id, coming)
    releases.withdraw(release_id, person)
    enter(release_id, person=a_person(id_no=coming[0].id_no))
    with pytest.raises(booking.OneLotEach):
        enter(release_id, coming, person)
    enter(release_id, family(2), person)
    assert entry_of(release_id, person).party == 3


def test_a_party_must_fit_the_slots_of_a_release() -> None:
    small, large = slots_on(day := releases.a_day(), 1, 3)
    release_id = announce(day)
    for coming, wishes in ((family(1), [small.id, large.id]), (family(3), []), (family(5), [])):
        with pytest.raises(InvalidInput) as refused:
            enter(release_id, coming, wishes=wishes)
        assert [error["field"] for error in refused.value.errors] == ["companions"]
    enter(release_id, family(2), wishes=[large.id])


def test_a_family_has_one_turn_in_a_queue() -> None:
    slot = slots_on(day := releases.a_day(), 4)[0]
    release_id = announce(day, "queue", batch=5)
    coming = family(2)
    person = enter(release_id, coming)
    releases.open_queue(release_id)
    assert entry_of(release_id, person).party == 3
    booked = book(slot.id, person, companions=coming)
    tending.tend()
    assert (booked.party, entry_of(release_id, person).state) == (3, "served")


def test_a_changed_party_is_noticed_in_our_books() -> None:
    slots_on(day := releases.a_day(), 3)
    release_id = announce(day)
    person = enter(release_id, family(1))
    draw(release_id)
    entry_id = entry_of(release_id, person).id
    releases.tamper_entry(entry_id, party=1)
    assert "记录中的 1 份报名都在系统中，所选时段和人数相同" in faults(release_id)
    with unit() as u:
        assert any(entry_id in finding for finding in booking.check_books(u))
    releases.tamper_entry(entry_id, party=2)


def test_a_record_of_the_first_format_is_still_replayed() -> None:
    seed = bytes(range(32))
    old = frozen([("ey-1", 1), ("ey-2", 1)], [("s1", 1, 0)]).model_dump(mode="json")
    old.pop("public_value_at")
    old |= {
        "format": "zhangban draw 1",
        "commitment": draws.commitment_of(seed).hex(),
        "entries": [{"id": one, "wishes": [], "elder": False, "out": ""} for one in ("ey-1", "ey-2")],
    }
    order = draws.order_of(seed, "1", "rl-test", ["ey-1", "ey-2"])
    record = draws.signed({
        "frozen": old, "frozen_digest": draws.digest_of(old), "seed": seed.hex(), "public_value": "1", "closed": [],
        "order": order, "refused": [], "won": [{"entry": order[0], "slot": "s1", "kind": "open"}],
    })  # fmt: skip
    assert all(check.agrees for check in replay(record))


def test_a_family_refused_at_its_turn_gives_all_back() -> None:
    """Whoever comes along has booked elsewhere since: the places go to the next who drew nothing."""
    slot = slots_on(day := releases.a_day(), 2)[0]
    elsewhere = slots_on(releases.a_day(), 1)[0]
    release_id, coming = announce(day), family(1)
    relative = a_person(id_no=coming[0].id_no)
    couple = enter(release_id, coming)
    close(release_id)
    book(elsewhere.id, relative)
    releases.agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, releases.PLANNER))
    drawing.finish_draws()
    seen_by = entry_of(release_id, couple)
    assert (seen_by.state, seen_by.why) == ("lost", "companion-not-free")
    assert (free_in(slot.id), faults(release_id)) == (2, [])


def test_who_is_blocked_enters_with_nobody() -> None:
    number, until = id_number(), clock.now() + timedelta(days=30)
    block = BlockRow(
        id=ids.new_id("bl"), person_id=a_person(id_no=number), item_id=EXAM, site_id=EXAM_SITE,
        cause_id=ids.new_id("bk"), state="active", until=until,
    )  # fmt: skip
    slots_on(day := releases.a_day(), 4)
    release_id = announce(day)
    run_unit(lambda u: u.add(block))
    with pytest.raises(booking.CompanionNotFree) as refused:
        enter(release_id, (Companion("测试乙", number),))
    assert refused.value.extra == {"companions": [0]}
