"""Codes by SMS: six digits, five minutes, five tries, and no word about who is known."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.runtime import worker
from backend.store.unit import run_unit
from tests.people.makers import ask, by_phone, fresh_phone, slug, verified


def send(phone, purpose="login"):
    run_unit(lambda u: people.send_code(u, phone, purpose))


def test_a_code_opens_once(database, letters):
    phone = fresh_phone()
    send(phone)
    people.take_code(phone, "login", letters.read(phone, "login"))
    with pytest.raises(people.WrongCode):
        people.take_code(phone, "login", letters.read(phone, "login"))


def test_five_wrong_tries_kill_a_code(database, letters):
    phone = fresh_phone()
    send(phone)
    right = letters.read(phone, "login")
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(people.WrongCode):
            people.take_code(phone, "login", wrong)
    with pytest.raises(people.WrongCode):
        people.take_code(phone, "login", right)


def guess(phone, right, sender):
    with pytest.raises(people.WrongCode):
        people.take_code(phone, "login", "000000" if right != "000000" else "111111", sender)


def test_a_stranger_does_not_kill_the_code_of_its_holder(database, letters):
    phone = fresh_phone()
    send(phone)
    right = letters.read(phone, "login")
    for _ in range(20):
        guess(phone, right, "stranger")
    people.take_code(phone, "login", right, "holder")


def test_fifteen_wrong_tries_of_several_senders_kill_a_code(database, letters):
    phone = fresh_phone()
    send(phone)
    right = letters.read(phone, "login")
    for number in range(15):
        guess(phone, right, f"stranger {number % 3}")
    with pytest.raises(people.WrongCode):
        people.take_code(phone, "login", right, "holder")


def test_a_code_serves_only_its_purpose(database, letters):
    phone = fresh_phone()
    send(phone, "progress")
    with pytest.raises(people.CodeTooSoon):
        send(phone, "login")
    with pytest.raises(people.WrongCode):
        people.take_code(phone, "login", letters.read(phone, "progress"))
    people.take_code(phone, "progress", letters.read(phone, "progress"))


def test_a_code_dies_after_five_minutes(database, letters):
    phone = fresh_phone()
    send(phone)
    earlier = text("UPDATE people_code SET good_until = :at WHERE good_until > :at")
    run_unit(lambda u: u.session.execute(earlier, {"at": clock.wire_now()}))
    with pytest.raises(people.WrongCode):
        people.take_code(phone, "login", letters.read(phone, "login"))


def test_a_later_code_takes_the_place_of_an_earlier(database, letters):
    phone = fresh_phone()
    send(phone)
    first = letters.read(phone, "login")
    clock.advance(timedelta(seconds=61))
    send(phone)
    assert letters.read(phone, "login") != first or len(letters.sent) == 2
    people.take_code(phone, "login", letters.read(phone, "login"))


def test_one_code_a_minute_five_an_hour_ten_a_day(database, letters):
    phone, sent = fresh_phone(), 0
    send(phone)
    with pytest.raises(people.CodeTooSoon) as refused:
        send(phone)
    assert 0 < refused.value.retry_after <= 61
    for hour in range(3):
        for _ in range(6):
            clock.advance(timedelta(seconds=61))
            try:
                send(phone)
                sent += 1
            except people.CodeTooSoon:
                pass
        assert sent == (4, 9, 9)[hour]
        clock.advance(timedelta(hours=1))
    clock.advance(timedelta(days=1))
    send(phone)


def test_codes_are_kept_only_as_keyed_digests(database, letters):
    phone = fresh_phone()
    send(phone)
    kept = run_unit(lambda u: u.session.execute(text("SELECT * FROM people_code")).all())
    assert letters.read(phone, "login") not in str(kept)
    assert phone not in str(kept)


def test_the_answer_is_the_same_for_known_and_unknown(corner, letters):
    known, unknown = verified(corner, letters).phone, fresh_phone()
    clock.advance(timedelta(minutes=2))
    answers = [
        ask(corner, "POST", "/mp/v1/codes", {"phone": p, "purpose": "login"}) for p in (known, unknown)
    ]
    assert answers[0].json() == answers[1].json()
    assert [a.status_code for a in answers] == [202, 202]


def test_a_stranger_gets_no_courier_code_and_does_not_learn_it(corner, letters):
    phone = fresh_phone()
    assert ask(corner, "POST", "/courier/v1/codes", {"phone": phone}).status_code == 202
    assert letters.sent == []
    login = {"phone": phone, "code": "123456"}
    assert slug(ask(corner, "POST", "/courier/v1/sessions", login)) == "wrong-code"


def test_too_many_codes_are_refused_over_http(corner, letters):
    phone = fresh_phone()
    wish = {"phone": phone, "purpose": "login"}
    ask(corner, "POST", "/mp/v1/codes", wish)
    answer = ask(corner, "POST", "/mp/v1/codes", wish)
    assert (answer.status_code, slug(answer)) == (429, "code-too-soon")
    assert int(answer.headers["Retry-After"]) <= 61


def test_a_code_really_arrives_on_the_phone(corner):
    phone = fresh_phone()
    assert ask(corner, "POST", "/mp/v1/codes", {"phone": phone, "purpose": "login"}).status_code == 202
    worker.run_chore("notifications.send")
    messages = corner.control(f"/sms/inbox?phone={phone}", method="GET")["messages"]
    code = re.search(r"[0-9]{6}", messages[0]["text"])[0]
    answer = ask(corner, "POST", "/mp/v1/sessions/phone", {"phone": phone, "code": code})
    assert answer.json()["person"]["level"] == 1


def test_a_code_can_go_to_the_phone_on_record(corner, letters):
    citizen = by_phone(corner, letters)
    clock.advance(timedelta(seconds=61))
    run_unit(lambda u: people.send_code_to_person(u, citizen.id, "progress"))
    with pytest.raises(people.WrongCode):
        people.take_code_of_person(citizen.id, "progress", "x")
    people.take_code_of_person(citizen.id, "progress", letters.read(citizen.phone, "progress"))
