"""Seeds of the benchmarks of booking: halls with slots and places, and verified people with a session each.

All of it by plain SQL in bulk; the rows are those that the product's own doors would leave behind.
"""

import itertools
from collections.abc import Sequence

from backend import booking, catalogue
from backend.people.services import tokens
from backend.store.unit import SYSTEM, run_unit
from benchmarks.seeding import Citizen

ITEM = "SI002"
"""Booked on its own, without a case: each citizen of the crowd may come straight to the hall."""
HALL, OTHER_HALL = "si-bench-hall-1", "si-bench-hall-2"
_SITE = {
    "kind": "hall", "department_id": "BZ-GA", "region_code": "341600", "address": "一楼大厅",
    "hours": [["09:00", "17:00"]], "item_ids": [ITEM],
}  # fmt: skip
_FIRST_PERSON = 1_000_000
"""Numbers below are those of seeding.citizens."""
_PEOPLE = """
    INSERT INTO people_person (id, state, number_blind, verified_at, verified_by, created_at, seen_at)
    SELECT 'ps-' || lpad(n::text, 26, '0'), 'verified', sha256(convert_to('bench ' || n, 'UTF8')),
        now(), 'authority', now(), now()
    FROM generate_series({first}, {last}) n
"""
_SESSIONS = """
    INSERT INTO people_session (id, kind, subject_id, channel, device, opened_at, seen_at, good_until)
    SELECT 'se-' || lpad(n::text, 26, '0'), 'citizen', 'ps-' || lpad(n::text, 26, '0'), 'wechat', '',
        now(), now(), now() + interval '30 days'
    FROM generate_series({first}, {last}) n
"""
_SLOTS = """
    INSERT INTO booking_slot (id, site_id, group_id, item_id, subject, starts_at, ends_at, closes_at, capacity,
        cancel_before_hours)
    SELECT 'sl-{batch}-' || n, '{site}', '{batch}', '{item}', '{batch}', begins.at, begins.at + interval '30 minutes',
        begins.at, {capacity}, 2
    FROM generate_series(0, {count} - 1) n,
        LATERAL (SELECT now() + interval '3 days' + n * interval '1 minute') AS begins(at)
"""
_PLACES = """
    INSERT INTO booking_place (slot_id, number)
    SELECT s.id, p FROM booking_slot s, generate_series(1, s.capacity) p WHERE s.group_id = '{batch}'
"""


def open_halls() -> None:
    """Publish the items and register two halls; repeating it changes nothing."""
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    halls = [{**_SITE, "id": site, "name": f"测试大厅{n}"} for n, site in enumerate((HALL, OTHER_HALL), 1)]
    run_unit(lambda u: booking.load_sites(u, halls))


def slots_sql(batch: str, count: int, capacity: int, site: str = HALL) -> list[str]:
    """Statements that open `count` slots of `capacity` free places, a minute apart, three days ahead.

    The batch is their group and their subject too, so that it alone offers alternatives.
    """
    values = {"batch": batch, "count": count, "capacity": capacity, "site": site, "item": ITEM}
    return [_SLOTS.format(**values), _PLACES.format(**values)]


def slots_of(batch: str, count: int) -> list[str]:
    """Ids of the slots of a batch."""
    return [f"sl-{batch}-{n}" for n in range(count)]


def crowds(sizes: Sequence[int], first: int = 0) -> list[range]:
    """Numbers of people for crowds of these sizes, from `first` on, nobody in two of them."""
    ends = list(itertools.accumulate(sizes, initial=first))
    return [range(begin, end) for begin, end in itertools.pairwise(ends)]


def people_sql(numbers: range) -> list[str]:
    """Statements that register verified people with an open session each."""
    bounds = {"first": _FIRST_PERSON + numbers.start, "last": _FIRST_PERSON + numbers.stop - 1}
    return [_PEOPLE.format(**bounds), _SESSIONS.format(**bounds)]


def person_id(number: int) -> str:
    """Id of one of those people."""
    return f"ps-{_FIRST_PERSON + number:026d}"


def citizens(numbers: range) -> list[Citizen]:
    """Those people with fresh access tokens, good for fifteen minutes."""
    return [_citizen(f"{_FIRST_PERSON + number:026d}") for number in numbers]


def _citizen(tail: str) -> Citizen:
    return Citizen(f"ps-{tail}", tokens.issue("citizen", f"ps-{tail}", f"se-{tail}"))
