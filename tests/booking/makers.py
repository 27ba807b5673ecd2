"""People, offices and slots for the tests of the booking office."""

import itertools
import secrets
from datetime import date, datetime, timedelta
from typing import Any

from backend import booking
from backend.booking import Wish
from backend.booking.models import PlaceRow, RuleRow, SlotRow
from backend.booking.questions import slot_view
from backend.contracts import PersonRegistered
from backend.kernel import clock, ids
from backend.people import register
from backend.people.machine import PERSON
from backend.store.unit import SYSTEM, Actor, Unit, run_unit, unit
from tests.cases.makers import id_number

HALL, ITEM, EXAM_SITE, EXAM = "si-bozhou-hall", "SI025", "si-bozhou-exam", "SI018"
CLERK = Actor("staff", "st-01hzzzzzzzzzzzzzzzzzzzzzzz", "窗口工作人员")


_births = itertools.count()


def born_on(day: date) -> str:
    """An identity number of nobody, born on this day: each of its own."""
    turn = next(_births)
    body = f"3499{turn // 1000 % 90 + 10}{day:%Y%m%d}{turn % 1000:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def make_person(u: Unit, *, verified: bool = True, id_no: str = "") -> str:
    """A citizen of the register; returns the id."""
    person = register.new_person(u)
    register.write_phone(person, "138" + ids.digits(8))
    u.step(PERSON, person, "phone_proven", by=SYSTEM)
    if verified:
        register.write_identity(person, "测试甲", id_no or id_number(), "authority")
        u.step(PERSON, person, "identity_verified", by=SYSTEM)
        u.record(PersonRegistered(person.id, person.id))
    u.session.flush()
    return person.id


def a_person(*, verified: bool = True, id_no: str = "") -> str:
    """As make_person, in a unit of its own."""
    return run_unit(lambda u: make_person(u, verified=verified, id_no=id_no))


def citizen(person_id: str) -> Actor:
    return Actor("citizen", person_id, "预约人")


def id_tail_of(person_id: str) -> str:
    """The last four characters of somebody's ID number."""
    with unit() as u:
        return register.id_no_of(register.person_row(u, person_id))[-4:]


def make_slot(
    capacity: int = 4, *, starts: datetime | None = None, item: str = ITEM, site: str = HALL, subject: str = "",
    kinds: dict[str, int] | None = None, **more: Any,
) -> booking.Slot:  # fmt: skip
    """A slot of its own with free places; `kinds` says how many of them are of another kind than open.

    Without a time it is three days ahead, at a second that no other test uses.
    """
    starts = starts or clock.now() + timedelta(days=3, seconds=secrets.randbelow(20_000))
    row = SlotRow(
        id=ids.new_id("sl"), site_id=site, item_id=item, subject=subject, starts_at=starts, capacity=capacity,
        ends_at=starts + timedelta(minutes=30),
        **{"closes_at": starts - timedelta(hours=1), "cancel_before_hours": 2, "group_id": ids.token()[:20], **more},
    )  # fmt: skip
    marked = [kind for kind, count in (kinds or {}).items() for _ in range(count)]
    with unit() as u:
        u.add(row)
        u.flush()
        for number in range(1, capacity + 1):
            kind = marked[number - 1] if number <= len(marked) else "open"
            u.add(PlaceRow(slot_id=row.id, number=number, kind=kind))
        return slot_view(row, 0)


def set_rules(site: str = HALL, item: str = ITEM, **rules: Any) -> None:
    """Rules of a site for an item; nothing given: the defaults again."""

    def write(u: Unit) -> None:
        row = u.get(RuleRow, (site, item))
        if row is None:
            u.add(RuleRow(site_id=site, item_id=item, rules=rules, changed_at=clock.now()))
        else:
            row.rules = rules

    run_unit(write)


def hold(slot_id: str, person_id: str = "", **more: Any) -> booking.BookingView:
    """Somebody (somebody new when nobody is named) holds a place."""
    person = person_id or a_person()
    return run_unit(lambda u: booking.hold_slot(u, Wish(slot_id, person, **more), citizen(person)))


def confirm(held: booking.BookingView) -> booking.BookingView:
    who = citizen(held.person_id)
    return run_unit(lambda u: booking.confirm_booking(u, held.id, held.person_id, who))


def book(slot_id: str, person_id: str = "", **more: Any) -> booking.BookingView:
    return confirm(hold(slot_id, person_id, **more))


def cancel(booked: booking.BookingView) -> booking.BookingView:
    who = citizen(booked.person_id)
    return run_unit(lambda u: booking.cancel_booking(u, booked.id, booked.person_id, who))


def at_desk(
    booked: booking.BookingView, code: str = "", site: str = HALL, *, id_tail: str = ""
) -> booking.BookingView | None:
    return run_unit(lambda u: booking.halls.check_in(u, booked.id, site, CLERK, code=code, id_tail=id_tail))


def free_in(slot_id: str) -> int:
    """Places nobody has, of any kind."""
    with unit() as u:
        return u.session.query(PlaceRow).filter_by(slot_id=slot_id, booking_id=None).count()


def state_of(booked: booking.BookingView) -> str:
    with unit() as u:
        return booking.booking_of(u, booked.id, booked.person_id).state
