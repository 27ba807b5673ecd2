"""Reminders: one of each kind, in time or not at all, and none of an appointment that is no more."""

import threading
from datetime import datetime, timedelta

import pytest

from backend import booking
from backend.booking import tasks
from backend.booking.models import BookingRow, EntryRow, ReleaseRow, ReminderRow, SlotRow, WaitRow
from backend.booking.models.standing import BlockRow
from backend.contracts import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingDisplaced,
    BookingEvent,
    BookingMoved,
    BookingReminderDue,
    BookingRestored,
)
from backend.kernel import clock, ids
from backend.store.outbox import OutboxRow
from backend.store.unit import Unit, run_unit, unit
from tests.booking.makers import (
    EXAM,
    EXAM_SITE,
    HALL,
    ITEM,
    a_person,
    at_desk,
    book,
    cancel,
    citizen,
    hold,
    make_slot,
)

TOMORROW = clock.today() + timedelta(days=1)


def local(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return clock.at_local(TOMORROW + timedelta(days=days), hour, minute)


@pytest.fixture(autouse=True)
def _a_morning(_offices: None) -> None:
    clock.move_to(local(10, days=-1))


def hear(booked: booking.BookingView, kind: type[BookingEvent] = BookingConfirmed) -> None:
    """The house's own ear hears of a booking."""
    more = {"found": True} if kind is BookingDisplaced else {}
    run_unit(lambda u: booking.on_booking_changed(u, kind(booked.id, booked.person_id, booked.id, **more)))


def an_appointment(starts: datetime, **more: object) -> booking.BookingView:
    booked = book(make_slot(starts=starts, **more).id)  # type: ignore[arg-type]
    hear(booked)
    return booked


def reminders(booked: booking.BookingView) -> dict[str, tuple[str, datetime, datetime]]:
    """State, due and last moment of each."""
    with unit() as u:
        rows = u.session.query(ReminderRow).filter_by(booking_id=booked.id)
        return {row.kind: (row.state, row.due_at, row.not_after) for row in rows}


def states(booked: booking.BookingView) -> dict[str, str]:
    return {kind: row[0] for kind, row in reminders(booked).items()}


def told(booked: booking.BookingView) -> list[str]:
    """Reminders the town heard of, in order."""
    with unit() as u:
        rows = u.session.query(OutboxRow).filter_by(stream=booked.id, kind=BookingReminderDue.__name__)
        return [row.payload["reminder"] for row in rows.order_by(OutboxRow.id)]


def remind_at(at: datetime) -> None:
    clock.move_to(at)
    tasks.remind()


def move(booked: booking.BookingView, slot: booking.Slot) -> None:
    who = citizen(booked.person_id)
    wish = booking.Wish(slot.id, booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, wish, who))
    run_unit(lambda u: booking.confirm_move(u, booked.id, booked.person_id, who))


def test_each_appointment_has_one_reminder_of_each_kind() -> None:
    booked = an_appointment(local(14))
    hear(booked)
    assert reminders(booked) == {
        "day_before": ("waiting", local(18, days=-1), local(12)),
        "two_hours": ("waiting", local(12), local(13, 30)),
    }


def test_a_held_place_is_not_reminded_of() -> None:
    held = hold(make_slot(starts=local(14)).id)
    hear(held)
    assert reminders(held) == {}


def test_each_reminder_is_told_once_when_it_is_due() -> None:
    booked = an_appointment(local(14))
    remind_at(local(17, 59, days=-1))
    assert told(booked) == []
    for at in (local(18, days=-1), local(18, 1, days=-1), local(11, 59)):
        remind_at(at)
        assert told(booked) == ["day_before"]
    for at in (local(12), local(13)):
        remind_at(at)
        assert told(booked) == ["day_before", "two_hours"]
    assert states(booked) == {"day_before": "told", "two_hours": "told"}


