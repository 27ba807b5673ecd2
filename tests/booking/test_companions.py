"""Who comes along counts like who booked, wherever they are named; and nobody learns of another's appointment by it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking import Companion, Wish, naming
from backend.booking.models import BookingRow, CompanionRow
from backend.kernel import clock
from backend.people import folded
from backend.store import lean
from backend.store.unit import run_unit, unit
from tests.booking.makers import (
    EXAM,
    a_person,
    book,
    cancel,
    citizen,
    confirm,
    hold,
    make_slot,
    set_rules,
)
from tests.booking.waiters import a_site, all_at_once, second_waits
from tests.cases.makers import id_number
from tests.cases.visitors import Visitors

SUBJECTS = ("科目一", "科目二")


@pytest.fixture
def site() -> str:
    return a_site()


def monday() -> datetime:
    return clock.at_local(clock.today() + timedelta(days=14), 9)


def slot(site: str, days: int = 0, subject: int = 0, capacity: int = 6) -> booking.Slot:
    starts = monday() + timedelta(days=days, minutes=subject)
    return make_slot(capacity, site=site, item=EXAM, subject=SUBJECTS[subject], starts=starts)


def family(*numbers: str) -> dict[str, Any]:
    return {"companions": tuple(Companion("测试乙", one) for one in numbers)}


def test_who_comes_along_does_not_book_alone_besides(site: str) -> None:
    number = id_number()
    along, alone = a_person(id_no=number), slot(site, 1)
    booked = book(slot(site).id, **family(number))
    with pytest.raises(booking.AlreadyBooked) as refused:
        hold(alone.id, along)
    assert "同行人" in (refused.value.detail or "")
    cancel(booked)
    assert hold(alone.id, along).state == "held"


def test_the_refusal_names_neither_booking_nor_booker(site: str) -> None:
    number = id_number()
    booked = book(slot(site).id, **family(number))
    with pytest.raises(booking.AlreadyBooked) as refused:
        hold(slot(site, 1).id, a_person(id_no=number))
    said = json.dumps(refused.value.as_dict("urn:x"), ensure_ascii=False)
    for secret in (booked.id, booked.number, booked.person_id, booked.slot_id, number):
        assert secret not in said
    assert refused.value.extra == {}


def test_who_has_booked_does_not_come_along_besides(site: str) -> None:
    number = id_number()
    own = book(slot(site, 1).id, a_person(id_no=number))
    with pytest.raises(booking.CompanionNotFree) as refused:
        hold(slot(site).id, **family(id_number(), number))
    assert refused.value.extra == {"companions": [1]}
    cancel(own)
    assert hold(slot(site).id, **family(number)).party == 2


def test_nobody_comes_along_twice(site: str) -> None:
    number = id_number()
    first = book(slot(site).id, **family(number))
    with pytest.raises(booking.CompanionNotFree):
        hold(slot(site, 1).id, **family(number))
    cancel(first)
    assert hold(slot(site, 1).id, **family(number)).party == 2


def test_limits_of_a_day_count_who_came_along(site: str) -> None:
    number = id_number()
    along = a_person(id_no=number)
    book(slot(site).id, **family(number))
    with pytest.raises(booking.LimitReached, match="当天最多预约 1 次"):
        hold(slot(site, subject=1).id, along)
    assert hold(slot(site, 1, subject=1).id, along).state == "held"


def test_limits_of_a_week_count_visits_on_both_sides(site: str) -> None:
    number = id_number()
    along = a_person(id_no=number)
    for day, who in ((0, {"person_id": along}), (1, family(number))):
        booked = book(slot(site, day).id, **who)
        with unit() as u:
            u.session.get_one(BookingRow, booked.id).state = "served"
    with pytest.raises(booking.LimitReached, match="当周最多预约 2 次"):
        hold(slot(site, 2).id, along)
    with pytest.raises(booking.CompanionNotFree):
        hold(slot(site, 2).id, **family(number))
    assert hold(slot(site, 7).id, **family(number)).party == 2


def test_other_items_and_others_people_are_not_counted(site: str) -> None:
    number = id_number()
    book(slot(site).id, **family(number))
    assert hold(make_slot(2, site=site, starts=monday()).id, a_person(id_no=number)).state == "held"
    assert hold(slot(site).id, **family(id_number())).party == 2


def test_what_companions_threw_away_is_not_theirs(site: str) -> None:
    set_rules(site, EXAM, lapses_a_day=1)
    number = id_number()
    cancel(hold(slot(site).id, **family(number)))
    assert hold(slot(site).id, a_person(id_no=number)).state == "held"


def test_a_family_on_the_move_is_counted_whole(site: str) -> None:
    set_rules(site, EXAM, per_day=1)
    number = id_number()
    along = a_person(id_no=number)
    booked = book(slot(site).id, **family(number))
    book(slot(site, 1, subject=1).id, along)

    def move_to(day: int) -> booking.BookingView:
        wish = Wish(slot(site, day).id, booked.person_id)
        return run_unit(lambda u: booking.hold_move(u, booked.id, wish, citizen(booked.person_id)))

    with pytest.raises(booking.CompanionNotFree):
        move_to(1)
    assert move_to(2).moving is not None


def test_who_comes_along_with_a_moving_family_counts_on_both_days(site: str) -> None:
    number = id_number()
    booked = book(slot(site).id, **family(number))
    wish = Wish(slot(site, 2).id, booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, wish, citizen(booked.person_id)))
    along = a_person(id_no=number)
    for day in (0, 2):
        with pytest.raises(booking.LimitReached):
            hold(slot(site, day, subject=1).id, along)


@pytest.mark.parametrize("commit", [True, False])
def test_a_companion_who_books_meanwhile_waits(site: str, commit: bool) -> None:
    number, booker = id_number(), a_person()
    along, wanted = a_person(id_no=number), slot(site, 1)
    first = Wish(slot(site).id, booker, **family(number))
    came = second_waits(
        lambda u: booking.hold_slot(u, first, citizen(booker)), lambda: hold(wanted.id, along), commit=commit
    )
    assert isinstance(came, booking.AlreadyBooked if commit else booking.BookingView)


def test_two_families_naming_one_person_at_once(site: str) -> None:
    number, slots = id_number(), [slot(site, day) for day in range(3)]
    outcome = all_at_once([lambda one=one: hold(one.id, **family(number)) for one in slots])  # type: ignore[misc]
    assert sum(isinstance(one, booking.CompanionNotFree) for one in outcome) == 2
    assert sum(isinstance(one, booking.BookingView) for one in outcome) == 1


def test_people_who_name_each_other_at_once(site: str) -> None:
    numbers = [id_number(), id_number()]
    people = [a_person(id_no=one) for one in numbers]
    slots = [slot(site, day) for day in range(2)]
    outcome = all_at_once(
        [
            lambda n=n: hold(slots[n].id, people[n], **family(numbers[1 - n]))  # type: ignore[misc]
            for n in range(2)
        ]
    )
    assert sum(isinstance(one, booking.BookingView) for one in outcome) == 1


def test_what_is_kept_of_a_companion_is_sealed(site: str) -> None:
    number = id_number()
    held = hold(slot(site).id, **family(number))
    with unit() as u:
        (row,) = u.session.query(CompanionRow).filter_by(booking_id=held.id)
        assert number.encode() not in row.id_no
        assert bytes(row.number_blind) == folded.number_blind(number)


def test_a_plain_hold_asks_no_more_than_before(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two statements for looking and holding, whoever else is named anywhere."""

    asked, execute = list[str](), lean.Wire.execute

    def counting(wire: lean.Wire, statement: str, values: Any = (), **how: bool) -> Any:
        asked.append(statement)
        return execute(wire, statement, values, **how)

    wanted, person = slot(site), a_person()
    run_unit(lambda u: naming.item_name(u, wanted.item_id))
    monkeypatch.setattr(lean.Wire, "execute", counting)
    with unit() as u:
        booking.hold_slot(u, Wish(wanted.id, person), citizen(person))
    assert len(asked) == 2


def test_families_over_http_are_told_who_is_not_free(town: Any, site: str) -> None:
    import wsgi

    number = id_number()
    booked = confirm(hold(slot(site, 1).id, a_person(id_no=number)))
    citizen_at = Visitors(wsgi.app.test_client()).citizen(a_person())
    asked = {"slot_id": slot(site).id, "companions": [{"name": "测试乙", "id_no": number}]}
    answer = citizen_at.post("/mp/v1/bookings", asked)
    assert (answer.status_code, answer.json["companions"]) == (409, [0])
    assert booked.id not in answer.text
    cancel(booked)
    assert citizen_at.post("/mp/v1/bookings", asked).status_code == 201
