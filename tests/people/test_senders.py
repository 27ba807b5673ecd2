"""How much one address may ask for, how many passwords are proven at once, and what clerks look up."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from backend import people
from backend.kernel import clock, ids
from backend.kernel.problems import TooMany
from backend.people.services import passwords
from backend.runtime.audience import Principal
from backend.runtime.settings import settings
from backend.store.unit import run_unit
from tests.people.makers import PASSWORD, Citizen, ask, fresh_id_no, fresh_phone, officer, slug


@pytest.fixture
def few(corner, monkeypatch):
    """Three of everything for an address, in hours that nobody else has used."""
    for kind in ("CODES", "LOGINS", "REFRESHES", "LOOKUPS"):
        monkeypatch.setenv(f"{kind}_PER_ADDRESS", "3")
    settings.cache_clear()
    run_unit(lambda u: u.session.execute(text("DELETE FROM people_tally WHERE name LIKE 'sender.%'")))
    yield corner
    monkeypatch.undo()
    settings.cache_clear()


WINDOWS = {
    "/mp/v1/codes": lambda: {"phone": fresh_phone(), "purpose": "login"},
    "/courier/v1/codes": lambda: {"phone": fresh_phone()},
    "/mp/v1/sessions/phone": lambda: {"phone": fresh_phone(), "code": "123456"},
    "/mp/v1/sessions/wechat": lambda: {"code": "never-issued"},
    "/courier/v1/sessions": lambda: {"phone": fresh_phone(), "code": "123456"},
    "/dept/v1/sessions": lambda: {"account": "nobody", "password": "wrong", "totp": "123456"},
    "/mp/v1/sessions/refresh": lambda: {"refresh_token": "x" * 40},
    "/mp/v1/progress/codes": lambda: {"number": "BZ0000000000", "id_tail": "0000"},
    "/mp/v1/progress": lambda: {"number": "BZ0000000000", "id_tail": "0000", "code": "123456"},
}


@pytest.mark.parametrize("path", WINDOWS)
def test_an_address_asks_only_so_often_in_an_hour(few, letters, path):
    answers = [ask(few, "POST", path, WINDOWS[path]()) for _ in range(4)]
    assert "too-many-requests" not in [slug(answer) for answer in answers[:3]]
    assert (answers[3].status_code, slug(answers[3])) == (429, "too-many-requests")
    assert 0 < int(answers[3].headers["Retry-After"]) <= 3601
    clock.advance(timedelta(hours=1, seconds=1))
    assert slug(ask(few, "POST", path, WINDOWS[path]())) != "too-many-requests"


def test_a_flood_of_passwords_waits_and_is_refused(corner, monkeypatch):
    monkeypatch.setattr(passwords._turns, "wait_s", 0.01)
    body = {"account": "nobody.at.all", "password": PASSWORD, "totp": "123456"}
    with passwords._turns.taken(), passwords._turns.taken():
        refused = [ask(corner, "POST", "/dept/v1/sessions", body) for _ in range(7)]
    assert {(one.status_code, slug(one)) for one in refused} == {(429, "too-many-requests")}
    assert refused[0].headers["Retry-After"] == "2"
    monkeypatch.undo()
    assert slug(ask(corner, "POST", "/dept/v1/sessions", body)) == "login-refused", "nothing was counted"


def test_an_applicant_looked_up_can_read_who_did(corner):
    citizen = Citizen(corner, fresh_phone()).papers()
    card = {"name": citizen.name, "id_no": citizen.id_no, "phone": citizen.phone}
    clerk = officer(corner, "window_clerk")
    person = ask(corner, "POST", "/dept/v1/applicants", card, token=clerk.token).json()["id"]
    (look,) = run_unit(lambda u: people.looks_at(u, person)).items
    assert (look.purpose, look.what) == ("窗口登记办事人", "姓名、身份证号、手机号")


def test_a_clerk_looks_up_sixty_applicants_an_hour(corner):
    clerk, id_no = Principal("staff", ids.new_id("st")), fresh_id_no()
    for _ in range(60):
        with pytest.raises(people.IdentityMismatch):
            people.register_at_window("测试甲", id_no, "", clerk)
    with pytest.raises(TooMany):
        people.register_at_window("测试甲", id_no, "", clerk)


def test_control_characters_are_refused_in_every_field(corner):
    body = {"account": "a\u001b[31m", "password": PASSWORD, "totp": "123456"}
    answer = ask(corner, "POST", "/dept/v1/sessions", body)
    assert (slug(answer), answer.json()["errors"][0]["field"]) == ("invalid-input", "account")