def test_workers_at_once_tell_a_reminder_once() -> None:
    booked = [an_appointment(local(14)) for _ in range(5)]
    clock.move_to(local(18, days=-1))
    workers = [threading.Thread(target=tasks.remind) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [told(one) for one in booked] == [["day_before"]] * 5


@pytest.mark.parametrize(
    ("booked_at", "kinds"),
    [
        (local(17, 59, days=-1), {"day_before", "two_hours"}),
        (local(18, days=-1), {"two_hours"}),
        (local(11, 59), {"two_hours"}),
        (local(12), set()),
    ],
)
def test_who_books_late_is_not_reminded_of_what_is_fresh(booked_at: datetime, kinds: set[str]) -> None:
    slot = make_slot(starts=local(14))
    clock.move_to(booked_at)
    booked = book(slot.id)
    hear(booked)
    assert reminders(booked).keys() == kinds


def test_what_the_ear_hears_late_is_still_told_in_time() -> None:
    booked = book(make_slot(starts=local(14)).id)
    clock.move_to(local(19, days=-1))
    hear(booked)
    tasks.remind()
    assert told(booked) == ["day_before"]


def test_what_the_ear_hears_too_late_is_never_told() -> None:
    booked = book(make_slot(starts=local(14)).id)
    clock.move_to(local(13, 30))
    hear(booked)
    tasks.remind()
    assert told(booked) == []


def test_nobody_is_woken_for_an_early_appointment() -> None:
    booked = an_appointment(local(7, 30))
    assert reminders(booked)["two_hours"][1:] == (local(6, 30), local(7))
    assert reminders(an_appointment(local(6, 45))).keys() == {"day_before"}


@pytest.mark.parametrize("late", [local(12), local(13, 30), local(14), local(20, days=3)])
def test_a_leap_of_the_clock_leaves_pointless_reminders_untold(late: datetime) -> None:
    booked = an_appointment(local(14))
    remind_at(late)
    assert told(booked) == (["two_hours"] if late == local(12) else [])
    assert states(booked)["day_before"] == "dead"


def test_a_cancelled_appointment_is_not_reminded_of() -> None:
    heard, unheard = an_appointment(local(14)), an_appointment(local(14, 1))
    for one in (heard, unheard):
        cancel(one)
    hear(heard, BookingCancelled)
    assert states(heard) == {"day_before": "dead", "two_hours": "dead"}
    remind_at(local(18, days=-1))
    remind_at(local(12, 1))
    assert told(heard) == told(unheard) == []
    assert states(unheard) == {"day_before": "dead", "two_hours": "dead"}


def test_a_moved_appointment_is_reminded_of_at_its_new_time() -> None:
    booked = an_appointment(local(14))
    move(booked, make_slot(starts=local(15, days=2)))
    remind_at(local(18, days=-1))
    assert told(booked) == []
    hear(booked, BookingMoved)
    assert reminders(booked)["day_before"] == ("waiting", local(18, days=1), local(13, days=2))
    remind_at(local(12))
    assert told(booked) == []
    remind_at(local(18, days=1))
    remind_at(local(13, days=2))
    assert told(booked) == ["day_before", "two_hours"]


def test_a_reminder_told_is_told_anew_after_a_move() -> None:
    booked = an_appointment(local(14))
    remind_at(local(18, days=-1))
    move(booked, make_slot(starts=local(15, days=2)))
    hear(booked, BookingMoved)
    remind_at(local(18, days=1))
    assert told(booked) == ["day_before", "day_before"]


def test_a_move_to_soon_takes_back_what_comes_too_late() -> None:
    booked = an_appointment(local(15, days=2))
    slot = make_slot(starts=local(14))
    clock.move_to(local(19, days=-1))
    move(booked, slot)
    hear(booked, BookingMoved)
    assert states(booked) == {"day_before": "dead", "two_hours": "waiting"}


def test_late_news_of_a_confirmation_changes_nothing() -> None:
    booked = an_appointment(local(14))
    move(booked, make_slot(starts=local(15, days=2)))
    hear(booked, BookingMoved)
    after = reminders(booked)
    hear(booked, BookingConfirmed)
    assert reminders(booked) == after


def test_who_has_come_is_not_reminded() -> None:
    early = an_appointment(local(14))
    clock.move_to(local(13))
    tasks.remind()
    assert booking_code(early)
    at_desk(early, booking_code(early))
    hear(early, BookingCheckedIn)
    assert run_unit(lambda u: "two_hours_not_after" not in booking.facts_for(u, early.id))


def booking_code(booked: booking.BookingView) -> str:
    with unit() as u:
        return booking.booking_of(u, booked.id, booked.person_id).check_in_code or ""


def test_who_did_not_come_is_not_reminded() -> None:
    booked = an_appointment(local(14))
    clock.move_to(local(1, days=1))
    tasks.mark_those_missed()
    tasks.remind()
    assert told(booked) == []


def close_slot(slot_id: str, why: str = "停电检修。") -> None:
    def close(u: Unit) -> None:
        slot = u.session.get_one(SlotRow, slot_id)
        slot.closed_at, slot.closed_why = clock.now(), why

    run_unit(close)


def open_slot(slot_id: str) -> None:
    def reopen(u: Unit) -> None:
        slot = u.session.get_one(SlotRow, slot_id)
        slot.closed_at, slot.closed_why = None, ""

    run_unit(reopen)


def test_a_closed_time_is_not_reminded_of() -> None:
    booked = an_appointment(local(14))
    close_slot(booked.slot_id)
    remind_at(local(18, days=-1))
    assert told(booked) == []


@pytest.mark.parametrize("swept", [False, True])
def test_a_time_opened_again_is_reminded_of(*, swept: bool) -> None:
    booked = an_appointment(local(14))
    for _ in range(2):
        close_slot(booked.slot_id)
        hear(booked, BookingDisplaced)
        assert states(booked) == {"day_before": "dead", "two_hours": "dead"}
        open_slot(booked.slot_id)
        hear(booked, BookingRestored)
        assert states(booked) == {"day_before": "waiting", "two_hours": "waiting"}
    if swept:  # the sweep found it closed before anybody heard of it
        close_slot(booked.slot_id)
        remind_at(local(18, days=-1))
        open_slot(booked.slot_id)
        hear(booked, BookingRestored)
    remind_at(local(18, 30, days=-1))
    assert told(booked) == ["day_before"]


def test_a_time_opened_again_late_has_only_what_is_in_time() -> None:
    booked = an_appointment(local(14))
    close_slot(booked.slot_id)
    hear(booked, BookingDisplaced)
    clock.move_to(local(12, 30))
    open_slot(booked.slot_id)
    hear(booked, BookingRestored)
    assert states(booked) == {"day_before": "dead", "two_hours": "waiting"}


def test_the_books_notice_a_reminder_that_would_come_late() -> None:
    booked = an_appointment(local(14))

    def spoil(u: Unit, by: timedelta) -> None:
        row = u.session.get_one(ReminderRow, (booked.id, "two_hours"))
        row.not_after += by

    run_unit(lambda u: spoil(u, timedelta(minutes=30)))
    assert any(booked.id in fault for fault in run_unit(booking.check_books))
    run_unit(lambda u: spoil(u, -timedelta(minutes=30)))


def test_facts_name_only_reminders_that_stand() -> None:
    booked = an_appointment(local(14))

    def named() -> dict[str, str]:
        facts = run_unit(lambda u: booking.facts_for(u, booked.id))
        return {name: value for name, value in facts.items() if name.startswith(("day_before", "two_hours"))}

    assert named() == {}
    remind_at(local(18, days=-1))
    assert named() == {"day_before_not_after": local(12).isoformat()}
    move(booked, make_slot(starts=local(15, days=2)))
    assert named() == {}


def test_facts_of_an_appointment_in_words() -> None:
    slot = make_slot(starts=local(9, 30, days=3), item=EXAM, site=EXAM_SITE, subject="科目二")
    held = hold(slot.id)
    facts = run_unit(lambda u: booking.facts_for(u, held.id))
    day = TOMORROW + timedelta(days=3)
    assert facts["when"] == f"{day.month}月{day.day}日09:30"
    assert facts["item"].endswith("（科目二）")
    assert facts["number"] == held.number
    assert facts["people"] == "1"
    assert held.held_until is not None
    assert facts["not_after"] == held.held_until.isoformat()
    assert "held_until" in facts
    assert "code" not in facts


def test_facts_tell_a_hold_from_an_appointment_given_back() -> None:
    held, booked = hold(make_slot().id), book(make_slot().id)
    for one in (held, booked):
        cancel(one)
    assert "never_sure" in run_unit(lambda u: booking.facts_for(u, held.id))
    assert "never_sure" not in run_unit(lambda u: booking.facts_for(u, booked.id))


def test_facts_of_a_closed_time_and_of_another_held() -> None:
    booked, other = an_appointment(local(14)), make_slot(starts=local(15, days=1))
    close_slot(booked.slot_id)
    wish = booking.Wish(other.id, booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, wish, citizen(booked.person_id)))
    facts = run_unit(lambda u: booking.facts_for(u, booked.id))
    assert facts["closed_why"] == "停电检修"
    assert facts["new_when"].endswith("日15:00")
    assert facts["move_not_after"] > clock.now().isoformat()


