"""Sites of one test alone, and people who wait for a place there."""

import secrets
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from backend import booking
from backend.booking import WaitView, WaitWish, tasks
from backend.booking.models import BlockRow, PlaceRow, SiteRow, WaitRow
from backend.kernel import clock, ids
from backend.store.unit import Unit, run_unit, unit
from tests.booking.makers import EXAM, ITEM, a_person, citizen

LAND, CITY = "BZ-GT", "341600"


def a_site(department: str = LAND) -> str:
    """A site that only this test knows; nobody else's slots or waits are there."""
    site_id = f"si-{secrets.token_hex(8)}"
    with unit() as u:
        u.add(
            SiteRow(
                id=site_id, name="测试办事点", kind="hall", department_id=department, region_code=CITY,
                address="测试地址", hours=[], item_ids=[ITEM, EXAM],
            )
        )  # fmt: skip
    return site_id


def wait_for(slot: booking.Slot, person_id: str = "", **more: Any) -> WaitView:
    """Somebody (somebody new when nobody is named) waits for a place like this one."""
    person, day = person_id or a_person(), clock.day_of(slot.starts_at)
    told: dict[str, Any] = {"from_day": day, "to_day": day, "subject": slot.subject, "site_id": slot.site_id}
    wish = WaitWish(person, slot.item_id, **{**told, **more})
    return run_unit(lambda u: booking.join_wait(u, wish, citizen(person)))


def offer() -> int:
    """Let the offers go out."""
    return tasks.offer_freed_places()


def owner_of(wait: WaitView) -> str:
    with unit() as u:
        return u.session.get_one(WaitRow, wait.id).person_id


def owner_of_in(u: Unit, wait: WaitView) -> str:
    """The same within a unit that is open."""
    return u.session.get_one(WaitRow, wait.id).person_id


def seen(wait: WaitView) -> WaitView:
    """The wait as its owner sees it now."""
    person = owner_of(wait)
    with unit() as u:
        return next(one for one in booking.waits_of(u, person) if one.id == wait.id)


def accept(wait: WaitView) -> booking.BookingView:
    """Confirm the place that is offered."""
    told, person = seen(wait), owner_of(wait)
    assert told.offer is not None
    booking_id = told.offer.booking_id
    return run_unit(lambda u: booking.confirm_booking(u, booking_id, person, citizen(person)))


def decline(wait: WaitView) -> WaitView:
    person = owner_of(wait)
    return run_unit(lambda u: booking.decline_offer(u, wait.id, person, citizen(person)))


def leave(wait: WaitView) -> WaitView:
    return _leave(wait.id, owner_of(wait))


def _leave(wait_id: str, person: str) -> WaitView:
    return run_unit(lambda u: booking.leave_wait(u, wait_id, person, citizen(person)))


def nobody_waits() -> None:
    """Whoever still waits leaves, so that the offers of the next test are its own."""
    with unit() as u:
        living = WaitRow.state.in_(("waiting", "offered"))
        waits = u.session.execute(select(WaitRow.id, WaitRow.person_id).where(living)).all()
    for wait_id, person in waits:
        _leave(wait_id, person)


def kept_in(slot: booking.Slot) -> int:
    """Places that are kept for those who wait."""
    with unit() as u:
        return u.session.query(PlaceRow).filter_by(slot_id=slot.id, kept=True).count()


def hands(slot: booking.Slot) -> int:
    """Places that somebody has."""
    with unit() as u:
        taken = PlaceRow.booking_id.is_not(None)
        return u.session.query(PlaceRow).filter(PlaceRow.slot_id == slot.id, taken).count()


def triggers(matter: str) -> list[str]:
    """What happened, in the words of the journal."""
    with unit() as u:
        return [entry.trigger for entry in u.journal_of(matter)]


def blocks_of(person_id: str) -> list[booking.BlockView]:
    with unit() as u:
        return booking.blocks_of(u, person_id)


def block_rows(person_id: str) -> int:
    with unit() as u:
        return len(u.session.scalars(select(BlockRow.id).where(BlockRow.person_id == person_id)).all())


def all_at_once(work: Iterable[Callable[[], Any]]) -> list[Any]:
    """Do all of it in threads that start together; returns results and exceptions in the order of the work."""
    jobs = list(work)
    start, outcome = threading.Barrier(len(jobs)), [None] * len(jobs)

    def do(n: int) -> None:
        start.wait()
        try:
            outcome[n] = jobs[n]()
        except Exception as trouble:
            outcome[n] = trouble  # type: ignore[call-overload]

    threads = [threading.Thread(target=do, args=(n,)) for n in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def new_case() -> str:
    return ids.new_id("cs")


def second_waits(
    first: Callable[[Unit], Any], second: Callable[[], Any], *, commit: bool, pause: float = 0.2
) -> Any:
    """What comes of `second`, begun while `first` is written and not decided; it must wait for that decision."""
    written, decided, outcome = threading.Event(), threading.Event(), list[Any]()

    def go_first() -> None:
        with suppress(InterruptedError), unit() as u:
            first(u)
            u.flush()
            written.set()
            decided.wait(10)
            if not commit:
                raise InterruptedError

    def go_second() -> None:
        try:
            outcome.append(second())
        except Exception as trouble:
            outcome.append(trouble)

    threads = [threading.Thread(target=go_first), threading.Thread(target=go_second)]
    threads[0].start()
    assert written.wait(10)
    threads[1].start()
    clock.sleep(pause)
    too_early = list(outcome)
    decided.set()
    for thread in threads:
        thread.join()
    assert too_early == []
    return outcome[0]
