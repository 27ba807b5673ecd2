"""Releases: a queue that is fair to slow phones, a draw that nobody can bend, an opening at a published time."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import SlotRange
from backend.booking.models import BookingRow, EntryRow, PlaceRow, ReleaseRow, SlotRow
from backend.booking.releases import draws
from backend.booking.services import drawing, entering, tending
from backend.contracts import CaseWithdrawn
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove, InvalidInput, NotYours
from backend.people import RealNameNeeded
from backend.store.unit import run_unit, unit
from tests.booking.conftest import MONDAY
from tests.booking.makers import (
    EXAM,
    EXAM_SITE,
    HALL,
    a_person,
    book,
    born_on,
    cancel,
    confirm,
    free_in,
    hold,
    set_rules,
)  # fmt: skip
from tests.booking.releases import (
    COLLEAGUE,
    PLANNER,
    SUBJECT,
    VALUE,
    a_day,
    agree_on,
    announce,
    close,
    draw,
    enter,
    entry_of,
    faults,
    open_queue,
    plan,
    record_of,
    release_of,
    reveal,
    slots_on,
    tamper,
    tamper_entry,
    until_the_value,
    withdraw,
)  # fmt: skip


def states(release_id: str, people: list[str]) -> list[str]:
    return [entry_of(release_id, person).state for person in people]


def won(release_id: str, people: list[str]) -> list[str]:
    return [person for person in people if entry_of(release_id, person).state == "won"]


def slot_of(booking_id: str | None, person: str) -> str:
    with unit() as u:
        return booking.booking_of(u, booking_id or "", person).slot_id


# --- announcing ---------------------------------------------------------------------------------------------------


def test_a_release_commits_to_its_seed_at_once() -> None:
    slots = slots_on(day := a_day(), 2, 2)
    release_id = announce(day)
    seen = release_of(release_id)
    assert (seen.state, seen.slots, seen.places, seen.entries) == ("announced", 2, 4, 0)
    assert len(bytes.fromhex(seen.commitment)) == 32
    assert seen.seed is None
    with unit() as u:
        assert {one.release_id for one in booking.free_slots(u, EXAM, day=day)} == {release_id}
        with pytest.raises(booking.ReleaseNotReady):
            booking.record_of(u, release_id)
    with pytest.raises(booking.NotYourTurn):
        hold(slots[0].id)


def test_slots_in_use_are_refused() -> None:
    taken = slots_on(day := a_day(), 2, 2)[1]
    hold(taken.id)
    with pytest.raises(booking.SlotsInUse) as refused:
        announce(day)
    assert refused.value.extra["slots"] == [taken.id]
    slots_on(promised := a_day(), 2, opens_at=clock.now() - timedelta(hours=1))
    with pytest.raises(booking.SlotsInUse):
        announce(promised)
    slots_on(given := a_day(), 2)
    announce(given)
    with pytest.raises(booking.SlotsInUse):
        announce(given, "queue")


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("entries_until", {"entries_until": clock.now() - timedelta(minutes=1)}),
        ("opens_at", {"opens_at": clock.now() + timedelta(minutes=1)}),
        ("opens_at", {"opens_at": clock.now() + timedelta(days=400)}),
        ("public_source", {"public_source": ""}),
        ("public_value_at", {"public_value_at": None}),
        ("public_value_at", {"public_value_at": clock.at_local(MONDAY, 11)}),
        ("public_value_at", {"public_value_at": clock.at_local(MONDAY, 12, 1)}),
    ],
)
def test_an_impossible_plan_is_refused(field: str, more: dict[str, Any]) -> None:
    slots_on(day := a_day(), 1)
    with pytest.raises(InvalidInput) as refused:
        announce(day, **more)
    assert [error["field"] for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("field", "site", "item", "days"),
    [("item_id", HALL, EXAM, 0), ("to_day", EXAM_SITE, EXAM, -1), ("from_day", EXAM_SITE, EXAM, 0)],
)
def test_an_impossible_range_is_refused(field: str, site: str, item: str, days: int) -> None:
    day = a_day()
    wanted = SlotRange(site, item, SUBJECT, day, day + timedelta(days=days))
    with pytest.raises(InvalidInput) as refused:
        announce(day, slots=wanted)
    assert [error["field"] for error in refused.value.errors] == [field]
    with pytest.raises(NotYours):
        announce(day, slots=SlotRange("si-nowhere", item, SUBJECT, day, day))


def test_slots_open_at_a_published_time() -> None:
    slot = slots_on(day := a_day(), 1)[0]
    opens_at = clock.now() + timedelta(hours=3)
    wanted = SlotRange(EXAM_SITE, EXAM, SUBJECT, day, day)
    opening = run_unit(lambda u: booking.open_at(u, wanted, opens_at, PLANNER))
    assert (opening.slots, opening.opens_at) == (1, opens_at)
    with pytest.raises(booking.SlotClosed):
        hold(slot.id)
    with pytest.raises(InvalidInput):
        run_unit(lambda u: booking.open_at(u, wanted, clock.now() - timedelta(minutes=1), PLANNER))
    clock.move_to(opens_at)
    hold(slot.id)
    with pytest.raises(booking.SlotsInUse):
        run_unit(lambda u: booking.open_at(u, wanted, opens_at + timedelta(hours=1), PLANNER))


# --- entering -----------------------------------------------------------------------------------------------------


def test_one_person_enters_once() -> None:
    slots_on(day := a_day(), 2)
    release_id = announce(day)
    person = enter(release_id)
    with pytest.raises(booking.AlreadyEntered) as refused:
        enter(release_id, person)
    assert refused.value.extra["entry_id"] == entry_of(release_id, person).id
    seen = entry_of(release_id, person)
    assert (seen.state, seen.rank, seen.ahead, seen.may_book_from, seen.may_book_now) == (
        "entered", None, None, None, False,
    )  # fmt: skip
    with unit() as u:
        assert [one.id for one in booking.entries_of(u, person)] == [seen.id]
        assert booking.entry_by_id(u, seen.id, person) == seen
        with pytest.raises(NotYours):
            booking.entry_by_id(u, seen.id, ids.new_id("ps"))


def test_who_asks_many_times_at_once_has_one_entry() -> None:
    slots_on(day := a_day(), 2)
    release_id, person = announce(day), a_person()
    refused = []

    def want() -> None:
        try:
            enter(release_id, person)
        except booking.AlreadyEntered:
            refused.append(1)

    threads = [threading.Thread(target=want) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 4
    assert release_of(release_id).entries == 1


def test_entries_have_their_time() -> None:
    slots_on(day := a_day(), 2)
    now = clock.now()
    release_id = announce(day, entries_from=now + timedelta(minutes=30))
    with pytest.raises(booking.EntriesClosed):
        enter(release_id)
    clock.move_to(now + timedelta(minutes=30))
    enter(release_id)
    clock.move_to(now + timedelta(hours=1))
    with pytest.raises(booking.EntriesClosed):
        enter(release_id)
    with pytest.raises(booking.ReleaseUnknown):
        enter(ids.new_id("rl"))


def test_wishes_are_slots_of_the_release() -> None:
    first, second = slots_on(day := a_day(), 1, 1)
    other = slots_on(a_day(), 1)[0]
    release_id = announce(day)
    for wishes in ([other.id], [first.id, first.id], ["sl-nothing"]):
        with pytest.raises(InvalidInput):
            enter(release_id, wishes=wishes)
    person = enter(release_id, wishes=[second.id, first.id])
    assert entry_of(release_id, person).wishes == (second.id, first.id)


def test_who_may_not_book_may_not_enter() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    with pytest.raises(RealNameNeeded):
        enter(release_id, a_person(verified=False))
    booked = hold(slots_on(a_day(), 1)[0].id).person_id
    with pytest.raises(booking.AlreadyBooked):
        enter(release_id, booked)


def test_one_human_being_is_one_entry_whatever_the_rules_ask() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    set_rules(EXAM_SITE, EXAM, level=1)
    try:
        with pytest.raises(RealNameNeeded):
            enter(release_id, a_person(verified=False))
    finally:
        set_rules(EXAM_SITE, EXAM)


def test_who_withdrew_may_enter_again() -> None:
    first, second = slots_on(day := a_day(), 1, 1)
    release_id = announce(day)
    person = enter(release_id, wishes=[first.id])
    before = entry_of(release_id, person)
    withdraw(release_id, person)
    assert (entry_of(release_id, person).state, release_of(release_id).entries) == ("withdrawn", 0)
    with pytest.raises(ImpossibleMove):
        withdraw(release_id, person)
    enter(release_id, person, [second.id])
    seen = entry_of(release_id, person)
    assert (seen.id, seen.state, seen.wishes) == (before.id, "entered", (second.id,))
    with pytest.raises(NotYours):
        withdraw(release_id, a_person())


def test_a_closed_case_withdraws_its_entry() -> None:
    slots_on(day := a_day(), 1)
    release_id, case_id = announce(day), ids.new_id("cs")
    person = enter(release_id, case_id=case_id)
    run_unit(lambda u: booking.on_case_closed(u, CaseWithdrawn(case_id, person)))
    assert entry_of(release_id, person).state == "withdrawn"


# --- the queue ----------------------------------------------------------------------------------------------------


def test_when_somebody_entered_plays_no_part() -> None:
    slots_on(day := a_day(), 9)
    release_id = announce(day, "queue")
    people = [enter(release_id) for _ in range(12)]
    close(release_id)
    ranks = [entry_of(release_id, person).rank for person in people]
    assert sorted(ranks) == list(range(1, 13))  # type: ignore[type-var]
    record = record_of(release_id)
    assert record["order"] == [entry_of(release_id, people[ranks.index(n)]).id for n in range(1, 13)]
    assert faults(release_id) == []
    assert ranks != list(range(1, 13)), "one in 479,001,600 runs fails here by chance"


def test_each_minute_some_more_may_book() -> None:
    slot = slots_on(day := a_day(), 9)[0]
    release_id = announce(day, "queue", batch=2)
    people = [enter(release_id) for _ in range(5)]
    close(release_id)
    line = sorted(people, key=lambda one: entry_of(release_id, one).rank or 0)
    last = entry_of(release_id, line[4])
    opens_at = release_of(release_id).opens_at
    assert (last.ahead, last.may_book_from, last.may_book_now) == (4, opens_at + timedelta(minutes=2), False)
    with pytest.raises(booking.NotYourTurn):
        hold(slot.id, line[0])
    open_queue(release_id)
    assert states(release_id, people) == ["queued"] * 5
    booked = [book(slot.id, line[0]), book(slot.id, line[1])]
    with pytest.raises(booking.NotYourTurn) as refused:
        hold(slot.id, line[2])
    assert refused.value.extra["your_turn_at"] == (opens_at + timedelta(minutes=1)).isoformat()
    tending.tend()
    assert states(release_id, line) == ["served", "served", "queued", "queued", "queued"]
    assert entry_of(release_id, line[0]).booking_id == booked[0].id
    assert entry_of(release_id, line[4]).ahead == 2
    clock.advance(timedelta(minutes=2))
    assert entry_of(release_id, line[4]).may_book_now
    book(slot.id, line[4])
    with pytest.raises(booking.NotYourTurn):
        hold(slot.id)


def test_the_turn_stays_with_who_cancels() -> None:
    first, second = slots_on(day := a_day(), 1, 1)
    release_id = announce(day, "queue")
    person = enter(release_id)
    open_queue(release_id)
    booked = book(first.id, person)
    tending.tend()
    cancel(booked)
    assert hold(second.id, person).state == "held"


def test_latecomers_stand_behind_as_they_come() -> None:
    slots_on(day := a_day(), 9)
    release_id = announce(day, "queue")
    on_time = [enter(release_id) for _ in range(3)]
    clock.move_to(release_of(release_id).entries_until)
    before_the_chore = enter(release_id)
    close(release_id)
    assert sorted(entry_of(release_id, one).rank or 0 for one in on_time) == [1, 2, 3]
    late = [enter(release_id), enter(release_id)]
    assert [entry_of(release_id, one).rank for one in (before_the_chore, *late)] == [4, 5, 6]
    assert faults(release_id) == []


def test_a_queue_with_nothing_left_takes_nobody() -> None:
    slot = slots_on(day := a_day(), 1)[0]
    release_id = announce(day, "queue")
    person = enter(release_id)
    open_queue(release_id)
    book(slot.id, person)
    with pytest.raises(booking.EntriesClosed):
        enter(release_id)


def test_who_left_the_queue_finds_the_own_place() -> None:
    slot = slots_on(day := a_day(), 9)[0]
    release_id = announce(day, "queue")
    people = [enter(release_id) for _ in range(3)]
    open_queue(release_id)
    first = min(people, key=lambda one: entry_of(release_id, one).rank or 0)
    withdraw(release_id, first)
    with pytest.raises(booking.NotYourTurn):
        hold(slot.id, first)
    enter(release_id, first)
    assert (entry_of(release_id, first).rank, entry_of(release_id, first).state) == (1, "queued")


def test_a_queue_ends_with_its_slots() -> None:
    slot = slots_on(day := a_day(), 1)[0]
    release_id = announce(day, "queue")
    person = enter(release_id)
    open_queue(release_id)
    clock.move_to(slot.starts_at)
    tending.tend()
    assert entry_of(release_id, person).state == "ended"


def test_nobody_slips_in_while_entries_close() -> None:
    slots_on(day := a_day(), 9)
    release_id = announce(day)
    people, late = [a_person() for _ in range(8)], []
    clock.move_to(release_of(release_id).entries_until - timedelta(milliseconds=400))

    def want(person: str) -> None:
        try:
            enter(release_id, person)
        except booking.EntriesClosed:
            late.append(person)

    threads = [threading.Thread(target=want, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    close(release_id)
    for thread in threads:
        thread.join()
    frozen = {one["id"] for one in record_of(release_id)["frozen"]["entries"]}
    assert frozen == {entry_of(release_id, one).id for one in people if one not in late}


def test_closing_waits_for_who_is_just_entering(monkeypatch: pytest.MonkeyPatch) -> None:
    slots_on(day := a_day(), 9)
    release_id, person = announce(day), a_person()
    inside, leave, closed = threading.Event(), threading.Event(), threading.Event()

    def slowly(*_seen: Any) -> None:
        inside.set()
        leave.wait(10)

    def close_now() -> None:
        close(release_id)
        closed.set()

    monkeypatch.setattr(entering, "require_unbooked", slowly)
    threads = [threading.Thread(target=enter, args=(release_id, person)), threading.Thread(target=close_now)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    assert not closed.wait(0.3)
    leave.set()
    for thread in threads:
        thread.join()
    assert [one["id"] for one in record_of(release_id)["frozen"]["entries"]] == [
        entry_of(release_id, person).id
    ]


# --- the draw -----------------------------------------------------------------------------------------------------


def test_a_draw_gives_every_place_once() -> None:
    slots = slots_on(day := a_day(), 2, 1)
    release_id = announce(day)
    people = [enter(release_id) for _ in range(6)]
    draw(release_id)
    assert release_of(release_id).state == "drawn"
    winners = won(release_id, people)
    assert len(winners) == 3
    assert sorted(states(release_id, people)) == ["lost"] * 3 + ["won"] * 3
    with unit() as u:
        found = [booking.booking_of(u, entry_of_(u, release_id, one), one) for one in winners]
    assert {(one.state, one.origin, one.case_id) for one in found} == {("confirmed", "draw", None)}
    assert [free_in(slot.id) for slot in slots] == [0, 0]
    assert faults(release_id) == []
    assert [check for check in booking.replay(record_of(release_id)) if not check.agrees] == []


def entry_of_(u: Any, release_id: str, person: str) -> str:
    return booking.entry_of(u, release_id, person).booking_id or ""


def test_the_order_decides_between_wishes() -> None:
    first, second = slots_on(day := a_day(), 1, 1)
    release_id = announce(day)
    people = {entry: person for person in (enter(release_id, wishes=[second.id, first.id]) for _ in range(3))
              for entry in [entry_of(release_id, person).id]}  # fmt: skip
    draw(release_id)
    order = [people[one] for one in record_of(release_id)["order"]]
    assert [entry_of(release_id, one).rank for one in order] == [1, 2, 3]
    assert slot_of(entry_of(release_id, order[0]).booking_id, order[0]) == second.id
    assert slot_of(entry_of(release_id, order[1]).booking_id, order[1]) == first.id
    assert entry_of(release_id, order[2]).state == "lost"


def test_what_nobody_won_is_everybodys_from_its_time() -> None:
    slot = slots_on(day := a_day(), 3)[0]
    release_id = announce(day, opens_at=clock.now() + timedelta(hours=5))
    enter(release_id)
    draw(release_id)
    assert free_in(slot.id) == 2
    with pytest.raises(booking.SlotClosed):
        hold(slot.id)
    clock.move_to(release_of(release_id).opens_at)
    hold(slot.id)


def test_two_different_people_write_the_value_down() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    enter(release_id)

    def propose(value: str = VALUE) -> None:
        run_unit(lambda u: booking.propose_value(u, release_id, value, PLANNER))

    def agree(value: str, by: Any = COLLEAGUE) -> None:
        run_unit(lambda u: booking.confirm_value(u, release_id, value, by))

    with pytest.raises(booking.ReleaseNotReady):
        propose()
    close(release_id)
    with pytest.raises(booking.PublicValueMissing):
        agree(VALUE)
    with pytest.raises(booking.PublicValueMissing):
        run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    with pytest.raises(booking.ReleaseNotReady):
        propose("3000.00")
    until_the_value(release_id)
    propose("3000.00")
    propose()
    with pytest.raises(booking.SameHands):
        agree(VALUE, PLANNER)
    with pytest.raises(booking.ValuesDiffer):
        agree("3012.46")
    with pytest.raises(booking.PublicValueMissing):
        run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    agree(" ３０１２.45 ")
    assert release_of(release_id).public_value == VALUE
    with pytest.raises(booking.ReleaseNotReady):
        propose("1.00")
    with unit() as u:
        lines = [(line.trigger, line.actor.id) for line in u.journal_of(release_id)]
    assert lines[-1] == ("value_confirmed", COLLEAGUE.id)
    assert ("value_proposed", PLANNER.id) in lines


def test_a_draw_waits_for_the_end_of_entries() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    with pytest.raises(booking.ReleaseNotReady):
        run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    slots_on(other := a_day(), 1)
    queue = announce(other, "queue")
    close(queue)
    with pytest.raises(booking.ReleaseNotReady):
        run_unit(lambda u: booking.propose_value(u, queue, VALUE, PLANNER))


def test_a_draw_drawn_twice_changes_nothing() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    people = [enter(release_id) for _ in range(3)]
    draw(release_id)
    before = record_of(release_id), states(release_id, people)
    run_unit(lambda u: booking.draw(u, release_id, COLLEAGUE))
    assert drawing.finish_draws() == 0
    assert (record_of(release_id), states(release_id, people)) == before


def test_a_draw_that_died_goes_on_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    slots_on(day := a_day(), 2, 2)
    release_id = announce(day)
    people = [enter(release_id) for _ in range(7)]
    reveal(release_id)
    order = record_of(release_id)["order"]
    given, settled = drawing._give, list[str]()

    def give_and_die(u: Any, seats: Any) -> None:
        if len(settled) == 2:
            raise MemoryError("the process died")
        given(u, seats)
        settled.append(seats[0].entry)

    monkeypatch.setattr(drawing, "_give", give_and_die)
    with pytest.raises(MemoryError):
        drawing.finish_draws()
    monkeypatch.undo()
    assert release_of(release_id).drawing
    assert sorted(states(release_id, people)) == ["entered"] * 5 + ["won"] * 2
    drawing.finish_draws()
    record = record_of(release_id)
    assert {seat["entry"] for seat in record["won"]} == set(order[:4])
    with unit() as u:
        drew = u.session.query(BookingRow).filter(BookingRow.person_id.in_(people)).all()
        assert len({one.person_id for one in drew}) == len(drew) == 4
    assert faults(release_id) == []


def test_two_workers_draw_as_one() -> None:
    slots_on(day := a_day(), 3, 3)
    release_id = announce(day)
    people = [enter(release_id) for _ in range(10)]
    reveal(release_id)
    threads = [threading.Thread(target=drawing.finish_draw, args=(release_id,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won(release_id, people)) == 6
    assert faults(release_id) == []


def test_the_place_of_who_booked_elsewhere_goes_to_the_next() -> None:
    slots_on(day := a_day(), 1)
    elsewhere = slots_on(a_day(), 1)[0]
    release_id = announce(day)
    people = {entry_of(release_id, one).id: one for one in (enter(release_id) for _ in range(3))}
    reveal(release_id)
    first, second, third = (people[one] for one in record_of(release_id)["order"])
    book(elsewhere.id, first)
    drawing.finish_draws()
    assert states(release_id, [first, second, third]) == ["lost", "won", "lost"]
    seen = entry_of(release_id, first)
    assert (seen.why, seen.why_label) == ("already-booked", booking.AlreadyBooked.title)
    assert record_of(release_id)["refused"] == [{"entry": seen.id, "why": "out"}]
    assert faults(release_id) == []


def test_the_place_of_who_withdrew_late_goes_to_the_next() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    people = {entry_of(release_id, one).id: one for one in (enter(release_id) for _ in range(2))}
    reveal(release_id)
    first, second = (people[one] for one in record_of(release_id)["order"])
    withdraw(release_id, first)
    drawing.finish_draws()
    assert states(release_id, [first, second]) == ["withdrawn", "won"]
    assert faults(release_id) == []


def test_who_may_not_take_part_is_known_before_the_draw() -> None:
    slots_on(day := a_day(), 1)
    elsewhere = slots_on(a_day(), 1)[0]
    release_id = announce(day)
    out, other = enter(release_id), enter(release_id)
    book(elsewhere.id, out)
    close(release_id)
    frozen = {one["id"]: one["out"] for one in record_of(release_id)["frozen"]["entries"]}
    assert frozen == {entry_of(release_id, out).id: "out", entry_of(release_id, other).id: ""}
    agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    drawing.finish_draws()
    assert states(release_id, [out, other]) == ["lost", "won"]
    assert record_of(release_id)["refused"] == []


def test_a_slot_closed_before_the_draw_is_left_out() -> None:
    first, second = slots_on(day := a_day(), 1, 1)
    release_id = announce(day)
    person = enter(release_id)
    close(release_id)
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=first.id).update({"closed_at": clock.now()})
    agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))
    drawing.finish_draws()
    assert record_of(release_id)["closed"] == [first.id]
    assert slot_of(entry_of(release_id, person).booking_id, person) == second.id
    assert faults(release_id) == []


def test_the_elderly_sit_on_their_own_places() -> None:
    set_rules(EXAM_SITE, EXAM, elder_percent=50)
    try:
        slot = slots_on(day := a_day(), 3, kinds={"open": 1, "elder": 2})[0]
        release_id = announce(day)
        old, young = (
            [enter(release_id, a_person(id_no=born_on(date(year, 5, 6)))) for _ in range(2)]
            for year in (1950, 2000)
        )
        draw(release_id)
        assert won(release_id, old) == old
        assert len(won(release_id, young)) == 1
        with unit() as u:
            kinds = {one.booking_id: one.kind for one in u.session.query(PlaceRow).filter_by(slot_id=slot.id)}
        assert [kinds[entry_of(release_id, one).booking_id] for one in old] == ["elder", "elder"]
    finally:
        set_rules(EXAM_SITE, EXAM)


def test_an_empty_draw_gives_all_slots_back() -> None:
    slot = slots_on(day := a_day(), 1)[0]
    release_id = announce(day)
    draw(release_id)
    assert (release_of(release_id).state, record_of(release_id)["won"]) == ("drawn", [])
    clock.move_to(release_of(release_id).opens_at)
    hold(slot.id)
    assert faults(release_id) == []


# --- calling off --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["queue", "draw"])
def test_a_release_called_off_frees_its_slots(mode: str) -> None:
    slot = slots_on(day := a_day(), 1)[0]
    release_id = announce(day, mode)
    person = enter(release_id)
    close(release_id)
    run_unit(lambda u: booking.call_off(u, release_id, "考场检修", PLANNER))
    tending.tend()
    assert (release_of(release_id).state, entry_of(release_id, person).state) == ("called_off", "called_off")
    assert release_of(release_id).seed is not None
    assert faults(release_id) if mode == "draw" else not faults(release_id)
    hold(slot.id)
    with pytest.raises(booking.EntriesClosed):
        enter(release_id)
    with pytest.raises(ImpossibleMove):
        run_unit(lambda u: booking.call_off(u, release_id, "再次取消", PLANNER))


def test_nothing_is_called_off_once_the_value_stands() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    close(release_id)
    agree_on(release_id)
    with pytest.raises(booking.ReleaseNotReady):
        run_unit(lambda u: booking.call_off(u, release_id, "结果不理想", PLANNER))


# --- doubts -------------------------------------------------------------------------------------------------------


@pytest.fixture
def a_draw() -> str:
    """A draw that is over, with two winners and two losers."""
    slots_on(day := a_day(), 2)
    release_id = announce(day)
    for _ in range(4):
        enter(release_id)
    draw(release_id)
    assert faults(release_id) == []
    return release_id


def test_a_changed_entry_is_noticed_in_our_books(a_draw: str) -> None:
    entry_id = record_of(a_draw)["order"][3]
    tamper_entry(entry_id, wishes=["sl-other"])
    assert faults(a_draw) == ["记录中的 4 份报名都在系统中，所选时段和人数相同"]
    tamper_entry(entry_id, wishes=[])


def test_a_changed_seed_or_value_is_noticed_in_our_books(a_draw: str) -> None:
    seed = release_of(a_draw).seed
    tamper(a_draw, revealed_seed=bytes(32).hex())
    assert faults(a_draw) == ["承诺值、种子、公开数值与放号登记的相同"]
    tamper(a_draw, revealed_seed=seed, public_value="3012.46")
    assert faults(a_draw) == ["承诺值、种子、公开数值与放号登记的相同"]


def test_a_record_exchanged_whole_meets_the_journal(a_draw: str) -> None:
    """Entries swapped for others after they closed, and everything computed anew around them."""
    record = record_of(a_draw)
    frozen = {**record["frozen"], "entries": record["frozen"]["entries"][:3]}
    model = draws.Frozen.model_validate(frozen)
    order = [one for one in record["order"] if one in {entry["id"] for entry in frozen["entries"]}]
    rounds = draws.award(model, order, (), {})
    forged = draws.signed({
        **record, "frozen": frozen, "frozen_digest": draws.digest_of(frozen), "order": order,
        "won": [seat.model_dump() for seat in draws.winners(rounds, {})],
    })  # fmt: skip
    tamper(a_draw, record=forged)
    assert "截止报名时，日志记下的就是这些报名和名额" in faults(a_draw)
    tamper(a_draw, record=record)


def test_a_win_handed_to_somebody_else_is_noticed(a_draw: str) -> None:
    entry_id, stranger = record_of(a_draw)["won"][0]["entry"], a_person()
    with unit() as u:
        entry = u.session.get_one(EntryRow, entry_id)
        was, drew = entry.person_id, u.session.get_one(BookingRow, entry.booking_id)
        entry.person_id = drew.person_id = stranger
    assert faults(a_draw) == ["中签的都是报名本人"]
    with unit() as u:
        entry = u.session.get_one(EntryRow, entry_id)
        u.session.get_one(BookingRow, entry.booking_id).person_id = was
        entry.person_id = was


def test_the_books_notice_what_is_wrong_with_a_release(a_draw: str) -> None:
    entry_id, last = record_of(a_draw)["won"][0]["entry"], record_of(a_draw)["order"][3]
    slot = slots_on(a_day(), 1, release_id=a_draw)[0]
    with unit() as u:
        booking_id = u.session.get_one(EntryRow, entry_id).booking_id
        u.session.get_one(EntryRow, entry_id).booking_id = None
        u.session.get_one(EntryRow, last).rank = 9
    with unit() as u:
        found = [
            line for line in booking.check_books(u) if any(one in line for one in (entry_id, a_draw, slot.id))
        ]
    assert len(found) == 3
    with unit() as u:
        u.session.get_one(EntryRow, entry_id).booking_id = booking_id
        u.session.get_one(EntryRow, last).rank = 4
        u.session.get_one(SlotRow, slot.id).release_id = None


def test_a_sealed_seed_does_not_lie_open() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    enter(release_id)
    with unit() as u:
        sealed = u.session.get_one(ReleaseRow, release_id).seed
    draw(release_id)
    assert bytes.fromhex(release_of(release_id).seed or "") not in sealed


def test_a_winner_confirms_nothing_and_may_move(a_draw: str) -> None:
    """What was drawn is an appointment like any other."""
    with unit() as u:
        entry = u.session.get_one(EntryRow, record_of_(u, a_draw))
        drew = booking.booking_of(u, entry.booking_id or "", entry.person_id)
        lines = len(u.journal_of(drew.id))
    assert (drew.state, confirm(drew).state) == ("confirmed", "confirmed")
    with unit() as u:
        assert len(u.journal_of(drew.id)) == lines
    assert cancel(drew).state == "cancelled"
    assert faults(a_draw) == []


def record_of_(u: Any, release_id: str) -> str:
    return str(booking.record_of(u, release_id)["won"][0]["entry"])


def test_lists_show_the_newest_release_first() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    with unit() as u:
        assert booking.releases_for(u, EXAM, limit=1)[0].id == release_id
        at_site = booking.releases_at(u, EXAM_SITE, limit=2)
        assert at_site[0].id == release_id
        assert booking.releases_at(u, EXAM_SITE, after=release_id, limit=1)[0].id == at_site[1].id
        assert plan(day).mode == "draw"
