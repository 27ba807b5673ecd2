"""Two logins turn out to be one human being: what the one without papers had counts as the other's."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend import booking, cases
from backend.booking.models import BlockRow, BookingRow, WaitRow
from backend.cases.models import Upload
from backend.contracts import PersonJoined
from backend.kernel import clock
from backend.people import register
from backend.people.services import joining
from backend.store.outbox import OutboxRow
from backend.store.unit import run_unit, unit
from tests.booking.makers import EXAM, a_person, at_desk, book, free_in, hold, make_slot, set_rules, state_of
from tests.booking.test_standing import blocked
from tests.booking.waiters import a_site, block_rows, nobody_waits, wait_for
from tests.cases.files import photo
from tests.cases.visitors import Visitors

SUBJECTS = ("科目一", "科目二")


@pytest.fixture
def site() -> str:
    """A site that asks for no more than a phone."""
    made = a_site()
    set_rules(made, "", level=1)
    return made


@pytest.fixture(autouse=True)
def _own_line(_sound: None) -> Any:
    yield
    nobody_waits()


def two() -> tuple[str, str]:
    """A login without papers, and the person it turns out to be."""
    return a_person(verified=False), a_person()


def monday() -> datetime:
    return clock.at_local(clock.today() + timedelta(days=14), 9)


def slot(site: str, days: int = 0, subject: int = 0) -> booking.Slot:
    starts = monday() + timedelta(days=days, minutes=subject)
    return make_slot(3, site=site, item=EXAM, subject=SUBJECTS[subject], starts=starts)


def join(login: str, person: str) -> None:
    run_unit(lambda u: booking.on_person_joined(u, PersonJoined(login, person, login)))


def owner_of(booking_id: str) -> tuple[str, str]:
    with unit() as u:
        row = u.session.get_one(BookingRow, booking_id)
        return row.person_id, row.state


def test_joining_tells_the_town(site: str) -> None:
    login, person = two()
    with unit() as u:
        found = register.locked_in_order(u, login, person)
        joining.join(u, found[login], found[person])
    with unit() as u:
        (news,) = u.session.query(OutboxRow).filter_by(stream=login, kind=PersonJoined.__name__)
        assert (news.payload["person_id"], news.payload["joined_id"]) == (person, login)


def test_bookings_are_carried_over_and_counted(site: str) -> None:
    login, person = two()
    booked = book(slot(site).id, login)
    join(login, person)
    assert owner_of(booked.id) == (person, "confirmed")
    with unit() as u:
        assert [one.id for one in booking.bookings_of(u, person)] == [booked.id]
        assert booking.bookings_of(u, login) == []
    with pytest.raises(booking.LimitReached):
        hold(slot(site, subject=1).id, person)
    with pytest.raises(booking.AlreadyBooked):
        hold(slot(site, 1).id, person)


def test_hearing_it_again_changes_nothing(site: str) -> None:
    login, person = two()
    booked = book(slot(site).id, login)
    for _ in range(2):
        join(login, person)
    assert owner_of(booked.id) == (person, "confirmed")


def test_of_two_for_the_same_what_is_surer_stays(site: str) -> None:
    login, person = two()
    held, sure = hold(slot(site).id, person), book(slot(site, 1).id, login)
    join(login, person)
    assert (owner_of(held.id), owner_of(sure.id)) == ((person, "cancelled"), (person, "confirmed"))
    assert free_in(held.slot_id) == 3


def test_of_two_equally_sure_the_persons_own_stays(site: str) -> None:
    login, person = two()
    own, other = book(slot(site).id, person), book(slot(site, 1).id, login)
    join(login, person)
    assert (owner_of(own.id), owner_of(other.id)) == ((person, "confirmed"), (person, "cancelled"))


def test_nobody_is_blamed_for_what_was_given_back(site: str) -> None:
    set_rules(site, EXAM, level=1, lapses_a_day=1, per_week=9)
    login, person = two()
    own, other = book(slot(site).id, person), book(slot(site, 1).id, login)
    join(login, person)
    run_unit(lambda u: setattr(u.session.get_one(BookingRow, own.id), "state", "served"))
    assert state_of(booking_of(other.id)) == "cancelled"
    assert hold(slot(site, 2).id, person).state == "held"


def test_who_stands_at_the_desk_twice_is_left_to_the_desk(site: str) -> None:
    login, person = two()
    shuts = clock.now() + timedelta(hours=1)
    now = [
        make_slot(1, site=site, item=EXAM, subject=SUBJECTS[0], starts=clock.now(), closes_at=shuts)
        for _ in range(2)
    ]
    mine, other = book(now[0].id, person), book(now[1].id, login)
    for one in (mine, other):
        at_desk(one, one.check_in_code or "", site)
    join(login, person)
    assert (owner_of(mine.id), owner_of(other.id)) == ((person, "checked_in"), (login, "checked_in"))


def test_a_wait_is_carried_over(site: str) -> None:
    login, person = two()
    set_rules(site, EXAM, level=1)
    wait = wait_for(slot(site), login)
    join(login, person)
    assert waits_of(person) == [(wait.id, "waiting")]


def test_who_waits_twice_keeps_the_better_place(site: str) -> None:
    set_rules(site, EXAM, level=1)
    login, person = two()
    first = wait_for(slot(site), login)
    clock.advance(timedelta(hours=1))
    own = wait_for(slot(site), person)
    join(login, person)
    assert sorted(waits_of(person)) == sorted([(first.id, "left"), (own.id, "waiting")])
    with unit() as u:
        assert u.session.get_one(WaitRow, own.id).since == first.since


def test_a_block_follows_the_person(site: str) -> None:
    login, person = blocked_login(site), a_person()
    join(login, person)
    assert (block_rows(login), block_rows(person)) == (0, 1)
    with pytest.raises(booking.BookingSuspended):
        hold(make_slot(1, site=site, starts=clock.now() + timedelta(days=8)).id, person)


def test_files_are_carried_over_too(town: Any, site: str) -> None:
    import wsgi

    login, person = two()
    sent = (
        Visitors(wsgi.app.test_client())
        .citizen(login)
        .post("/mp/v1/uploads", raw=photo(), media="image/jpeg")
    )
    run_unit(lambda u: cases.on_person_joined(u, PersonJoined(login, person, login)))
    with unit() as u:
        assert [row.id for row in u.session.query(Upload).filter_by(owner_id=person)] == [
            sent.json["upload_id"]
        ]


def blocked_login(site: str) -> str:
    """A login without papers that missed twice."""
    person = blocked(site)
    login = a_person(verified=False)
    with unit() as u:
        u.session.query(BlockRow).filter_by(person_id=person).update({"person_id": login})
        u.session.query(BookingRow).filter_by(person_id=person).update({"person_id": login})
    return login


def booking_of(booking_id: str) -> booking.BookingView:
    with unit() as u:
        return booking.booking_of(u, booking_id, u.session.get_one(BookingRow, booking_id).person_id)


def waits_of(person: str) -> list[tuple[str, str]]:
    with unit() as u:
        rows = u.session.query(WaitRow).filter_by(person_id=person)
        return [(row.id, row.state) for row in rows]
