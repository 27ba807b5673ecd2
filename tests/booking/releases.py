"""Releases for the tests: slots of their own, people who enter, and staff who write values down."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import update

from backend import booking
from backend.booking import ReleasePlan, SlotRange
from backend.booking.models import EntryRow, ReleaseRow
from backend.booking.services import drawing, tending
from backend.kernel import clock
from backend.store.unit import Actor, run_unit, unit
from tests.booking.makers import EXAM, EXAM_SITE, a_person, citizen, make_slot

PLANNER, COLLEAGUE = (Actor("staff", f"st-{one * 26}", "考试计划员") for one in ("0", "1"))
SUBJECT, SOURCE, VALUE = "测试科目", "某日上证综指收盘价", "3012.45"
_days = itertools.count(20)


def a_day() -> date:
    """A day on which no other test has slots."""
    return clock.today() + timedelta(days=next(_days))


def slots_on(day: date, *capacities: int, **more: Any) -> list[booking.Slot]:
    """Slots of the exam on a day, one after the other."""
    return [
        make_slot(
            capacity, starts=clock.at_local(day, 9 + n), item=EXAM, site=EXAM_SITE, subject=SUBJECT, **more
        )
        for n, capacity in enumerate(capacities)
    ]


def plan(day: date, mode: str = "draw", **more: Any) -> ReleasePlan:
    """Entries for an hour from now, the value half an hour later; a queue opens an hour after the entries."""
    now = clock.now()
    return ReleasePlan(**{
        "slots": SlotRange(EXAM_SITE, EXAM, SUBJECT, day, day), "mode": mode, "entries_from": now,
        "entries_until": now + timedelta(hours=1), "opens_at": now + timedelta(hours=2), "batch": 2,
        "public_source": SOURCE, "public_value_at": now + timedelta(minutes=90), **more,
    })  # fmt: skip


def announce(day: date, mode: str = "draw", **more: Any) -> str:
    return run_unit(lambda u: booking.announce(u, plan(day, mode, **more), PLANNER))


def enter(
    release_id: str, person_id: str = "", wishes: Sequence[str] = (), case_id: str | None = None
) -> str:
    """Somebody (somebody new when nobody is named) enters; returns the person."""
    person = person_id or a_person()
    run_unit(lambda u: booking.enter(u, release_id, person, wishes, case_id, citizen(person)))
    return person


def withdraw(release_id: str, person: str) -> None:
    run_unit(lambda u: booking.withdraw_entry(u, release_id, person, citizen(person)))


def entry_of(release_id: str, person: str) -> booking.EntryView:
    with unit() as u:
        return booking.entry_of(u, release_id, person)


def release_of(release_id: str) -> booking.ReleaseView:
    with unit() as u:
        return booking.release_of(u, release_id)


def record_of(release_id: str) -> dict[str, Any]:
    with unit() as u:
        return booking.record_of(u, release_id)


def close(release_id: str) -> None:
    """Let the time for entries pass, and the chore come by."""
    clock.move_to(release_of(release_id).entries_until + timedelta(seconds=1))
    tending.tend()


def open_queue(release_id: str) -> None:
    close(release_id)
    clock.move_to(release_of(release_id).opens_at)
    tending.tend()


def until_the_value(release_id: str) -> None:
    """Let the time pass until the source has stated the public value."""
    known_at = release_of(release_id).public_value_at
    if known_at is not None and clock.now() < known_at:
        clock.move_to(known_at)


def agree_on(release_id: str, value: str = VALUE) -> None:
    until_the_value(release_id)
    run_unit(lambda u: booking.propose_value(u, release_id, value, PLANNER))
    run_unit(lambda u: booking.confirm_value(u, release_id, value, COLLEAGUE))


def reveal(release_id: str) -> None:
    """Close, agree on the value, and draw; nothing is handed out yet."""
    close(release_id)
    agree_on(release_id)
    run_unit(lambda u: booking.draw(u, release_id, PLANNER))


def draw(release_id: str) -> None:
    reveal(release_id)
    drawing.finish_draws()


def faults(release_id: str) -> list[str]:
    """What a replay against our own books finds."""
    with unit() as u:
        return [check.says for check in booking.replay_release(u, release_id) if not check.agrees]


def tamper(release_id: str, **columns: Any) -> None:
    """Change a release behind the house's back."""
    with unit() as u:
        u.session.execute(update(ReleaseRow).where(ReleaseRow.id == release_id).values(columns))


def tamper_entry(entry_id: str, **columns: Any) -> None:
    with unit() as u:
        u.session.execute(update(EntryRow).where(EntryRow.id == entry_id).values(columns))