def test_facts_of_waits_entries_and_blocks_in_words() -> None:
    person, booked = a_person(), book(make_slot(starts=local(14)).id)
    wait, entry, block, release = (ids.new_id(prefix) for prefix in ("wt", "ey", "bl", "rl"))
    day = TOMORROW

    def write(u: Unit) -> None:
        u.add(WaitRow(id=wait, person_id=person, item_id=ITEM, subject="", site_id=HALL, from_day=day,
                      to_day=day + timedelta(days=1), state="left", since=clock.now()))  # fmt: skip
        u.add(ReleaseRow(id=release, site_id=EXAM_SITE, item_id=EXAM, subject="科目一", mode="draw",
                         state="announced", entries_from=clock.now(), entries_until=clock.now(),
                         opens_at=clock.now(), batch=1, commitment=bytes(32), seed=b"", public_source="",
                         made_by="st-1", made_at=clock.now()))  # fmt: skip
        u.flush()
        u.add(EntryRow(id=entry, release_id=release, person_id=person, state="lost", wishes=[],
                       why="already-booked", entered_at=clock.now()))  # fmt: skip
        u.add(BlockRow(id=block, person_id=person, item_id=ITEM, site_id=HALL, cause_id=booked.id, state="lifted",
                       until=local(0), decided_why="材料属实。"))  # fmt: skip

    cancel(booked)
    run_unit(write)
    waits = run_unit(lambda u: booking.wait_facts_for(u, wait))
    assert waits["days"].startswith(f"{day.month}月{day.day}日至")
    assert waits["place"] == run_unit(lambda u: booking.site_of(u, HALL)).name
    entries = run_unit(lambda u: booking.entry_facts_for(u, entry))
    assert entries["item"].endswith("（科目一）")
    assert entries["why"].startswith("您已经有一个预约")
    blocks = run_unit(lambda u: booking.block_facts_for(u, block))
    assert blocks["until"] == f"{day.year}年{day.month}月{day.day}日"
    assert (blocks["why"], blocks["when"]) == ("材料属实", f"{day.month}月{day.day}日14:00")
    for model, key in ((EntryRow, entry), (ReleaseRow, release), (BlockRow, block), (WaitRow, wait)):
        run_unit(lambda u, m=model, k=key: u.session.delete(u.session.get_one(m, k)))  # type: ignore[misc]


@pytest.mark.parametrize("teller", ["facts_for", "wait_facts_for", "entry_facts_for", "block_facts_for"])
def test_what_is_not_there_has_no_facts(teller: str) -> None:
    assert run_unit(lambda u: getattr(booking, teller)(u, ids.new_id("bk"))) == {}


def test_an_unknown_booking_has_no_reminders() -> None:
    absent = ids.new_id("bk")
    run_unit(lambda u: booking.on_booking_changed(u, BookingConfirmed(absent, absent, absent)))
    with unit() as u:
        assert u.get(BookingRow, absent) is None
