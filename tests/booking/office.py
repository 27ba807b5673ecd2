"""The office of the stories: a small booking office in a database of its own, and its real books held beside ours."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import text

from backend.booking.models import PlaceRow, RuleRow, SiteRow, SlotRow
from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.store.unit import Unit, run_unit, unit
from tests.booking.ledger import Booking, Ledger, Person, Place, Rules, Slot
from tests.booking.makers import EXAM, a_person, born_on

T = TypeVar("T")
SITE, SUBJECTS = "si-story", ("科目一", "科目二")
DRAWN = "sl-story-drawn-"
"""The slots that a draw gives out in some stories."""
OFFICE = (
    # Days after the first, hour, subject, and how many places for the elderly, for everybody, and for walk-ins.
    ("sl-story-0", 1, 9, 0, (0, 1, 0)),
    ("sl-story-1", 1, 15, 0, (1, 1, 0)),
    ("sl-story-2", 2, 10, 0, (1, 2, 1)),
    ("sl-story-3", 1, 11, 1, (0, 1, 0)),
    ("sl-story-4", 2, 14, 1, (1, 2, 1)),
    ("sl-story-5", 7, 10, 1, (0, 2, 0)),
    (f"{DRAWN}0", 4, 9, 0, (1, 1, 0)),
    (f"{DRAWN}1", 4, 10, 0, (0, 2, 1)),
)
KINDS = ("elder", "open", "walk_in")
_EMPTIED = text("""
    SELECT string_agg(tablename, ', ') FROM pg_tables WHERE tablename LIKE 'booking\\_%' AND tablename <> 'booking_site'
""")
_BOOKS = text("""
    SELECT (SELECT json_agg(json_build_array(slot_id, number, kind, booking_id, kept) ORDER BY slot_id, number)
            FROM booking_place),
        (SELECT coalesce(json_object_agg(id, json_build_array(state, slot_id, moving_to, party)), '{}')
            FROM booking_booking),
        (SELECT coalesce(json_object_agg(id, json_build_array(state, booking_id)), '{}') FROM booking_wait),
        (SELECT coalesce(json_agg(person_id), '[]') FROM booking_block),
        (SELECT count(*) FROM booking_slot s WHERE s.capacity < (
            SELECT coalesce(sum(b.party), 0) FROM booking_booking b WHERE s.id IN (b.slot_id, b.moving_to)
                AND b.state IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left')))
""")
TOLD: Counter[tuple[str, str]] = Counter()
"""How often each step was done, or refused with which problem, in all stories."""


def citizens(born: date, count: int, **more: bool) -> list[Person]:
    """People of the register born on days one after the other: their ages, and nothing else, matter."""
    days = [born + timedelta(days=n) for n in range(count)]
    return [Person(a_person(id_no=born_on(day), verified=more.get("verified", True)), **more) for day in days]


def open_site() -> None:
    """Register the site; a story brings its own rules and slots."""
    with unit() as u:
        u.add(
            SiteRow(
                id=SITE, name="测试办事点", kind="exam", department_id="BZ-GA", region_code="341600",
                address="测试地址", hours=[], item_ids=[EXAM],
            )
        )  # fmt: skip


def begin(first: date, rules: Rules, people: list[Person]) -> Ledger:
    """Empty the books and open the office anew, with the same slots in ours."""
    slots = {
        name: Slot(
            name, SUBJECTS[subject], clock.at_local(first + timedelta(days=days), hour),
            [Place(kind) for kind, count in zip(KINDS, counts, strict=True) for _ in range(count)],
        )
        for name, days, hour, subject, counts in OFFICE
    }  # fmt: skip
    with unit() as u:
        u.session.execute(text(f"TRUNCATE {u.session.execute(_EMPTIED).scalar_one()} CASCADE"))
        given = {**vars(rules), "elder_percent": 1, "walk_in_percent": 1}
        u.add(RuleRow(site_id=SITE, item_id="", rules=given, changed_at=clock.now()))
        for slot in slots.values():
            u.add(
                SlotRow(
                    id=slot.id, site_id=SITE, group_id="story", item_id=EXAM, subject=slot.subject,
                    starts_at=slot.starts, ends_at=slot.ends, closes_at=slot.closes, capacity=len(slot.places),
                    cancel_before_hours=2,
                )
            )  # fmt: skip
        u.flush()
        for slot in slots.values():
            u.session.add_all(
                PlaceRow(slot_id=slot.id, number=n, kind=place.kind) for n, place in enumerate(slot.places, 1)
            )
    return Ledger(rules, slots, people)


def act(step: str, work: Callable[[Unit], T], reasons: set[str]) -> T | None:
    """Do it. A refusal must be one of the reasons that our books know, and without a reason there is none."""
    refused, done = "", None
    try:
        done = run_unit(work)
    except Problem as refusal:
        refused = refusal.slug
    TOLD[step, refused or "done"] += 1
    if refused:
        assert refused in reasons, f"{step} was refused: {refused}; the reasons known are {reasons}"
        return None
    assert not reasons, f"{step} was done in spite of {reasons}"
    return done


def places_of(booking_id: str, slot: Slot) -> list[int]:
    with unit() as u:
        mine = u.session.query(PlaceRow.number).filter_by(booking_id=booking_id, slot_id=slot.id)
        return [number for (number,) in mine.order_by(PlaceRow.number)]


def compare(books: Ledger, now: datetime, *, rounds: bool = False) -> None:
    """Every place, booking, wait and block is what our books say; only what is kept may be chosen by the product.

    `rounds`: the offers have just gone out, so what nobody was offered is everybody's.
    """
    with unit() as u:
        places, real, waits, blocked, oversold = u.session.execute(_BOOKS).one()
    assert oversold == 0
    assert real == {one.id: _told(one) for one in books.bookings.values()}
    assert waits == {one.id: [one.state, one.offer] for one in books.waits.values()}
    assert set(blocked) == {one.id for one in books.people if one.blocked}
    seen: dict[str, list[Any]] = {name: [] for name in books.slots}
    for slot_id, *place in places:
        seen[slot_id].append(place)
    for slot in books.slots.values():
        mine = [[n, place.kind, place.booking] for n, place in enumerate(slot.places, start=1)]
        assert [place[:3] for place in seen[slot.id]] == mine, slot.id
        _keep(books, slot, [bool(place[3]) for place in seen[slot.id]], None if rounds else now)
    books.freed.clear()
    books.waited = {one.id for one in books.waits.values() if one.state == "waiting"}


def _told(one: Booking) -> list[Any]:
    return [one.state, one.slot.id, one.moving.id if one.moving else None, one.party]


def _keep(books: Ledger, slot: Slot, kept: list[bool], now: datetime | None) -> None:
    """What is kept was freed just now for somebody who waits; what was freed is kept while somebody waits."""
    wants = [one for one in books.waits.values() if one.id in books.waited and books.may_want(one, slot)]
    waiting = any(one.state == "waiting" and books.may_want(one, slot) for one in books.waits.values())
    loose = 0
    for number, (place, is_kept) in enumerate(zip(slot.places, kept, strict=True), start=1):
        fresh = (slot.id, number) in books.freed
        if is_kept:
            assert place.booking is None, f"{slot.id}/{number} is kept and taken"
            assert place.kind != "walk_in", f"{slot.id}/{number} is kept"
            assert place.kept or fresh, f"{slot.id}/{number} was taken away from everybody"
            assert place.kept or wants or waiting, f"{slot.id}/{number} is kept for nobody"
        loose += fresh and place.booking is None and not is_kept and place.kind != "walk_in"
        place.kept = is_kept
    if loose and now is not None and slot.is_offerable(now):
        still = sum(one.state == "waiting" for one in wants)
        assert sum(kept) >= still, f"a place freed in {slot.id} is not kept for those who wait"
